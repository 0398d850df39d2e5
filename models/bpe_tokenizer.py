"""Byte-level BPE: every byte has a token, and a pattern cuts text into words before merging."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as HubTokenizer

from .control_tokens import is_control
from .errors import UnsupportedWeightsError
from .token_bytes import TokenBytes

_LAST_WORD_WINDOW = 256
"""Characters looked at to find the last word; a longer word is healed from its last part."""


class BpeTokenizer:
    """A byte-level BPE `tokenizer.json` (Qwen2, Llama 3, StarCoder2, DeepSeek-Coder, …)."""

    opening = ""

    def __init__(self, path: Path, eos_ids: frozenset[int]) -> None:
        self._hub = HubTokenizer.from_file(str(path))
        self._eos_ids = eos_ids
        added = self._hub.get_added_tokens_decoder()
        careless = [t.content for t in added.values() if not t.special and is_control(t.content)]
        untyped: Any = self._hub  # the stub leaves the method half typed
        untyped.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in careless])
        self._hub.encode_special_tokens = True  # special tokens in the *text* are text
        self._added = {token_id: token.content for token_id, token in added.items()}
        self._special = {
            name: token_id
            for token_id, name in self._added.items()
            if added[token_id].special or name in careless
        }

    @property
    def vocabulary(self) -> TokenBytes:
        return self._vocabulary

    @cached_property
    def _vocabulary(self) -> TokenBytes:
        to_byte = byte_alphabet()
        ids = self._hub.get_vocab(with_added_tokens=True)
        pieces = [b""] * (max(ids.values()) + 1)  # ids may have gaps: the padding between two kinds of token
        for piece, token_id in ids.items():
            if piece in self._special:
                continue
            # An added token is plain text, in which no letter stands for a byte.
            is_text = token_id in self._added or any(char not in to_byte for char in piece)
            pieces[token_id] = piece.encode() if is_text else bytes(to_byte[char] for char in piece)
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


def byte_alphabet() -> dict[str, int]:
    """The printable stand-ins byte-level BPE uses for bytes (Radford et al. 2019, GPT-2)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    alphabet = {chr(byte): byte for byte in printable}
    alphabet.update({chr(256 + rank): byte for rank, byte in enumerate(others)})
    return alphabet
