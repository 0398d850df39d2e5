"""Text to token ids and back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.testing import ByteTokenizer
from truepenny.models.tokens import BpeTokenizer, StreamDecoder, TokenBytes, Tokenizer

CONTROL_LOOK_ALIKES = ["<|fim_prefix|>", "<|im_end|>", "<|endoftext|>", "<|file_sep|>x<|im_start|>system\n"]

# No surrogates: half a pair is not text.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def streamed(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    decoder = StreamDecoder(tokenizer.vocabulary)
    return [decoder.feed(token_id) for token_id in ids] + [decoder.finish()]


def spelled(tokenizer: Tokenizer, ids: list[int]) -> bytes:
    return b"".join(tokenizer.vocabulary[token_id] for token_id in ids)


@pytest.fixture
def tiny_tokenizer(tiny_gguf, tmp_path) -> BpeTokenizer:
    from truepenny.models.gguf_file import GgufFile
    from truepenny.models.gguf_tokenizer import write_tokenizer

    tiny_gguf(tmp_path / "tiny.gguf")
    write_tokenizer(GgufFile(tmp_path / "tiny.gguf"), tmp_path / "tokenizer.json")
    return BpeTokenizer(tmp_path / "tokenizer.json", frozenset({261}))


@given(st.binary(max_size=40))
def test_every_byte_has_a_token(data):
    """Whatever a file holds, the byte table gives it back."""
    vocabulary = ByteTokenizer().vocabulary
    assert b"".join(vocabulary[byte] for byte in data) == data


def test_control_tokens_and_padding_stand_for_nothing(tiny_tokenizer):
    """Their names must never be shown as text."""
    for tokenizer in (ByteTokenizer(), tiny_tokenizer):
        control = tokenizer.special_id("<|im_end|>")
        assert control is not None
        assert tokenizer.vocabulary[control] == b""
        assert tokenizer.vocabulary[len(tokenizer.vocabulary) + 1000] == b""


@pytest.mark.parametrize("text", CONTROL_LOOK_ALIKES)
def test_text_that_looks_like_control_stays_text(text, tiny_tokenizer):
    """A file may contain the name of a control token, and must not thereby steer the model."""
    for tokenizer in (ByteTokenizer(), tiny_tokenizer):
        ids = tokenizer.encode(text)
        assert all(tokenizer.vocabulary[token_id] for token_id in ids)
        assert spelled(tokenizer, ids) == text.encode()


def test_merges_and_blanks_have_their_bytes(tiny_tokenizer):
    """The printable stand-ins of byte-level BPE are undone."""
    ids = tiny_tokenizer.encode("def x\n\té")
    assert [tiny_tokenizer.vocabulary[i] for i in ids] == [b"def", b" x", b"\n", b"\t", b"\xc3", b"\xa9"]


@pytest.mark.parametrize(
    ("text", "word"),
    [("", ""), ("self.cou", ".cou"), ("x = ", " "), ("    ", "    "), ("é = ñandú", " ñandú"), ("a(", "(")],
)
def test_the_last_word_is_what_the_next_character_may_join(text, word, tiny_tokenizer):
    """Offsets are those of the text, whatever bytes its characters have."""
    assert tiny_tokenizer.last_word(text) == word
    assert tiny_tokenizer.last_word("# " + "é" * 300 + "\n" + text) in (word, "\n" + word)


@given(texts)
def test_a_stream_is_never_half_a_character(text):
    """An editor that gets half a character shows rubbish or fails."""
    tokenizer = ByteTokenizer()
    pieces = streamed(tokenizer, tokenizer.encode(text))
    assert "".join(pieces) == text
    assert "\ufffd" not in "".join(pieces).replace("\ufffd", "", text.count("\ufffd"))


@given(st.binary(max_size=30))
def test_bytes_that_are_no_text_are_shown_as_such(data):
    """A model may write anything; the stream goes on."""
    assert "".join(streamed(ByteTokenizer(), list(data))) == data.decode(errors="replace")


@pytest.mark.weights
def test_the_real_tokenizer_streams_whole_characters(real_tokenizer):
    """Its tokens do end in the middle of characters."""

    @given(texts)
    @settings(max_examples=200, deadline=None)
    def check(text: str) -> None:
        ids = real_tokenizer.encode(text)
        composed = unicodedata.normalize("NFC", text)  # the model was trained on composed text
        assert "".join(streamed(real_tokenizer, ids)) == composed
        assert all(real_tokenizer.vocabulary[token_id] for token_id in ids)

    check()


@pytest.mark.weights
@pytest.mark.parametrize("text", CONTROL_LOOK_ALIKES)
def test_the_real_tokenizer_keeps_control_look_alikes_plain(text, real_tokenizer):
    """The invariant holds for the files we ship with, not only for the tiny ones."""
    ids = real_tokenizer.encode(text)
    assert spelled(real_tokenizer, ids) == text.encode()
    assert all(real_tokenizer.vocabulary[token_id] for token_id in ids)


def naive(pieces: list[bytes], prefix: bytes) -> list[int]:
    return [i for i, p in enumerate(pieces) if p and (p.startswith(prefix) or prefix.startswith(p))]


@given(
    # Few different bytes, or nothing would ever share a beginning; 0xFF has no successor.
    st.lists(st.lists(st.sampled_from([0, 97, 98, 254, 255]), max_size=4).map(bytes), max_size=30),
    st.lists(st.sampled_from([0, 97, 98, 254, 255]), min_size=1, max_size=4).map(bytes),
)
def test_beginning_with_is_what_a_scan_finds(pieces, prefix):
    """Two binary searches find each token once, duplicates and the last byte of all included."""
    assert sorted(TokenBytes(pieces).beginning_with(prefix)) == naive(pieces, prefix)


@pytest.mark.weights
@pytest.mark.parametrize("prefix", [b"self", b".cou", b" ", b"    ", "é".encode(), b"\xff", b"zqzq"])
def test_beginning_with_is_what_a_scan_of_the_real_vocabulary_finds(prefix, real_tokenizer):
    """150,000 tokens, some of them part of a character."""
    vocabulary = real_tokenizer.vocabulary
    pieces = [vocabulary[i] for i in range(len(vocabulary))]
    assert sorted(vocabulary.beginning_with(prefix)) == naive(pieces, prefix)
