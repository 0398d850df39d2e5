"""The guard as the server uses it: made in the background, and warm for the languages that are open.

Rules and indexes are read once for all assistants of a process.  Whoever judges before that is done
waits for it: nothing is shown unjudged.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection

from ..context.languages import language_of_path
from ..guard.errors import GuardError
from ..guard.pipeline import Guard, default_guard
from ..guard.verdict import Action, Judgement, Passage
from ..models.store import cache_root

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_made: dict[str, Guard] = {}
"""By cache folder, where the person's own indexes of licensed code are."""


def the_guard() -> Guard:
    """Of this process; made when first asked for, which takes up to a second."""
    with _lock:
        key = str(cache_root())
        if key not in _made:
            from ..guard.licence.sources.packages import SEED_INDEX
            from ..guard.licence.sources.shelf import Shelf

            shipped = [SEED_INDEX] if SEED_INDEX.exists() else []
            _made[key] = default_guard([*shipped, *Shelf(cache_root() / "licences").paths()])
        return _made[key]


class Vouching:
    """Of one assistant.  Belongs to its event loop."""

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self._warm: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, paths: Collection[str]) -> None:
        """These documents are open: what judging their languages needs is read in the background."""
        named = [(language_of_path(path), path) for path in paths]
        wanted = {language.name: path for language, path in named if language is not None}
        for name, path in wanted.items():
            if self.is_on and name not in self._warm:
                self._warm.add(name)
                task = asyncio.ensure_future(asyncio.to_thread(_warm_up, name, path))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def judge(self, passage: Passage, deadline_ms: float | None = None) -> Judgement:
        if not self.is_on:
            return Judgement(passage.suggestion, Action.PASS, (), vouched=False, ms=0.0)
        return the_guard().judge(passage, deadline_ms)

    async def aclose(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)  # each has logged its failure


def _warm_up(language: str, path: str) -> None:
    try:
        the_guard().warm(language, path)
    except GuardError:
        logger.exception("the rules for %s cannot be read", language)
