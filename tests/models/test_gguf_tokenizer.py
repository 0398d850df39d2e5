"""Byte-level vocabularies of GGUF files: where each family's pattern cuts a text into words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.errors import UnsupportedWeightsError
from truepenny.models.gguf_file import GgufFile
from truepenny.models.gguf_tokenizer import GgufVocabulary, assemble, build
from truepenny.models.pre_tokenizers import PRE_TOKENIZERS
from truepenny.models.tokens import BpeTokenizer, load_tokenizer


def byte_tokens() -> list[str]:
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


def made(pre: str, path, *added: tuple[str, int], merges: tuple[str, ...] = ()) -> BpeTokenizer:
    """A vocabulary of bytes, merges and `added` (token, GGUF type), through a file."""
    tokens = [*byte_tokens(), *("".join(merge.split()) for merge in merges)]
    types = [1] * len(tokens)
    for token, kind in added:
        if token in tokens:
            types[tokens.index(token)] = kind
        else:
            tokens.append(token)
            types.append(kind)
    assemble(GgufVocabulary("v.gguf", "gpt2", pre, tokens, types, list(merges), [], opens=False)).save(
        str(path)
    )
    tokenizer = load_tokenizer(path, frozenset())
    assert isinstance(tokenizer, BpeTokenizer)
    return tokenizer


@pytest.mark.parametrize(
    ("pre", "text", "words"),
    [
        ("qwen2", "self.cou12", ["self", ".cou", "1", "2"]),
        ("llama-bpe", "x = 12345;\n\n", ["x", " =", " ", "123", "45", ";\n\n"]),
        ("starcoder", "x = 12;\n  y", ["x", " =", " ", "1", "2", ";", "\n ", " y"]),
        ("refact", "a12", ["a", "1", "2"]),
        ("gpt-2", "a12 b", ["a", "12", " b"]),
        (
            "deepseek-coder",
            "self.x12 = a_b\n\n",
            ["self", ".", "x", "1", "2", " =", " a", "_", "b", "\n", "\n"],
        ),
        ("deepseek-llm", "x.é12 +=\n", ["x", ".", "é", "1", "2", " +=", "\n"]),
        ("tekken", "getItem HTTPServer 12", ["get", "Item", " HTTPServer", " ", "1", "2"]),
        ("deepseek-coder", "日本x", ["日本", "x"]),
        ("deepseek-llm", "日本x", ["日本", "x"]),
    ],
)
def test_each_pattern_cuts_where_its_publisher_does(pre, text, words, tmp_path):
    """As in the publishers' `tokenizer.json` files."""
    hub = build_hub(pre)
    assert [text[start:end] for _, (start, end) in hub.pre_tokenizer.pre_tokenize_str(text)] == words
    assert made(pre, tmp_path / "tokenizer.json").last_word(text) == words[-1]


def build_hub(pre: str):
    tokens = byte_tokens()
    return assemble(GgufVocabulary("v.gguf", "gpt2", pre, tokens, [1] * len(tokens), [], [], opens=False))


@pytest.mark.parametrize("pre", PRE_TOKENIZERS)
def test_text_survives_every_pattern(pre, tmp_path):
    """Only Qwen2's composes it; nothing else is lost or changed."""
    tokenizer = made(pre, tmp_path / "tokenizer.json")

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
    @settings(max_examples=60, deadline=None)
    def check(text: str) -> None:
        spelled = b"".join(tokenizer.vocabulary[i] for i in tokenizer.encode(text)).decode()
        if PRE_TOKENIZERS[pre].composes:
            assert tokenizer.encode(spelled) == tokenizer.encode(text)
        else:
            assert spelled == text
        assert text.endswith(tokenizer.last_word(text))

    check()


def test_letters_that_stand_for_bytes_do_not_replace_letters(tmp_path):
    """DeepSeek-Coder marks thirteen of them as added text: `õ` would become a byte that no text has."""
    tokenizer = made("deepseek-coder", tmp_path / "tokenizer.json", ("õ", 4), ("Á", 4), ("<｜User｜>", 4))
    for text in ("naõ Á", "<｜User｜>"):
        ids = tokenizer.encode(text)
        assert b"".join(tokenizer.vocabulary[i] for i in ids) == text.encode()
    assert tokenizer.special_id("<｜User｜>") is not None


def test_added_text_is_one_token_and_stands_for_itself(tmp_path):
    """Letters in it are letters, also those that stand for bytes elsewhere."""
    tokenizer = made("qwen2", tmp_path / "tokenizer.json", ("<tool_call>", 4), ("éĠ", 4))
    for text in ("<tool_call>", "éĠ"):
        (token_id,) = tokenizer.encode(text)
        assert tokenizer.vocabulary[token_id] == text.encode()


def test_a_whole_word_may_be_a_token_before_any_merge(tmp_path):
    """Llama 3's vocabulary holds words that its merges do not reach."""
    extra = ("abc", 1)
    whole = made("llama-bpe", tmp_path / "one.json", extra, merges=("b c",))
    merged = made("qwen2", tmp_path / "two.json", extra, merges=("b c",))
    assert [whole.vocabulary[i] for i in whole.encode("abc")] == [b"abc"]
    assert [merged.vocabulary[i] for i in merged.encode("abc")] == [b"a", b"bc"]


@pytest.mark.parametrize("pre", ["default", "gpt-4o"])
def test_a_pattern_nobody_named_is_refused(pre, tmp_path, tiny_gguf):
    """`default` is what a converter writes when it did not know; the message lists what is known."""
    tiny_gguf(tmp_path / "tiny.gguf", pre=pre)
    with pytest.raises(UnsupportedWeightsError, match=rf"pre-tokenizer '{pre}'; known: .*qwen2, .*starcoder"):
        build(GgufFile(tmp_path / "tiny.gguf"))
