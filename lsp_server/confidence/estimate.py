"""From facts to a probability: a logistic model, with the weights that were fitted.

The weights are made by `truepenny eval calibration` and are not to be edited by hand: a test fits them anew
from the measured rows in `tests/fixtures/confidence` and compares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .facts import Facts, values

INTERCEPT = 3.269
WEIGHTS: dict[str, float] = {
    "mean": 3.662,
    "least": 0.145,
    "first": 0.108,
    "tokens": -0.48,
    "lines": 0.124,
    "is_cut": -3.171,
    "findings": 0.0,
}


@dataclass(frozen=True, slots=True)
class Confidence:
    """`probability` that the suggestion is right, 0 to 1; `because` says in words what it rests on."""

    probability: float
    because: str


def of(facts: Facts, shift: float = 0.0, learned: str = "") -> Confidence:
    """`shift`: of the log-odds, by what was accepted here before; `learned` says so in words."""
    probability = sigmoid(log_odds(facts) + shift)
    num_tokens = len(facts.logprobs)
    tokens = f"{num_tokens} tokens" if num_tokens > 1 else "one token"
    lines = f" in {facts.num_lines} lines" if facts.num_lines > 1 else ""
    parts = [f"the model gave its {tokens}{lines} {facts.mean_probability:.0%} each"]
    if facts.num_lines <= 1 and num_tokens == 1:
        parts = [f"the model gave its one token {facts.mean_probability:.0%}"]
    if facts.is_cut:
        parts.append("it was cut short by a limit")
    if learned:
        parts.append(learned)
    return Confidence(probability, "; ".join(parts))


def log_odds(facts: Facts) -> float:
    return INTERCEPT + sum(
        weight * value for weight, value in zip(WEIGHTS.values(), values(facts), strict=True)
    )


def sigmoid(odds: float) -> float:
    """Never overflows."""
    if odds >= 0:
        return 1.0 / (1.0 + math.exp(-odds))
    grown = math.exp(odds)
    return grown / (1.0 + grown)
