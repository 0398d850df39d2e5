"""A model being measured: what all have in common, and one that runs in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ..language_model import KV, LanguageModel, Span, feed
from ..tokens import Tokenizer
from .figures import Round
from .prompts import Prompt, text_of

Clock = Callable[[], float]
"""Seconds, from any moment."""

TURN_TOKENS = 4
"""Tokens a model of this process decodes before it is another's turn."""


class Subject(Protocol):
    """Whoever takes turns."""

    name: str
    rounds: list[Round]
    turn_tokens: int
    """Tokens it decodes in one turn; 0: all."""

    def warm_up(self, ids: Sequence[int]) -> None:
        """First-touch costs are paid before the clock runs."""
        ...

    def prefill(self, prompt: Prompt, capacity: int, clock: Clock) -> None:
        """A cold prompt, and the first token: begins a round."""
        ...

    def decode(self, num_tokens: int, clock: Clock) -> None:
        """Greedy, whatever comes: an end of text does not end the measurement."""
        ...


class LocalSubject:
    """A model of this process.  `in_chunks`: feed the prompt on the engine's grid, else in one call."""

    turn_tokens = TURN_TOKENS

    def __init__(self, name: str, model: LanguageModel, tokenizer: Tokenizer, *, in_chunks: bool) -> None:
        self.name = name
        self.model = model
        self.rounds: list[Round] = []
        self._tokenizer = tokenizer
        self._in_chunks = in_chunks
        self._kv: KV | None = None
        self._next = 0
        self._written: list[int] = []

    def warm_up(self, ids: Sequence[int]) -> None:
        kv = self.model.new_kv(len(ids) + 1)
        feed(self.model, ids, kv)
        feed(self.model, ids[:1], kv)

    def prefill(self, prompt: Prompt, capacity: int, clock: Clock) -> None:
        started = clock()
        self._tokenizer.encode(prompt.text)
        encoded = clock()
        self._kv = self.model.new_kv(capacity)
        length = len(prompt.ids)
        step = self.model.spec.chunk_tokens if self._in_chunks else length
        logits = np.empty(0, dtype=np.float32)
        for start in range(0, length, step):
            end = min(length, start + step)
            span = Span(prompt.ids[start:end], self._kv, num_logits=int(end == length))
            (logits,) = self.model.forward([span])
        computed = clock()
        self._next = int(np.argmax(logits))
        self._written = []
        self.rounds.append(Round(prompt, prefill_s=computed - encoded, ttft_s=clock() - started))

    def decode(self, num_tokens: int, clock: Clock) -> None:
        assert self._kv is not None, "decode follows prefill"
        now = self.rounds[-1]
        for _ in range(num_tokens):
            self._written.append(self._next)
            started = clock()
            self._next = int(np.argmax(feed(self.model, [self._next], self._kv)))
            now.decode_s.append(clock() - started)
        now.clock_decode_s = sum(now.decode_s)
        now.written_tokens = len(self._written)
        now.written_characters = len(text_of(self._written, self._tokenizer.vocabulary))

    def step(self, num_tokens: int, clock: Clock) -> None:
        """One call with several tokens and the logits of all, taken back afterwards: what a draft costs."""
        assert self._kv is not None, "step follows prefill"
        now, length = self.rounds[-1], self._kv.length
        ids = [now.prompt.ids[nth % len(now.prompt.ids)] for nth in range(num_tokens)]
        started = clock()
        self.model.forward([Span(ids, self._kv, num_logits=num_tokens)])
        now.step_s.setdefault(num_tokens, []).append(clock() - started)
        self._kv.truncate(length)
