"""The engine: one worker thread owns the model; requests come in, events go out.

The worker always takes the next step of the most urgent sequence (`Priority`, then arrival): a
keystroke pre-empts a chat answer at the next chunk or token, and the paused sequence keeps its KV.
A newer request for the same document supersedes an older one of the same class.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar

from .decode import Generation, Steps
from .errors import RequestRefusedError
from .language_model import KV, LanguageModel
from .prefix_cache import PrefixCache
from .prompts.chat import ChatTemplate
from .tokens import Tokenizer
from .wire import CompletionRequest, FinishReason, Piece, Started, Usage

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
class Failure:
    """The last event of a request the engine could not serve."""

    message: str


Event = Started | Piece | Usage | Failure
"""`Started`, zero or more `Piece`, then exactly one `Usage` or `Failure`; a failure may come first."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A submitted request.  `cancel()` may be called from any thread, any number of times."""

    request: CompletionRequest
    on_event: Callable[[Event], None]
    sequence: int
    submitted_s: float
    is_cancelled: bool = False
    generation: Generation | None = field(default=None, repr=False)
    steps: Steps | None = field(default=None, repr=False)

    def cancel(self) -> None:
        self.is_cancelled = True

    @property
    def urgency(self) -> tuple[int, int]:
        return int(self.request.priority), self.sequence


class Engine(Generic[K]):
    """Owns `model`; nothing else may call it."""

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer, cache: PrefixCache[K]) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.cache = cache
        self.num_requests = 0
        self.last_active_s = time.monotonic()
        self._inbox: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._active: list[Ticket] = []
        self._is_closed = False
        self._sequence = count()
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
        self._worker.start()

    @property
    def num_running(self) -> int:
        return sum(ticket.steps is not None for ticket in self._active)

    @property
    def num_waiting(self) -> int:
        return self._inbox.qsize() + sum(ticket.steps is None for ticket in self._active)

    def submit(self, request: CompletionRequest, on_event: Callable[[Event], None]) -> Ticket:
        """Queue a request; `on_event` is called from the worker thread.  Raises RequestRefusedError."""
        if self._is_closed:
            raise RequestRefusedError("the engine is stopping: ask again to start a new one")
        limit = self.model.spec.context_length
        if not request.prompt_ids:
            raise RequestRefusedError("the prompt is empty: send at least one token id")
        if len(request.prompt_ids) + request.max_tokens > limit:
            raise RequestRefusedError(
                f"prompt of {len(request.prompt_ids)} tokens plus max_tokens {request.max_tokens} is over "
                f"this model's {limit} tokens: shorten the prompt or lower max_tokens"
            )
        for token_id in (min(request.prompt_ids), max(request.prompt_ids)):
            if not 0 <= token_id < self.model.spec.vocabulary:
                raise RequestRefusedError(
                    f"token id {token_id} is outside this model's vocabulary of "
                    f"{self.model.spec.vocabulary}: was the prompt encoded for another model?"
                )
        ticket = Ticket(request, on_event, next(self._sequence), time.perf_counter())
        self.num_requests += 1
        self.last_active_s = time.monotonic()
        self._inbox.put(ticket)
        return ticket

    def close(self) -> None:
        """Stop the worker; requests in progress end as cancelled."""
        if not self._is_closed:
            self._is_closed = True
            self._inbox.put(None)
        self._worker.join()

    def _work(self) -> None:
        while self._receive():
            # First, whatever their urgency: what they hold is then there for others.
            for ticket in [ticket for ticket in self._active if ticket.is_cancelled]:
                self._finish(ticket, "cancelled")
            if self._active:
                self._step(min(self._active, key=lambda ticket: ticket.urgency))
            self.last_active_s = time.monotonic()
        for ticket in list(self._active):
            self._finish(ticket, "cancelled")

    def _receive(self) -> bool:
        """Take in what has arrived; wait for it when there is nothing to do.  False: time to stop."""
        while True:
            try:
                ticket = self._inbox.get(block=not self._active)
            except queue.Empty:
                return True
            if ticket is None:
                return False
            for older in self._active:
                same = older.request.document == ticket.request.document != ""
                if same and older.request.priority == ticket.request.priority:
                    older.cancel()
            self._active.append(ticket)

    def _step(self, ticket: Ticket) -> None:
        try:
            if ticket.steps is None:
                ticket.generation = self._generation(ticket)
                ticket.steps = ticket.generation.steps(self.cache)
            reason = next(ticket.steps)
        except Exception as error:  # noqa: BLE001  (one bad request must not take the engine down with it)
            _log.exception("request %d failed", ticket.sequence)
            self._drop(ticket)
            self._tell(ticket, Failure(f"the engine failed on this request: {_described(error)}"))
            return
        if reason is not None:
            self._finish(ticket, reason)

    def _generation(self, ticket: Ticket) -> Generation:
        return Generation(
            ticket.request,
            self.model,
            self.tokenizer,
            ticket.on_event,
            lambda: ticket.is_cancelled,
            queue_ms=(time.perf_counter() - ticket.submitted_s) * 1000,
        )

    def _finish(self, ticket: Ticket, reason: FinishReason) -> None:
        self._drop(ticket)
        generation = ticket.generation or self._generation(ticket)
        self._tell(ticket, generation.usage(reason))

    def _tell(self, ticket: Ticket, event: Event) -> None:
        """The last event of a request; a listener that fails on it loses it, and nobody else anything."""
        try:
            ticket.on_event(event)
        except Exception:  # noqa: BLE001  (a listener is foreign code, and the worker serves others too)
            _log.exception("request %d ended with nobody to tell", ticket.sequence)

    def _drop(self, ticket: Ticket) -> None:
        self._active.remove(ticket)
        if ticket.steps is not None:
            ticket.steps.close()  # a paused generator gives its sequence back


def _described(error: Exception) -> str:
    """An assertion or a KeyError says little without its kind."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
