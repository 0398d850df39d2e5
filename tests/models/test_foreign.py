"""Architectures that are not ours, through transformers and the same loop and cache."""

from __future__ import annotations

import itertools
import queue
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from truepenny.models.engine import Engine, LoadedModel
from truepenny.models.errors import UnsupportedWeightsError
from truepenny.models.hardware import Device
from truepenny.models.language_model import feed
from truepenny.models.loading import load
from truepenny.models.local_model import make_ready
from truepenny.models.store import require
from truepenny.models.wire import CompletionRequest, Piece, Started, Usage

CPU = Device("cpu", "a test", 1, 0)
WAIT_S = 60.0

FOREIGN: dict[str, dict[str, Any]] = {
    "gpt_neox": {"rotary_pct": 0.5},  # layer norms side by side, heads turned in part
    "qwen3": {"head_dim": 16},  # norms of q and k
    "gemma2": {"head_dim": 16, "sliding_window": 32},  # layers of two kinds, soft caps
    "phi": {"partial_rotary_factor": 0.5},
}


class Silent:
    """Progress for nobody."""

    def start(self, total_bytes, what):
        pass

    def advance(self, done_bytes):
        pass

    def done(self):
        pass


@pytest.fixture
def make(tmp_path, hub_folder, monkeypatch):
    """A foreign model, made ready: its path and transformers' own module."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))

    def foreign(model_type: str) -> tuple[Path, Any]:
        path = tmp_path / model_type
        theirs = hub_folder(path, model_type, **FOREIGN[model_type])
        report = make_ready(str(path), Silent())
        assert report.path == path
        return path, theirs

    return foreign


def complete(loaded: LoadedModel, prompts: list[list[int]], max_tokens: int) -> list[tuple[str, Usage]]:
    """One after the other, through one engine; each text with what it cost."""
    engine = Engine(loaded.model, loaded.tokenizer, loaded.new_cache(1 << 24))
    results = []
    try:
        for ids in prompts:
            events: queue.SimpleQueue[Any] = queue.SimpleQueue()
            engine.submit(CompletionRequest(tuple(ids), max_tokens=max_tokens, speculate=False), events.put)
            text = ""
            while not isinstance(event := events.get(timeout=WAIT_S), Usage):
                assert isinstance(event, Started | Piece), event
                text += event.text if isinstance(event, Piece) else ""
            results.append((text, event))
    finally:
        engine.close()
    return results


@pytest.mark.parametrize("model_type", FOREIGN)
def test_a_foreign_model_gives_its_own_logits(make, model_type):
    """Warm and cold: in one piece, in pieces, and after going back."""
    path, theirs = make(model_type)
    loaded = load(str(path), "fp32", CPU)
    spec = loaded.model.spec
    assert (spec.architecture, spec.precision, spec.context_length) == (model_type, "fp32", 4096)
    assert "not lean" in spec.why_precision
    ids = [(7 * i) % 250 for i in range(100)]
    with torch.inference_mode():
        expected = theirs(torch.tensor([ids])).logits[0].numpy()
    kv = loaded.model.new_kv(1)
    for start, end in ((0, 60), (60, 61), (61, 100)):
        logits = feed(loaded.model, ids[start:end], kv)
        assert np.abs(logits - expected[end - 1]).max() < 1e-4
    kv.truncate(50)
    assert np.abs(feed(loaded.model, ids[50:], kv) - expected[-1]).max() < 1e-4


@pytest.mark.parametrize("model_type", ["gpt_neox", "qwen3"])
def test_a_foreign_model_completes_through_the_engine(make, model_type):
    """A prompt that goes on from an earlier one reuses it, and the text is that of a cold start."""
    path, theirs = make(model_type)
    loaded = load(str(path), "fp32", CPU)
    ids = [(7 * i) % 250 for i in range(90)]
    with torch.inference_mode():
        out = theirs.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False, eos_token_id=None)
    spelled = [loaded.tokenizer.vocabulary[token_id] for token_id in out[0, 90:].tolist()]
    text = itertools.takewhile(bool, spelled)  # what stands for no text ends one
    expected = b"".join(text).decode(errors="replace")
    (_, first), (warm, usage) = complete(loaded, [ids[:70], ids], 8)
    assert (first.reused_tokens, usage.reused_tokens) == (0, 70)
    assert warm == expected
    assert complete(load(str(path), "fp32", CPU), [ids], 8)[0][0] == expected


def test_nothing_is_packed_for_it(make):
    """Its weights are used where they are; the tokenizer alone is copied."""
    path, _ = make("qwen3")
    folder = require(str(path))
    assert folder.is_foreign
    assert not folder.packed.exists()
    assert folder.tokenizer.is_file()


@pytest.mark.parametrize("precision", ["auto", "fp32", "bf16"])
def test_a_cpu_offers_floats_only(make, precision):
    """And says which it took and why; what it does not offer is told with what it does."""
    path, _ = make("phi")
    spec = load(str(path), precision, CPU).model.spec
    assert spec.precision == precision or (precision == "auto" and "a product takes" in spec.why_precision)
    assert spec.kv_bytes_per_token == 2 * 2 * 2 * 16 * (4 if spec.precision == "fp32" else 2)
    for refused in ("int8", "nf4"):
        with pytest.raises(UnsupportedWeightsError, match=f"'{refused}' on a CPU .* use auto, fp32 or bf16"):
            load(str(path), refused, CPU)
