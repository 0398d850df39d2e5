"""Text to token ids and back: file text never becomes control, streamed text is never half a character."""

from __future__ import annotations

import codecs
from bisect import bisect_left, bisect_right
from functools import cached_property
from pathlib import Path
from typing import Protocol

from tokenizers import Tokenizer as HubTokenizer

from .errors import UnsupportedWeightsError


class Tokenizer(Protocol):
    """What the rest of the package asks of a tokenizer."""

    @property
    def vocabulary(self) -> TokenBytes: ...

    @property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end a generation."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of plain text.  Text that *looks like* a special token is encoded as the text it is."""
        ...

    def special_id(self, name: str) -> int | None:
        """The id of a control token such as `<|fim_prefix|>`, or None if this model has none."""
        ...

    def last_word(self, text: str) -> str:
        """The trailing piece of `text` whose tokenisation the next character may still change."""
        ...


class TokenBytes:
    """The bytes each token stands for; `b""` for control tokens, which stand for no text.

    Sorted once, so that "which tokens begin with these bytes" is two binary searches.
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, token_id: int) -> bytes:
        """Ids beyond the vocabulary (padding rows of the output matrix) stand for nothing."""
        return self._pieces[token_id] if token_id < len(self._pieces) else b""

    @cached_property
    def _sorted(self) -> tuple[list[bytes], list[int]]:
        order = sorted((i for i, piece in enumerate(self._pieces) if piece), key=self._pieces.__getitem__)
        return [self._pieces[i] for i in order], order

    def beginning_with(self, prefix: bytes) -> list[int]:
        """Ids of tokens that begin with `prefix` (not empty), and of those that `prefix` begins with."""
        pieces, order = self._sorted
        stem = prefix.rstrip(b"\xff")
        end = bisect_left(pieces, stem[:-1] + bytes([stem[-1] + 1])) if stem else len(pieces)
        ids = order[bisect_left(pieces, prefix) : end]
        for length in range(1, len(prefix)):
            shorter = prefix[:length]  # more than one token may spell it
            ids += order[bisect_left(pieces, shorter) : bisect_right(pieces, shorter)]
        return ids


class BpeTokenizer:
    """A byte-level BPE `tokenizer.json` (Qwen2, Llama 3, StarCoder2, DeepSeek-Coder, …)."""

    def __init__(self, path: Path, eos_ids: frozenset[int]) -> None:
        self._hub = HubTokenizer.from_file(str(path))
        self._hub.encode_special_tokens = True  # special tokens in the *text* are text
        self._eos_ids = eos_ids
        self._special = {
            token.content: token_id
            for token_id, token in self._hub.get_added_tokens_decoder().items()
            if token.special
        }

    @property
    def vocabulary(self) -> TokenBytes:
        return self._vocabulary

    @cached_property
    def _vocabulary(self) -> TokenBytes:
        to_byte = _byte_alphabet()
        ids = self._hub.get_vocab(with_added_tokens=True)
        pieces = [b""] * (max(ids.values()) + 1)  # ids may have gaps: the padding between two kinds of token
        for piece, token_id in ids.items():
            if piece in self._special:
                continue
            try:
                pieces[token_id] = bytes(to_byte[char] for char in piece)
            except KeyError:  # an added token that is plain text
                pieces[token_id] = piece.encode()
        return TokenBytes(pieces)

    @property
    def eos_ids(self) -> frozenset[int]:
        return self._eos_ids

    def encode(self, text: str) -> list[int]:
        return self._hub.encode(text, add_special_tokens=False).ids

    def special_id(self, name: str) -> int | None:
        return self._special.get(name)

    def last_word(self, text: str) -> str:
        splitter = self._hub.pre_tokenizer
        if splitter is None:
            raise UnsupportedWeightsError("tokenizer.json has no pre-tokenizer; convert the model again")
        tail = text[-_LAST_WORD_WINDOW:]
        pieces = splitter.pre_tokenize_str(tail)
        if not pieces:
            return ""
        start, end = pieces[-1][1]
        return tail[start:end]


_LAST_WORD_WINDOW = 256
"""Characters looked at to find the last word; a longer word is healed from its last part."""


class StreamDecoder:
    """Token ids to text, a piece at a time.  Bytes that do not yet make a character are kept back."""

    def __init__(self, vocabulary: TokenBytes) -> None:
        self._vocabulary = vocabulary
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token_id: int) -> str:
        return self._decoder.decode(self._vocabulary[token_id])

    def finish(self) -> str:
        """What was kept back; an unfinished character becomes U+FFFD."""
        return self._decoder.decode(b"", final=True)


def _byte_alphabet() -> dict[str, int]:
    """The printable stand-ins byte-level BPE uses for bytes (Radford et al. 2019, GPT-2)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    alphabet = {chr(byte): byte for byte in printable}
    alphabet.update({chr(256 + rank): byte for rank, byte in enumerate(others)})
    return alphabet
