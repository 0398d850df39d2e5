"""The engine: one worker thread owns the model; requests come in, events go out.

The worker always takes the next pass of the most urgent requests (`scheduler`).  A pass for a class
that is no longer the most urgent is given up between two layers and made again later, as is one that
nobody waits for any more.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from .decode import Generation
from .errors import RequestRefusedError
from .grammars import Grammars
from .language_model import KV, Cancelled, LanguageModel, Span
from .prefix_cache import PrefixCache
from .prompts.chat import ChatTemplate
from .scheduler import Event, Failure, Scheduler, Ticket, num_rows
from .speculation import MAX_ROWS, Speculation
from .tokens import Tokenizer
from .wire import MAX_ALLOWED, MAX_CHOICES, CompletionRequest, FinishReason, Priority, Usage

__all__ = ["Engine", "Event", "Failure", "LoadedModel", "Ticket"]

_log = logging.getLogger(__name__)

K = TypeVar("K", bound=KV)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """Everything one engine needs.  `new_cache(budget_bytes)` makes a prefix cache of its kind of KV."""

    model: LanguageModel
    tokenizer: Tokenizer
    chat: ChatTemplate | None
    new_cache: Callable[[int], PrefixCache[Any]]


@dataclass(frozen=True, slots=True)
class _Opened:
    """The documents of a workspace that are open now."""

    documents: frozenset[str]
    workspace: str


@dataclass(slots=True)
class Work:
    """Sums over requests."""

    requests: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    computed_tokens: int = 0
    completion_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0

    def add(self, usage: Usage) -> None:
        self.requests += 1
        self.prompt_tokens += usage.prompt_tokens
        self.reused_tokens += usage.reused_tokens
        self.computed_tokens += usage.computed_tokens
        self.completion_tokens += usage.completion_tokens
        self.drafted_tokens += usage.drafted_tokens
        self.accepted_tokens += usage.accepted_tokens
        self.prefill_ms += usage.prefill_ms
        self.decode_ms += usage.decode_ms


class Engine(Generic[K]):
    """Owns `model`; nothing else may call it."""

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer, cache: PrefixCache[K]) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.cache = cache
        self.speculation = Speculation()
        self.num_requests = 0
        self.work: dict[Priority, Work] = {priority: Work() for priority in Priority}
        """What all requests together have cost, those cut short too, by class."""
        self.last_active_s = time.monotonic()
        self._grammars = Grammars(tokenizer, model.spec.vocabulary)
        self._inbox: queue.SimpleQueue[Ticket | _Opened | None] = queue.SimpleQueue()
        self._scheduler = Scheduler()
        self._opened: list[_Opened] = []
        self._is_closed = False
        self._is_stopping = False
        self._sequence = count()
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
        self._worker.start()

    @property
    def num_running(self) -> int:
        return self._scheduler.num_running

    @property
    def num_waiting(self) -> int:
        return self._inbox.qsize() + self._scheduler.num_waiting

    def submit(self, request: CompletionRequest, on_event: Callable[[Event], None]) -> Ticket:
        """Queue a request; `on_event` is called from the worker thread.  Raises RequestRefusedError."""
        if self._is_closed:
            raise RequestRefusedError("the engine is stopping: ask again to start a new one")
        self._check(request)
        grammar = self._grammars.compile(request.grammar, request.grammar_kind) if request.grammar else None
        ticket = Ticket(request, on_event, next(self._sequence), time.perf_counter(), grammar)
        self.num_requests += 1
        self.last_active_s = time.monotonic()
        self._inbox.put(ticket)
        return ticket

    def opened(self, documents: Collection[str], workspace: str = "") -> None:
        """These documents of a workspace are open, others are not: theirs stays in the cache longest."""
        self._inbox.put(_Opened(frozenset(documents), workspace))

    def close(self) -> None:
        """Stop the worker; requests in progress end as cancelled."""
        if not self._is_closed:
            self._is_closed = True
            self._inbox.put(None)
        self._worker.join()

    def _check(self, request: CompletionRequest) -> None:
        limit, vocabulary = self.model.spec.context_length, self.model.spec.vocabulary
        if not request.prompt_ids:
            raise RequestRefusedError("the prompt is empty: send at least one token id")
        if len(request.prompt_ids) + request.max_tokens > limit:
            raise RequestRefusedError(
                f"prompt of {len(request.prompt_ids)} tokens plus max_tokens {request.max_tokens} is over "
                f"this model's {limit} tokens: shorten the prompt or lower max_tokens"
            )
        for token_id in (min(request.prompt_ids), max(request.prompt_ids)):
            if not 0 <= token_id < vocabulary:
                raise RequestRefusedError(
                    f"token id {token_id} is outside this model's vocabulary of "
                    f"{vocabulary}: was the prompt encoded for another model?"
                )
        if not 1 <= request.n <= MAX_CHOICES:
            raise RequestRefusedError(f"n is {request.n}: expected 1 to {MAX_CHOICES}")
        if len(request.allowed) > MAX_ALLOWED:
            raise RequestRefusedError(
                f"allowed has {len(request.allowed)} strings: expected at most {MAX_ALLOWED}"
            )
        if not all(request.allowed):
            raise RequestRefusedError("allowed holds an empty string, which allows anything: leave it out")
        if request.allowed and request.grammar:
            raise RequestRefusedError("allowed and grammar are both given: one or the other")

    # -- the worker -------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            self._receive(is_idle=not self._scheduler.active)
            if self._is_stopping:
                break
            for opened in self._opened:
                self.cache.pin(opened.documents, opened.workspace)
            self._opened.clear()
            # First, whatever their urgency: what they hold is then there for others.
            for ticket in [ticket for ticket in self._scheduler.active if ticket.is_cancelled]:
                self._finish(ticket, "cancelled")
            if self._scheduler.active:
                self._step(self._scheduler.batch())
            self.last_active_s = time.monotonic()
        for ticket in list(self._scheduler.active):
            self._finish(ticket, "cancelled")

    def _receive(self, *, is_idle: bool) -> None:
        """Take in what has arrived; wait for it when there is nothing to do."""
        while is_idle or not self._inbox.empty():
            arrived = self._inbox.get()
            is_idle = False
            if arrived is None:
                self._is_stopping = True
            elif isinstance(arrived, _Opened):
                self._opened.append(arrived)  # the cache is left alone while a pass is under way
            else:
                self._scheduler.add(arrived)

    def _step(self, batch: list[Ticket]) -> None:
        for ticket in batch:
            if ticket.generation is None and not self._begin(ticket):
                return
        try:
            self._pass(batch)
        except Cancelled:
            for ticket in batch:
                ticket.was_interrupted = True
        except Exception as error:  # noqa: BLE001  (one bad request must not take the engine down with it)
            if len(batch) == 1:
                self._fail(batch[0], error)
                return
            _log.exception("a pass for %d requests failed: each is tried alone", len(batch))
            for ticket in batch:
                self._step([ticket])

    def _begin(self, ticket: Ticket) -> bool:
        """False when it could not be begun, and is over."""
        try:
            ticket.generation = Generation(
                ticket.request,
                self.tokenizer,
                self.cache,
                self.speculation,
                ticket.on_event,
                self.model.spec,
                grammar=ticket.grammar,
                queue_ms=(time.perf_counter() - ticket.submitted_s) * 1000,
            )
        except Exception as error:  # noqa: BLE001  (as for a pass)
            self._fail(ticket, error)
            return False
        return True

    def _pass(self, batch: list[Ticket]) -> None:
        """One pass of the model for everybody in `batch`.  Raises Cancelled with nothing done."""
        generations = [ticket.generation for ticket in batch if ticket.generation is not None]
        is_prefill = batch[0].is_prefilling
        num_others, left = num_rows(batch), len(batch)
        room = MAX_ROWS - (0 if is_prefill else num_others)
        plans: list[list[Span]] = []
        for generation in generations:
            num_own = generation.num_rows
            plans.append(generation.plan(max(0, room // left), num_others - num_own))
            num_drafted = 0 if is_prefill else sum(len(span.ids) for span in plans[-1]) - num_own
            room, num_others, left = room - num_drafted, num_others + num_drafted, left - 1
        spans = [span for plan in plans for span in plan]
        before = [span.kv.length for span in spans]
        began_s = time.perf_counter()
        try:
            logits = self.model.forward(spans, lambda: self._is_unwanted(batch))
        except Cancelled:
            raise
        except Exception:
            for span, length in zip(spans, before, strict=True):
                span.kv.truncate(min(length, span.kv.length))  # for another try
            raise
        seconds = time.perf_counter() - began_s
        if not is_prefill:
            self.speculation.costs.learn(sum(len(span.ids) for span in spans), seconds)
        for ticket, plan in zip(batch, plans, strict=True):
            ticket.was_interrupted = False
            self._take(ticket, logits[: len(plan)], seconds)
            logits = logits[len(plan) :]

    def _is_unwanted(self, batch: list[Ticket]) -> bool:
        """Asked between two layers: has the pass under way become pointless, or another more urgent?

        Perhaps by a thread of the model's own, while the worker waits for it.
        """
        self._receive(is_idle=False)
        if self._is_stopping or all(ticket.is_cancelled for ticket in batch):
            return True
        if any(ticket.was_interrupted for ticket in batch):
            return False
        return self._scheduler.has_more_urgent(batch)

    def _take(self, ticket: Ticket, logits: list[NDArray[np.float32]], seconds: float) -> None:
        generation = ticket.generation
        assert generation is not None, "it was planned"
        try:
            generation.take(logits, seconds)
        except Exception as error:  # noqa: BLE001  (listeners are foreign code, and others share the pass)
            self._fail(ticket, error)
            return
        if generation.finish_reason is not None:
            self._finish(ticket, generation.finish_reason)

    def _finish(self, ticket: Ticket, reason: FinishReason) -> None:
        self._drop(ticket)
        if ticket.generation is not None:
            usage = ticket.generation.usage(reason)
            self.work[ticket.request.priority].add(usage)
            self._tell(ticket, usage)
            return
        num_prompt, queue_ms = (
            len(ticket.request.prompt_ids),
            (time.perf_counter() - ticket.submitted_s) * 1000,
        )
        self._tell(ticket, Usage(num_prompt, 0, num_prompt, 0, queue_ms, 0.0, 0.0, reason))

    def _fail(self, ticket: Ticket, error: Exception) -> None:
        _log.error("request %d failed", ticket.sequence, exc_info=error)
        self._drop(ticket)
        self._tell(ticket, Failure(f"the engine failed on this request: {_described(error)}"))

    def _tell(self, ticket: Ticket, event: Event) -> None:
        """The last event of a request; a listener that fails on it loses it, and nobody else anything.

        Whoever listens refers to the ticket, and the ticket to them: the rows must not wait for that circle.
        """
        ticket.generation = None
        try:
            ticket.on_event(event)
        except Exception:  # noqa: BLE001  (a listener is foreign code, and the worker serves others too)
            _log.exception("request %d ended with nobody to tell", ticket.sequence)

    def _drop(self, ticket: Ticket) -> None:
        self._scheduler.remove(ticket)
        try:
            if ticket.generation is not None:
                ticket.generation.close()
        except Exception:  # noqa: BLE001  (out of memory in a copy: what it wanted to keep is lost)
            _log.exception("request %d could not keep its work", ticket.sequence)


def _described(error: Exception) -> str:
    """An assertion or a KeyError says little without its kind."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
