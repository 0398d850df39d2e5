"""The promise of winnowing: a shared run of `w + k - 1` lexemes never goes unseen."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.licence.lexing import lex
from truepenny.guard.licence.winnowing import CHANNELS, EXACT, RENAMED, fingerprints, grams

from .corpus import source


@given(
    st.lists(st.integers(0, 5), max_size=60),
    st.lists(st.integers(0, 5), min_size=EXACT.guarantee, max_size=EXACT.guarantee),
    st.lists(st.integers(0, 5), max_size=60),
    st.lists(st.integers(0, 5), max_size=60),
)
def test_a_shared_run_is_always_found(before, run, after, elsewhere):
    """From few different words, so that ties and repeats are the rule."""
    text = lex(" ".join(f"w{i}" for i in [*before, *run, *after]))
    other = lex(" ".join(f"w{i}" for i in [*elsewhere, *run]))
    chosen, _ = fingerprints(text, EXACT)
    assert np.isin(grams(other, EXACT)[0], chosen).any()


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda one: one.name)
def test_every_window_has_a_fingerprint_and_few_do(channel):
    """Density is near 2/(w+1): that is what an index costs."""
    lexemes = lex(source(1, 2_000))
    hashes, places = fingerprints(lexemes, channel)
    assert hashes.tolist() == grams(lexemes, channel)[0][places].tolist()
    assert np.diff(places).max() <= channel.w
    assert len(places) / len(lexemes) == pytest.approx(2 / (channel.w + 1), rel=0.15)


def test_equal_k_grams_in_a_row_are_not_all_chosen():
    """A table of zeros costs what other code costs."""
    lexemes = lex("0, " * 5_000)
    assert len(fingerprints(lexemes, EXACT)[1]) < len(lexemes) / 8


def test_prose_has_no_renamed_fingerprints():
    """Words alone have no shape."""
    rng = random.Random(3)
    text = " ".join("".join(rng.choices("abcdefgh", k=5)) for _ in range(300))
    assert len(fingerprints(lex(text), RENAMED)[1]) == 0
    assert len(fingerprints(lex(text), EXACT)[1]) > 0


@pytest.mark.parametrize("count", [0, 1, 16, 17, 18, 40, 41, 42])
def test_short_texts(count):
    """From `k` lexemes on there is at least one fingerprint, before none."""
    found = len(fingerprints(lex(" ".join(f"w{i}" for i in range(count))), EXACT)[1])
    assert (found >= 1) == (count >= EXACT.k)
