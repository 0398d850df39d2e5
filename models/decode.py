"""Prefill and decode of one request, as a generator that yields wherever it may be interrupted.

`generate()` of transformers is not used: with a reused cache it corrupts silently, and it offers no
place to stop between chunks.  Here a step is one chunk of the prompt or one token, so a scheduler
can pause a sequence between steps and its keys and values simply stay where they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .healing import Healer
from .language_model import KV, Cancelled, LanguageModel
from .prefix_cache import Lease, PrefixCache
from .sampling import Sampler
from .stopping import StopMatcher
from .tokens import StreamDecoder, Tokenizer
from .wire import CompletionRequest, FinishReason, Piece, Started, Usage

CHUNK_TOKENS = 64
"""Prefill grid: chunks end at multiples of this, cold or warm, so that both multiply the same shapes."""

_ROOM_TOKENS = 512
"""Room for output that is made at once; a larger `max_tokens` must not push others out of the cache."""

K = TypeVar("K", bound=KV)

Steps = Generator[FinishReason | None, None, None]
"""None after every step that leaves more to do; the reason after the last."""


class Generation:
    """One request being served.  `steps()` is driven by whoever owns the model; output goes to `emit`."""

    def __init__(
        self,
        request: CompletionRequest,
        model: LanguageModel,
        tokenizer: Tokenizer,
        emit: Callable[[Started | Piece], None],
        is_cancelled: Callable[[], bool],
        queue_ms: float = 0.0,
    ) -> None:
        self._request = request
        self._model = model
        self._tokenizer = tokenizer
        self._emit = emit
        self._is_cancelled = is_cancelled
        self._queue_ms = queue_ms
        self._reused_tokens = 0
        self._completion_tokens = 0
        self._prefill_s = 0.0
        self._decode_s = 0.0

    def usage(self, finish_reason: FinishReason) -> Usage:
        num_prompt = len(self._request.prompt_ids)
        return Usage(
            prompt_tokens=num_prompt,
            reused_tokens=self._reused_tokens,
            computed_tokens=num_prompt - self._reused_tokens,
            completion_tokens=self._completion_tokens,
            queue_ms=self._queue_ms,
            prefill_ms=self._prefill_s * 1000,
            decode_ms=self._decode_s * 1000,
            finish_reason=finish_reason,
        )

    def steps(self, cache: PrefixCache[K]) -> Steps:
        """Yields None after every step, and last the reason for the end.  Closing it is safe anywhere."""
        prompt = self._request.prompt_ids
        # Few requests use all of a large `max_tokens`: the sequence grows when one does.
        lease = cache.acquire(prompt, len(prompt) + min(self._request.max_tokens, _ROOM_TOKENS))
        self._reused_tokens = lease.reused_tokens
        try:
            logits: NDArray[np.float32] | None = None
            for start, end in prefill_chunks(lease.reused_tokens, len(prompt)):
                logits, seconds = self._forward(list(prompt[start:end]), lease)
                self._prefill_s += seconds
                yield None
            assert logits is not None, "the cache leaves at least one prompt token to compute"
            self._emit(self._started())
            yield from self._decode(logits, lease)
        except Cancelled:
            yield "cancelled"
        finally:
            cache.release(lease)

    def _started(self) -> Started:
        num_prompt = len(self._request.prompt_ids)
        computed = num_prompt - self._reused_tokens
        return Started(num_prompt, self._reused_tokens, computed, self._queue_ms, self._prefill_s * 1000)

    def _decode(self, logits: NDArray[np.float32], lease: Lease[K]) -> Steps:
        vocabulary = self._tokenizer.vocabulary
        sampler = Sampler(self._request.sampling)
        healer = Healer(self._request.heal, vocabulary)
        decoder = StreamDecoder(vocabulary)
        matcher = StopMatcher(self._request.stop)
        while True:
            token_id = sampler.choose(logits, healer.allowed())
            self._completion_tokens += 1
            # Control tokens stand for no text: whichever comes, the text is over and none of it leaks.
            if token_id in self._tokenizer.eos_ids or not vocabulary[token_id]:
                self._show(matcher.feed(decoder.finish()) + matcher.finish())
                yield "stop"
                return
            healer.advance(token_id)
            self._show(matcher.feed(decoder.feed(token_id)))
            if matcher.is_stopped:
                yield "stop"
                return
            if self._completion_tokens == self._request.max_tokens:
                break  # what may come after the last token is not worth a forward pass
            if self._is_cancelled():
                raise Cancelled
            logits, seconds = self._forward([token_id], lease)
            self._decode_s += seconds
            yield None
        self._show(matcher.feed(decoder.finish()) + matcher.finish())
        yield "length"

    def _show(self, text: str) -> None:
        if text:
            self._emit(Piece(text))

    def _forward(self, ids: list[int], lease: Lease[K]) -> tuple[NDArray[np.float32], float]:
        started = time.perf_counter()
        logits = self._model.forward(ids, lease.kv, self._is_cancelled)
        lease.ids.extend(ids)
        return logits, time.perf_counter() - started


def prefill_chunks(start: int, end: int) -> Iterator[tuple[int, int]]:
    """`[start, end)` cut at multiples of `CHUNK_TOKENS`."""
    while start < end:
        stop = min(end, (start // CHUNK_TOKENS + 1) * CHUNK_TOKENS)
        yield start, stop
        start = stop
