"""Figures of cross-file cases: per context, and what one context changes beside another.

Pure.  Cases are paired: contexts are compared on the same cases only, and the intervals are 95 %
percentile bootstrap intervals over cases (Efron and Tibshirani 1993), drawn with a fixed seed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from .metrics import is_exact, percentile

if TYPE_CHECKING:
    from numpy.typing import NDArray

Context = Literal["none", "ours", "oracle"]
"""What the model is told of other files: nothing; what we find; the definition that is needed."""
CONTEXTS: tuple[Context, ...] = get_args(Context)

Metric = Literal["exact", "identifier"]
"""`exact`: the rest of the line is what was there, white space at its end aside.  `identifier`: the first
name is."""
METRICS: tuple[Metric, ...] = get_args(Metric)

ALL = "all"
_RESAMPLES = 2_000
_FIRST_NAME = re.compile(r"\s*((?:[^\W\d]|\$)[\w$]*)")


@dataclass(frozen=True, slots=True)
class XFileAnswer:
    """What was written for one case in one context, and what it cost."""

    id: str
    context: Context
    language: str
    text: str
    """To the end of the line."""
    exact: bool
    identifier: bool
    prompt_tokens: int
    num_chunks: int
    context_tokens: int
    """Of the chunks' texts."""
    told: bool
    """The identifier stands in one of the chunks."""
    context_ms: float
    """To find the chunks; 0 where nothing is looked for."""
    complete: bool = True
    """False: the deadline cut the search short."""
    invalid: bool | None = None
    """It names a member that is not there; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ContextFigures:
    """Shares are of all cases, 0…1."""

    n: int
    exact: float
    identifier: float
    told: float
    num_chunks: float
    context_tokens: float
    prompt_tokens: float
    context_ms_p50: float
    context_ms_p95: float
    cut_short: int
    invalid: float | None
    """Of the answers of which somebody knows: those that name a member that is not there."""


@dataclass(frozen=True, slots=True)
class Change:
    """One context beside `none`, by one metric, over the cases that have both."""

    gain: float
    """Difference of the shares that are right."""
    gain_interval: Interval
    broken: float
    """Share of all cases that are right without context and wrong with it."""
    mended: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """(ours − none) / (oracle − none), over the cases that have all three."""

    share: float
    interval: Interval | None
    """None where too many resamples have nothing to gain."""


@dataclass(frozen=True, slots=True)
class Group:
    """A language, or all."""

    n: int
    contexts: Mapping[Context, ContextFigures]
    changes: Mapping[Context, Mapping[Metric, Change]]
    recovered: Mapping[Metric, Recovery]
    """Without a metric by which the oracle gains nothing."""


def first_line(text: str) -> str:
    """Up to the line's end, without white space there."""
    return (text.splitlines() or [""])[0].rstrip()


def first_name(text: str) -> str:
    """The name that `text` begins with, white space before it aside; empty where it begins otherwise."""
    found = _FIRST_NAME.match(text)
    return found[1] if found else ""


def is_right_line(text: str, expected: str) -> bool:
    return is_exact(first_line(text), expected)


def summarise(answers: Iterable[XFileAnswer]) -> dict[str, Group]:
    """All, then each language in order of its name."""
    every = list(answers)
    languages = sorted({answer.language for answer in every})
    groups = {ALL: group_of(every)}
    return groups | {name: group_of([one for one in every if one.language == name]) for name in languages}


def group_of(answers: Sequence[XFileAnswer]) -> Group:
    by_context: dict[Context, dict[str, XFileAnswer]] = {}
    for context in CONTEXTS:
        if found := {answer.id: answer for answer in answers if answer.context == context}:
            by_context[context] = found
    changes: dict[Context, dict[Metric, Change]] = {}
    recovered: dict[Metric, Recovery] = {}
    for context, found in by_context.items():
        pairs = [
            (by_context["none"][id_], one) for id_, one in found.items() if id_ in by_context.get("none", {})
        ]
        if context != "none" and pairs:
            changes[context] = {metric: _change(pairs, metric) for metric in METRICS}
    if len(by_context) == len(CONTEXTS):
        none, ours, oracle = (by_context[context] for context in CONTEXTS)
        triples = [(none[id_], ours[id_], oracle[id_]) for id_ in none if id_ in ours and id_ in oracle]
        for metric in METRICS:
            if (recovery := _recovery(triples, metric)) is not None:
                recovered[metric] = recovery
    return Group(
        n=len({answer.id for answer in answers}),
        contexts={context: _figures(list(found.values())) for context, found in by_context.items()},
        changes=changes,
        recovered=recovered,
    )


def _figures(answers: Sequence[XFileAnswer]) -> ContextFigures:
    known = [one.invalid for one in answers if one.invalid is not None]
    return ContextFigures(
        n=len(answers),
        exact=fmean(one.exact for one in answers),
        identifier=fmean(one.identifier for one in answers),
        told=fmean(one.told for one in answers),
        num_chunks=fmean(one.num_chunks for one in answers),
        context_tokens=fmean(one.context_tokens for one in answers),
        prompt_tokens=fmean(one.prompt_tokens for one in answers),
        context_ms_p50=percentile([one.context_ms for one in answers], 0.5),
        context_ms_p95=percentile([one.context_ms for one in answers], 0.95),
        cut_short=sum(not one.complete for one in answers),
        invalid=fmean(known) if known else None,
    )


def _change(pairs: Sequence[tuple[XFileAnswer, XFileAnswer]], metric: Metric) -> Change:
    before, after = _right([one for one, _ in pairs], metric), _right([one for _, one in pairs], metric)
    means = _resampled(after - before)
    return Change(
        gain=float((after - before).mean()),
        gain_interval=_interval(means),
        broken=float(((before == 1) & (after == 0)).mean()),
        mended=float(((before == 0) & (after == 1)).mean()),
    )


def _recovery(
    triples: Sequence[tuple[XFileAnswer, XFileAnswer, XFileAnswer]], metric: Metric
) -> Recovery | None:
    if not triples:
        return None
    none, ours, oracle = (_right([triple[nth] for triple in triples], metric) for nth in range(3))
    gain, possible = ours - none, oracle - none
    if possible.sum() <= 0:
        return None
    gains, possibles = _resampled(gain), _resampled(possible)  # the same seed: the same resamples
    defined = possibles > 0
    interval = _interval(gains[defined] / possibles[defined]) if defined.mean() >= 0.95 else None
    return Recovery(float(gain.sum() / possible.sum()), interval)


def _right(answers: Sequence[XFileAnswer], metric: Metric) -> NDArray[np.float64]:
    """1 where it is right.  Shape: `(len(answers),)`."""
    return np.array([getattr(answer, metric) for answer in answers], dtype=np.float64)


def _resampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of resamples.  Shape: `(_RESAMPLES,)`.  Equal lengths are resampled alike."""
    n = len(values)
    counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)
    return (counts @ values) / n


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(float(low), float(high))
