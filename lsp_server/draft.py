"""Reading the engine's stream until the text is complete, the model ends, or time is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from ..models.client import Reply
from ..models.wire import Piece, Started, Usage
from .snapshot import Cost
from .stopping import Ending

_LEAST_FOR_OTHERS_S = 0.1
_SLOWER_TOGETHER = 1.5
"""A token of each of several choices takes longer than one: the first is not to be cut short for that."""
_TOO_SLOW = "no whole statement was ready in time (setting completion.time_cap_ms)"
_TOO_LONG = "no whole statement within the tokens allowed (setting completion.max_tokens)"


@dataclass(frozen=True, slots=True)
class Draft:
    """What the model wrote, as far as it is complete.  `silence` says why it is of no use, if it is not."""

    text: str
    meter: Meter
    silence: str = ""
    logprobs: tuple[float, ...] = ()
    """Of the pieces that `text` is made of; empty where the engine does not tell."""
    starts: tuple[int, ...] = ()
    """Where each of these begins in `text`."""
    is_cut: bool = False
    """A limit of time or tokens ended it."""


class Meter:
    """What a stream has cost so far, also when it is not read to its end."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()
        self._started: Started | None = None
        self._usage: Usage | None = None
        self._started_s = self._began_s
        self._num_pieces = 0
        self._num_chars = 0

    def read(self, event: Reply) -> None:
        if isinstance(event, Started):
            self._started, self._started_s = event, time.perf_counter()
        elif isinstance(event, Usage):
            self._usage = event
        else:
            self._num_pieces += 1
            self._num_chars += len(event.text)

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
            return Cost(generated_chars=self._num_chars, stage_ms=stage_ms)
        decode_ms = self._usage.decode_ms if self._usage else (time.perf_counter() - self._started_s) * 1000
        return Cost(
            prompt_tokens=seen.prompt_tokens,
            reused_tokens=seen.reused_tokens,
            computed_tokens=seen.computed_tokens,
            # Not told of a stream left early; a piece is a token at least.
            completion_tokens=self._usage.completion_tokens if self._usage else self._num_pieces,
            generated_chars=self._num_chars,
            stage_ms={**stage_ms, "queue": seen.queue_ms, "prefill": seen.prefill_ms, "decode": decode_ms},
        )


class Reading:
    """One choice as it comes in; `draft` once there is nothing to wait for."""

    def __init__(self, heal: str, end: Ending, meter: Meter) -> None:
        self.draft: Draft | None = None
        self._heal = heal
        self._end = end
        self._meter = meter
        self._raw = ""
        self._pieces: list[tuple[int, float | None]] = []

    def read(self, piece: Piece) -> None:
        if self.draft is not None:
            return
        if piece.text:
            self._pieces.append((len(self._raw), piece.logprob))
            self._raw += piece.text
        heal, raw = self._heal, self._raw
        if len(raw) > len(heal) and not raw.startswith(heal):
            self.draft = Draft("", self._meter, "the model did not continue what was typed")
            return
        length = self._end.complete_length(raw[len(heal) :])
        if length is not None:
            self.draft = self._kept(raw[len(heal) :][:length])
        elif piece.finish_reason is not None:
            self.ended(hit_limit=piece.finish_reason == "length")

    def out_of_time(self) -> None:
        """What is whole is what is kept."""
        if self.draft is None:
            kept = self._whole(self._raw[len(self._heal) :])
            silence = "" if kept.strip() else _TOO_SLOW
            self.draft = self._kept(kept, silence, is_cut=True)

    def ended(self, *, hit_limit: bool) -> None:
        """Nothing more is coming."""
        if self.draft is not None:
            return
        text = self._raw[len(self._heal) :] if self._raw.startswith(self._heal) else ""
        kept = self._whole(text) if hit_limit else text
        silence = _TOO_LONG if text.strip() and not kept.strip() else ""
        self.draft = self._kept(kept, silence, is_cut=hit_limit)

    def _whole(self, text: str) -> str:
        return text[: self._end.whole_length(text)]

    def _kept(self, text: str, silence: str = "", *, is_cut: bool = False) -> Draft:
        begin, end = len(self._heal), len(self._heal) + len(text)
        of_text = [(at, logprob) for at, logprob in self._pieces if begin <= at < end]
        # The piece that ends what was typed counts only where it is all there is.
        of_text = of_text or [(at, logprob) for at, logprob in self._pieces[-1:] if at < end]
        starts = tuple(max(0, at - begin) for at, _ in of_text)
        logprobs = tuple(logprob for _, logprob in of_text if logprob is not None)
        is_told = len(logprobs) == len(starts)
        return Draft(
            text, self._meter, silence, logprobs if is_told else (), starts if is_told else (), is_cut
        )


async def read_draft(events: AsyncGenerator[Reply], heal: str, end: Ending, *, cap_s: float) -> Draft:
    """Read the stream until the text is complete, the model ends, or time is up."""
    return (await read_choices(events, heal, [end], cap_s=cap_s))[0]


async def read_choices(
    events: AsyncGenerator[Reply], heal: str, ends: Sequence[Ending], *, cap_s: float
) -> list[Draft]:
    """As `read_draft`, for as many choices as there are `ends`.

    Once the first is complete the others are given as long again, and not more.
    """
    cap_s *= _SLOWER_TOGETHER if len(ends) > 1 else 1.0
    meter = Meter()
    readings = [Reading(heal, end, meter) for end in ends]
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    try:
        async with asyncio.timeout(None) as cap:
            async for event in events:
                meter.read(event)
                if isinstance(event, Started):
                    # Time counts from here: a long first prefill is cut short by typing on, not by us.
                    began_s = loop.time()
                    cap.reschedule(began_s + cap_s)
                if not isinstance(event, Piece) or event.choice >= len(readings):
                    continue
                is_first = readings[0].draft is None
                readings[event.choice].read(event)
                if all(reading.draft is not None for reading in readings):
                    break
                if is_first and readings[0].draft is not None:
                    now_s = loop.time()
                    longest_s = max(now_s - began_s, _LEAST_FOR_OTHERS_S)
                    cap.reschedule(min(began_s + cap_s, now_s + longest_s))
    except TimeoutError:
        for reading in readings:
            reading.out_of_time()
    for number, reading in enumerate(readings):
        # Of the others there may be fewer, and each has said why it ended.
        reading.ended(hit_limit=number == 0 and meter.hit_limit)
    if meter.was_cancelled:
        return [Draft("", meter, "superseded by a newer request")]
    return [reading.draft for reading in readings if reading.draft is not None]
