"""The answers: is a name defined anywhere that a file could mean?

What is installed is read in the background and mapped; the workspace itself is asked of its index,
which knows the open buffers too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from ....context.errors import IndexUnavailableError
from ....context.index.reader import Reader
from ....context.languages import language_of_path
from .building import Built
from .errors import VocabularyError
from .parts import Family, Sources, has_web_library
from .process import Building
from .table import Table

log = logging.getLogger(__name__)

_FAMILIES: dict[str, Family] = {
    "python": "python",
    "javascript": "web",
    "typescript": "web",
    "typescriptreact": "web",
}


def family_of(path: str) -> Family | None:
    """`None` for a language whose packages we do not read."""
    language = language_of_path(path)
    return _FAMILIES.get(language.name) if language else None


def names_of(reader: Reader) -> Callable[[str], bool]:
    """Whether the index of a workspace has a definition, or a use, of a name.

    A use counts: what stands in the workspace's own code is not an invention of the suggestion.
    """
    return lambda name: bool(reader.definitions(name, 1) or reader.references(name, 1))


class BackgroundVocabulary:
    """`start` it, ask it, `close` it.  One per workspace."""

    def __init__(
        self,
        sources: Sources,
        cache: Path,
        in_workspace: Callable[[str], bool],
        not_installed: Callable[[str], Collection[str]] = lambda _path: (),
    ) -> None:
        """`cache`: our own folder, made if need be.

        `in_workspace` says whether the workspace itself defines or uses a name, and may raise
        IndexUnavailableError; `not_installed` what a file's project declares and has not installed.
        """
        self._sources = sources
        self._cache = cache
        self._in_workspace = in_workspace
        self._not_installed = not_installed
        self._lock = threading.Lock()
        self._tables: dict[Family, Table] = {}
        self._reports: dict[Family, Built] = {}
        self._building: dict[Family, Building] = {}
        self._threads: dict[Family, threading.Thread] = {}
        self._is_closed = False

    def start(self, family: Family) -> None:
        """Begins to read what is installed, or looks whether that has changed; returns at once."""
        with self._lock:
            running = self._threads.get(family)
            if self._is_closed or (running is not None and running.is_alive()):
                return
            thread = threading.Thread(target=self._run, args=(family,), name=f"names-{family}", daemon=True)
            self._threads[family] = thread
            thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether nothing is being read any more."""
        for thread in list(self._threads.values()):
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads.values())

    def close(self) -> None:
        """What has been read so far stays in the cache."""
        with self._lock:
            self._is_closed = True
            for one in self._building.values():
                one.cancel()
        self.wait()

    def report(self, family: Family) -> Built | None:
        """What the last build came to; `None` before it is through."""
        return self._reports.get(family)

    def knows(self, name: str, path: str) -> bool | None:
        """See `Vocabulary`.  Also `None` where the workspace's index cannot be asked."""
        family = family_of(path)
        table = self._tables.get(family) if family else None
        name = name.removeprefix("#")  # JavaScript's private members
        if table is not None and name in table:
            return True
        try:
            if self._in_workspace(name):
                return True
        except IndexUnavailableError as error:
            log.warning("names of the workspace are not known: %s", error)
            return None
        return False if table is not None or family is None else None

    def is_complete(self, path: str) -> bool:
        """See `Vocabulary`.  Of languages whose packages we do not read it is never true."""
        family = family_of(path)
        if family is None or family not in self._tables:
            return False
        if family == "python":
            has_all = bool(self._sources.python)
        else:
            has_all = bool(self._sources.web) and has_web_library(self._sources)
        return has_all and not self._not_installed(path)

    def _run(self, family: Family) -> None:
        try:
            with self._lock:
                if self._is_closed:
                    return
                building = self._building[family] = Building(self._sources, family, self._cache)
            built = building.wait()
            table = Table.open(built.path)
        except VocabularyError as error:
            if not self._is_closed:
                log.warning("%s: names of what is installed are not known", error)
            return
        with self._lock:
            self._building.pop(family, None)
            self._tables[family] = table
            self._reports[family] = built
