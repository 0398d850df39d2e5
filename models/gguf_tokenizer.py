"""A `tokenizer.json` from the vocabulary in a GGUF file, for the `tokenizers` library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from .errors import UnsupportedWeightsError
from .gguf_file import GgufFile, TokenType

PRE_TOKENIZERS = {
    # Contractions, words with one leading sign, single digits, runs of signs, line ends, blanks.
    "qwen2": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
"""`tokenizer.ggml.pre` to the pattern that cuts a text into words before merging."""


def build(file: GgufFile) -> Tokenizer:
    """The byte-level BPE tokenizer the publisher trained with; ids are those of the GGUF file.

    Control tokens become special, and so does any other that looks like one (`<|…|>`): a text that
    contains one must be able to stay text.  Unused ids are padding and have no token.

    Raises:
        UnsupportedWeightsError: another kind of tokenizer, or an inconsistent vocabulary.
    """
    kind, pre = file.field("tokenizer.ggml.model"), file.field("tokenizer.ggml.pre")
    if kind != "gpt2" or pre not in PRE_TOKENIZERS:
        raise UnsupportedWeightsError(
            f"{file.path}: tokenizer {kind!r} with pre-tokenizer {pre!r}; known: 'gpt2' with "
            f"{', '.join(PRE_TOKENIZERS)}"
        )
    tokens, types = file.tokens(), file.token_types()
    if len(tokens) != len(types):
        raise UnsupportedWeightsError(f"{file.path}: {len(tokens)} tokens but {len(types)} token types")
    vocabulary = {token: index for index, token in enumerate(tokens) if types[index] != TokenType.UNUSED}
    merges: list[tuple[str, str]] = []
    for line in file.merges():
        left, _, right = line.partition(" ")
        merges.append((left, right))
    if any(piece not in vocabulary for pair in merges for piece in (*pair, "".join(pair))):
        raise UnsupportedWeightsError(f"{file.path}: a merge makes a token that the vocabulary lacks")
    tokenizer = _assemble(vocabulary, merges, PRE_TOKENIZERS[pre])
    untyped: Any = tokenizer  # the stubs leave the two `add_…` methods half typed
    for index, token in enumerate(tokens):
        control = types[index] == TokenType.CONTROL or (token.startswith("<|") and token.endswith("|>"))
        if control and types[index] != TokenType.UNUSED:
            untyped.add_special_tokens([AddedToken(token, special=True, normalized=False)])
        elif types[index] == TokenType.USER_DEFINED:
            untyped.add_tokens([AddedToken(token, special=False, normalized=False)])
    return tokenizer


def _assemble(vocabulary: dict[str, int], merges: list[tuple[str, str]], pattern: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    split: Any = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    to_bytes: Any = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    settable: Any = tokenizer  # the stubs type these properties by their getters
    settable.normalizer = normalizers.NFC()
    settable.pre_tokenizer = pre_tokenizers.Sequence([split, to_bytes])
    settable.decoder = decoders.ByteLevel()
    return tokenizer


def write_tokenizer(file: GgufFile, path: Path) -> None:
    """Write `tokenizer.json` for `file`; appears under `path` only when complete."""
    partial = path.with_name(path.name + ".partial")
    build(file).save(str(partial), pretty=False)
    partial.replace(path)
