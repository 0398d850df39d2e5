"""What quantisation costs in quality: beside the float32 reference, on the same text.

Two figures at the same positions of real code.  *Perplexity*: how surprised a model is by the next
token, `exp(mean(-log p))`; its ratio says how much worse the model predicts code.  *Divergence*:
`KL(reference || ours)` in nats over the whole vocabulary, which sees changes that perplexity
averages away.  The text may well have been in the training data: compare, do not read it as a score.

A model is read once and its predictions are kept, so that several can be compared and no two need be
in memory at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..language_model import LanguageModel, Span

FIRST_POSITION = 16
"""Before it there is too little text for a prediction to mean anything."""

TELL_POSITIONS = 50

BLOCK_TOKENS = 64
"""Tokens of a call; logits of a whole vocabulary are large."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Over `positions` of texts of `tokens` together."""

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


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model expects: `log_p` `(positions, vocabulary)`; and which token `came`, `(positions,)`."""

    tokens: int
    log_p: NDArray[np.float32]
    came: NDArray[np.int64]
    seconds: float


def read(
    model: LanguageModel,
    texts: Sequence[Sequence[int]],
    num_positions: int = 300,
    *,
    name: str = "",
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Reading:
    """Read each text from its start; what is kept are positions drawn once and for all by `seed`.

    `tell` hears how far it is with `name`, now and then.
    """
    rows: list[NDArray[np.float32]] = []
    came: list[int] = []
    began_s = time.perf_counter()
    for nth, ids in enumerate(texts):
        positions = sample(len(ids), max(1, num_positions // len(texts)), seed + nth)
        kv = model.new_kv(len(ids))
        for start in range(0, positions[-1] + 1, BLOCK_TOKENS):
            end = min(start + BLOCK_TOKENS, len(ids))
            here = [position for position in positions if start <= position < end]
            (block,) = model.forward([Span(ids[start:end], kv, end - here[0] if here else 0)])
            for position in here:
                rows.append(_log_softmax(block[position - end]))
                came.append(ids[position + 1])
                if len(rows) % TELL_POSITIONS == 0:
                    tell(f"quality, {name or model.spec.precision}: {len(rows)} positions")
    seconds = time.perf_counter() - began_s
    return Reading(sum(map(len, texts)), np.stack(rows), np.asarray(came), seconds)


def compare(ours: Reading, reference: Reading) -> Quality:
    """Two readings of the same texts at the same positions."""
    assert np.array_equal(ours.came, reference.came), "both read the same text"
    surprise: list[tuple[float, float]] = []
    divergence: list[float] = []
    same = 0
    for q_row, p_row, token in zip(ours.log_p, reference.log_p, ours.came, strict=True):
        q, p = q_row.astype(np.float64), p_row.astype(np.float64)
        surprise.append((-float(q[token]), -float(p[token])))
        divergence.append(float(np.sum(np.exp(p) * (p - q))))
        same += int(np.argmax(p) == np.argmax(q))
    mean_ours, mean_reference = np.mean(surprise, axis=0)
    ratio = float(np.exp(mean_ours - mean_reference))
    spread = float(np.std(np.diff(surprise, axis=1)))
    return Quality(
        tokens=ours.tokens,
        positions=len(divergence),
        perplexity=float(np.exp(mean_ours)),
        reference_perplexity=float(np.exp(mean_reference)),
        perplexity_ratio=ratio,
        perplexity_ratio_error=ratio * spread / len(divergence) ** 0.5,
        kl_mean_nats=float(np.mean(divergence)),
        kl_p95_nats=float(np.percentile(divergence, 95)),
        same_choice=same / len(divergence),
    )


def sample(num_tokens: int, num_positions: int, seed: int) -> list[int]:
    """Positions that have a next token, in order, none twice; all of them if there are no more."""
    possible = np.arange(min(FIRST_POSITION, num_tokens - 2), num_tokens - 1)
    assert len(possible) > 0, f"{num_tokens} tokens leave nothing to predict"
    count = min(num_positions, len(possible))
    return sorted(int(i) for i in np.random.default_rng(seed).choice(possible, count, replace=False))


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """In double precision, kept in single: 1e-7 of a nat is no matter."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max()
    return (shifted - np.log(np.exp(shifted).sum())).astype(np.float32)
