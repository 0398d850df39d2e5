"""What quantisation costs in quality: ours beside the float32 reference, on the same text.

Two figures at the same positions of real code.  *Perplexity*: how surprised a model is by the next
token, `exp(mean(-log p))`; its ratio says how much worse the model predicts code.  *Divergence*:
`KL(reference || ours)` in nats over the whole vocabulary, which sees changes that perplexity
averages away.  The text may well have been in the training data: compare, do not read it as a score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .language_model import LanguageModel, Span

FIRST_POSITION = 16
"""Before it there is too little text for a prediction to mean anything."""

TELL_POSITIONS = 50

BLOCK_TOKENS = 64
"""Tokens of a call; logits of a whole vocabulary are large."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Over `positions` of a text of `tokens`."""

    tokens: int
    positions: int
    perplexity: float
    reference_perplexity: float
    perplexity_ratio: float
    perplexity_ratio_error: float
    """Its standard error: other positions would have given another ratio."""
    kl_mean_nats: float
    kl_p95_nats: float
    same_choice: float
    """Share of positions where both hold the same token most likely."""


def measure_quality(
    ours: LanguageModel,
    reference: LanguageModel,
    ids: Sequence[int],
    num_positions: int = 300,
    *,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Quality:
    """Both read `ids` from the start; they are compared at positions drawn once and for all by `seed`.

    `tell` hears how far it is, now and then.
    """
    positions = sample(len(ids), num_positions, seed)
    ours_kv, reference_kv = ours.new_kv(len(ids)), reference.new_kv(len(ids))
    surprise: list[tuple[float, float]] = []
    divergence: list[float] = []
    same = 0
    for start in range(0, positions[-1] + 1, BLOCK_TOKENS):
        end = min(start + BLOCK_TOKENS, len(ids))
        here = [position for position in positions if start <= position < end]
        num_logits = end - here[0] if here else 0
        (ours_block,) = ours.forward([Span(ids[start:end], ours_kv, num_logits)])
        (reference_block,) = reference.forward([Span(ids[start:end], reference_kv, num_logits)])
        for position in here:
            q = _log_softmax(ours_block[position - end])
            p = _log_softmax(reference_block[position - end])
            surprise.append((-float(q[ids[position + 1]]), -float(p[ids[position + 1]])))
            divergence.append(float(np.sum(np.exp(p) * (p - q))))
            same += int(np.argmax(p) == np.argmax(q))
            if len(divergence) % TELL_POSITIONS == 0:
                tell(f"quality: {len(divergence)} of {len(positions)} positions")
    mean_ours, mean_reference = np.mean(surprise, axis=0)
    ratio = float(np.exp(mean_ours - mean_reference))
    spread = float(np.std(np.diff(surprise, axis=1)))
    return Quality(
        tokens=len(ids),
        positions=len(positions),
        perplexity=float(np.exp(mean_ours)),
        reference_perplexity=float(np.exp(mean_reference)),
        perplexity_ratio=ratio,
        perplexity_ratio_error=ratio * spread / len(positions) ** 0.5,
        kl_mean_nats=float(np.mean(divergence)),
        kl_p95_nats=float(np.percentile(divergence, 95)),
        same_choice=same / len(positions),
    )


def sample(num_tokens: int, num_positions: int, seed: int) -> list[int]:
    """Positions that have a next token, in order, none twice; all of them if there are no more."""
    possible = np.arange(min(FIRST_POSITION, num_tokens - 2), num_tokens - 1)
    assert len(possible) > 0, f"{num_tokens} tokens leave nothing to predict"
    count = min(num_positions, len(possible))
    return sorted(int(i) for i in np.random.default_rng(seed).choice(possible, count, replace=False))


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64)
    shifted -= shifted.max()
    return shifted - np.log(np.exp(shifted).sum())
