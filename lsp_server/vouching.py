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
from pathlib import Path
from typing import TYPE_CHECKING

from ..context.languages import find_language, language_of_path
from ..guard.errors import GuardError
from ..guard.licence.known import OwnCode
from ..guard.licence.policy import LicencePolicy
from ..guard.pipeline import Guard, default_guard
from ..guard.verdict import Action, Check, Judgement, Passage
from ..models.store import cache_root
from .grounds import Grounds
from .members import CheckedMembers
from .settings import GuardSettings

if TYPE_CHECKING:
    from ..context.index.watcher import Changes

logger = logging.getLogger(__name__)

_NUM_THREADS = 2
"""For judging: where one is late, the next suggestion does not wait for it."""
_SETTLE_S = 0.15
"""Without a change, after which a document is looked at."""

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

    def __init__(
        self, settings: GuardSettings, own_code: OwnCode | None = None, grounds: Grounds | None = None
    ) -> None:
        """`own_code`: the workspace, whose own code a suggestion may repeat.

        `grounds`: what there is to name; without it nobody asks whether names exist.
        """
        self.is_on = settings.enabled
        weak = Action.TRIM if settings.weak_copyleft == "withhold" else Action.ANNOTATE
        self._policy = LicencePolicy(weak_copyleft=weak)
        self._own_code = own_code
        self._grounds = grounds if settings.enabled else None
        self._deadline_ms = settings.deadline_ms or None
        self._warm: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._started: set[str] = set()
        self._preparing: dict[str, asyncio.TimerHandle] = {}
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
        if self._grounds is not None:
            for language, path in named:
                if language is not None and path not in self._started:
                    self._started.add(path)
                    self._thread.submit(self._grounds.start, language.name, path)
            self._started &= set(paths)

    def judge(self, passage: Passage) -> Judgement:
        """At once, on this thread: for what has been judged before and is so again at its new place."""
        if not self.is_on:
            return _unjudged(passage)
        guard = self._ours(_ready_for(passage), is_quick=True)
        return guard.judge(passage, self._deadline_ms)

    def settled(self, path: str, language: str, text: str) -> None:
        """The document is this, for a moment at least: names in it are looked at on a thread."""
        if self._grounds is None or not self._grounds.is_on:
            return
        if (waiting := self._preparing.pop(path, None)) is not None:
            waiting.cancel()
        loop = asyncio.get_running_loop()
        self._preparing[path] = loop.call_later(_SETTLE_S, self._prepare, self._grounds, path, language, text)

    def changed(self, root: Path, changes: Changes) -> None:
        """Files below `root` are not what they were.  From any thread."""
        if self._grounds is not None:
            self._grounds.changed(root, changes)

    async def looked_at(self, path: str, language: str, text: str) -> None:
        """As `settled`, and waited for."""
        if self._grounds is not None and self._grounds.is_on:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._grounds.prepare, language, path, text)

    def members(self, path: str, language: str) -> CheckedMembers | None:
        """For grounded decoding; None where nothing is known, or wanted."""
        return None if self._grounds is None else self._grounds.members(language, path, self._thread)

    async def judged(self, passage: Passage, without: Collection[str] = ()) -> Judgement:
        """On a thread.  When time is up, by the checks that have finished; the others make it unvouched.

        `without`: names of checks that do not apply.
        """
        if not self.is_on:
            return _unjudged(passage)
        loop = asyncio.get_running_loop()
        guard = await loop.run_in_executor(self._thread, lambda: self._ours(_ready_for(passage)))
        if without:
            guard = Guard([check for check in guard.checks if check.name not in without])
        judging = guard.judging(passage, self._deadline_ms)
        work = loop.run_in_executor(self._thread, judging.run)
        limit_s = None if self._deadline_ms is None else self._deadline_ms / 1000
        done, _ = await asyncio.wait({work}, timeout=limit_s)
        return work.result() if done else judging.so_far()

    def _ours(self, guard: Guard, *, is_quick: bool = False) -> Guard:
        """The same checks, by this person's settings and for their workspace.

        `is_quick`: of what has no answer yet little is asked.
        """
        from ..guard.licence.check import LicenceCheck

        checks: list[Check] = [
            one.under(self._policy, self._own_code) if isinstance(one, LicenceCheck) else one
            for one in guard.checks
        ]
        grounding = () if self._grounds is None else self._grounds.checks(is_quick=is_quick)
        return Guard([*checks, *grounding])

    def _prepare(self, grounds: Grounds, path: str, language: str, text: str) -> None:
        self._preparing.pop(path, None)
        self._thread.submit(grounds.prepare, language, path, text)

    async def aclose(self) -> None:
        for waiting in self._preparing.values():
            waiting.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)  # each has logged its failure
        if self._grounds is not None:
            await asyncio.to_thread(self._grounds.close)
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
