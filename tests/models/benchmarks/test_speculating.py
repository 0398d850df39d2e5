"""Decoding with drafts and without, through the engine itself; the model is scripted."""

from __future__ import annotations

import pytest

from truepenny.models.benchmarks.prompts import Prompt
from truepenny.models.benchmarks.speculating import measure_drafts
from truepenny.models.engine import LoadedModel
from truepenny.models.errors import BenchmarkError
from truepenny.models.testing import ByteTokenizer, FakeModel, Script, fake_cache

SCRIPT = Script(
    replies=(
        ("A:", "one two one two one two one two one two\n"),
        ("B:", "no\n"),
        ("C:", "abcdefghijklmnop\n"),
    ),
    otherwise="",
)


def loaded(model: FakeModel) -> LoadedModel:
    return LoadedModel(model, ByteTokenizer(), None, lambda budget: fake_cache(model, budget))


def prompt(text: str, language: str = "python") -> Prompt:
    return Prompt(language, text, tuple(text.encode()), f"{text}.py")


def test_both_ways_write_the_same_text_and_drafts_are_counted():
    """What repeats itself is drafted; nothing is remembered from one turn to the next."""
    tells: list[str] = []
    found = measure_drafts(
        loaded(FakeModel(SCRIPT)), [prompt("A:"), prompt("C:", "go")], 40, 3, tell=tells.append
    )
    assert found is not None
    repeats, novel = found.texts
    assert repeats.is_same_text
    assert novel.is_same_text
    assert (repeats.tokens, novel.tokens) == (40, 18)
    assert 0 < repeats.accepted_tokens <= repeats.drafted_tokens
    assert novel.accepted_tokens == 0, "had a turn before been remembered, it would all be known"
    assert found.ratio_by_language.keys() == {"python", "go"}
    assert found.ratio_worst == min(repeats.ratio, novel.ratio)
    assert found.accepted_per_token == pytest.approx(repeats.accepted_tokens / 58)
    assert found.pass_cost_by_rows[0] == 1
    assert tells[-1].endswith("prompt 2 of 2")


def test_a_text_that_ends_at_once_says_nothing():
    """It is left out, and counted."""
    assert measure_drafts(loaded(FakeModel(SCRIPT)), [prompt("B:")], 40, 1) is None
    found = measure_drafts(loaded(FakeModel(SCRIPT)), [prompt("B:"), prompt("A:")], 40, 1)
    assert found is not None
    assert (found.too_short, len(found.texts)) == (1, 1)


def test_a_request_that_fails_ends_the_measurement():
    """With what the engine said."""

    class Broken(FakeModel):
        def forward(self, spans, is_cancelled=lambda: False):
            raise RuntimeError("out of paper")

    with pytest.raises(BenchmarkError, match="out of paper"):
        measure_drafts(loaded(Broken(SCRIPT)), [prompt("A:")], 40, 1)
