"""Logits to one token id."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from truepenny.models.sampling import Sampler, _nucleus, largest
from truepenny.models.wire import Sampling

PROBABILITIES = [0.05, 0.4, 0.2, 0.3, 0.05]
LOGITS = np.log(np.array(PROBABILITIES, dtype=np.float32))


def drawn(sampling: Sampling, count: int = 4000, allowed=None) -> Counter[int]:
    sampler = Sampler(sampling)
    return Counter(sampler.choose(LOGITS, allowed) for _ in range(count))


@pytest.mark.parametrize(
    ("logits", "allowed", "chosen"),
    [
        ([0.0, 3.0, 3.0], None, 1),  # a tie goes to the lowest id
        ([5.0, 3.0, 3.0], [2, 1], 2),  # among the allowed, to the first
        ([5.0, 1.0, 3.0], [1, 2], 2),
        ([-1e9, -5.0, -2.0], None, 2),
    ],
)
def test_greedy_takes_the_highest(logits, allowed, chosen):
    """Temperature 0 has one answer, whatever else is set."""
    for sampling in (Sampling(), Sampling(top_p=0.1, top_k=1, seed=3)):
        assert Sampler(sampling).choose(np.array(logits, dtype=np.float32), allowed) == chosen


@pytest.mark.parametrize(
    ("sampling", "possible"),
    [
        (Sampling(temperature=1.0, top_k=1), {1}),
        (Sampling(temperature=1.0, top_k=2), {1, 3}),
        (Sampling(temperature=1.0, top_k=99), {0, 1, 2, 3, 4}),
        (Sampling(temperature=1.0, top_p=0.0), {1}),
        (Sampling(temperature=1.0, top_p=0.39), {1}),
        (Sampling(temperature=1.0, top_p=0.41), {1, 3}),  # the smallest set that reaches it
        (Sampling(temperature=1.0, top_p=0.71), {1, 2, 3}),
        (Sampling(temperature=1.0, top_k=3, top_p=0.77), {1, 3}),  # of what top-k left: 0.7 / 0.9
        (Sampling(temperature=0.01), {1}),
    ],
)
def test_limits_leave_exactly_these(sampling, possible):
    """Top-k counts, top-p adds up."""
    assert set(drawn(sampling)) == possible


@given(
    hnp.arrays(np.float32, st.integers(1, 40), elements=st.integers(-6, 6).map(float)),
    st.floats(0, 1),
    st.integers(0, 45),
)
def test_the_limits_are_those_of_the_definition(logits, top_p, top_k):
    """Sort everything, cut at k, then where the shares add up to p: what is never drawn is outside."""
    order = np.argsort(-logits, kind="stable")[: top_k or None]
    shares = np.exp(logits[order].astype(np.float64))
    shares /= shares.sum()
    reached = np.cumsum(shares)
    expected = order[: int(np.sum(reached < top_p - 1e-9)) + 1] if top_p < 1 else order
    weights = np.exp(logits.astype(np.float64) - logits.max())
    ids = largest(weights, top_k) if 0 < top_k < len(weights) else np.arange(len(weights))
    ids = ids[_nucleus(weights[ids], top_p)] if top_p < 1 else ids
    assert abs(len(ids) - len(expected)) <= 1  # at a border the last digit decides
    shorter = min(len(ids), len(expected))
    assert shorter == len(ids) or set(expected[:shorter]) <= set(ids)
    assert Sampler(Sampling(1.0, top_p, top_k)).choose(logits) in ids


def test_only_what_is_allowed_is_drawn():
    """A healing or grammar constraint is not a suggestion."""
    assert set(drawn(Sampling(temperature=1.5), allowed=[4, 0])) == {0, 4}


def test_a_seed_repeats_the_choices():
    """The same seed, the same text; another, another."""

    def sequence(seed: int | None) -> list[int]:
        sampler = Sampler(Sampling(temperature=1.0, seed=seed))
        return [sampler.choose(LOGITS) for _ in range(60)]

    assert sequence(7) == sequence(7)
    assert sequence(7) != sequence(8)
    assert sequence(None) != sequence(None)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_distribution_is_the_one_asked_for(temperature):
    """Four thousand draws lie within four standard deviations."""
    expected = np.array(PROBABILITIES) ** (1 / temperature)
    expected /= expected.sum()
    counts = drawn(Sampling(temperature=temperature, seed=1))
    for token_id, p in enumerate(expected):
        assert abs(counts[token_id] - 4000 * p) <= 4 * np.sqrt(4000 * p * (1 - p))
