"""From what happened to figures: one side's, and how two sides compare.

Sides are compared keystroke by keystroke, and only where both got their answer from the model: a
side that is silent by a rule answers at once, and must not look fast for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..metrics import percentile
from .record import Answer, SegmentRun, Wait, waits


@dataclass(frozen=True, slots=True)
class Spread:
    n: int
    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Of no values: zeros, and `n` says so."""
        found = list(values)
        return cls(len(found), percentile(found, 0.5), percentile(found, 0.95), max(found, default=0.0))


@dataclass(frozen=True, slots=True)
class SideFigures:
    name: str
    keystrokes: int
    requests: int
    by_kind: dict[str, int]
    """Requests by what became of them; `unanswered` and `failed` are always there."""
    recalled_share: float
    """Of the keystrokes whose first answer was a suggestion that was remembered."""
    silent_share: float
    """Of the keystrokes whose first answer was that there is nothing, without the model."""
    shown_share: float
    """Of the keystrokes answered by the model: something was suggested."""
    reasons: dict[str, int]
    """Why nothing was suggested, most frequent first."""
    wait_ms: Spread
    """Time to suggestion of the keystrokes that the model answered."""
    request_ms: Spread
    """From a request to its answer, for those that the model answered."""
    suggested: int
    """Requests answered with a text, remembered ones among them."""
    reused_share: float
    """Of all prompt tokens."""
    reused_tokens: int
    total_computed_tokens: int
    prompt_tokens: Spread
    computed_tokens: Spread
    """Prompt tokens computed per request."""
    completion_tokens: Spread
    stage_ms: dict[str, Spread]
    decode_tokens_per_s: float | None
    """Over all answers that say how many tokens were decoded; None if none does."""
    drafted_tokens: int | None
    accepted_tokens: int | None
    late_ms: Spread
    """How much later than planned keys were pressed: high, and the machine is too busy to measure."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`peer / ours`: above 1, ours is faster."""

    compared: int
    """Keystrokes that the model answered on both sides."""
    left_out: dict[str, int]
    """The others, by why."""
    ours_ms: Spread
    peer_ms: Spread
    ratio_p50: float | None
    """None where there is nothing to compare."""
    ratio_p95: float | None
    shown: int
    """Of those compared: both sides suggested something."""
    shown_ratio_p50: float | None
    shown_ratio_p95: float | None


def figures_of(name: str, runs: Sequence[SegmentRun]) -> SideFigures:
    answers = [answer for run in runs for answer in run.answers]
    waited = [wait for run in runs for wait in waits(run)]
    asked = [answer for answer in answers if answer.kind == "model"]
    by_model = [wait for wait in waited if wait.answer and wait.answer.kind == "model"]
    recalled = sum(wait.answer is not None and wait.answer.kind == "recalled" for wait in waited)
    silent = sum(wait.answer is not None and wait.answer.kind == "silent" for wait in waited)
    costs = [answer.cost for answer in asked]
    stages = sorted({stage for cost in costs for stage in cost.stage_ms})
    reasons = Counter(
        _reason(answer) for answer in answers if answer.kind != "superseded" and not answer.text
    )
    return SideFigures(
        name=name,
        keystrokes=len(waited),
        requests=len(answers),
        by_kind={"unanswered": 0, "failed": 0, **Counter(answer.kind for answer in answers)},
        recalled_share=_share(recalled, len(waited)),
        silent_share=_share(silent, len(waited)),
        shown_share=_share(sum(_is_shown(wait) for wait in by_model), len(by_model)),
        reasons=dict(reasons.most_common()),
        wait_ms=Spread.of(wait.ms for wait in by_model),
        request_ms=Spread.of(answer.ms for answer in asked),
        suggested=sum(bool(answer.text.strip()) for answer in answers),
        reused_share=_share(sum(c.reused_tokens for c in costs), sum(c.prompt_tokens for c in costs)),
        reused_tokens=sum(cost.reused_tokens for cost in costs),
        total_computed_tokens=sum(cost.computed_tokens for cost in costs),
        prompt_tokens=Spread.of(cost.prompt_tokens for cost in costs),
        computed_tokens=Spread.of(cost.computed_tokens for cost in costs),
        completion_tokens=Spread.of(cost.completion_tokens for cost in costs if cost.completion_tokens),
        stage_ms={
            stage: Spread.of(cost.stage_ms[stage] for cost in costs if stage in cost.stage_ms)
            for stage in stages
        },
        decode_tokens_per_s=_decode_rate(asked),
        drafted_tokens=_sum(cost.drafted_tokens for cost in costs),
        accepted_tokens=_sum(cost.accepted_tokens for cost in costs),
        late_ms=Spread.of(played.late_s * 1000 for run in runs for played in run.played),
    )


