"""A `tokenizer.json` from the vocabulary in a GGUF file, for the `tokenizers` library.

Two kinds.  `gpt2` is byte-level BPE with its merges in the file.  `llama` is sentencepiece's BPE: the
file holds a score for every piece, and whatever two neighbours make the best piece are merged first,
the leftmost of equals.  As a list of merges that is every way to split every piece in two, in order of
the pieces' scores.  One thing a list cannot say: two splits of the *same* piece have one score, and the
list must put one before the other.  It would show where a text offers both at once, overlapping
(`ab·a·ba` for `aba`), and the merges before have always used up one of them: no difference was found
between the two on trained vocabularies and text made to provoke one (`tests/models`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from .bpe_tokenizer import byte_alphabet
from .control_tokens import is_control
from .errors import UnsupportedWeightsError
from .gguf_file import GgufFile, TokenType
from .pre_tokenizers import PRE_TOKENIZERS, Words
from .sentencepiece_tokenizer import BLANK


@dataclass(frozen=True, slots=True)
class GgufVocabulary:
    """What a GGUF file says about its tokenizer.  `tokens` and `types` are in id order."""

    origin: str
    """For messages: the file."""
    kind: str
    pre: str
    tokens: list[str]
    types: list[int]
    merges: list[str]
    """Of kind `gpt2`."""
    scores: list[float]
    """Of kind `llama`."""
    opens: bool
    """Of kind `llama`: the publisher's encoder puts a space before a text."""

    @property
    def used(self) -> dict[str, int]:
        """Ids by token.  Unused ids are padding and have no token."""
        return {t: i for i, t in enumerate(self.tokens) if self.types[i] != TokenType.UNUSED}

    def is_control(self, index: int) -> bool:
        silent = (TokenType.CONTROL, TokenType.UNKNOWN)
        return self.types[index] in silent or is_control(self.tokens[index])


def read_vocabulary(file: GgufFile) -> GgufVocabulary:
    """The vocabulary of `file`.

    Raises:
        UnsupportedWeightsError: of a kind we cannot build, or its lists do not fit each other.
    """
    kind, pre = file.field("tokenizer.ggml.model"), file.field("tokenizer.ggml.pre", "default")
    is_known = kind == "llama" or (kind == "gpt2" and pre in PRE_TOKENIZERS)
    if not is_known:
        raise UnsupportedWeightsError(
            f"{file.path}: tokenizer {kind!r} with pre-tokenizer {pre!r}; known: 'llama', and 'gpt2' with "
            f"{', '.join(PRE_TOKENIZERS)}"
        )
    scores: Any = file.field("tokenizer.ggml.scores") if kind == "llama" else None
    vocabulary = GgufVocabulary(
        origin=str(file.path),
        kind=kind,
        pre=pre,
        tokens=file.tokens(),
        types=file.token_types(),
        merges=file.merges() if kind == "gpt2" else [],
        scores=cast("list[float]", scores if isinstance(scores, list) else []),
        opens=file.field("tokenizer.ggml.add_space_prefix", True) is True,  # noqa: FBT003  (llama.cpp's default)
    )
    sizes = {len(vocabulary.types), *([len(vocabulary.scores)] if kind == "llama" else [])}
    if sizes != {len(vocabulary.tokens)}:
        raise UnsupportedWeightsError(
            f"{file.path}: {len(vocabulary.tokens)} tokens but {len(vocabulary.types)} token types"
            + (f" and {len(vocabulary.scores)} scores" if kind == "llama" else "")
        )
    return vocabulary


def build(file: GgufFile) -> Tokenizer:
    """The tokenizer the publisher trained with; ids are those of the GGUF file.

    Control tokens become special, and so does any other that is named like one: a text that contains
    one must be able to stay text.

    Raises:
        UnsupportedWeightsError: another kind of tokenizer, or an inconsistent vocabulary.
    """
    return assemble(read_vocabulary(file))


