"""Pain 19: people want a local model, without an account, with the network unplugged.

The server and the engine it starts run with a hook that Python calls before every connection and look-up:
whatever does not stay on this machine is written down and refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from truepenny.models.catalogue import DEFAULT_MODEL
from truepenny.models.errors import WeightsMissingError
from truepenny.models.store import require

from ..lsp_server.conftest import RawClient, end  # noqa: TID252  (tests are no installed package)
from .editor import INVOKED, Editor

UNPLUG = """
import os, sys

def _unplug(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        where = address[0] if isinstance(address, tuple) else ""
        is_local = not isinstance(address, tuple) or where in ("127.0.0.1", "::1", "localhost")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        where = arguments[0]
        is_local = where in (None, "", "127.0.0.1", "::1", "localhost")
    else:
        return
    if not is_local:
        with open(os.environ["UNPLUGGED"], "a") as file:
            file.write(f"{event} {where}\\n")
        raise OSError(f"unplugged: {event} {where}")

sys.addaudithook(_unplug)
with open(os.environ["UNPLUGGED"] + ".who", "a") as file:
    file.write(f"{os.getpid()}\\n")
"""
SERVER = (
    UNPLUG
    + """
from truepenny.models import launch
from truepenny.lsp_server.cli import main

command_of = launch.engine_command

def unplugged(choice):
    python, isolated, _, module, *arguments = command_of(choice)
    run = f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    return [python, isolated, "-c", os.environ["UNPLUG"] + run, *arguments]

launch.engine_command = unplugged
raise SystemExit(main())
"""
)


@contextlib.contextmanager
def unplugged(
    folder: Path, engine: str, settings: dict[str, object] | None = None, **variables: str
) -> Iterator[tuple[Editor, Path]]:
    """A server without a network, and the file with what it tried."""
    tried = folder / "tried"
    tried.touch()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "TRUEPENNY_RUNTIME": str(folder / "r"),
        "UNPLUG": UNPLUG,
        "UNPLUGGED": str(tried),
        **variables,
    }
    client = RawClient([sys.executable, "-I", "-c", SERVER, "serve", "--engine", engine], env=environment)
    try:
        client.initialize(settings)
        yield Editor(client, environment), tried
        client.stop()
    finally:
        end(client)
        if engine in ("fake", "local"):
            command = [sys.executable, "-I", "-c", SERVER, "engine", "stop"]
            command += ["--model", "fake"] if engine == "fake" else []
            subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)


def test_everything_works_without_a_network(tmp_path_factory) -> None:
    """Suggestions, why, statistics: nobody even tries to reach another machine."""
    folder = tmp_path_factory.mktemp("t")
    with unplugged(folder, "fake", TRUEPENNY_CACHE=str(folder / "c")) as (editor, tried):
        assert editor.ask("def add(a, b):\n    return |\n") == ["a + b"]
        assert editor.ask("def add(a, b):\n    return |\n", trigger=INVOKED)[0] == "a + b"
        assert editor.why()["shown"]
        unplugged_processes = set(Path(f"{tried}.who").read_text().split())
        assert len(unplugged_processes) == 2, "the server and its engine"
    assert tried.read_text() == ""


def test_no_account_is_asked_for(tmp_path_factory) -> None:
    """Nor a key, nor a name: with an empty home and no settings the first request is answered."""
    folder = tmp_path_factory.mktemp("t")
    home = folder / "home"
    home.mkdir()
    bare = {"TRUEPENNY_CACHE": str(folder / "c"), "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    with unplugged(folder, "fake", None, **bare) as (editor, tried):
        assert editor.ask("def add(a, b):\n    return |\n") == ["a + b"]
        shown = [
            note["params"] for note in editor.client.notifications if note["method"].startswith("window/")
        ]
        assert shown == []
    assert tried.read_text() == ""


def test_a_model_that_is_not_there_is_not_fetched(tmp_path_factory) -> None:
    """The reason says what to run, and nothing is downloaded behind anybody's back."""
    folder = tmp_path_factory.mktemp("t")
    with unplugged(folder, "local", TRUEPENNY_CACHE=str(folder / "c")) as (editor, tried):
        assert editor.ask("value = |\n") == []
        assert "truepenny pull" in editor.why()["reason"]
    assert tried.read_text() == ""


def test_the_hook_sees_an_engine_elsewhere(tmp_path_factory) -> None:
    """An address that a person names is tried; so what the other tests found empty would not be."""
    folder = tmp_path_factory.mktemp("t")
    url = "http://models.example:9/v1"
    with unplugged(folder, url, TRUEPENNY_CACHE=os.environ.get("TRUEPENNY_CACHE", "")) as (editor, tried):
        editor.ask("value = |\n")
        reason = editor.why()["reason"]
    if "truepenny pull" in reason:
        pytest.skip(f"the tokenizer of {DEFAULT_MODEL} has not been pulled")
    assert "models.example" in tried.read_text()
    assert "no engine answers at http://models.example:9" in reason


@pytest.mark.weights
def test_the_real_model_works_without_a_network(tmp_path_factory) -> None:
    """Loading the weights and the tokenizer reaches nobody either."""
    try:
        require(DEFAULT_MODEL)
    except WeightsMissingError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("t")
    with unplugged(folder, "local") as (editor, tried):
        assert editor.ask("def add(a, b):\n    return |\n", trigger=INVOKED)[0].strip().startswith("a + b")
        assert json.dumps(editor.why()["confidence"]) != "null"
    assert tried.read_text() == ""
