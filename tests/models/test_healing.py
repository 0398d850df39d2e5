"""Token healing: what is generated begins with what was typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.healing import Healer
from truepenny.models.tokens import TokenBytes

# All bytes, and some longer tokens: as in a byte-level vocabulary.
PIECES = [bytes([i]) for i in range(256)]
LONGER = [
    "se",
    "self",
    "self.",
    "self.count",
    ".co",
    ".cou",
    "count",
    "é",
    "éa",
    "日本",
    "  ",
    "    ",
    "\n  ",
]
VOCABULARY = TokenBytes([*PIECES, *(s.encode() for s in LONGER), "日".encode()[:2], b"", b""])


def heal(text: str, vocabulary: TokenBytes, choose) -> bytes:
    """What comes out when `choose(ids)` picks among the allowed tokens."""
    healer, out = Healer(text, vocabulary), b""
    while (allowed := healer.allowed()) is not None:
        assert allowed
        token_id = choose(allowed)
        out += vocabulary[token_id]
        healer.advance(token_id)
    assert healer.is_done
    return out


@given(st.data(), st.one_of(st.text(max_size=12), st.sampled_from(["self.cou", "éa  ", "日本", "    s"])))
def test_the_output_begins_with_what_was_typed(data, text):
    """Whichever of the allowed tokens the model likes best, the person's characters stay."""
    out = heal(text, VOCABULARY, lambda ids: data.draw(st.sampled_from(ids)))
    assert out.startswith(text.encode())


def test_nothing_typed_allows_anything():
    """None means no limit; an empty list would mean no way on."""
    healer = Healer("", VOCABULARY)
    assert healer.is_done
    assert healer.allowed() is None


@pytest.mark.parametrize("text", ["self.cou", "x", "é"])
def test_a_token_may_go_beyond_what_was_typed(text):
    """That is the point: the token that was half typed is chosen whole."""
    allowed = Healer(text, VOCABULARY).allowed()
    assert allowed is not None
    spelled = {VOCABULARY[i] for i in allowed}
    assert spelled >= {p.encode() for p in LONGER if p.startswith(text)}


@pytest.mark.weights
def test_the_real_vocabulary_always_has_a_way_on(real_tokenizer):
    """Every prefix of every text can be spelled, by longest and by shortest tokens."""

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.booleans())
    @settings(max_examples=100, deadline=None)
    def check(text: str, shortest: bool) -> None:  # noqa: FBT001  (drawn)
        vocabulary = real_tokenizer.vocabulary
        pick = min if shortest else max
        out = heal(text, vocabulary, lambda ids: pick(ids, key=lambda i: len(vocabulary[i])))
        assert out.startswith(text.encode())

    check()
