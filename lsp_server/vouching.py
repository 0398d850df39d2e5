"""The guard as the server uses it: made in the background, and warm for the languages that are open.

Rules and indexes are read once for all assistants of a process.  Whoever judges before that is done
waits for it: nothing is shown unjudged.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from ..context.languages import find_language, language_of_path
from ..guard.errors import GuardError
from ..guard.licence.known import OwnCode
from ..guard.licence.policy import LicencePolicy
from ..guard.pipeline import Guard, default_guard
from ..guard.verdict import Action, Judgement, Passage
from ..models.store import cache_root
from .settings import GuardSettings

logger = logging.getLogger(__name__)

_NUM_THREADS = 2
"""For judging: where one is late, the next suggestion does not wait for it."""

_lock = threading.Lock()
_warming = threading.Lock()
_made: dict[str, Guard] = {}
"""By cache folder, where the person's own indexes of licensed code are."""


def the_guard() -> Guard:
    """Of this process; made when first asked for, which takes up to a second."""
    with _lock:
        key = str(cache_root())
        if key not in _made:
            from ..guard.licence.sources.packages import SEED_INDEX
            from ..guard.licence.sources.shelf import Shelf

            _made[key] = default_guard([SEED_INDEX, *Shelf(cache_root() / "licences").paths()])
        return _made[key]


class Vouching:
    """Of one assistant.  Belongs to its event loop."""

    def __init__(self, settings: GuardSettings, own_code: OwnCode | None = None) -> None:
        """`own_code`: the workspace, whose own code a suggestion may repeat."""
        self.is_on = settings.enabled
        weak = Action.TRIM if settings.weak_copyleft == "withhold" else Action.ANNOTATE
        self._policy = LicencePolicy(weak_copyleft=weak)
        self._own_code = own_code
        self._deadline_ms = settings.deadline_ms or None
        self._warm: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(max_workers=_NUM_THREADS, thread_name_prefix="guard")

    async def warm_up(self) -> None:
        """Have the guard made, so that the first suggestion finds it ready."""
        if self.is_on:
            await asyncio.to_thread(the_guard)

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

    def judge(self, passage: Passage) -> Judgement:
        """At once, on this thread: for what has been judged before and is so again at its new place."""
        if not self.is_on:
            return _unjudged(passage)
        return self._ours(_ready_for(passage)).judge(passage, self._deadline_ms)

    async def judged(self, passage: Passage, without: Collection[str] = ()) -> Judgement:
        """On a thread.  When time is up, by the checks that have finished; the others make it unvouched.

        `without`: names of checks that do not apply.
        """
        if not self.is_on:
            return _unjudged(passage)
        loop = asyncio.get_running_loop()
        guard = self._ours(await loop.run_in_executor(self._thread, _ready_for, passage))
        if without:
            guard = Guard([check for check in guard.checks if check.name not in without])
        judging = guard.judging(passage, self._deadline_ms)
        work = loop.run_in_executor(self._thread, judging.run)
        limit_s = None if self._deadline_ms is None else self._deadline_ms / 1000
        done, _ = await asyncio.wait({work}, timeout=limit_s)
        return work.result() if done else judging.so_far()

    def _ours(self, guard: Guard) -> Guard:
        """The same checks, by this person's settings and for their workspace."""
        from ..guard.licence.check import LicenceCheck

        return Guard(
            [
                one.under(self._policy, self._own_code) if isinstance(one, LicenceCheck) else one
                for one in guard.checks
            ]
        )

    async def aclose(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)  # each has logged its failure
        self._thread.shutdown(wait=False, cancel_futures=True)


def _unjudged(passage: Passage) -> Judgement:
    return Judgement(passage.suggestion, Action.PASS, (), vouched=False, ms=0.0)


def _ready_for(passage: Passage) -> Guard:
    """With all that is read once for a language read: that is nobody's time."""
    guard, language = the_guard(), find_language(passage.language, passage.path)
    if language is not None:
        try:
            with _warming:
                guard.warm(language.name, passage.path)
        except GuardError as error:  # the check says so itself, where it judges
            logger.debug("the rules for %s cannot be read: %s", language.name, error)
    return guard


def _warm_up(language: str, path: str) -> None:
    try:
        with _warming:
            the_guard().warm(language, path)
    except GuardError:
        logger.exception("the rules for %s cannot be read", language)
