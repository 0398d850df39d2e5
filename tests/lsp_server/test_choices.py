"""Several choices for one place: read at once, each judged, offered in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from truepenny.lsp_server.choices import facts_of, ranked
from truepenny.lsp_server.draft import Draft, Meter, read_choices
from truepenny.lsp_server.snapshot import Suggestion
from truepenny.models.client import Reply
from truepenny.models.wire import FinishReason, Piece, Started, Usage

STARTED = Started(prompt_tokens=10, reused_tokens=8, computed_tokens=2, queue_ms=1.0, prefill_ms=2.0)


class LineEnd:
    """Complete where the first line is."""

    def complete_length(self, text: str) -> int | None:
        return text.index("\n") if "\n" in text else None

    def whole_length(self, text: str) -> int:
        return max(0, text.rfind("\n"))


def usage(reason: FinishReason = "stop") -> Usage:
    return Usage(10, 8, 2, 3, 1.0, 2.0, 3.0, reason)


def read(*events: Reply | float, heal: str = "", count: int = 2, cap_s: float = 5.0) -> list[Draft]:
    """A number in `events` is a pause in seconds."""

    async def stream() -> AsyncGenerator[Reply]:
        for event in events:
            if isinstance(event, int | float):
                await asyncio.sleep(event)
            else:
                yield event

    return asyncio.run(read_choices(stream(), heal, [LineEnd() for _ in range(count)], cap_s=cap_s))  # pyright: ignore[reportArgumentType]  # all that is asked of one


@pytest.mark.parametrize(
    ("events", "texts"),
    [
        ([STARTED, Piece("a"), Piece("b", 1), Piece("1\n"), Piece("2\n", 1), 30.0], ["a1", "b2"]),
        ([STARTED, Piece("a", 1), Piece("", 1, "stop"), Piece("b\n"), 30.0], ["b", "a"]),
        ([STARTED, Piece("a\nx"), Piece("c\nd", 1), 30.0], ["a", "c"]),
        ([STARTED, Piece("a"), Piece("", 0, "stop"), usage()], ["a", ""]),  # there was only one
        ([STARTED, Piece("a\n"), Piece("b", 7), Piece("c\n", 1), 30.0], ["a", "c"]),
    ],
)
def test_choices_are_read_side_by_side(events, texts):
    """Each ends when it is complete, and the stream is left when all are."""
    assert [draft.text for draft in read(*events)] == texts


def test_the_others_get_as_long_again_as_the_first():
    """Nobody waits for a second choice that writes on and on; what is whole of it is kept."""
    first, second = read(STARTED, 0.1, Piece("a\n"), Piece("b", 1), 30.0, cap_s=20.0)
    assert (first.text, first.is_cut) == ("a", False)
    assert (second.text, second.is_cut) == ("", True)
    assert "time_cap_ms" in second.silence


def test_probabilities_are_those_of_the_kept_text():
    """Not of what was typed, nor of what comes after the end."""
    pieces = [("x", -9.0), ("y.", -8.0), ("a", -1.0), (" b", -2.0), ("\nq", -3.0)]
    (draft,) = read(STARTED, *(Piece(text, logprob=logprob) for text, logprob in pieces), heal="xy.", count=1)
    assert (draft.text, draft.logprobs, draft.starts) == ("a b", (-1.0, -2.0), (0, 1))


@pytest.mark.parametrize(
    ("pieces", "heal", "expected"),
    [
        ([("xyz", -0.5)], "x", (-0.5,)),  # one token spells the end of what was typed and all the rest
        ([("xy", -0.5), ("z", -1.0)], "x", (-1.0,)),
        ([("a", None), ("b", None)], "", ()),
        ([("a", -1.0), ("b", None)], "", ()),  # half of it told is nothing told
    ],
)
def test_what_counts(pieces, heal, expected):
    """The piece across the cursor only where it is all there is; nothing where not all is known."""
    (draft,) = read(STARTED, *(Piece(t, logprob=p) for t, p in pieces), usage(), heal=heal, count=1)
    assert draft.logprobs == expected


DRAFT = Draft("    a = 1\n    b = 2", Meter(), "", (-5.0, -1.0, -2.0, -3.0, -4.0), (0, 4, 9, 14, 17))


@pytest.mark.parametrize(
    ("text", "logprobs", "num_lines"),
    [
        (DRAFT.text, (-1.0, -3.0, -4.0), 2),  # indentation and line ends are no merit
        ("    a = 1", (-1.0,), 1),
        ("a = 1\nb = 2", (-1.0, -3.0, -4.0), 2),  # rewritten: all of it counts
    ],
)
def test_facts_are_of_what_is_shown(text, logprobs, num_lines):
    """Whatever was cut off after the model."""
    facts = facts_of(DRAFT, text, "python", 1)
    assert facts is not None
    assert (facts.logprobs, facts.num_lines, facts.num_findings) == (logprobs, num_lines, 1)


def test_without_probabilities_there_are_no_facts():
    """Then there is no confidence either, and everything is shown."""
    assert facts_of(Draft("x", Meter()), "x", "python", 0) is None


def made(text: str, confidence: float | None = 0.5) -> Suggestion:
    return Suggestion(text, 0, 0, shown=bool(text), reason="" if text else "silent", confidence=confidence)


@pytest.mark.parametrize(
    ("choices", "texts"),
    [
        ([made("a", 0.1), made("b", 0.2), made("c", 0.9)], ["a", "c", "b"]),  # the first stays the first
        ([made("a + b"), made("a+b "), made("c")], ["a + b", "c"]),
        ([made("a"), made("b", 0.2), made("b\n", 0.3)], ["a", "b\n"]),
        ([made("a"), made("")], ["a"]),
        ([made(""), made("b", 0.2), made("c", 0.3)], ["c", "b"]),
        ([made(""), made("")], []),
        ([made("a")], ["a"]),
        ([made("a", None), made("b", None)], ["a", "b"]),
    ],
)
def test_choices_are_distinct_and_in_order(choices, texts):
    """What differs in white space only counts once; the greedy choice is never moved."""
    best = ranked(choices)
    assert [one.text for one in (best, *best.others) if one.shown] == texts
    assert best.reason or best.shown
