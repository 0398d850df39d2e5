"""From a trace to steps: the right ones are keystrokes, and the editor's messages give the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.editor.convert import LineIndex, apply_change
from truepenny.lsp_server.evaluation.replay.session import (
    ENCODING,
    Pacing,
    Session,
    is_keystroke,
    make_session,
)
from truepenny.lsp_server.evaluation.replay.traces import Change, Edit, Trace, TracedFile
from truepenny.models.errors import BenchmarkError


def typing(text: str, *, start: str = "", step_s: float = 0.25) -> Trace:
    """`text` typed at the end of `start`, a character a step."""
    edits = [
        Edit(0, nth * step_s, (Change(len(start) + nth, 0, character),)) for nth, character in enumerate(text)
    ]
    return Trace("t", (TracedFile("a.py", start),), tuple(edits))


@pytest.mark.parametrize(
    ("changes", "is_one"),
    [
        ([(0, 0, "x")], True),
        ([(0, 3, "x")], True),
        ([(0, 0, "\n    ")], True),
        ([(0, 0, "\r\n\t")], True),
        ([(0, 0, "    ")], True),
        ([(0, 0, "()")], True),
        ([(0, 8, "    }")], True),
        ([(0, 8, "    ")], False),
        ([(0, 1, "")], False),
        ([(0, 0, "// ")], False),
        ([(0, 0, "def")], False),
        ([(0, 0, "\n\n")], False),
        ([(0, 0, "x"), (5, 0, "x")], False),
    ],
)
def test_a_keystroke_is_one_key_that_inserts(changes: list[tuple[int, int, str]], *, is_one: bool) -> None:
    """A paste, a deletion and an edit in two places are made, but nothing is asked after them."""
    assert is_keystroke(Edit(0, 0.0, tuple(Change(*change) for change in changes))) is is_one


EDITS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 4), st.text(alphabet="a(é😋\n\r", max_size=3)), max_size=15
)


@given(EDITS, st.text(alphabet="a😋\n\r", max_size=20))
def test_the_messages_to_the_server_give_the_trace_s_text(
    raw: list[tuple[int, int, str]], start: str
) -> None:
    """What the server holds after each step is what the step says, and its cursor is in it."""
    edits, text = [], start
    for nth, (position, deleted, inserted) in enumerate([*raw, (0, 0, "k")]):
        change = Change(min(position, len(text)), min(deleted, max(0, len(text) - position)), inserted)
        edits.append(Edit(0, float(nth), (change,)))
        text = change.apply(text)
    session = make_session(Trace("t", (TracedFile("a.py", start),), tuple(edits)), 99, 0, Pacing())
    held = session.files[0].text
    for step in session.steps:
        for change in step.changes:
            held = apply_change(LineIndex(held), change.range, change.text, ENCODING)
        assert held == step.text
        assert 0 <= step.cursor <= len(step.text)
    assert held == text


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 9))
def test_segments_are_the_steps_and_end_with_a_keystroke(keys: list[bool], size: int) -> None:
    """So the last thing in a segment is a request, and nothing is played twice."""
    changes = [Change(0, 0, "k") if is_key else Change(0, 0, "paste") for is_key in [*keys, True]]
    edits = tuple(Edit(0, float(nth), (change,)) for nth, change in enumerate(changes))
    session = make_session(Trace("t", (TracedFile("a.py", ""),), edits), 99, 0, Pacing())
    segments = session.segments(size)
    assert tuple(step for segment in segments for step in segment) == session.steps
    for segment in segments:
        assert segment[-1].is_keystroke
        assert sum(step.is_keystroke for step in segment) <= size


def moments(session: Session) -> list[float]:
    return [step.at_s for step in session.steps]


@pytest.mark.parametrize(
    ("times", "pacing", "expected"),
    [
        ([0, 1, 60], Pacing(), [0, 1, 3]),
        ([0, 1, 60], Pacing(max_gap_s=0.5), [0, 0.5, 1]),
        ([0, 1, 60], Pacing(pace=2.0), [0, 0.5, 1.5]),
        ([5, 4, 4.5], Pacing(), [0, 0, 0.5]),
    ],
)
def test_long_pauses_are_cut(times: list[float], pacing: Pacing, expected: list[float]) -> None:
    """A night between two keystrokes is not waited for; clocks that went back stand still."""
    edits = tuple(Edit(0, at_s, (Change(0, 0, "k"),)) for at_s in times)
    assert moments(make_session(Trace("t", (TracedFile("a.py", ""),), edits), 9, None, pacing)) == expected


def test_a_window_begins_with_the_document_as_it_then_was() -> None:
    """A model is asked about a file of real size, not about its first lines."""
    session = make_session(typing("abcdefgh", start="x = "), 3, 4, Pacing())
    assert session.files[0].text == "x = abcd"
    assert session.files[0].language == "python"
    assert [step.text for step in session.steps] == ["x = abcde", "x = abcdef", "x = abcdefg"]
    assert (session.first_keystroke, session.num_traced) == (4, 8)


def test_the_window_is_where_the_pace_is_typical() -> None:
    """Neither the fastest nor the slowest stretch of those in which the file has grown up."""
    slow, middle, fast = 1.0, 0.5, 0.1
    at_s, edits = 0.0, []
    for pace in (fast, slow, middle, fast):
        for _ in range(20):
            at_s += pace
            edits.append(Edit(0, at_s, (Change(0, 0, "k"),)))
    session = make_session(Trace("t", (TracedFile("a.py", "k" * 100),), tuple(edits)), 20, None, Pacing())
    assert fast * 19 < session.duration_s < slow * 19


@pytest.mark.parametrize(
    ("text", "num", "start", "says"),
    [
        ("abc", 0, None, "--keystrokes 0"),
        ("abc", 5, 3, "--start 3: t has 3 keystrokes"),
        ("abc", 5, -1, "--start -1"),
        ("", 5, None, "nothing is typed"),
    ],
)
def test_a_window_that_is_not_there_is_named(text: str, num: int, start: int | None, says: str) -> None:
    """With the number to give instead."""
    with pytest.raises(BenchmarkError, match=says):
        make_session(typing(text), num, start, Pacing())
