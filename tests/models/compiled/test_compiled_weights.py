"""The compiled pass on the real model: what quantisation costs, and nothing more."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from truepenny.models.compiled.runner import CompiledRunner
from truepenny.models.language_model import Span
from truepenny.models.packed import open_packed
from truepenny.models.runner import LeanRunner

pytestmark = pytest.mark.weights

NUM_TOKENS = 160


@pytest.fixture(scope="module")
def code_ids(real_tokenizer) -> list[int]:
    """The beginning of a Python file everyone has."""
    return real_tokenizer.encode(Path(random.__file__).read_text(encoding="utf-8"))[:NUM_TOKENS]


@pytest.fixture(scope="module")
def real_model(default_model) -> CompiledRunner:
    from truepenny.models.loading import load

    model = load(default_model.name, "int8").model
    assert isinstance(model, CompiledRunner)
    return model


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def test_it_costs_what_quantisation_costs(real_model, default_model, code_ids):
    """As far from float32 as torch's int8 is, which rounds the same numbers: no further.

    The reference is within 1e-4 of transformers' logits by its own test.
    """
    from truepenny.models.lean_weights import int8_weights
    from truepenny.models.loading import load

    reference = load(default_model.name, "fp32").model
    packed = open_packed(default_model.packed)
    torchs = LeanRunner(packed.architecture, int8_weights(packed, "int_mm"), real_model.spec)
    exact, ours, theirs = (
        model.forward([Span(code_ids, model.new_kv(1), NUM_TOKENS)])[0]
        for model in (reference, real_model, torchs)
    )
    p, truth = log_softmax(exact), np.array(code_ids[1:])
    divergence, agreement, loss = [], [], []
    for found in (ours, theirs):
        q = log_softmax(found)
        divergence.append((np.exp(p) * (p - q)).sum(axis=1).mean())
        agreement.append((exact.argmax(axis=1) == found.argmax(axis=1)).mean())
        loss.append((p - q)[np.arange(NUM_TOKENS - 1), truth].mean())
    assert divergence[0] < 1.25 * divergence[1]
    assert divergence[0] < 0.02
    assert agreement[0] > agreement[1] - 0.03
    assert loss[0] < 0.02


def test_the_real_models_rows_do_not_depend_on_how_a_file_was_cut(real_model, code_ids):
    """Bit for bit, in passes of few rows and of many, with tiles and without."""
    whole_kv = real_model.new_kv(1)
    (whole,) = real_model.forward([Span(code_ids, whole_kv, 40)])
    chance = random.Random(11)
    for _ in range(4):
        kv, at = real_model.new_kv(1), 0
        while at < NUM_TOKENS - 40:
            size = min(chance.choice([1, 8, 9, 12, 13, 33, 50]), NUM_TOKENS - 40 - at)
            real_model.forward([Span(code_ids[at : at + size], kv, 0)])
            at += size
        found = [
            real_model.forward([Span(code_ids[at : at + 5], kv, 5)])[0]
            for at in range(NUM_TOKENS - 40, NUM_TOKENS, 5)
        ]
        assert np.array_equal(np.concatenate(found), whole)
        mine, theirs = kv.copy_out(0, NUM_TOKENS), whole_kv.copy_out(0, NUM_TOKENS)
        assert np.array_equal(mine.keys, theirs.keys)
        assert np.array_equal(mine.values, theirs.values)
