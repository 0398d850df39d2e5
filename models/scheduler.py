"""Who is next: requests by class, several at a time where one pass serves them all.

Between classes priority is strict: a keystroke goes before a chat answer, and what is paused keeps its
keys and values.  Within a class, a chunk of the prompt that came first and one token for everybody who
is past the prompt take turns: whoever is writing slows down while another begins, but nobody waits for
another's last token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .constraints import Constraint
from .decode import Generation
from .speculation import MAX_ROWS
from .wire import CompletionRequest, Piece, Started, Usage


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
    grammar: Constraint | None = None
    is_cancelled: bool = False
    was_interrupted: bool = False
    """Its last pass was given up for a more urgent request.  The next is not: it must get on at all."""
    generation: Generation[Any] | None = field(default=None, repr=False)

    def cancel(self) -> None:
        self.is_cancelled = True

    @property
    def is_prefilling(self) -> bool:
        return self.generation is None or self.generation.is_prefilling


class Scheduler:
    """The requests that are waiting or under way.  For the worker thread alone, except to be counted."""

    def __init__(self) -> None:
        self.active: list[Ticket] = []
        self._was_prefill = False

    @property
    def num_running(self) -> int:
        return sum(ticket.generation is not None for ticket in list(self.active))

    @property
    def num_waiting(self) -> int:
        return sum(ticket.generation is None for ticket in list(self.active))

    def add(self, ticket: Ticket) -> None:
        """Of one class and document the latest wins; the others are cancelled."""
        for older in self.active:
            same = older.request.document == ticket.request.document != ""
            same = same and older.request.workspace == ticket.request.workspace
            if same and older.request.priority == ticket.request.priority:
                older.cancel()
        self.active.append(ticket)

    def remove(self, ticket: Ticket) -> None:
        self.active.remove(ticket)

    def batch(self) -> list[Ticket]:
        """Who shares the next pass: one whose prompt is being computed, or several past theirs.

        Not empty where anybody is there.  Several have at most `MAX_ROWS` choices together, the first more.
        """
        if not self.active:
            return []
        urgent = min(ticket.request.priority for ticket in self.active)
        tickets = [ticket for ticket in self.active if ticket.request.priority == urgent]
        beginning = [ticket for ticket in tickets if ticket.is_prefilling]
        writing = [ticket for ticket in tickets if not ticket.is_prefilling]
        self._was_prefill = bool(beginning) and not (writing and self._was_prefill)
        if self._was_prefill:
            return beginning[:1]
        batch: list[Ticket] = []
        for ticket in writing:
            if not batch or num_rows([*batch, ticket]) <= MAX_ROWS:
                batch.append(ticket)
        return batch

    def has_more_urgent(self, batch: list[Ticket]) -> bool:
        """Has a class arrived that goes before this one?"""
        running = batch[0].request.priority
        return any(t.request.priority < running and not t.is_cancelled for t in self.active)


def num_rows(batch: list[Ticket]) -> int:
    """Rows that one token for everybody takes."""
    return sum(ticket.generation.num_rows for ticket in batch if ticket.generation is not None)
