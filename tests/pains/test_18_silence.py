"""Pain 18: there is no suggestion, and nobody says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..lsp_server.conftest import RawClient, end  # noqa: TID252  (tests are no installed package)
from .editor import Editor, editor

PROGRAM = "from truepenny.lsp_server.cli import main; raise SystemExit(main())"


@pytest.fixture(scope="module")
def typist():
    replies = [("quiet = ", "\n"), ("below = ", "same()\n"), ("code = ", "zqSecretName(\n")]
    with editor({"completion": {"disabled_languages": ["cobol"]}}, replies=replies) as one:
        yield one


@pytest.mark.parametrize(
    ("marked", "language", "stage", "words", "setting"),
    [
        ("na|me = 1\n", "python", "gate", "inside a word", ""),
        ("x = | + 1\n", "python", "gate", "after the cursor", ""),
        ("|", "python", "gate", "empty", ""),
        ("MOVE |\n", "cobol", "gate", "off for cobol", "completion.disabled_languages"),
        ("quiet = |\n", "python", "trim", "", ""),
    ],
)
def test_every_silence_has_a_reason_a_stage_and_a_time(
    typist: Editor, marked: str, language: str, stage: str, words: str, setting: str
) -> None:
    """And, where one would help, the name of the setting."""
    path = f"/ws/{abs(hash((marked, language)))}.py"

    assert typist.ask(marked, path=path, language=language) == []

    why = typist.why(path)
    assert why["reason"]
    assert words in why["reason"]
    assert why["setting"] == setting
    assert why["timing"]["ms"] > 0
    assert why["stage"] in (stage, "engine")


def test_a_suggestion_says_what_it_cost(typist: Editor) -> None:
    """The tree of its time, with the model's own part inside."""
    (text,) = typist.ask("value = |\n", path="/ws/shown.py")
    why = typist.why("/ws/shown.py")
    parts = {part["name"]: part for part in why["timing"]["parts"]}

    assert text
    assert {"gate", "connect", "context", "engine", "guard"} <= parts.keys()
    assert sum(part["ms"] for part in parts.values()) <= why["timing"]["ms"] + 0.01
    assert {"prefill", "decode"} <= {part["name"] for part in parts["engine"]["parts"]}


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TRUEPENNY_RUNTIME": str(folder / "r"), "TRUEPENNY_CACHE": str(folder)}
    words = [sys.executable, "-I", "-c", PROGRAM, *arguments]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)


def one_request(folder: Path, uri: str, settings: dict[str, Any] | None = None) -> None:
    """A session in which one request is asked, inside a word, and nothing comes of it."""
    environment = {**os.environ, "TRUEPENNY_RUNTIME": str(folder / "r"), "TRUEPENNY_CACHE": str(folder)}
    client = RawClient([sys.executable, "-I", "-c", PROGRAM, "serve", "--engine", "fake"], env=environment)
    try:
        client.initialize(settings)
        client.open(uri, "zqSecretName = 1\n")
        assert client.inline(uri, 0, 2)["items"] == []
        assert client.stop() == 0
    finally:
        end(client)
        command(folder, "engine", "stop", "--model", "fake")


def test_a_person_can_ask_on_the_command_line(tmp_path: Path) -> None:
    """About everything, or one file; about a file of which nothing is known, how to come to know."""
    one_request(tmp_path, (tmp_path / "zq_names.py").as_uri())

    told = command(tmp_path, "why")
    of_file = command(tmp_path, "why", str(tmp_path / "zq_names.py"))
    of_other = command(tmp_path, "why", "other.py")
    stats = command(tmp_path, "stats", "--plot", str(tmp_path / "stats.svg"))
    journal = b"".join(path.read_bytes() for path in (tmp_path / "r" / "journal").iterdir())

    assert (told.returncode, of_file.returncode, of_other.returncode, stats.returncode) == (0, 0, 1, 0)
    assert "the cursor is inside a word" in told.stdout
    assert told.stdout == of_file.stdout
    assert "nothing is known about other.py" in of_other.stderr
    assert "the cursor is inside a word" in stats.stdout
    assert (tmp_path / "stats.svg").read_text().startswith("<svg")
    assert b"inside a word" in journal
    assert b"zq" not in journal.lower()


def test_nothing_is_written_when_the_journal_is_off(tmp_path: Path) -> None:
    """By setting; and then the command says so."""
    one_request(tmp_path, "file:///ws/a.py", {"journal": False})

    assert not (tmp_path / "r" / "journal").exists()
    assert "'journal' is off" in command(tmp_path, "why").stderr
