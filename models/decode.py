"""One request, from prompt to last token, as a sequence of passes that somebody else computes.

`generate()` of transformers is not used: with a reused cache it corrupts silently, and it offers no
place to stop between chunks.  Here a request says what it wants computed next (`plan`) and is given the
logits (`take`): whoever owns the model may compute several requests in one pass, or none for a while,
and keys and values simply stay where they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from .branch import Branch, Written
from .constraints import Constraint, constraint_of
from .language_model import KV, Cancelled, LanguageModel, ModelSpec, Span, never
from .prefix_cache import PrefixCache
from .speculation import MAX_ROWS, Speculation
from .tokens import Tokenizer
from .wire import CompletionRequest, FinishReason, Piece, Started, Usage

CHUNK_TOKENS = 64
"""Prefill grid of a model that does not say otherwise (`ModelSpec.chunk_tokens`)."""

_ROOM_TOKENS = 512
"""Room for output that is made at once; a larger `max_tokens` must not push others out of the cache."""

K = TypeVar("K", bound=KV)


class Generation(Generic[K]):
    """One request being served.  `plan`, compute, `take`, until there is a `finish_reason`; then `close`.

    A plan that was not computed, or not to its end, is made again.  `close` is safe at any time.
    """

    def __init__(
        self,
        request: CompletionRequest,
        tokenizer: Tokenizer,
        cache: PrefixCache[K],
        speculation: Speculation,
        emit: Callable[[Started | Piece], None],
        spec: ModelSpec,
        *,
        grammar: Constraint | None = None,
        queue_ms: float = 0.0,
    ) -> None:
        self._request = request
        self._tokenizer = tokenizer
        self._cache = cache
        self._speculation = speculation
        self._emit = emit
        self._queue_ms = queue_ms
        self._spec = spec
        self._prefill_s = self._decode_s = 0.0
        prompt = request.prompt_ids
        # Few requests use all of a large `max_tokens`: the sequence grows when one does.
        self._capacity = len(prompt) + min(request.max_tokens, _ROOM_TOKENS)
        lease = cache.acquire(prompt, self._capacity, namespace=request.workspace, document=request.document)
        self._leases = [lease]
        self._chunks = list(prefill_chunks(lease.reused_tokens, len(prompt), spec.chunk_tokens))
        assert self._chunks, "the cache leaves at least one prompt token to compute"
        self._reused_tokens = lease.reused_tokens
        self._first = self._first_branch(grammar) if request.max_tokens else None
        self._branches: list[Branch[K]] = [self._first] if self._first else []
        self._drafting = list(self._branches)
        self._is_parted = request.n == 1
        self.finish_reason: FinishReason | None = None

    @property
    def is_prefilling(self) -> bool:
        return bool(self._chunks)

    @property
    def num_rows(self) -> int:
        """Rows that the next pass of a request past its prompt has at least: one for each choice."""
        return len(self._running)

    def plan(self, room: int, num_others: int = 0) -> list[Span]:
        """What to compute next, with at most `room` rows for drafts, beside `num_others` of others."""
        if self._chunks:
            if self._first and len(self._chunks) == 1:
                # A draft rides along, unless that would make a warm prompt's rows others than a cold one's.
                may_draft = self._is_parted and self._spec.rows_independent
                return [self._first.plan(room if may_draft else 0)]
            start, end = self._chunks[0]
            return [Span(self._request.prompt_ids[start:end], self._leases[0].kv, num_logits=0)]
        running = self._running
        if not self._is_parted:
            room = 0
        spans: list[Span] = []
        num_others += len(running) - 1
        for left, branch in zip(range(len(running), 0, -1), running, strict=True):
            spans.append(branch.plan(room // left, num_others))
            num_drafted = len(spans[-1].ids) - 1
            room, num_others = room - num_drafted, num_others + num_drafted
        return spans

    def take(self, logits: list[NDArray[np.float32]], seconds: float) -> None:
        """The logits of the plan, in its order; `seconds` is what they took."""
        is_prompt = self.is_prefilling
        if is_prompt:
            self._prefill_s += seconds
            start, end = self._chunks.pop(0)
            if self._chunks or self._first is None:
                self._leases[0].ids.extend(self._request.prompt_ids[start:end])
                if not self._chunks:
                    self._finish_prompt()
                    self.finish_reason = "length"
                return
        else:
            self._decode_s += seconds
        shown: list[tuple[int, Written]] = []
        for branch, rows in zip(self._running, logits, strict=True):
            if not self._is_parted and branch.is_fork_at(rows[0]):
                shown += self._part(branch, rows)
            else:
                shown += [(branch.choice, written) for written in branch.take(rows)]
        if is_prompt:
            self._finish_prompt()
        self._show(shown)

    def usage(self, finish_reason: FinishReason) -> Usage:
        num_prompt = len(self._request.prompt_ids)
        return Usage(
            prompt_tokens=num_prompt,
            reused_tokens=self._reused_tokens,
            computed_tokens=num_prompt - self._reused_tokens,
            completion_tokens=sum(len(branch.output) for branch in self._branches),
            queue_ms=self._queue_ms,
            prefill_ms=self._prefill_s * 1000,
            decode_ms=self._decode_s * 1000,
            finish_reason=finish_reason,
            drafted_tokens=sum(branch.drafted_tokens for branch in self._branches),
            accepted_tokens=sum(branch.accepted_tokens for branch in self._branches),
        )

    def close(self) -> None:
        """Give back what is held; rows that are computed stay in the cache."""
        while self._leases:
            self._cache.release(self._leases.pop())
        while self._drafting:
            self._drafting.pop().close()

    @property
    def _running(self) -> list[Branch[K]]:
        return [branch for branch in self._branches if branch.finish_reason is None]

    def _first_branch(self, grammar: Constraint | None) -> Branch[K]:
        request = self._request
        drafter = None
        if request.speculate and request.max_tokens > 1:
            drafter = self._speculation.drafter(request.prompt_ids, request.workspace, request.document)
        constraint = constraint_of(request, self._tokenizer, grammar)
        start, end = self._chunks[-1]
        due = list(request.prompt_ids[start:end])
        lease = self._leases[0]
        return Branch(0, request, self._tokenizer, lease, constraint, self._speculation, drafter, due)

    def _finish_prompt(self) -> None:
        """Its rows are there for others from now on, and its cost is said before any text."""
        num_prompt = len(self._request.prompt_ids)
        self._cache.commit(self._leases[0], num_prompt)
        first = self._first
        self._emit(
            Started(
                prompt_tokens=num_prompt,
                reused_tokens=self._reused_tokens,
                computed_tokens=num_prompt - self._reused_tokens,
                queue_ms=self._queue_ms,
                prefill_ms=self._prefill_s * 1000,
                drafted_tokens=first.drafted_tokens if first else 0,
                accepted_tokens=first.accepted_tokens if first else 0,
            )
        )

    def _part(self, branch: Branch[K], rows: NDArray[np.float32]) -> list[tuple[int, Written]]:
        """From here on there are several choices."""
        self._is_parted = True
        begins = branch.part(rows, self._request.n)
        shown: list[tuple[int, Written]] = []
        for choice in range(1, len(begins)):
            lease = self._cache.fork(branch.lease, self._capacity)
            self._leases.append(lease)
            other, repeated = branch.fork(choice, lease)
            self._branches.append(other)
            self._drafting.append(other)
            shown += [(choice, written) for written in repeated]
        for each, begin in zip(self._branches, begins, strict=True):
            shown.append((each.choice, each.begin(rows, begin)))
        return shown

    def _show(self, shown: list[tuple[int, Written]]) -> None:
        for choice, written in shown:
            if written.text:
                self._emit(Piece(written.text, choice, logprob=written.logprob))
        for branch in self._branches:
            if branch.finish_reason is not None and branch.lease in self._leases:
                self._leases.remove(branch.lease)
                self._cache.release(branch.lease)
                if self._request.n > 1:
                    self._emit(Piece("", branch.choice, branch.finish_reason))
        if not self._running:
            self.finish_reason = self._branches[0].finish_reason


def run(
    generation: Generation[K], model: LanguageModel, is_cancelled: Callable[[], bool] = never
) -> FinishReason:
    """Serve one request from beginning to end, with nobody else there; the reason for the end."""
    try:
        while generation.finish_reason is None:
            began_s = time.perf_counter()
            logits = model.forward(generation.plan(MAX_ROWS - generation.num_rows), is_cancelled)
            generation.take(logits, time.perf_counter() - began_s)
            if generation.finish_reason is None and is_cancelled():
                break
    except Cancelled:
        pass  # the reason says so
    finally:
        generation.close()
    return generation.finish_reason or "cancelled"


def prefill_chunks(start: int, end: int, size: int = CHUNK_TOKENS) -> Iterator[tuple[int, int]]:
    """`[start, end)` cut at multiples of `size`."""
    while start < end:
        stop = min(end, (start // size + 1) * size)
        yield start, stop
        start = stop
