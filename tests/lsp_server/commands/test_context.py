"""`truepenny context`: pieces, reasons, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truepenny.lsp_server.cli import main
from truepenny.lsp_server.commands.context import workspace_of

TEXT = "from store import Rows\n\n\ndef read(rows: Rows):\n    rows.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "tide"
    (root / ".git").mkdir(parents=True)
    (root / "store.py").write_text("class Rows:\n    def find(self, key: str) -> str: ...\n")
    (root / "main.py").write_text(TEXT)
    (root / "alone.py").write_text("\n")
    return root


def test_the_pieces_and_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a person on top; one JSON document in the last line; lines count from 1."""
    status = main(["context", f"{folder / 'main.py'}:5:10", "--budget", "200", "--model", "fake", "--json"])
    text, _, last = capsys.readouterr().out.rstrip().rpartition("\n")
    document = json.loads(last)
    assert status == 0
    assert "member of Rows, the type of rows" in text
    assert "main.py: " in text
    (chunk,) = document["chunks"]
    assert (chunk["path"], chunk["lines"], chunk["names"]) == ("store.py", [1, 2], ["Rows", "Rows.find"])
    assert document["tokens"] == chunk["tokens"] <= 200
    assert document["complete"]


def test_a_question_instead_of_a_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(
        ["context", str(folder / "main.py"), "--about", "what does find in rows do?", "--model", "fake"]
    )
    told = capsys.readouterr().out
    assert status == 0
    assert "find is asked about" in told
    assert "def find(self, key: str) -> str" in told
    assert "before the cursor" not in told


@pytest.mark.parametrize(
    ("place", "more", "status", "words"),
    [
        ("main.py:5:10", ["--budget", "0"], 1, ""),
        ("alone.py:1:1", [], 1, ""),
        ("main.py:5:10", ["--budget", "-1"], 2, "0 to 16384"),
        ("main.py:99:1", [], 2, "no line 99"),
        ("gone.py:1:1", [], 2, "gone.py"),
    ],
)
def test_exit_codes(
    folder: Path, capsys: pytest.CaptureFixture[str], place: str, more: list[str], status: int, words: str
) -> None:
    assert main(["context", f"{folder / place}", "--model", "fake", *more]) == status
    assert words in capsys.readouterr().err


def test_the_workspace_is_the_repository(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workspace_of(folder / "deep" / "x.py") == folder
    monkeypatch.chdir(tmp_path)
    assert workspace_of(tmp_path / "other" / "x.py") == tmp_path
    monkeypatch.chdir(folder)
    assert workspace_of(tmp_path / "other" / "x.py") == tmp_path / "other"
