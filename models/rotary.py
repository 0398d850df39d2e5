"""Rotary positions (RoPE: Su et al. 2021, arXiv:2104.09864): how fast each pair of a head turns.

And how families stretch them beyond the length they were first trained on.  `linear` divides every
frequency by one number.  `llama3` (Llama 3.1 and later) leaves fast pairs alone, divides slow ones,
and mixes the two between.  YaRN and dynamic scaling are not here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .errors import UnsupportedWeightsError

ScalingKind = Literal["linear", "llama3"]


@dataclass(frozen=True, slots=True)
class RopeScaling:
    """The last three are of `llama3` only; their defaults are those of every Llama published so."""

    kind: ScalingKind
    factor: float
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_context: int = 8192

    def check(self) -> None:
        """Refuse what scales nothing, or by nonsense.

        Raises:
            UnsupportedWeightsError: names the value found.
            TypeError: a value is not a number.
        """
        if self.kind not in get_args(ScalingKind):
            raise UnsupportedWeightsError(
                f"rotary scaling {self.kind!r} is not one we run ({', '.join(get_args(ScalingKind))})"
            )
        if not (
            1 <= self.factor < math.inf
            and 0 < self.low_freq_factor < self.high_freq_factor < math.inf
            and 0 < self.original_context < 1 << 26
        ):
            raise UnsupportedWeightsError(f"rotary scaling makes no sense: {self}")

    def stretched(self, plain: NDArray[np.float32]) -> NDArray[np.float32]:
        """The frequencies that take the place of `plain`."""
        if self.kind == "linear":
            return (plain / np.float32(self.factor)).astype(np.float32)
        turns = np.float32(self.original_context) / (np.float32(2 * math.pi) / plain)  # within it
        span = self.high_freq_factor - self.low_freq_factor
        fast = np.clip((turns - np.float32(self.low_freq_factor)) / np.float32(span), 0, 1)  # 1: left alone
        return ((1 - fast) * plain / np.float32(self.factor) + fast * plain).astype(np.float32)


def frequencies(head_dim: int, theta: float, scaling: RopeScaling | None = None) -> NDArray[np.float32]:
    """Radians per position of each pair, `(head_dim / 2,)`, fastest first.

    Rounded to float32 where those are rounded that models are trained with: some hundred positions on,
    the difference would show in the logits.
    """
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    powers = np.power(np.float64(np.float32(theta)), exponents.astype(np.float64)).astype(np.float32)
    plain = np.float32(1) / powers
    return plain if scaling is None else scaling.stretched(plain)
