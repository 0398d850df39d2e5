"""Starting the server as editors do: in any workspace, without torch, on this machine only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truepenny.lsp_server.editor.transport import AddressError, loopback_address

SERVER = [sys.executable, "-I", "-m", "truepenny.lsp_server"]


@pytest.fixture
def hostile_workspace(tmp_path: Path) -> Path:
    """A project that has modules of our names, and of the standard library's."""
    for folder in ("models", "context", "guard", "lsp_server", "truepenny", "pygls"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise SystemExit('the workspace was imported')\n")
    for module in ("dataclasses", "json", "asyncio", "typing"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('the workspace was imported')\n")
    return tmp_path


def test_a_workspace_cannot_stand_in_for_us(
    hostile_workspace: Path, start_client: Callable[..., Any]
) -> None:
    """Not even with `PYTHONPATH=.` exported, as some projects do."""
    environment = os.environ | {"PYTHONPATH": "."}
    client = start_client([*SERVER, "--engine", "fake"], cwd=hostile_workspace, env=environment)

    result = client.initialize()
    client.open("file:///x.py", "x = 1\n")
    answer = client.answer(client.ask_inline("file:///x.py", 1, 0))

    assert result["serverInfo"]["name"] == "truepenny"
    assert "result" in answer
    assert client.stop() == 0


def test_importing_the_server_does_not_import_torch() -> None:
    """An editor waits for `initialize`; the weights belong to another process."""
    heavy = "{'torch', 'transformers', 'bitsandbytes', 'numpy', 'tree_sitter', 'tokenizers'}"
    code = (
        f"import sys, truepenny.lsp_server.editor.server;sys.exit(str({heavy} & set(sys.modules) or '') or 0)"
    )

    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tcp", "0.0.0.0:7777"], "127.0.0.1:7777"),
        (["--tcp", "7777"], "HOST:PORT"),
        (["--engine", "lokal"], "'local', 'fake' or an address"),
        (["--log-level", "loud"], "invalid choice"),
    ],
)
def test_a_mistaken_argument_is_explained(arguments: list[str], words: str) -> None:
    """Exit 2, the fix on standard error, nothing on standard output."""
    done = subprocess.run([*SERVER, *arguments], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:7777", ("127.0.0.1", 7777)),
        ("localhost:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("127.9.9.9:80", ("127.9.9.9", 80)),
    ],
)
def test_loopback_addresses_are_taken(text: str, address: tuple[str, int]) -> None:
    """However they are written."""
    assert loopback_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0:1",
        ":1",
        "[::]:1",
        "192.168.0.1:1",
        "example.org:1",
        "127.0.0.1:",
        "127.0.0.1:99999",
        "127.0.0.1:-1",
        "",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    """A language server reads every open file: nobody else may reach it."""
    with pytest.raises(AddressError, match=r"127\.0\.0\.1"):
        loopback_address(text)


def test_one_client_is_served_over_loopback() -> None:
    """For debugging: prints where it listens, serves one client, ends with it."""
    command = [*SERVER, "--tcp", "127.0.0.1:0", "--engine", "fake"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        listening = process.stderr.readline()
        port = int(listening.rpartition(":")[2])
        body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            answer = connection.recv(65536)
        code = process.wait(60)

    assert b'"serverInfo"' in answer
    assert code == 0
