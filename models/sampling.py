"""Logits to one token id: greedy, or temperature with top-k and nucleus.

Nucleus sampling: Holtzman et al. 2019, arXiv:1904.09751.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .wire import Sampling


class Sampler:
    """Chooses tokens for one request.  With a seed the choices are repeatable."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)

    def choose(self, logits: NDArray[np.float32], allowed: Sequence[int] | None = None) -> int:
        """`logits` is `(vocabulary,)`; with `allowed` (not empty) the choice is among these ids only.

        Ties go to the lowest id (in `allowed`: to the first), so greedy decoding is deterministic.
        """
        if allowed is not None:
            ids = np.asarray(allowed, dtype=np.int64)
            return int(ids[self._index(logits[ids])])
        return self._index(logits)

    def _index(self, logits: NDArray[np.float32]) -> int:
        sampling = self._sampling
        if sampling.temperature <= 0.0:
            return int(np.argmax(logits))
        scaled = logits.astype(np.float64) / sampling.temperature
        order = np.argsort(-scaled, kind="stable")
        if sampling.top_k > 0:
            order = order[: sampling.top_k]
        weights = np.exp(scaled[order] - scaled[order[0]])
        weights /= weights.sum()
        if sampling.top_p < 1.0:
            # The smallest set whose mass reaches top_p; always at least one token.
            keep = int(np.searchsorted(np.cumsum(weights), sampling.top_p)) + 1
            order, weights = order[:keep], weights[:keep] / weights[:keep].sum()
        return int(self._random.choice(order, p=weights))
