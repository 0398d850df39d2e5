"""Grammars as constraints: JSON schemas, regular expressions and Lark grammars through llguidance.

llguidance (Microsoft, MIT) works on the bytes of our own vocabulary and needs no network.  It is
imported when the first grammar comes.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .errors import RequestRefusedError
from .tokens import Tokenizer
from .wire import GrammarKind


class Grammars:
    """Compiles grammars for one tokenizer."""

    def __init__(self, tokenizer: Tokenizer, vocabulary: int) -> None:
        """`vocabulary`: the number of logits, at least that of tokens."""
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._theirs: Any = None

    def compile(self, grammar: str, kind: GrammarKind) -> GrammarConstraint:
        """The constraint at its beginning.

        Raises:
            RequestRefusedError: llguidance is not installed, or cannot read this grammar; says where.
        """
        try:
            import llguidance
        except ImportError as error:
            raise RequestRefusedError(
                "grammars need llguidance, which is not installed here; run: pip install 'truepenny[local]'"
            ) from error
        matcher_class = cast("Any", llguidance.LLMatcher)
        try:
            if kind == "json_schema":
                source = matcher_class.grammar_from_json_schema(grammar)
            elif kind == "regex":
                source = matcher_class.grammar_from_regex(grammar)
            else:
                source = matcher_class.grammar_from_lark(grammar)
        except ValueError as error:
            raise RequestRefusedError(f"grammar of kind {kind} cannot be read: {error}") from error
        if self._theirs is None:
            self._theirs = self._tokenizer_for(llguidance)
        matcher = matcher_class(self._theirs, source, log_level=0)
        if matcher.is_error():
            raise RequestRefusedError(f"grammar of kind {kind} cannot be read: {matcher.get_error()}")
        return GrammarConstraint(matcher)

    def _tokenizer_for(self, llguidance: Any) -> Any:
        wrapper = llguidance.TokenizerWrapper(_Described(self._tokenizer, self._vocabulary))
        return llguidance.LLTokenizer(wrapper, eos_token=sorted(self._tokenizer.eos_ids))


class _Described:
    """Our tokenizer in the words of llguidance."""

    bos_token_id = None

    def __init__(self, tokenizer: Tokenizer, vocabulary: int) -> None:
        self._tokenizer = tokenizer
        pieces = [tokenizer.vocabulary[i] for i in range(vocabulary)]
        self.eos_token_id = min(tokenizer.eos_ids)
        self.special_token_ids = [i for i, piece in enumerate(pieces) if not piece]
        # It wants names for control tokens; 0xff is how it marks that these are no text.
        self.tokens = [piece or b"\xff<[%d]>" % i for i, piece in enumerate(pieces)]

    def __call__(self, text: bytes) -> list[int]:
        return self._tokenizer.encode(text.decode("utf-8", "replace"))


class GrammarConstraint:
    """One text's way through a grammar."""

    is_done = False

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    @property
    def ends_text(self) -> bool:
        return bool(self._matcher.is_stopped())

    @property
    def required(self) -> bytes:
        return cast("bytes", self._matcher.compute_ff_bytes())

    def allowed(self) -> NDArray[np.int64]:
        bias = np.frombuffer(self._matcher.compute_logit_bias(), dtype=np.uint8)  # (vocabulary,)
        ids = np.flatnonzero(bias)
        assert len(ids), f"the grammar allows no token: {self._matcher.get_error() or 'no reason given'}"
        return ids

    def advance(self, token_id: int) -> None:
        taken = self._matcher.consume_token(token_id)
        assert taken, f"the grammar does not take token {token_id}: {self._matcher.get_error()}"

    def fork(self) -> GrammarConstraint:
        return GrammarConstraint(self._matcher.deep_copy())
