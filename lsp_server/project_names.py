"""Every name that a project could mean: what its workspace has, and what is installed for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..context.errors import ContextError
from ..context.languages import language_of_path
from .prompting.gathering import Source

if TYPE_CHECKING:
    from ..guard.grounding.assembly import PackagesByProject
    from ..guard.grounding.vocabulary.vocabulary import BackgroundVocabulary

logger = logging.getLogger(__name__)


class WorkspaceNames(Protocol):
    """The names of a workspace's own files."""

    def has(self, name: str) -> bool:
        """Is it defined or used there?"""
        ...

    def is_read(self) -> bool:
        """Has all of the workspace been seen?  Before that a no says nothing."""
        ...


class IndexedNames:
    """Of the index of the folder that is open, if there is one; open buffers are in it."""

    def __init__(self, source: Callable[[], Source | None]) -> None:
        self._source = source

    def has(self, name: str) -> bool:
        source = self._source()
        if source is None:
            return False
        reader = source.reader
        return bool(reader.definitions(name, 1) or reader.references(name, 1))

    def is_read(self) -> bool:
        source = self._source()
        try:
            return source is not None and source.reader.is_complete()
        except ContextError as error:
            logger.debug("names of the workspace are not known: %s", error)
            return False


class ProjectNames:
    """`Vocabulary` for every project there is; what is installed is read once a file of it is open."""

    def __init__(
        self,
        cache: Path,
        packages: PackagesByProject,
        workspace: WorkspaceNames,
        otherwise: Path | None = None,
    ) -> None:
        """`otherwise`: the environment of projects that have none of their own."""
        self._cache = cache
        self._packages = packages
        self._workspace = workspace
        self._otherwise = otherwise
        self._lock = threading.Lock()
        self._projects: dict[str, BackgroundVocabulary] = {}

    def start(self, path: str) -> None:
        """Begins to read what the project of a file has installed."""
        from ..guard.grounding.vocabulary.vocabulary import family_of

        family = family_of(path)
        if family is not None and (project := self._of(path)) is not None and project.report(family) is None:
            project.start(family)

    def wait(self, path: str, timeout_s: float) -> None:
        """Until what is installed has been read, and no longer than that."""
        project = self._of(path)
        if project is not None:
            project.wait(timeout_s)

    def knows(self, name: str, path: str) -> bool | None:
        """As `Vocabulary` says.  Nothing is known before the workspace itself has been read."""
        project = self._of(path)
        if project is None:
            return None
        if project.knows(name, path):
            return True
        return False if self._workspace.is_read() else None

    def is_complete(self, path: str) -> bool:
        """As `Vocabulary` says."""
        project = self._of(path)
        return project is not None and self._workspace.is_read() and project.is_complete(path)

    def close(self) -> None:
        with self._lock:
            projects, self._projects = list(self._projects.values()), {}
        for one in projects:
            one.close()

    def _of(self, path: str) -> BackgroundVocabulary | None:
        from ..guard.grounding.checkers.roots import KINDS, root_of
        from ..guard.grounding.checkers.typescript import library
        from ..guard.grounding.environment import find_environment
        from ..guard.grounding.vocabulary.sources import sources_of
        from ..guard.grounding.vocabulary.vocabulary import BackgroundVocabulary

        language = language_of_path(path)
        kind = KINDS.get(language.name) if language is not None else None
        if kind not in ("python", "typescript") or not Path(path).is_absolute():
            return None
        root = root_of(kind, path)
        with self._lock:
            if root not in self._projects:
                environment = find_environment(path, Path(root), otherwise=self._otherwise)
                self._projects[root] = BackgroundVocabulary(
                    sources_of(environment, Path(root), library(self._cache / "checkers", root)),
                    self._cache / "names",
                    self._workspace.has,
                    lambda path: self._packages.of(path).not_installed(path),
                )
            return self._projects[root]
