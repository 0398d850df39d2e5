"""Where a suggestion is wanted, and how much: `|` marks the cursor."""

from __future__ import annotations

import pytest

from truepenny.lsp_server.gate import decide, surroundings
from truepenny.lsp_server.settings import CompletionSettings
from truepenny.lsp_server.snapshot import Lines, Query, Snapshot, Trigger


def query(marked: str, *, language: str = "python", trigger: Trigger, lines: Lines = "auto") -> Query:
    offset = marked.index("|")
    return Query(Snapshot("a.py", language, marked.replace("|", "", 1)), offset, trigger, lines)


def check(marked: str, expected: str, trigger: Trigger = Trigger.AUTOMATIC, language: str = "python") -> None:
    decision = decide(query(marked, language=language, trigger=trigger), CompletionSettings())
    found = ("multi" if decision.is_multi else "single") if decision.is_open else decision.reason
    assert expected in found, found


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("x = |", "single"),
        ("x = foo(|)", "single"),
        ("x = [foo(|)]:", "single"),
        ("x = foo(|);", "single"),
        ("x = 'a|'", "single"),
        ("def f(x):|", "multi"),
        ("def f(x):|\n", "multi"),
        ("if x:  # why|\n", "multi"),
        ("function f() {|\n}", "multi"),
        ("def f(x):\n    |", "multi"),
        ("def f(x):\n    |\n\ny = 1\n", "multi"),
        ("def f(x):\n    |\ny = 1\n", "multi"),
        ("def f(x):\n    y = 1\n    |\n    return y\n", "single"),
        ("def f(x):\n    |\n    return x\n", "single"),
        ("fo|o = 1", "inside a word"),
        ("x = |1 + 2", "inside a word"),
        ("x = | + 2", "code after the cursor"),
        ("x = foo(|, 1)", "code after the cursor"),
        ("|", "empty"),
        ("  \n|", "empty"),
    ],
)
def test_typing_asks_only_where_a_suggestion_can_stand(marked: str, expected: str) -> None:
    """Too eager and never mid-line are the two commonest complaints."""
    check(marked, expected)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [("fo|o = 1", "single"), ("x = | + 2", "single"), ("|", "multi"), ("x = foo(|, 1)", "single")],
)
def test_a_key_asks_anywhere(marked: str, expected: str) -> None:
    """Who asks on purpose knows where."""
    check(marked, expected, Trigger.INVOKED)


def test_prose_is_off_until_asked() -> None:
    """Suggestions in prose are the second commonest complaint; a key still gets one."""
    check("Some words |", "off for markdown", language="markdown")
    check("Some words |", "single", Trigger.INVOKED, language="markdown")


def test_switched_off_is_off_for_keys_too() -> None:
    """A setting that half works is worse than none."""
    asked = query("x = |", trigger=Trigger.INVOKED)

    decision = decide(asked, CompletionSettings(enabled=False))

    assert "completion.enabled" in decision.reason


@pytest.mark.parametrize(("lines", "is_multi"), [("single", False), ("multi", True)])
def test_the_setting_stands_above_the_rules(lines: Lines, is_multi: bool) -> None:  # noqa: FBT001  (a row of data)
    """`completion.lines` is a choice, not a hint."""
    for marked in ("x = |", "def f():\n    |\n"):
        asked = query(marked, trigger=Trigger.AUTOMATIC, lines=lines)

        assert decide(asked, CompletionSettings()).is_multi is is_multi


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_lines_whatever_ends_them(end: str) -> None:
    """The cursor's line and its neighbours, without their ends."""
    text = end.join(["one", "", "two three", "four"])
    offset = text.index(" three")

    here = surroundings(text, offset)

    assert (here.previous, here.typed, here.rest, here.next_line) == ("one", "two", " three", "four")
