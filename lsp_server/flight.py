"""Latest wins: at most one piece of work per document is wanted.

A newer flight for the same document cancels the older one, and nobody is left waiting for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Flights:
    """The work under way, by document.  Belongs to one event loop."""

    def __init__(self) -> None:
        self._latest: dict[str, asyncio.Task[Any]] = {}

    async def run(self, document: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """The result of `work()`, or None once a newer flight for `document` has superseded it.

        When the caller is cancelled so is the work, and `CancelledError` goes on to the caller.
        What `work` raises is raised here, superseded or not.
        """
        task = asyncio.ensure_future(work())
        self.cancel(document)
        self._latest[document] = task
        try:
            result = await task
        except asyncio.CancelledError:
            # Ours to swallow only if the work was cancelled and the one who waits for it was not.
            if _is_caller_cancelled() or self._latest.get(document) is task:
                raise
            return None
        else:
            return result if self._latest.get(document) is task else None
        finally:
            if self._latest.get(document) is task:
                del self._latest[document]

    def cancel(self, document: str) -> None:
        """Stop what is under way for `document`, if anything; its caller gets None."""
        older = self._latest.pop(document, None)
        if older is not None:
            older.cancel()


def _is_caller_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
