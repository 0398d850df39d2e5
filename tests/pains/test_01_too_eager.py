"""Pain 1: suggestions are too eager.  People want them later, fewer, or only when they ask."""

from __future__ import annotations

import pytest

from .editor import INVOKED, Editor, editor


@pytest.fixture(scope="module")
def eager():
    with editor() as one:
        yield one


@pytest.fixture(scope="module")
def on_demand():
    with editor({"completion": {"mode": "on_demand"}}) as one:
        yield one


@pytest.fixture(scope="module")
def subtle():
    with editor({"completion": {"mode": "subtle"}}, otherwise="one()\ntwo()\n") as one:
        yield one


def test_typing_asks_for_nothing_when_suggestions_come_on_demand(on_demand: Editor) -> None:
    """And the reason names the setting."""
    assert on_demand.ask("value = |\n") == []
    assert "completion.mode" in on_demand.why()["reason"]
    assert on_demand.ask("value = |\n", trigger=INVOKED) == ["answer()"]


@pytest.mark.parametrize(
    ("marked", "is_asked"), [("value = |\n", True), ("value = f(a, |)\n", False), ('value = "a|"\n', False)]
)
def test_subtle_suggestions_stand_at_line_ends(subtle: Editor, marked: str, *, is_asked: bool) -> None:
    """Nothing moves about in the middle of a line that is being edited."""
    assert bool(subtle.ask(marked)) is is_asked


def test_a_subtle_suggestion_is_one_line_unless_a_block_is_opened(subtle: Editor) -> None:
    """On a blank line between statements too."""
    assert subtle.ask("value = 1\n|\n") == ["one()"]


@pytest.mark.parametrize(
    ("typed", "changes", "line", "column", "is_asked"),
    [
        ("a key", [(0, 8, 8, "f")], 0, 9, True),
        ("a deletion", [(0, 7, 8, "")], 0, 7, False),
        ("blanks", [(0, 8, 8, "    ")], 0, 12, False),
        ("a rename", [(0, 0, 5, "total"), (9, 0, 5, "total")], 9, 5, False),
    ],
)
def test_only_typing_asks(
    eager: Editor,
    typed: str,
    changes: list[tuple[int, int, int, str]],
    line: int,
    column: int,
    *,
    is_asked: bool,
) -> None:
    """Who deletes, aligns or renames is not interrupted; a key still asks."""
    path = f"/ws/{typed.replace(' ', '_')}.py"
    eager.ask("value = |" + "\n" * 9 + "value", path=path)
    eager.change(f"file://{path}", *changes)

    shown = eager.ask_at(f"file://{path}", line, column)

    assert bool(shown) is is_asked, eager.why(path)
    assert eager.ask_at(f"file://{path}", line, column, trigger=INVOKED)
