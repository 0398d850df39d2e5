"""What counts as read and left, and what as accepted."""

from __future__ import annotations

import pytest

from truepenny.lsp_server.confidence.habits import READ_MS, Habits
from truepenny.lsp_server.snapshot import Suggestion

LONG, SHORT = READ_MS, READ_MS / 3


def made(text: str) -> Suggestion:
    return Suggestion(text, 0, 0, shown=True, reason="")


def learned(*steps: tuple) -> list[tuple[str, bool]]:
    """Steps: `(text, ms)` is sent and displayed; `("accept",)` takes the last; `("close",)`."""
    found: list[tuple[str, bool]] = []
    habits = Habits(lambda suggestion, accepted: found.append((suggestion.text, accepted)))
    last = ""
    for number, step in enumerate(steps):
        if step == ("accept",):
            habits.accepted(last)
        elif step == ("close",):
            habits.closed("uri")
        else:
            last = f"id-{number}"
            habits.sent(last, "uri", made(step[0]))
            if step[1]:
                habits.displayed(last, step[1])
    return found


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("abc", LONG), ("close",)], [("abc", False)]),
        ([("abc", SHORT), ("close",)], []),  # nobody can have read it
        ([("abc", 0), ("close",)], []),  # the editor never said that it was shown
        ([("abc", LONG), ("accept",), ("close",)], [("abc", True)]),
        ([("abc", 0), ("accept",)], [("abc", True)]),
        ([("abc", LONG), ("xyz", LONG), ("accept",)], [("abc", False), ("xyz", True)]),
        # Typed through: one decision.
        ([("abc", SHORT), ("bc", SHORT), ("c", SHORT), ("close",)], [("abc", False)]),
        ([("abc", LONG), ("bc", LONG), ("accept",)], [("abc", True)]),
        ([("abc", LONG), ("bc", LONG), ("abc", LONG), ("close",)], [("abc", False)]),
        # Accepted once is accepted once.
        ([("abc", LONG), ("accept",), ("accept",)], [("abc", True)]),
        ([("abc", LONG), ("accept",), ("abc", LONG), ("close",)], [("abc", True), ("abc", False)]),
    ],
)
def test_one_decision_counts_once(steps, expected):
    """As the person made it."""
    assert learned(*steps) == expected


def test_documents_do_not_mix_and_what_is_unknown_is_nothing():
    """Looking elsewhere leaves nothing behind."""
    found: list[tuple[str, bool]] = []
    habits = Habits(lambda suggestion, accepted: found.append((suggestion.text, accepted)))
    for name in ("one", "two"):
        habits.sent(name, name, made(name))
        habits.displayed(name, LONG)
    habits.accepted("never sent")
    habits.displayed("never sent", LONG)
    habits.closed("elsewhere")
    assert found == []
    habits.accepted("two")
    habits.closed("one")
    assert found == [("two", True), ("one", False)]


def test_it_does_not_grow():
    """A day in one document."""
    habits = Habits(lambda suggestion, accepted: None)
    for number in range(1000):
        habits.sent(f"id-{number}", "uri", made(str(number)))
    assert len(habits._sent) <= 64
    assert len(habits._episodes) == 1
