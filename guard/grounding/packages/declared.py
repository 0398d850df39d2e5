"""What the projects around a file declare: manifests and lock files from its folder up to the root.

A file that cannot be read as what it is called is named in the log and counts as empty.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import manifests_python, manifests_web
from .known import Registry

log = logging.getLogger(__name__)

MAX_MANIFEST_BYTES = 30_000_000
MAX_INCLUDED = 50
FRESH_S = 2.0
"""For so long a file is not looked at again."""

Names = dict[str, bool]


@dataclass(frozen=True, slots=True)
class Declared:
    """Of the folders from a file's up to the root."""

    names: Names
    """As registries spell them, and whether each is needed always."""
    own: frozenset[str]
    """The names of the projects themselves."""


class Manifests:
    """Of one workspace.  Safe to call from several threads; reads a file again when it has changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._files: dict[tuple[Path, Registry], tuple[tuple[int, int], Names, str]] = {}
        self._folders: dict[tuple[Path, Registry], tuple[float, Declared]] = {}

    def declared(self, folder: Path, registry: Registry) -> Declared:
        """`folder` absolute; of one outside the root, the root's."""
        key = (folder, registry)
        now = time.monotonic()
        with self._lock:
            held = self._folders.get(key)
            if held is not None and now - held[0] < FRESH_S:
                return held[1]
            names: Names = {}
            own: set[str] = set()
            for place in self._up(folder):
                for path in _manifests(place, registry):
                    more, name = self._read(path, registry)
                    for one, always in more.items():
                        names[one] = names.get(one, False) or always
                    own |= {name} if name else set()
            found = Declared(names, frozenset(own))
            self._folders[key] = (now, found)
            return found

    def _up(self, folder: Path) -> Iterator[Path]:
        if folder != self.root and self.root in folder.parents:
            yield folder
            yield from (one for one in folder.parents if one != self.root and self.root in one.parents)
        yield self.root

    def _read(self, path: Path, registry: Registry) -> tuple[Names, str]:
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            held = self._files.get((path, registry))
            if held is not None and held[0] == stamp:
                return held[1], held[2]
            if status.st_size > MAX_MANIFEST_BYTES:
                log.warning("%s has more than %d bytes and is not read", path, MAX_MANIFEST_BYTES)
                return {}, ""
            text = path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            log.warning("%s cannot be read (%s): what it declares is not known", path, error.strerror)
            return {}, ""
        names: Names = {}
        own = ""
        try:
            if registry == "npm":
                names = manifests_web.READERS[path.name](text)
                own = manifests_web.own_name(text) if path.name == "package.json" else ""
            elif path.name in manifests_python.READERS:
                names = manifests_python.READERS[path.name](text)
                own = manifests_python.own_name(text) if path.name == "pyproject.toml" else ""
            else:
                names = self._requirements(path, text)
        except ValueError as error:
            log.warning("%s: %s: what it declares is not known", path, error)
        self._files[path, registry] = (stamp, names, own)
        return names, own

    def _requirements(self, path: Path, text: str) -> Names:
        """With what it includes, below the root alone."""
        names: Names = {}
        pending, seen = [(path, text)], {path}
        while pending:
            place, text = pending.pop()
            names = {**manifests_python.read_requirements(text), **names}
            for one in manifests_python.included(text):
                other = (place.parent / one).resolve()
                if other in seen or len(seen) >= MAX_INCLUDED or self.root.resolve() not in other.parents:
                    continue
                seen.add(other)
                try:
                    pending.append((other, other.read_text(encoding="utf-8-sig", errors="replace")))
                except OSError as error:
                    log.warning("%s, which %s includes, cannot be read (%s)", other, place, error.strerror)
        return names


def _manifests(folder: Path, registry: Registry) -> list[Path]:
    readers: dict[str, Callable[[str], Names]]
    readers = manifests_web.READERS if registry == "npm" else manifests_python.READERS
    found = [folder / name for name in readers if (folder / name).is_file()]
    if registry == "pypi":
        try:
            found += sorted(one for one in folder.glob("*requirements*.txt") if one.is_file())
            found += sorted(one for one in folder.glob("requirements/*.txt") if one.is_file())
        except OSError as error:
            log.warning("%s cannot be listed: %s", folder, error)
    return found
