"""A long measurement is gone on with, and never mixed with one measured otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.lsp_server.evaluation.xfile_errors import JournalError
from truepenny.lsp_server.evaluation.xfile_journal import Journal
from truepenny.lsp_server.evaluation.xfile_scores import CONTEXTS, Context, XFileAnswer

HOW = {"model": "m", "budget_tokens": 1024}


def answer(id_: str, context: Context, text: str = "x") -> XFileAnswer:
    return XFileAnswer(id_, context, "go", text, True, False, 9, 1, 5, True, 1.5)  # noqa: FBT003  (exact, identifier, told)


def known(
    path: Path, how: dict[str, object] = HOW, code: str = "c"
) -> dict[tuple[str, Context], XFileAnswer]:
    with Journal(path, how, code) as journal:
        return journal.answers


def test_answers_come_back(tmp_path: Path) -> None:
    """All of them; of two for the same question the later counts."""
    path = tmp_path / "r.jsonl"
    with Journal(path, HOW, "c") as journal:
        journal.add(answer("a", "none", "zwei\u2028 \n"))
        journal.add(answer("a", "ours", "old"))
    with Journal(path, HOW, "c") as journal:
        journal.add(answer("a", "ours", "new"))
    assert known(path) == {
        ("a", "none"): answer("a", "none", "zwei\u2028 \n"),
        ("a", "ours"): answer("a", "ours", "new"),
    }


def test_ours_is_asked_again_when_our_code_changed(tmp_path: Path) -> None:
    """The other contexts do not depend on it."""
    path = tmp_path / "r.jsonl"
    with Journal(path, HOW, "c") as journal:
        for context in CONTEXTS:
            journal.add(answer("a", context))
    assert set(known(path, code="other")) == {("a", "none"), ("a", "oracle")}
    assert len(known(path)) == 3


def test_another_measurement_is_refused(tmp_path: Path) -> None:
    """With what differs."""
    path = tmp_path / "r.jsonl"
    known(path)
    with pytest.raises(JournalError, match=r"model was 'm' and is 'n'"):
        known(path, {**HOW, "model": "n"})


@pytest.mark.parametrize(
    "content", ["{}\n", "[1]\n", "1\n", "no json\n", "half a line", '{"how": {}}\n{"id": 1}\n']
)
def test_files_of_others_are_left_alone(content: str, tmp_path: Path) -> None:
    """Refused, and not written to."""
    path = tmp_path / "r.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(JournalError, match="give another file"):
        known(path, {})
    assert path.read_text(encoding="utf-8") == content


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Before anything is measured."""
    with pytest.raises(JournalError, match="in a folder that exists"):
        known(tmp_path / "no" / "r.jsonl")


def test_without_a_file_nothing_is_kept() -> None:
    """But what this run has answered."""
    with Journal(None, HOW, "c") as journal:
        journal.add(answer("a", "none"))
        assert list(journal.answers) == [("a", "none")]


@settings(max_examples=40, deadline=None)  # it writes files
@given(cut=st.floats(0, 1), num=st.integers(1, 6))
def test_half_a_line_is_dropped(cut: float, num: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Wherever a power cut falls after the first line: what was whole is known, and the file goes on."""
    path = tmp_path_factory.mktemp("j") / "r.jsonl"
    with Journal(path, HOW, "c") as journal:
        for number in range(num):
            journal.add(answer(str(number), "none"))
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    kept = data[: first + int(cut * (len(data) - first))]
    path.write_bytes(kept)

    with Journal(path, HOW, "c") as journal:
        assert len(journal.answers) == kept.count(b"\n") - 1
        journal.add(answer("last", "none"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line) for line in lines)
    assert len(known(path)) == kept.count(b"\n")
