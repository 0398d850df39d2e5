"""Reading a stream: complete, cut short, superseded, out of time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from truepenny.lsp_server.draft import Draft, read_draft
from truepenny.lsp_server.place.gate import Surroundings
from truepenny.lsp_server.stopping import Watch
from truepenny.models.client import Reply
from truepenny.models.wire import FinishReason, Piece, Started, Usage

HERE = Surroundings(typed="x = ", rest="", previous="", next_line="")
STARTED = Started(prompt_tokens=10, reused_tokens=8, computed_tokens=2, queue_ms=1.0, prefill_ms=2.0)


def usage(reason: FinishReason) -> Usage:
    return Usage(10, 8, 2, 3, 1.0, 2.0, 3.0, reason)


def draft(*events: Reply | float, heal: str = "", is_multi: bool = False, cap_s: float = 5.0) -> Draft:
    """A number in `events` is a pause in seconds."""

    async def stream() -> AsyncGenerator[Reply]:
        for event in events:
            if isinstance(event, int | float):
                await asyncio.sleep(event)
            else:
                yield event

    return asyncio.run(read_draft(stream(), heal, Watch(HERE, is_multi=is_multi), cap_s=cap_s))


@pytest.mark.parametrize(
    ("events", "heal", "text", "silence"),
    [
        ([STARTED, Piece("1"), Piece(" + 2\nmore"), usage("stop")], "", "1 + 2", ""),
        ([STARTED, Piece("1"), usage("stop")], "", "1", ""),
        ([STARTED, usage("stop")], "", "", ""),
        ([STARTED, Piece("y."), Piece("z"), usage("stop")], "y.", "z", ""),
        ([STARTED, Piece("q"), Piece("rs"), usage("stop")], "y.", "", "did not continue"),
        ([STARTED, Piece("y"), usage("length")], "y.", "", ""),
        ([STARTED, Piece("1"), usage("cancelled")], "", "", "superseded"),
    ],
)
def test_a_draft_is_what_was_written_after_what_was_typed(
    events: list[Reply], heal: str, text: str, silence: str
) -> None:
    """The healed part was typed by the person and is not suggested again."""
    found = draft(*events, heal=heal)

    assert found.text == text
    assert silence in found.silence
    assert bool(found.silence) is bool(silence)


def test_a_line_cut_by_the_token_limit_is_dropped_from_a_block() -> None:
    """Half a line is not a suggestion; the whole lines before it are."""
    found = draft(STARTED, Piece("{\n  a\n  b"), usage("length"), is_multi=True)

    assert found.text == "{\n  a"


def test_time_counts_from_the_first_token_and_keeps_whole_lines() -> None:
    """A long prefill is not punished; a long answer ends with what is whole."""
    found = draft(0.3, STARTED, Piece("{\n  a\n  b"), 30.0, usage("stop"), is_multi=True, cap_s=0.2)

    assert (found.text, found.silence) == ("{\n  a", "")


def test_time_that_ran_out_before_a_line_says_which_setting() -> None:
    """Silence has a reason."""
    found = draft(STARTED, Piece("1"), 30.0, cap_s=0.05)

    assert "completion.time_cap_ms" in found.silence


def test_a_stream_left_early_still_has_its_price() -> None:
    """The prompt's cost comes before the text, for readers who stop when they have enough."""
    cost = draft(STARTED, Piece("1\n"), 30.0).meter.cost({"context": 4.0})

    assert (cost.prompt_tokens, cost.reused_tokens, cost.computed_tokens) == (10, 8, 2)
    assert {"context", "queue", "prefill", "decode"} == cost.stage_ms.keys()