def assemble(vocabulary: GgufVocabulary) -> Tokenizer:
    """See `build`."""
    if vocabulary.kind == "llama":
        tokenizer = _sentencepiece(vocabulary)
    else:
        tokenizer = _byte_level(vocabulary, PRE_TOKENIZERS[vocabulary.pre])
    stand_ins = byte_alphabet() if vocabulary.kind == "gpt2" else {}
    untyped: Any = tokenizer  # the stubs leave the two `add_…` methods half typed
    for token, index in vocabulary.used.items():
        if vocabulary.is_control(index):
            untyped.add_special_tokens([AddedToken(token, special=True, normalized=False)])
        # DeepSeek-Coder adds the letters that stand for bytes no text has: as text they would
        # take the place of the letters themselves.
        elif vocabulary.types[index] == TokenType.USER_DEFINED and token not in stand_ins:
            # In sentencepiece's they are found after spaces have become `▁`.
            plain = AddedToken(token, special=False, normalized=vocabulary.kind == "llama")
            untyped.add_tokens([plain])
    return tokenizer


def _byte_level(vocabulary: GgufVocabulary, words: Words) -> Tokenizer:
    ids = vocabulary.used
    merges: list[tuple[str, str]] = []
    for line in vocabulary.merges:
        left, _, right = line.partition(" ")
        merges.append((left, right))
    if any(piece not in ids for pair in merges for piece in (*pair, "".join(pair))):
        raise UnsupportedWeightsError(f"{vocabulary.origin}: a merge makes a token that the vocabulary lacks")
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=merges, ignore_merges=words.keeps_whole))
    splits: list[Any] = [pre_tokenizers.Split(Regex(p), behavior="isolated") for p in words.patterns]
    to_bytes: Any = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    settable: Any = tokenizer  # the stubs type these properties by their getters
    if words.composes:
        settable.normalizer = normalizers.NFC()
    settable.pre_tokenizer = pre_tokenizers.Sequence([*splits, to_bytes])
    settable.decoder = decoders.ByteLevel()
    return tokenizer


def _sentencepiece(vocabulary: GgufVocabulary) -> Tokenizer:
    """Never puts a space before a text; that the publisher's encoder does is told by the decoder."""
    ids = vocabulary.used
    if vocabulary.tokens and not all(f"<0x{byte:02X}>" in ids for byte in range(256)):
        raise UnsupportedWeightsError(
            f"{vocabulary.origin}: its sentencepiece vocabulary has no tokens for single bytes"
        )
    model = models.BPE(vocab=ids, merges=_merges_by_score(vocabulary), byte_fallback=True)
    tokenizer = Tokenizer(model)
    settable: Any = tokenizer  # the stubs type these properties by their getters
    settable.normalizer = normalizers.Replace(" ", BLANK)
    settable.decoder = decoders.Sequence(
        [
            decoders.Replace(BLANK, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            *([decoders.Strip(" ", 1, 0)] if vocabulary.opens else []),
        ]
    )
    return tokenizer


def _merges_by_score(vocabulary: GgufVocabulary) -> list[tuple[str, str]]:
    """Best piece first; of one piece, the split with the longest beginning first."""
    normal = {
        token: vocabulary.scores[index]
        for token, index in vocabulary.used.items()
        if vocabulary.types[index] == TokenType.NORMAL and not vocabulary.is_control(index)
    }
    longer = [token for token in normal if len(token) > 1]
    if len({normal[token] for token in longer}) < len(longer):
        raise UnsupportedWeightsError(
            f"{vocabulary.origin}: pieces share a score, so that their order of merging is not told"
        )
    return [
        (token[:at], token[at:])
        for token in sorted(longer, key=lambda token: -normal[token])
        for at in range(len(token) - 1, 0, -1)
        if token[:at] in normal and token[at:] in normal
    ]


def write_tokenizer(file: GgufFile, path: Path) -> None:
    """Write `tokenizer.json` for `file`; appears under `path` only when complete."""
    partial = path.with_name(path.name + ".partial")
    build(file).save(str(partial), pretty=False)
    partial.replace(path)
