"""Grounded decoding: behind a `.` the model goes on with members that are there, and no others.

The stream is not slowed for it: while the model writes a member's name, a type checker is asked what
members there are, and the name is passed on once it is known.  Where it is none of them, the request is
made again from the `.` on with these as what is allowed; the rows of the prompt are in the cache, so that
costs the tokens of a name.  Nothing is limited where the type is not known.

Monitor-guided decoding (Agrawal et al., NeurIPS 2023) masks the tokens before each is chosen, so that
every member access waits for the checker.  Here only a wrong name does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from ..models.client import Reply
from ..models.wire import MAX_ALLOWED, CompletionRequest, Piece, Started

MAX_RETURNS = 2
"""Of one request to a `.`; what is still wrong then is the guard's."""

_MAX_NAME_CHARS = 200
_ACCESS = re.compile(r"(?<=[\w)\]\"'`?])\.([^\W\d]\w*)?")
_TYPED_ACCESS = re.compile(r"(?<=[\w)\]\"'`?])\.\w*\Z")

Complete = Callable[[CompletionRequest], AsyncGenerator[Reply]]
"""`EngineClient.complete`."""


class Members(Protocol):
    """What is known of the values in one document."""

    async def of(self, text: str, offset: int) -> frozenset[str]:
        """Names that may follow the `.` that ends at `offset` of `text`; empty where that is not known."""
        ...

    async def is_missing(self, text: str, start: int, end: int) -> bool:
        """Is it certain that the name at `[start, end)` of `text` is no member of what stands before it?"""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the text comes to stand."""

    before: str
    """The document up to what the request heals, which the text begins with."""
    after: str


@dataclass(slots=True)
class _Access:
    """A `.` in what was written, and the question that was asked about it."""

    dot: int
    """Behind it, in `Place.before` + what was written."""
    members: asyncio.Task[frozenset[str]]


async def grounded(
    complete: Complete, request: CompletionRequest, place: Place, members: Members
) -> AsyncGenerator[Reply]:
    """The events of `request`, whose one text names no member that `members` knows to be missing.

    `Started` is that of the first try; the `Usage` is that of the last.
    """
    assert request.n == 1, "choices are judged when they are whole"
    written = _Written(place, len(request.heal), members)
    try:
        for num_returns in range(MAX_RETURNS + 1):
            stream = complete(request)
            wrong: _Wrong | None = None
            async with aclosing(stream):
                async for event in stream:
                    if isinstance(event, Started) and num_returns:
                        continue
                    is_last = num_returns == MAX_RETURNS
                    for ready in await written.read(event, is_last=is_last):
                        yield ready
                    wrong = written.wrong
                    if wrong is not None:
                        break
            if wrong is None:
                return
            request = replace(
                request, heal=wrong.heal, allowed=wrong.allowed, allowed_words=True, allowed_only=False
            )
            written.go_back(len(wrong.heal))
    finally:
        written.close()


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A name that is not there: what to spell instead, and what may come then."""

    heal: str
    allowed: tuple[str, ...]


class _Written:
    """What a stream has brought, what of it was passed on, and what is asked about it."""

    def __init__(self, place: Place, num_healed: int, members: Members) -> None:
        self._place = place
        self._members = members
        self._raw = ""
        self._num_passed = 0
        self._held: list[Piece] = []
        self._access: _Access | None = None
        self.wrong: _Wrong | None = None
        tail = max(0, len(place.before) - _MAX_NAME_CHARS)
        typed = _TYPED_ACCESS.search(place.before, tail)
        # From here on names are looked at: what is typed of a name that goes on is part of it.
        self._seen = typed.start() if typed else len(place.before)
        self._num_healed = num_healed
        self._num_skipped = 0

    async def read(self, event: Reply, *, is_last: bool) -> list[Reply]:
        """What of all this can be passed on.  `wrong` is set where nothing more of this stream is wanted."""
        if not isinstance(event, Piece):
            ended = await self._settle(is_end=True) if not isinstance(event, Started) else []
            return [*ended, event] if self.wrong is None else []
        if event.choice:
            return [event]
        self._raw += event.text
        self._held.append(event)
        is_end = event.finish_reason is not None
        return [*await self._settle(is_end=is_end)] if not is_last else [*self._release()]

    def go_back(self, num_known: int) -> None:
        """Another stream begins, with the first `num_known` characters of this one."""
        self._num_skipped = min(num_known, self._num_passed)
        self._raw = ""
        self._held = []
        self._access = None
        self.wrong = None
        # The name behind the dot is one of those allowed.
        self._seen = len(self._place.before) + num_known

    def close(self) -> None:
        if self._access is not None:
            self._access.members.cancel()

    async def _settle(self, *, is_end: bool) -> list[Piece]:
        """What can be passed on once every name that is complete has been looked at."""
        while self.wrong is None:
            told = self._place.before + self._raw
            found = _ACCESS.search(told, self._seen)
            if found is None:
                return self._release()
            name = found[1] or ""
            if self._access is None:
                self._access = self._ask(told, found.start() + 1)
            if found.end() == len(told) and not is_end:
                return []
            self._seen = found.end()
            access, self._access = self._access, None
            if name and await self._is_wrong(told, name, access):
                return []
        return []

    def _ask(self, told: str, dot: int) -> _Access:
        text = told[:dot] + self._place.after
        return _Access(dot, asyncio.ensure_future(self._members.of(text, dot)))

    async def _is_wrong(self, told: str, name: str, access: _Access) -> bool:
        members = await access.members
        if not members or name in members:
            return False
        end = access.dot + len(name)
        if not await self._members.is_missing(told[:end] + self._place.after, access.dot, end):
            return False
        begin = len(self._place.before)
        kept = max(access.dot, begin + self._num_healed)
        typed = told[access.dot : kept]
        endings = [one.removeprefix(typed) for one in _worth_saying(members, name) if one.startswith(typed)]
        allowed = tuple(filter(None, endings))[:MAX_ALLOWED]
        if not allowed:
            return False  # nothing begins as what was typed: that is the person's
        self.wrong = _Wrong(told[begin:kept], allowed)
        return True

    def _release(self) -> list[Piece]:
        """All that is held, without what was passed on before this stream began."""
        released: list[Piece] = []
        for piece in self._held:
            skipped = min(len(piece.text), self._num_skipped)
            self._num_skipped -= skipped
            self._num_passed += len(piece.text) - skipped
            text = piece.text[skipped:]
            if text or piece.finish_reason is not None or not skipped:
                released.append(replace(piece, text=text))
        self._held = []
        return released


def _worth_saying(members: frozenset[str], name: str) -> list[str]:
    """Private names only to those who ask for one; the order is that of the alphabet."""
    return sorted(one for one in members if one.startswith("_") == name.startswith("_"))
