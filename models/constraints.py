"""Which tokens may come next: what was typed, then one of some strings, then a grammar.

Each is a `Constraint`; `constraint_of` puts together those of a request, in this order.  The decoding
loop asks `allowed` before it chooses and tells `advance` what it chose, nothing else: it never looks
ahead through a constraint, so drafts are checked as any other choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .healing import Healer
from .token_bytes import is_word_byte
from .tokens import TokenBytes, Tokenizer
from .wire import CompletionRequest

TokenIds = Sequence[int] | NDArray[np.int64]


class Constraint(Protocol):
    """What may come next in one text."""

    @property
    def is_done(self) -> bool:
        """Nothing is limited any more."""
        ...

    @property
    def ends_text(self) -> bool:
        """Nothing may come any more."""
        ...

    @property
    def required(self) -> bytes:
        """What comes next whichever tokens are chosen; `b""` when that is open or not known."""
        ...

    def allowed(self) -> TokenIds | None:
        """Ids to choose from, never none of them; None when anything may come."""
        ...

    def advance(self, token_id: int) -> None:
        """`token_id` was chosen.  It was allowed, and is no control token."""
        ...

    def fork(self) -> Constraint:
        """The same state, for another text."""
        ...


class OneOf:
    """The text begins with one of `strings`; with `is_whole` it is one of them, and ends there.

    With `are_words` no letter, digit or `_` follows the string, so that it is all of a name.
    A trie walked from the root: what is left of every string that fits so far.
    """

    def __init__(
        self,
        strings: Sequence[bytes],
        vocabulary: TokenBytes,
        eos_ids: frozenset[int],
        *,
        is_whole: bool,
        are_words: bool = False,
    ) -> None:
        assert all(strings), "an empty string allows anything"
        assert not (is_whole and are_words), "nothing follows what is whole"
        self._left = tuple(dict.fromkeys(strings))
        self._vocabulary = vocabulary
        self._eos_ids = eos_ids
        self._is_whole = is_whole
        self._are_words = are_words
        self._is_past = False

    @property
    def is_done(self) -> bool:
        return self._is_past or (not self._is_whole and not self._are_words and b"" in self._left)

    @property
    def ends_text(self) -> bool:
        return self._is_whole and self._left == (b"",)

    @property
    def required(self) -> bytes:
        if self._is_past:
            return b""
        shortest, last = min(self._left), max(self._left)  # all others begin as these two do
        return next(
            (shortest[:i] for i, byte in enumerate(shortest) if last[i : i + 1] != bytes([byte])), shortest
        )

    def allowed(self) -> TokenIds | None:
        if self.is_done:
            return None
        ids: set[int] = set()
        for left in self._left:
            if not left:  # one string is complete, and another goes on
                ids |= self._eos_ids
                continue
            ids.update(i for i in self._vocabulary.beginning_with(left) if self._fits(left, i))
        assert ids, f"no token spells any of {self._left!r}; a vocabulary with every byte always has one"
        if self._are_words and b"" in self._left:
            return np.union1d(self._vocabulary.no_word_goes_on, np.fromiter(ids, np.int64))
        return sorted(ids)

    def advance(self, token_id: int) -> None:
        if self.is_done:
            return
        piece = self._vocabulary[token_id]
        fits = [left for left in self._left if piece.startswith(left) or left.startswith(piece)]
        fits = [left for left in fits if self._fits(left, token_id)]
        self._is_past = self._are_words and any(len(left) < len(piece) for left in fits)
        self._left = tuple(dict.fromkeys(left[len(piece) :] for left in fits))

    def fork(self) -> OneOf:
        return copy(self)  # what it holds is replaced, never changed

    def _fits(self, left: bytes, token_id: int) -> bool:
        """May a token that begins with `left`, or that `left` begins with, come?"""
        if len(self._vocabulary[token_id]) <= len(left):
            return True
        goes_on = is_word_byte(self._vocabulary[token_id][len(left)])
        return not self._is_whole and not (self._are_words and goes_on)


class InOrder:
    """One constraint after the other; those before the last must end at the end of a token."""

    def __init__(self, constraints: Sequence[Constraint]) -> None:
        self._left = [c for c in constraints if not c.is_done]

    @property
    def is_done(self) -> bool:
        return not self._left

    @property
    def ends_text(self) -> bool:
        return len(self._left) == 1 and self._left[0].ends_text

    @property
    def required(self) -> bytes:
        return self._left[0].required if self._left else b""

    def allowed(self) -> TokenIds | None:
        return self._left[0].allowed() if self._left else None

    def advance(self, token_id: int) -> None:
        if self._left:
            self._left[0].advance(token_id)
            if self._left[0].is_done:
                del self._left[0]

    def fork(self) -> InOrder:
        return InOrder([constraint.fork() for constraint in self._left])


def constraint_of(
    request: CompletionRequest, tokenizer: Tokenizer, grammar: Constraint | None = None
) -> Constraint:
    """The constraints of a request; `grammar` is its grammar, compiled."""
    vocabulary = tokenizer.vocabulary
    if not request.allowed:
        healer = Healer(request.heal, vocabulary, is_exact=grammar is not None)
        return healer if grammar is None else InOrder([healer, grammar])
    # One thing with what was typed: a token may spell its end and the beginning of a string.
    strings = [(request.heal + string).encode() for string in request.allowed]
    return OneOf(
        strings,
        vocabulary,
        tokenizer.eos_ids,
        is_whole=request.allowed_only,
        are_words=request.allowed_words and not request.allowed_only,
    )
