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
        ("main.py", [], 2, "not FILE:LINE:COL"),
        ("main.py:0:1", [], 2, "the document has 6 lines"),
        ("id_rsa:1:1", [], 2, "id_rsa holds keys or credentials"),
        (".git:1:1", [], 2, "not a regular file"),
    ],
)
def test_exit_codes(
    folder: Path, capsys: pytest.CaptureFixture[str], place: str, more: list[str], status: int, words: str
) -> None:
    assert main(["context", f"{folder / place}", "--model", "fake", *more]) == status
    assert words in capsys.readouterr().err


def test_what_does_not_fit_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason it was wanted for."""
    (folder / "store.py").write_text(
        "class Rows:\n" + "".join(f"    def find_{nth}(self, key: str) -> str: ...\n" for nth in range(40))
    )
    main(["context", f"{folder / 'main.py'}:5:10", "--budget", "150", "--model", "fake", "--json"])
    text, _, last = capsys.readouterr().out.rstrip().rpartition("\n")
    left_out = json.loads(last)["left_out"]
    assert left_out
    assert {one["path"] for one in left_out} == {"store.py"}
    assert all(one["why"] for one in left_out)
    assert f"{left_out[0]['name']} in store.py: {left_out[0]['why']}" in text.partition("left out")[2]


def test_a_home_is_no_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file outside of any project does not have somebody's whole home read."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "notes.py").write_text("x = 1\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(home)
    assert main(["context", f"{home / 'notes.py'}:1:1", "--model", "fake"]) == 2
    said = capsys.readouterr().err
    assert "notes.py is in no repository" in said
    assert "git init" in said
    assert not (tmp_path / "cache").exists()


def test_an_index_that_cannot_be_written_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the way out."""
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "taken"))
    assert main(["context", f"{folder / 'main.py'}:5:10", "--model", "fake"]) == 2
    assert "TRUEPENNY_CACHE" in capsys.readouterr().err


def test_the_workspace_is_the_repository(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workspace_of(folder / "deep" / "x.py") == folder
    monkeypatch.chdir(tmp_path)
    assert workspace_of(tmp_path / "other" / "x.py") == tmp_path
    monkeypatch.chdir(folder)
    assert workspace_of(tmp_path / "other" / "x.py") == tmp_path / "other"
