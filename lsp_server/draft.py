"""Reading the engine's stream until the text is complete, the model ends, or time is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from ..models.client import Reply
from ..models.wire import Piece, Started, Usage
from .snapshot import Cost
from .suggestion import BlockEnd

_TOO_SLOW = "no whole line was ready in time (setting completion.time_cap_ms)"


@dataclass(frozen=True, slots=True)
class Draft:
    """What the model wrote, as far as it is complete.  `silence` says why it is of no use, if it is not."""

    text: str
    meter: Meter
    silence: str = ""


class Meter:
    """What a stream has cost so far, also when it is not read to its end."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()
        self._started: Started | None = None
        self._usage: Usage | None = None
        self._started_s = self._began_s
        self._num_pieces = 0

    def read(self, event: Reply) -> None:
        if isinstance(event, Started):
            self._started, self._started_s = event, time.perf_counter()
        elif isinstance(event, Usage):
            self._usage = event
        else:
            self._num_pieces += 1

    @property
    def was_cancelled(self) -> bool:
        return self._usage is not None and self._usage.finish_reason == "cancelled"

    @property
    def hit_limit(self) -> bool:
        return self._usage is not None and self._usage.finish_reason == "length"

    def cost(self, stage_ms: dict[str, float]) -> Cost:
        """Call it when the stream has been read as far as it is going to be."""
        seen = self._usage or self._started
        if seen is None:
            return Cost(stage_ms=stage_ms)
        decode_ms = self._usage.decode_ms if self._usage else (time.perf_counter() - self._started_s) * 1000
        return Cost(
            prompt_tokens=seen.prompt_tokens,
            reused_tokens=seen.reused_tokens,
            computed_tokens=seen.computed_tokens,
            # Not told of a stream left early; a piece is a token at least.
            completion_tokens=self._usage.completion_tokens if self._usage else self._num_pieces,
            stage_ms={**stage_ms, "queue": seen.queue_ms, "prefill": seen.prefill_ms, "decode": decode_ms},
        )


async def read_draft(events: AsyncGenerator[Reply], heal: str, end: BlockEnd, *, cap_s: float) -> Draft:
    """Read the stream until the text is complete, the model ends, or time is up."""
    raw = ""
    meter = Meter()
    try:
        async with asyncio.timeout(None) as cap:
            async for event in events:
                meter.read(event)
                if isinstance(event, Started):
                    # Time counts from here: a long first prefill is cut short by typing on, not by us.
                    cap.reschedule(asyncio.get_running_loop().time() + cap_s)
                if not isinstance(event, Piece):
                    continue
                raw += event.text
                if len(raw) > len(heal) and not raw.startswith(heal):
                    return Draft("", meter, "the model did not continue what was typed")
                length = end.complete_length(raw[len(heal) :])
                if length is not None:
                    return Draft(raw[len(heal) :][:length], meter)
    except TimeoutError:
        kept = raw[len(heal) :].rpartition("\n")[0]
        silence = "" if kept.strip() else _TOO_SLOW
        return Draft(kept, meter, silence)
    text = raw[len(heal) :] if raw.startswith(heal) else ""
    if meter.was_cancelled:
        return Draft("", meter, "superseded by a newer request")
    if meter.hit_limit:
        text = text.rpartition("\n")[0] or text  # the last line was cut by the token limit
    return Draft(text, meter)
