"""Perplexity and divergence, with models whose predictions are worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from truepenny.models.benchmarks.quality import FIRST_POSITION, Quality, compare, read, sample
from truepenny.models.language_model import Span, never
from truepenny.models.testing import FakeKV, FakeModel

TEXT = "def double(x):\n    return 2 * x\n" * 5


def measure_quality(ours: FakeModel, reference: FakeModel, ids: Sequence[int], num_positions: int) -> Quality:
    return compare(read(ours, [ids], num_positions), read(reference, [ids], num_positions))


class Unigram(FakeModel):
    """Every token is as likely as it always is, whatever came before; says what was asked."""

    def __init__(self, logits: NDArray[np.float32]) -> None:
        super().__init__()
        self.logits = logits
        self.asked: list[tuple[int, int]] = []

    def forward(
        self,
        spans: Sequence[Span],
        is_cancelled: Callable[[], bool] = never,
    ) -> list[NDArray[np.float32]]:
        (span,) = spans
        assert isinstance(span.kv, FakeKV)
        self.asked.append((span.kv.length, span.kv.length + len(span.ids)))
        span.kv.ids.extend(span.ids)
        return [
            np.stack([self.logits] * span.num_logits) if span.num_logits else np.empty((0, 0), np.float32)
        ]


def logits_of(probabilities: Sequence[float]) -> NDArray[np.float32]:
    return (np.log(np.asarray(probabilities)) + 3.0).astype(np.float32)


def test_quality_figures_are_the_textbook_ones():
    """Two models of a three-letter language, worked out by hand; logits may be shifted."""
    p, q = (0.5, 0.25, 0.25), (0.25, 0.5, 0.25)
    ids = [0] * 300
    found = measure_quality(Unigram(logits_of(q)), Unigram(logits_of(p)), ids, 1000)
    assert (found.tokens, found.positions) == (300, 300 - 1 - FIRST_POSITION)
    assert (found.perplexity, found.reference_perplexity) == pytest.approx((4.0, 2.0), rel=1e-5)
    assert found.perplexity_ratio == pytest.approx(2.0, rel=1e-5)
    assert found.perplexity_ratio_error == pytest.approx(0.0, abs=1e-5)
    assert found.kl_mean_nats == pytest.approx(0.5 * math.log(2) - 0.25 * math.log(2), rel=1e-5)
    assert found.same_choice == 0.0


def test_a_model_compared_with_itself_is_perfect():
    """Zero divergence, or something is shifted by one."""
    logits = logits_of(np.random.default_rng(0).dirichlet(np.ones(256)).tolist())
    found = measure_quality(Unigram(logits), Unigram(logits), list(TEXT.encode()), 50)
    assert found.kl_mean_nats == pytest.approx(0.0, abs=1e-6)
    assert (found.perplexity_ratio, found.same_choice) == (pytest.approx(1.0), 1.0)


def test_both_models_read_the_same_text():
    """In the same calls, which are never long: logits of a whole vocabulary take room."""
    ours, reference = Unigram(logits_of([0.5, 0.5])), Unigram(logits_of([0.5, 0.5]))
    ids = [0, 1] * 500
    progress: list[str] = []
    read(ours, [ids], 100, tell=progress.append)
    read(reference, [ids], 100)
    for model in (ours, reference):
        starts, ends = zip(*model.asked, strict=True)
        assert starts[0] == 0
        assert starts[1:] == ends[:-1], "no gap and nothing twice"
        assert max(end - start for start, end in model.asked) <= 64
    assert ours.asked == reference.asked
    assert ours.asked[-1][1] > max(sample(1000, 100, 0))
    assert progress == ["quality, none: 50 positions", "quality, none: 100 positions"]


@pytest.mark.parametrize(("tokens", "positions"), [(2000, 300), (40, 300), (17, 5), (3, 300)])
def test_positions_have_a_past_and_a_next_token(tokens, positions):
    """In order, none twice, the same on every machine."""
    found = sample(tokens, positions, 0)
    assert found == sorted(set(found)) == sample(tokens, positions, 0)
    assert 0 < len(found) <= positions
    assert min(found) >= min(FIRST_POSITION, tokens - 2)
    assert max(found) < tokens - 1


def test_several_texts_share_the_positions():
    """Each is read from its own start, in a cache of its own."""
    model = Unigram(logits_of([0.5, 0.5]))
    found = read(model, [[0, 1] * 50, [1, 0] * 60], 40)
    assert (found.tokens, len(found.came)) == (220, 40)
    assert [start for start, _ in model.asked].count(0) == 2
    assert found.log_p.shape == (40, 2)
