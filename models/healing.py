"""Token healing: make the model write again the piece of text whose tokens are not settled.

When a person has typed `self.cou`, the tokens of `.cou` are not the beginning of the tokens of
`.count`: continuing after them asks the model for something it never saw.  The piece is held out of
the prompt instead, and the first generated tokens are limited to those that spell it.
"""

from __future__ import annotations

from .tokens import TokenBytes


class Healer:
    """Which tokens may come next until `text` has been spelled; then everything may.

    With `is_exact` no token goes beyond the end of `text`: for when what follows is limited too.
    """

    ends_text = False

    def __init__(self, text: str, vocabulary: TokenBytes, *, is_exact: bool = False) -> None:
        self._remaining = text.encode()
        self._vocabulary = vocabulary
        self._is_exact = is_exact

    @property
    def is_done(self) -> bool:
        return not self._remaining

    @property
    def required(self) -> bytes:
        return self._remaining

    def allowed(self) -> list[int] | None:
        """None when anything may come.  Never an empty list: single bytes are tokens."""
        if not self._remaining:
            return None
        ids = self._vocabulary.beginning_with(self._remaining)
        if self._is_exact:
            ids = [i for i in ids if len(self._vocabulary[i]) <= len(self._remaining)]
        assert ids, f"no token spells {self._remaining!r}; a vocabulary with every byte always has one"
        return ids

    def advance(self, token_id: int) -> None:
        self._remaining = self._remaining[len(self._vocabulary[token_id]) :]

    def fork(self) -> Healer:
        other = Healer("", self._vocabulary, is_exact=self._is_exact)
        other._remaining = self._remaining
        return other
