"""What the model is writing now, by document, and who waits for it.

A generation is not thrown away because a key was pressed: if what was typed since is what it writes, it
serves the newer request.  One that nobody waits for ends after a moment, which is how long an editor
takes from cancelling a request to making the next; and at once when something else is typed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing

from ...models.client import Reply
from ...models.wire import Piece
from ..snapshot import Query, Suggestion
from .proposal import Spot, continues

logger = logging.getLogger(__name__)

GRACE_S = 0.25
"""Editors wait about 50 to 200 ms after a key before they ask again."""
_MAX_TYPED_CHARS = 400
_CLOSERS = ")]}\"'`"


class Generation:
    """One suggestion being made.  Its work tells it what is written, through `watched`."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.serves = query
        """The newest that it is to answer."""
        self.spot = Spot.of(query.snapshot.text, query.offset, query.offset)
        self.num_waiting = 0
        self.is_astray = False
        """It was given up because it does not lead where it was wanted to."""
        self._written = ""
        self._heal = ""
        self._typed = ""
        self._task: asyncio.Task[Suggestion] | None = None
        self._is_cancelled = False

    async def watched(self, events: AsyncGenerator[Reply], heal: str) -> AsyncGenerator[Reply]:
        """The same events.  Ends the generation when it turns out not to lead where it should."""
        self._heal = heal
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Piece) and event.choice == 0:
                    self._written += event.text if event.choice == 0 else ""
                    if not self._leads_through(self._typed):
                        self.is_astray = True
                        raise asyncio.CancelledError  # from within: nothing is disturbed in being closed
                yield event

    def may_serve(self, query: Query) -> bool:
        """Is `query` about the text as it is when some of what is being written has been typed?"""
        typed = self._typed_for(query)
        return typed is not None and self._leads_through(typed)

    def is_left(self, query: Query) -> bool:
        """Does the text no longer lead there?  The cursor may be a closer too far to the right."""
        typed = self._typed_for(query)
        return typed is None or not (
            self._leads_through(typed) or self._leads_through(typed.rstrip(_CLOSERS))
        )

    def serve(self, query: Query) -> None:
        """It is for `query` now; `may_serve` has said so."""
        self.serves = query
        self._typed = self._typed_for(query) or ""

    def run(self, work: Callable[[Generation], Awaitable[Suggestion]]) -> asyncio.Task[Suggestion]:
        self._task = asyncio.ensure_future(work(self))
        return self._task

    @property
    def is_over(self) -> bool:
        return self._task is None or self._task.done()

    async def result(self) -> Suggestion | None:
        """What comes of it; None if it is given up.  Raises what its work raises."""
        assert self._task is not None, "run it first"
        self.num_waiting += 1
        try:
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if _is_caller_cancelled():
                raise
            return None
        finally:
            self.num_waiting -= 1
            if not self.num_waiting:
                asyncio.get_running_loop().call_later(GRACE_S, self._cancel_unless_wanted)

    def cancel(self) -> None:
        """Once: a second time would disturb what the first has it close."""
        if self._task is not None and not self._is_cancelled:
            self._is_cancelled = True
            self._task.cancel()

    def _cancel_unless_wanted(self) -> None:
        if not self.num_waiting:
            self.cancel()

    def _typed_for(self, query: Query) -> str | None:
        text, offset = query.snapshot.text, query.offset
        is_like = (query.snapshot.path, query.snapshot.language, query.lines) == (
            self.query.snapshot.path,
            self.query.snapshot.language,
            self.query.lines,
        )
        if not is_like or self.spot.num_closed(text, offset) is None:
            return None
        start = next(self.spot.starts(text, offset, _MAX_TYPED_CHARS), None)
        return None if start is None else text[start:offset]

    def _leads_through(self, typed: str) -> bool:
        return continues(self._written[len(self._heal) :], typed)


class Underway:
    """At most one generation per document.  Belongs to one event loop."""

    def __init__(self) -> None:
        self._latest: dict[str, Generation] = {}
        self._tasks: set[asyncio.Task[Suggestion]] = set()

    def serving(self, query: Query) -> Generation | None:
        """The generation under way that may serve `query`, and does from now on."""
        generation = self._latest.get(query.snapshot.path)
        if generation is None or generation.is_over or not generation.may_serve(query):
            return None
        generation.serve(query)
        return generation

    def start(self, query: Query, work: Callable[[Generation], Awaitable[Suggestion]]) -> Generation:
        """A new one for `query`; the document's former is given up."""
        self.cancel(query.snapshot.path)
        generation = self._latest[query.snapshot.path] = Generation(query)
        task = generation.run(work)
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._ended(generation, task))
        return generation

    def changed(self, query: Query) -> None:
        """The document now has this text: what does not lead there is given up."""
        generation = self._latest.get(query.snapshot.path)
        if generation is not None and generation.is_left(query):
            self.cancel(query.snapshot.path)

    def cancel(self, path: str) -> None:
        generation = self._latest.pop(path, None)
        if generation is not None:
            generation.cancel()

    def keep_only(self, paths: Collection[str]) -> None:
        """The other documents were closed."""
        for path in [path for path in self._latest if path not in paths]:
            self.cancel(path)

    async def aclose(self) -> None:
        for path in list(self._latest):
            self.cancel(path)
        await asyncio.gather(*self._tasks, return_exceptions=True)  # whoever waits has been told

    def _ended(self, generation: Generation, task: asyncio.Task[Suggestion]) -> None:
        self._tasks.discard(task)
        path = generation.query.snapshot.path
        if self._latest.get(path) is generation:
            del self._latest[path]
        if not task.cancelled() and (failure := task.exception()) and not generation.num_waiting:
            logger.info("a generation that nobody waited for failed: %s", failure)


def _is_caller_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
