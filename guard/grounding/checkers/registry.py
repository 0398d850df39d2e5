"""Which checker a file has: one live process for each kind and project, a few at most.

The one that was used least lately makes room for a new one, and one that nobody asks for ten minutes
is ended: a checker holds a hundred megabytes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import CheckerError
from .checker import ShadowChecker
from .clang import clang_checker
from .go import go_checker
from .roots import KINDS, Kind, root_of
from .rust import rust_checker
from .ty import ty_checker
from .typescript import typescript_checker

logger = logging.getLogger(__name__)

MAX_ALIVE = 3
IDLE_S = 600.0
_FIND_AGAIN_S = 60.0
"""A checker that was not there is looked for again: it may have been installed meanwhile."""
_FOUND_BY_CHANCE: frozenset[Kind] = frozenset({"go", "rust", "clang"})
"""Whatever PATH has; one that cannot even be started (a proxy without a program behind it) counts as
absent.  The others are ours or were added: without them a text is unvouched."""


@dataclass(frozen=True, slots=True)
class PythonPlace:
    """What Python code of a project can import besides itself and the standard library."""

    environment: str | None = None
    """A folder, as `environment.python` of ty takes it."""
    search_paths: tuple[str, ...] = ()
    """Folders that come first: stubs."""
    version: str | None = None
    """`3.12`; None for that of the environment."""


PlaceOf = Callable[[str], PythonPlace]
"""By the root of a project."""
_Key = tuple[Kind, str]


def nowhere(root: str) -> PythonPlace:  # noqa: ARG001  # a PlaceOf
    return PythonPlace()


class Checkers:
    """Safe to call from several threads.

    `folder` holds the checkers that were added (`truepenny checkers add`).
    """

    def __init__(self, folder: Path, place_of: PlaceOf = nowhere, idle_s: float = IDLE_S) -> None:
        self._folder, self._place_of, self._idle_s = folder, place_of, idle_s
        self._alive: OrderedDict[_Key, ShadowChecker] = OrderedDict()
        self._absent: dict[_Key, tuple[float, str]] = {}
        self._change = threading.Condition()
        self._is_closed = self._is_watched = False

    def checker_for(self, language: str, path: str | None) -> ShadowChecker | None:
        """The live one for a file, made if need be; None where there is none: `why_none` says why.

        Raises CheckerError where one that comes with us is broken.
        """
        kind = KINDS.get(language)
        if kind is None or path is None or not Path(path).is_absolute():
            return None
        key = (kind, root_of(kind, path))
        with self._change:
            checker = self._alive.get(key)
            if checker is not None and checker.is_hopeless and kind in _FOUND_BY_CHANCE:
                self._absent[key] = (time.monotonic(), f"{checker.name} does not run: {checker.reason}")
                self._alive.pop(key).close()
                checker = None
            if checker is None and not self._is_closed and not self._was_absent(key):
                checker = self._make(key)
            if checker is not None:
                checker.used_at_s = time.monotonic()
                self._alive.move_to_end(key)
            return checker

    def why_none(self, language: str, path: str) -> str:
        """Why there is no checker for this file, with what to do; empty where there is one."""
        kind = KINDS.get(language)
        if kind is None:
            return f"there is no type checker for {language}"
        with self._change:
            return self._absent.get((kind, root_of(kind, path)), (0.0, ""))[1]

    def changed(self, paths: Iterable[str]) -> None:
        """These files are new, different or gone on the disk."""
        changed = list(paths)
        with self._change:
            alive = list(self._alive.items())
        for (_, root), checker in alive:
            if inside := [path for path in changed if Path(path).is_relative_to(root)]:
                checker.changed(inside)

    def forget(self) -> None:
        """Environments have changed: every checker is ended, and made anew when it is asked for."""
        with self._change:
            ended, self._alive = list(self._alive.values()), OrderedDict()
            self._absent.clear()
        for checker in ended:
            checker.close()

    @property
    def alive(self) -> tuple[ShadowChecker, ...]:
        with self._change:
            return tuple(self._alive.values())

    def close(self) -> None:
        with self._change:
            self._is_closed = True
            self._change.notify_all()
        self.forget()

    # With the lock held.

    def _was_absent(self, key: _Key) -> bool:
        since_s = self._absent.get(key, (0.0, ""))[0]
        return since_s > 0 and time.monotonic() - since_s < _FIND_AGAIN_S

    def _make(self, key: _Key) -> ShadowChecker | None:
        kind, root = key
        try:
            checker = self._made(kind, root)
        except CheckerError as error:
            if kind == "python":
                raise  # ours: that it is broken does not make a text sound
            if key not in self._absent:
                logger.info("%s: %s", root, error)
            self._absent[key] = (time.monotonic(), str(error))
            return None
        self._absent.pop(key, None)
        while len(self._alive) >= MAX_ALIVE:
            _, oldest = self._alive.popitem(last=False)
            oldest.close()
        self._alive[key] = checker
        if not self._is_watched:
            self._is_watched = True
            threading.Thread(target=self._watch, name="idle checkers", daemon=True).start()
        return checker

    def _made(self, kind: Kind, root: str) -> ShadowChecker:
        match kind:
            case "python":
                place = self._place_of(root)
                folder = self._folder / "ty"
                return ty_checker(root, place.environment, place.search_paths, place.version, folder)
            case "typescript":
                return typescript_checker(root, self._folder)
            case "go":
                return go_checker(root)
            case "rust":
                return rust_checker(root)
            case "clang":
                return clang_checker(root)

    # On a thread of its own.

    def _watch(self) -> None:
        """Ends what is idle; itself when nothing is alive."""
        while True:
            with self._change:
                self._change.wait(max(self._idle_s / 4, 0.01))
                since_s = time.monotonic() - self._idle_s
                idle = [key for key, one in self._alive.items() if one.used_at_s < since_s]
                ended = [self._alive.pop(key) for key in idle]
                if not self._alive or self._is_closed:
                    self._is_watched = False
                is_over = not self._is_watched
            for checker in ended:
                checker.close()
            if is_over:
                return
