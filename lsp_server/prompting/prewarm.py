"""Work for the next request, done while nobody asks for anything.

At most one piece per document: a later one takes the place of an earlier one, and a request puts an end
to it at once.  What it has computed by then stays in the engine's cache.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

SETTLE_S = 0.25
"""After a change that nobody asks about: more of the same may follow."""
IDLE_S = 0.35
"""After an answer: a person who types on has typed by then."""

Work = Callable[[], Awaitable[None]]


class Prewarmer:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def later(self, document: str, delay_s: float, work: Work) -> None:
        """Run `work` after `delay_s`, unless something happens to `document` before."""
        self.cancel(document)
        task = asyncio.ensure_future(_after(delay_s, work, document))
        self._tasks[document] = task
        task.add_done_callback(lambda _: self._forget(document, task))

    def cancel(self, document: str) -> None:
        if task := self._tasks.pop(document, None):
            task.cancel()

    def keep_only(self, documents: set[str]) -> None:
        """The others were closed."""
        for document in [name for name in self._tasks if name not in documents]:
            self.cancel(document)

    @property
    def is_busy(self) -> bool:
        return bool(self._tasks)

    async def aclose(self) -> None:
        tasks = list(self._tasks.values())
        for document in list(self._tasks):
            self.cancel(document)
        await asyncio.gather(*tasks, return_exceptions=True)  # each has logged its failure

    def _forget(self, document: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(document) is task:
            del self._tasks[document]


async def _after(delay_s: float, work: Work, document: str) -> None:
    await asyncio.sleep(delay_s)
    try:
        await work()
    except Exception:
        logger.exception("pre-warming %s failed", document)
