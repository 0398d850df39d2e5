"""How well a probability keeps its word, and the weights that make it do so.  Numbers in, numbers out.

Logistic regression with a ridge, by projected gradient: the weights of the logarithms of probabilities stay
at or above zero, so that a surer model never counts against itself.  Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..confidence.facts import NAMES, NUM_LOGPROBS, Facts, values

RIDGE = 2.0
"""Of each weight on values of unit spread: worth as much as so many rows."""
NUM_FOLDS = 10
_STEPS = 4_000

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One suggestion that was made, and whether it was right.  No text."""

    set: str
    facts: Facts
    is_right: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "set": self.set,
            "language": self.facts.language,
            "logprobs": [round(logprob, 4) for logprob in self.facts.logprobs],
            "lines": self.facts.num_lines,
            "is_cut": self.facts.is_cut,
            "findings": self.facts.num_findings,
            "right": self.is_right,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Row:
        """Raises KeyError, TypeError or ValueError for what is no row."""
        logprobs = tuple(float(logprob) for logprob in record["logprobs"])
        if not logprobs:
            raise ValueError("no logprobs")
        facts = Facts(
            logprobs,
            int(record["lines"]),
            str(record["language"]),
            bool(record["is_cut"]),
            int(record["findings"]),
        )
        return cls(str(record["set"]), facts, bool(record["right"]))


@dataclass(frozen=True, slots=True)
class Fit:
    intercept: float
    weights: dict[str, float]

    def odds(self, rows: Sequence[Row]) -> Array:
        return _matrix(rows) @ np.array(list(self.weights.values())) + self.intercept


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose probability lies in `[low, high)`."""

    low: float
    high: float
    num_rows: int
    told: float
    """Mean probability."""
    was: float
    """Share that was right."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """What showing only from a probability on would do; shares of all rows."""

    from_probability: float
    shown: float
    right_lost: float
    """Right, and not shown."""
    wrong_spared: float
    """Wrong, and not shown."""
    precision: float
    """Of those shown, the share that was right."""


@dataclass(frozen=True, slots=True)
class Calibration:
    num_rows: int
    share_right: float
    ece: float
    """Expected calibration error: mean distance of what was told and what was, weighted by rows."""
    brier: float
    brier_of_share: float
    """That of always telling `share_right`."""
    auc: float
    """How often a right one is above a wrong one."""
    bins: tuple[Bin, ...]
    thresholds: tuple[Threshold, ...]


def fit(rows: Sequence[Row]) -> Fit:
    """The weights, by `NAMES`; a value that is the same in all rows gets none."""
    matrix, right = _matrix(rows), _right(rows)
    mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
    varies = spread > 1e-9
    scaled = np.where(varies, (matrix - mean) / np.where(varies, spread, 1.0), 0.0)
    wanted = np.hstack([np.ones((len(rows), 1)), scaled])
    ridge = np.array([0.0, *[RIDGE] * len(NAMES)])
    step = 1.0 / (0.25 * float(np.linalg.norm(wanted, 2)) ** 2 + RIDGE)
    found = np.zeros(1 + len(NAMES))
    for _ in range(_STEPS):
        told = _sigmoid(wanted @ found)
        found -= step * (wanted.T @ (told - right) + ridge * found)
        found[1 : 1 + NUM_LOGPROBS] = np.maximum(found[1 : 1 + NUM_LOGPROBS], 0.0)
    weights = np.where(varies, found[1:] / np.where(varies, spread, 1.0), 0.0)
    intercept = float(found[0] - weights @ mean)
    return Fit(
        round(intercept, 3),
        {name: round(float(weight), 3) + 0.0 for name, weight in zip(NAMES, weights, strict=True)},
    )


def held_out(rows: Sequence[Row]) -> Array:
    """The probability of each row by weights that were fitted without it."""
    told = np.zeros(len(rows))
    folds = np.arange(len(rows)) % NUM_FOLDS
    for fold in range(min(NUM_FOLDS, len(rows))):
        others = [row for row, own in zip(rows, folds, strict=True) if own != fold]
        own = [row for row, at in zip(rows, folds, strict=True) if at == fold]
        told[folds == fold] = _sigmoid(fit(others).odds(own))
    return told


def assess(told: Array, rows: Sequence[Row], num_bins: int = 5) -> Calibration:
    """How well the probabilities `told` fit what was."""
    right = _right(rows)
    share = float(right.mean())
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    of_bin = np.minimum((told * num_bins).astype(int), num_bins - 1)
    bins = [
        Bin(
            float(edges[number]),
            float(edges[number + 1]),
            int(is_in.sum()),
            float(told[is_in].mean()),
            float(right[is_in].mean()),
        )
        for number in range(num_bins)
        if (is_in := of_bin == number).any()
    ]
    return Calibration(
        num_rows=len(rows),
        share_right=share,
        ece=sum(each.num_rows * abs(each.told - each.was) for each in bins) / len(rows),
        brier=float(np.mean((told - right) ** 2)),
        brier_of_share=share * (1.0 - share),
        auc=auc(told, right),
        bins=tuple(bins),
        thresholds=tuple(_threshold(told, right, at / 20) for at in range(13)),
    )


def auc(told: Array, right: Array) -> float:
    """0.5 where there is nothing to tell apart; ties count half."""
    positives, negatives = told[right > 0], told[right == 0]
    if not len(positives) or not len(negatives):
        return 0.5
    above = (positives[:, None] > negatives[None, :]).mean()
    equal = (positives[:, None] == negatives[None, :]).mean()
    return float(above + equal / 2)


def _threshold(told: Array, right: Array, at: float) -> Threshold:
    is_shown = told >= at
    shown = float(is_shown.mean())
    return Threshold(
        at,
        shown,
        float((right * ~is_shown).mean()),
        float(((1 - right) * ~is_shown).mean()),
        float(right[is_shown].mean()) if is_shown.any() else 0.0,
    )


def _matrix(rows: Sequence[Row]) -> Array:
    return np.array([values(row.facts) for row in rows], dtype=np.float64).reshape(len(rows), len(NAMES))


def _right(rows: Sequence[Row]) -> Array:
    return np.array([float(row.is_right) for row in rows])


def _sigmoid(odds: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-np.clip(odds, -500, 500)))
