"""Puts the parts together: one check for all workspaces of a process.

Checkers, environments, stubs and packages belong to projects and are found by the path of a file, when
it is first asked for.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path

from .check import DEADLINE_S, CheckerFor, GroundingCheck
from .checkers.registry import Checkers, PlaceOf, PythonPlace
from .checkers.roots import root_of
from .environment import Environment, find_environment
from .knowledge import Packages, Source, Standing, Vocabulary
from .modules import ProjectModules
from .packages.known import Registry
from .packages.standing import Installation, KnownPackages
from .stubs import stub_folder

log = logging.getLogger(__name__)


def grounding_check(
    cache: Path,
    *,
    vocabulary: Vocabulary | None = None,
    packages: Packages | None = None,
    checkers: Checkers | None = None,
    checker_for: CheckerFor | None = None,
    deadline_s: float = DEADLINE_S,
    otherwise: Path | None = None,
) -> GroundingCheck:
    """The check as the guard uses it; `cache` is our own folder, made if need be.

    Checkers start when a file of their language is warmed or judged; `checker_for` is asked for them
    instead, where it is given.  Without a vocabulary, members of what has no type are not judged.
    `otherwise` is the environment of projects that have none of their own.  Close what is passed in, or
    `GroundingCheck.close` what is not.
    """
    running = checkers or Checkers(cache / "checkers", python_place(cache, otherwise))
    known = packages or PackagesByProject(cache, otherwise)
    return GroundingCheck(
        checker_for or running.checker_for,
        vocabulary=vocabulary,
        packages=known,
        modules=ProjectModules(_Environments(otherwise).of),
        deadline_s=deadline_s,
        close=running.close,
    )


def python_place(cache: Path, otherwise: Path | None = None) -> PlaceOf:
    """Where code of a project finds its modules, and the stubs that are of use there.

    `otherwise`: the environment of projects that have none of their own.
    """

    def place(root: str) -> PythonPlace:
        environment = find_environment("", Path(root), otherwise=otherwise)
        log.info("%s: %s", root, environment.why)
        paths = [str(path) for path in environment.extra_paths]
        try:
            stubs = stub_folder(cache, environment)
        except OSError as error:
            log.warning("stubs cannot be laid out in %s: %s", cache, error)
            stubs = None
        if stubs is not None:
            paths.insert(0, str(stubs))
        folder = None if environment.python is None else str(environment.python)
        return PythonPlace(folder, tuple(paths), environment.version or None)

    return place


class PackagesByProject:
    """`Packages` for every project there is; each is read when a file of it is asked about."""

    def __init__(self, cache: Path, otherwise: Path | None = None) -> None:
        """`otherwise`: as of `python_place`."""
        self._filters = cache / "packages"
        self._otherwise = otherwise
        self._without: set[str] = set()
        self._lock = threading.Lock()
        self._known: dict[str, KnownPackages] = {}

    def standing(self, module: str, path: str) -> Standing:
        known = self.of(path)
        found = known.standing(module, path)
        if found.source is Source.UNKNOWN and path.endswith((".py", ".pyi")) and self._has_none(path):
            # Nobody can tell what is not installed: it is not there, as far as we see, and no more.
            return replace(found, source=Source.PUBLISHED)
        return found

    def _has_none(self, path: str) -> bool:
        """Whether no environment is known for the project of a file."""
        return root_of("python", path) in self._without

    def standing_of_package(self, name: str, registry: Registry, path: str = "") -> Standing:
        """As `KnownPackages` says, of the project that `path` is in."""
        return self.of(path).standing_of_package(name, registry, path)

    def of(self, path: str) -> KnownPackages:
        """Those of the project that `path` is in."""
        kind = "typescript" if path.endswith((".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs")) else "python"
        root = root_of(kind, path)
        with self._lock:
            if root not in self._known:
                environment = find_environment(path, Path(root), otherwise=self._otherwise)
                if environment.python is None:
                    self._without.add(root)
                self._known[root] = KnownPackages(Path(root), _installation(environment), self._filters)
            return self._known[root]


class _Environments:
    """Found once for each project."""

    def __init__(self, otherwise: Path | None) -> None:
        self._otherwise = otherwise
        self._lock = threading.Lock()
        self._known: dict[str, Environment] = {}

    def of(self, path: str) -> tuple[Path, Environment]:
        root = root_of("python", path)
        with self._lock:
            if root not in self._known:
                self._known[root] = find_environment(path, Path(root), otherwise=self._otherwise)
            return Path(root), self._known[root]


def _installation(environment: Environment) -> Installation:
    major, _, minor = environment.version.partition(".")
    version = (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None
    return Installation(environment.site_packages, version)
