"""What was measured, and what is made of it: spreads, rates and ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .prompts import Prompt


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several measurements: the one in the middle, the one that 95 % do not exceed, and the least.

    The least is the nearest to what the machine can do undisturbed.
    """

    median: float
    p95: float
    best: float


@dataclass(frozen=True, slots=True)
class Rate:
    """Per second, over rounds: the one in the middle and the greatest."""

    median: float
    best: float


@dataclass(frozen=True, slots=True)
class Step:
    tokens: int
    ms: Spread


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one subject.  Rates are over rounds, `decode_ms` is per token."""

    prefill_ms: Spread
    prefill_tokens_per_s: Rate
    prefill_characters_per_s: Rate
    ttft_ms: Spread
    """To the first token, by our own clock: tokenising (or HTTP), prefill, choosing."""
    decode_ms: Spread
    decode_tokens_per_s: Rate
    decode_characters_per_s: Rate
    clock_decode_tokens_per_s: Rate
    """By our own clock: of a server it includes HTTP."""
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Ratios:
    """How many times faster than another."""

    prefill: float
    ttft: float
    decode: float
    steps: dict[int, float]
    """By the number of tokens of a step; of subjects that both make steps."""


@dataclass(slots=True)
class Round:
    """One prompt, once, in seconds.  `decode_s`: of each token, or their mean where only that is known."""

    prompt: Prompt
    prefill_s: float
    ttft_s: float
    decode_s: list[float] = field(default_factory=list[float])
    clock_decode_s: float = 0.0
    written_tokens: int = 0
    written_characters: int = 0
    step_s: dict[int, list[float]] = field(default_factory=dict[int, list[float]])

    @property
    def token_s(self) -> float:
        """Mean of all tokens decoded."""
        return float(np.mean(self.decode_s))


def speed_of(rounds: Sequence[Round]) -> Speed:
    """Of at least one round."""
    return Speed(
        prefill_ms=_spread([r.prefill_s for r in rounds]),
        prefill_tokens_per_s=_rate([len(r.prompt.ids) / r.prefill_s for r in rounds]),
        prefill_characters_per_s=_rate([len(r.prompt.text) / r.prefill_s for r in rounds]),
        ttft_ms=_spread([r.ttft_s for r in rounds]),
        decode_ms=_spread([second for r in rounds for second in r.decode_s]),
        decode_tokens_per_s=_rate([1 / r.token_s for r in rounds]),
        decode_characters_per_s=_rate(
            [r.written_characters / r.written_tokens / r.token_s for r in rounds],
        ),
        clock_decode_tokens_per_s=_rate([r.written_tokens / r.clock_decode_s for r in rounds]),
        steps=tuple(
            Step(width, _spread([second for r in rounds for second in r.step_s.get(width, ())]))
            for width in sorted({width for r in rounds for width in r.step_s})
        ),
    )


def ratios(ours: Sequence[Round], theirs: Sequence[Round]) -> Ratios:
    """Medians over pairs measured one after the other, of two subjects of one `measure`."""
    pairs = list(zip(ours, theirs, strict=True))
    return Ratios(
        prefill=_median([b.prefill_s / a.prefill_s for a, b in pairs]),
        ttft=_median([b.ttft_s / a.ttft_s for a, b in pairs]),
        decode=_median([_faster(a.decode_s, b.decode_s) for a, b in pairs]),
        steps=_steps(ours, theirs, lambda a, b: _median(list(np.divide(b, a)))),
    )


def best_ratios(ours: Sequence[Round], theirs: Sequence[Round]) -> Ratios:
    """The best of one against the best of the other: what to look at where the machine was not quiet."""
    token_s = _token_s(ours, theirs)
    return Ratios(
        prefill=min(r.prefill_s for r in theirs) / min(r.prefill_s for r in ours),
        ttft=min(r.ttft_s for r in theirs) / min(r.ttft_s for r in ours),
        decode=min(map(token_s, theirs)) / min(map(token_s, ours)),
        steps=_steps(ours, theirs, lambda a, b: min(b) / min(a)),
    )


def _faster(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Of one round.  Token by token where both were taken so, else by their means."""
    if len(ours) == len(theirs):
        return _median(list(np.divide(theirs, ours)))
    return float(np.mean(theirs) / np.mean(ours))


def _token_s(ours: Sequence[Round], theirs: Sequence[Round]) -> Callable[[Round], float]:
    """Seconds of a token that are the same thing on both sides: its best, or its mean over a round."""
    is_by_token = all(len(a.decode_s) == len(b.decode_s) for a, b in zip(ours, theirs, strict=True))
    return (lambda r: min(r.decode_s)) if is_by_token else (lambda r: r.token_s)


def _steps(
    ours: Sequence[Round],
    theirs: Sequence[Round],
    faster: Callable[[Sequence[float], Sequence[float]], float],
) -> dict[int, float]:
    def seconds(rounds: Sequence[Round], width: int) -> list[float]:
        return [second for r in rounds for second in r.step_s.get(width, ())]

    widths = {width for r in ours for width in r.step_s} & {width for r in theirs for width in r.step_s}
    return {width: faster(seconds(ours, width), seconds(theirs, width)) for width in sorted(widths)}


def _spread(seconds: Sequence[float]) -> Spread:
    """In milliseconds."""
    middle, high = np.percentile(seconds, [50, 95])
    return Spread(1000 * float(middle), 1000 * float(high), 1000 * min(seconds))


def _rate(per_s: Sequence[float]) -> Rate:
    return Rate(_median(per_s), max(per_s))


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))
