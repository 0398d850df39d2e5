"""What each token stands for, in bytes; and text from a stream of tokens."""

from __future__ import annotations

import codecs
from bisect import bisect_left, bisect_right
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


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

    @cached_property
    def no_word_goes_on(self) -> NDArray[np.int64]:
        """Ids of tokens before which a name ends: they begin with no letter, digit or `_`."""
        ends = (i for i, piece in enumerate(self._pieces) if piece and not is_word_byte(piece[0]))
        return np.fromiter(ends, np.int64)

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


def is_word_byte(byte: int) -> bool:
    """Of a letter, a digit or `_`; every byte of a character beyond ASCII counts as one."""
    return byte >= 0x80 or byte == 0x5F or chr(byte).isalnum()


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
