"""What suggestions are grounded in: type checkers, installed names and packages of the open projects.

Of one assistant.  All of it comes up in the background, when the first file of a project is opened.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from ..guard.errors import CheckerError, CheckError
from ..guard.verdict import Check
from ..models.store import cache_root
from .members import CheckedMembers
from .project_names import IndexedNames, ProjectNames
from .prompting.gathering import Source
from .settings import GroundingSettings

if TYPE_CHECKING:
    from ..context.index.watcher import Changes
    from ..guard.grounding.check import GroundingCheck
    from ..guard.grounding.checkers.checker import ShadowChecker
    from ..guard.grounding.checkers.registry import Checkers

logger = logging.getLogger(__name__)

PREPARE_S = 5.0
"""Until a checker is there for a document that was opened; nobody waits for it."""
JUDGE_S = 2.0
"""For one judgement on a thread, which is waited for as long as `guard.deadline_ms` says."""
QUICK_S = 0.04
"""For one judgement that the event loop waits for; most are of texts that were judged before."""


class Grounds:
    """Safe to call from several threads."""

    def __init__(self, settings: GroundingSettings, source: Callable[[], Source | None]) -> None:
        """`source`: the index of the folder that is open, if there is one."""
        self.is_on = settings.enabled
        self._decodes = settings.enabled and settings.decode
        self._source = source
        self._lock = threading.Lock()
        self._made: _Made | None = None
        self._is_closed = False

    def checks(self, *, is_quick: bool = False) -> tuple[Check, ...]:
        """None of them where they are switched off.  `is_quick`: what takes longer is left unvouched."""
        made = self._make()
        if made is None:
            return ()
        return (made.install, made.quick_check if is_quick else made.check)

    def start(self, language: str, path: str) -> None:
        """A file is open: what is needed for it comes up."""
        made = self._make()
        if made is not None and Path(path).parent.is_dir():
            made.checkers.checker_for(language, path)
            made.names.start(path)

    def prepare(self, language: str, path: str, text: str) -> None:
        """This is how the document stands: what is wrong with it is not the next suggestion's."""
        made = self._make()
        if made is None or not Path(path).parent.is_dir():
            return
        checker = made.checkers.checker_for(language, path)
        try:
            if checker is not None:
                checker.wait(PREPARE_S)
            made.check.prepare(language, path, text)
        except CheckError as error:
            logger.debug("%s is not checked ahead: %s", path, error)

    def changed(self, root: Path, changes: Changes) -> None:
        """Files below `root` are not what they were: what checkers know of them is old."""
        made = self._made
        if made is None:
            return
        if changes.rescan:  # nobody knows how much: begin anew
            made.checkers.forget()
        else:
            made.checkers.changed(str(root / path) for path in changes.paths)

    def members(self, language: str, path: str, executor: Executor) -> CheckedMembers | None:
        """For grounded decoding in one document; None where there is no checker, or nobody wants it."""
        made = self._made
        if made is None or not self._decodes or not Path(path).parent.is_dir():
            return None
        checker = made.checkers.checker_for(language, path)
        return None if checker is None else CheckedMembers(checker, path, executor)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            made, self._made = self._made, None
        if made is not None:
            made.names.close()
            made.checkers.close()

    def _make(self) -> _Made | None:
        with self._lock:
            if self._made is None and self.is_on and not self._is_closed:
                self._made = _Made(self._source)
            return self._made


class _Made:
    """Imports take a while, so that all this is made on a thread."""

    def __init__(self, source: Callable[[], Source | None]) -> None:
        from ..guard.grounding.assembly import PackagesByProject, grounding_check, python_place
        from ..guard.grounding.checkers.registry import Checkers
        from ..guard.grounding.environment import active_environment
        from ..guard.grounding.install import InstallCheck

        cache, active = cache_root(), active_environment()
        self.checkers: Checkers = Checkers(cache / "checkers", python_place(cache, active))
        packages = PackagesByProject(cache, active)
        self.names = ProjectNames(cache, packages, IndexedNames(source), active)

        def check(deadline_s: float) -> GroundingCheck:
            return grounding_check(
                cache,
                vocabulary=self.names,
                packages=packages,
                checkers=self.checkers,
                checker_for=self.ready_checker,
                deadline_s=deadline_s,
                otherwise=active,
            )

        self.check, self.quick_check = check(JUDGE_S), check(QUICK_S)
        self.install = InstallCheck(packages)

    def ready_checker(self, language: str, path: str) -> ShadowChecker | None:
        """Raises CheckError while it is starting: nobody who types waits for that.

        None too for a document that has no place on the disk yet.
        """
        if not Path(path).parent.is_dir():
            return None
        checker = self.checkers.checker_for(language, path)
        if checker is not None and not checker.wait(0.0):
            raise CheckerError(f"{checker.name} is starting")
        return checker