def compare(ours: Sequence[SegmentRun], peer: Sequence[SegmentRun]) -> Comparison:
    """Of two runs over the same segments."""
    pairs = [
        pair
        for one, other in zip(ours, peer, strict=True)
        for pair in zip(waits(one), waits(other), strict=True)
    ]
    left_out = Counter(_left_out(mine, theirs) for mine, theirs in pairs)
    left_out.pop("", None)
    both = [(mine, theirs) for mine, theirs in pairs if not _left_out(mine, theirs)]
    shown = [(mine, theirs) for mine, theirs in both if _is_shown(mine) and _is_shown(theirs)]
    ratio_p50, ratio_p95 = _ratios(both)
    shown_p50, shown_p95 = _ratios(shown)
    return Comparison(
        compared=len(both),
        left_out=dict(left_out),
        ours_ms=Spread.of(mine.ms for mine, _ in both),
        peer_ms=Spread.of(theirs.ms for _, theirs in both),
        ratio_p50=ratio_p50,
        ratio_p95=ratio_p95,
        shown=len(shown),
        shown_ratio_p50=shown_p50,
        shown_ratio_p95=shown_p95,
    )


def compared_waits(ours: Sequence[SegmentRun], peer: Sequence[SegmentRun]) -> tuple[list[float], list[float]]:
    """Milliseconds of the keystrokes that are compared: ours, the peer's."""
    mine: list[float] = []
    theirs: list[float] = []
    for one, other in zip(ours, peer, strict=True):
        for first, second in zip(waits(one), waits(other), strict=True):
            if not _left_out(first, second):
                mine.append(first.ms)
                theirs.append(second.ms)
    return mine, theirs


def _left_out(ours: Wait, peer: Wait) -> str:
    """Why a keystroke is not compared; empty if it is."""
    if ours.answer is None or peer.answer is None:
        return "no answer"
    if ours.answer.kind == "recalled":
        return "ours remembered"
    silent = [
        name for name, wait in (("ours", ours), ("peer", peer)) if wait.answer and _is_silent(wait.answer)
    ]
    return f"{' and '.join(silent)} silent" if silent else ""


def _is_silent(answer: Answer) -> bool:
    return answer.kind == "silent"


def _is_shown(wait: Wait) -> bool:
    return wait.answer is not None and bool(wait.answer.text.strip())


def _reason(answer: Answer) -> str:
    return answer.reason or "the model wrote nothing"


def _ratios(pairs: Sequence[tuple[Wait, Wait]]) -> tuple[float | None, float | None]:
    mine = Spread.of(wait.ms for wait, _ in pairs)
    theirs = Spread.of(wait.ms for _, wait in pairs)
    if not pairs or not mine.p50:
        return None, None
    return theirs.p50 / mine.p50, theirs.p95 / mine.p95


def _decode_rate(answers: Sequence[Answer]) -> float | None:
    counted = [answer.cost for answer in answers if answer.cost.completion_tokens]
    tokens = sum(cost.completion_tokens for cost in counted)
    ms = sum(cost.stage_ms.get("decode", 0.0) for cost in counted)
    return tokens / ms * 1000 if ms else None


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
