"""Where one request's time went, as a tree: `watch` begins a request, `span` is a stage of it.

    with watch("request") as clock:
        with span("context"):
            ...
    clock.tree  # Span("request", …, parts=(Span("context", …),))

Stages find their parent by themselves, across awaits, tasks and threads of the same request; outside
one they cost nothing and are kept nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """A stage.  Times are milliseconds; `start_ms` counts from the start of the whole tree."""

    name: str
    start_ms: float
    ms: float
    parts: tuple[Span, ...] = ()
    """In the order they began.  Each lies within this one; they may overlap each other."""

    @property
    def own_ms(self) -> float:
        """What no part accounts for."""
        return max(0.0, self.ms - sum(part.ms for part in self.parts))

    def walk(self) -> Iterator[Span]:
        """This one and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def sums(self) -> dict[str, float]:
        """Milliseconds by name, over the whole tree but for its root."""
        sums: dict[str, float] = {}
        for part in self.walk():
            if part is not self:
                sums[part.name] = sums.get(part.name, 0.0) + part.ms
        return sums


@dataclass(slots=True)
class _Open:
    name: str
    began_s: float
    ended_s: float | None = None
    parts: list[_Open] = field(default_factory=list["_Open"])

    def closed(self, root_s: float, start_s: float, end_s: float) -> Span:
        """As a record.  What another process measured may not quite fit into ours: it is cut to fit."""
        began = min(max(self.began_s, start_s), end_s)
        ended = min(max(self.ended_s if self.ended_s is not None else end_s, began), end_s)
        parts = tuple(part.closed(root_s, began, ended) for part in self.parts)
        return Span(self.name, (began - root_s) * 1000, (ended - began) * 1000, parts)


_current: ContextVar[_Open | None] = ContextVar("truepenny_span", default=None)


class Clock:
    """The time of one request."""

    def __init__(self, root: _Open) -> None:
        self._root = root

    @property
    def tree(self) -> Span:
        """As far as it has come: what is still under way ends now."""
        ended = self._root.ended_s
        end_s = time.perf_counter() if ended is None else ended
        return self._root.closed(self._root.began_s, self._root.began_s, end_s)


@contextmanager
def watch(name: str) -> Generator[Clock]:
    """Begin a tree of its own, whatever is being timed around it."""
    root = _Open(name, time.perf_counter())
    with _inside(root):
        yield Clock(root)


@contextmanager
def span(name: str) -> Generator[None]:
    """A stage of the request under way; ends with the block, however that ends."""
    parent = _current.get()
    if parent is None:
        yield
        return
    part = _Open(name, time.perf_counter())
    parent.parts.append(part)
    with _inside(part):
        yield


def note(name: str, ms: float) -> None:
    """A stage somebody else has measured; it is taken to follow the one before it."""
    parent = _current.get()
    if parent is None:
        return
    ends = [part.ended_s for part in parent.parts if part.ended_s is not None]
    began_s = max(ends, default=parent.began_s)
    parent.parts.append(_Open(name, began_s, began_s + max(0.0, ms) / 1000))


@contextmanager
def _inside(here: _Open) -> Generator[None]:
    token = _current.set(here)
    try:
        yield
    finally:
        here.ended_s = time.perf_counter()
        _current.reset(token)
