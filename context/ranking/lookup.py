"""The index as one question uses it: asked once for each thing, and of many of a name the likeliest.

Likeliest is what lies nearest: in the module that is imported, in the same folder, under the same
folders.  Tests, examples and documents do not define what others use.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

from ..facts import TYPE_KINDS, Definition, Import
from ..index.answers import Located
from ..index.reader import Reader
from .scene import Scene

FOLDER_STEMS = frozenset({"__init__", "index", "mod", "lib", "main"})
"""Modules that go by the name of their folder."""
_WORD = re.compile(r"\w+")
_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|__tests__|examples?|docs?(?:_src)?|bench(?:marks)?|fixtures|vendor)(?:/|$)"
)
_TEST_NAME = re.compile(r"(?:^|[/_.])(?:test|spec|conftest)s?[_.]|_test\.|Tests?\.\w+$")
_PLACEHOLDERS = frozenset({"crate", "super", "self", "github", "com", "org", "io", "www"})


class DeadlinePassed(Exception):  # noqa: N818  (not an error: what is ready is used)
    """The time given is over."""


@dataclass(frozen=True, slots=True)
class _Paths:
    all: tuple[str, ...]
    by_stem: Mapping[str, Sequence[str]]
    by_folder: Mapping[str, Sequence[str]]
    """By the last part of their folder's path."""
    listed_at: float


_listings: WeakKeyDictionary[Reader, _Paths] = WeakKeyDictionary()
_LISTING_S = 3.0


def _listed(reader: Reader) -> _Paths:
    found = _listings.get(reader)
    if found is None or time.monotonic() - found.listed_at > _LISTING_S:
        paths = tuple(entry.path for entry in reader.files())
        by_stem: dict[str, list[str]] = {}
        by_folder: dict[str, list[str]] = {}
        for path in paths:
            by_stem.setdefault(stem_of(path), []).append(path)
            by_folder.setdefault(path.rpartition("/")[0].rpartition("/")[2], []).append(path)
        _listings[reader] = found = _Paths(paths, by_stem, by_folder, time.monotonic())
    return found


class Lookup:
    """For one question.  Every method may raise `DeadlinePassed` and what `Reader` raises."""

    def __init__(self, reader: Reader, scene: Scene, deadline: float) -> None:
        """`deadline` by `time.perf_counter`."""
        self._reader = reader
        self._scene = scene
        self._deadline = deadline
        self._named: dict[str, tuple[Located, ...]] = {}
        self._members: dict[str, tuple[Located, ...]] = {}
        self._in: dict[str, tuple[Definition, ...]] = {}
        self._imports: dict[str, tuple[Import, ...]] = {}
        self._paths: _Paths | None = None
        self._modules: dict[tuple[str, int, str], tuple[str, ...]] = {}

    def check_time(self) -> None:
        if time.perf_counter() > self._deadline:
            raise DeadlinePassed

    def named(self, name: str) -> tuple[Located, ...]:
        """Definitions of this name, in the document (as `Scene` has it) and elsewhere."""
        found = self._named.get(name)
        if found is None:
            self.check_time()
            path = self._scene.path
            own = [Located(path, one) for one in self._scene.facts.definitions if one.name == name]
            others = [one for one in self._reader.definitions(name, 60) if one.path != path]
            self._named[name] = found = (*own, *others)
        return found

    def members(self, parent: str) -> tuple[Located, ...]:
        """What is defined inside types of this (own) name, in the document and elsewhere."""
        found = self._members.get(parent)
        if found is None:
            self.check_time()
            path = self._scene.path
            own = [
                Located(path, one)
                for one in self._scene.facts.definitions
                if one.parent and last_word(one.parent) == parent
            ]
            others = [one for one in self._reader.members(parent, 300) if one.path != path]
            self._members[parent] = found = (*own, *others)
        return found

    def definitions_in(self, path: str) -> tuple[Definition, ...]:
        if path == self._scene.path:
            return self._scene.facts.definitions
        found = self._in.get(path)
        if found is None:
            self.check_time()
            self._in[path] = found = self._reader.definitions_in(path)
        return found

    def imports(self, path: str) -> tuple[Import, ...]:
        if path == self._scene.path:
            return self._scene.facts.imports
        found = self._imports.get(path)
        if found is None:
            self.check_time()
            self._imports[path] = found = self._reader.imports(path)
        return found

    def heading(self, path: str, qualified_name: str) -> str:
        """The signature of a type, as far as it was come across; empty where it was not.  Asks nothing."""
        own = last_word(qualified_name)
        for one in (*self._named.get(own, ()), *self._seen_in(path, own)):
            if one.path == path and one.definition.kind in TYPE_KINDS:
                return one.definition.signature
        return ""

    def _seen_in(self, path: str, name: str) -> tuple[Located, ...]:
        return tuple(Located(path, one) for one in self._in.get(path, ()) if one.name == name)

    def search(self, names: Sequence[str], limit: int) -> tuple[str, ...]:
        """Paths of files with these names, best first, the document not among them."""
        self.check_time()
        hits = self._reader.search(names, limit + 1)
        return tuple(hit.path for hit in hits if hit.path != self._scene.path)[:limit]

    def shared_with(self, path: str, names: frozenset[str]) -> tuple[int, int]:
        """How many of `names` a file uses, and how many names it uses in all."""
        self.check_time()
        return self._reader.shared_uses(path, names)

    def paths(self) -> tuple[str, ...]:
        """Of all files, sorted."""
        return self._listing().all

    def _listing(self) -> _Paths:
        """Of all files.  As of a moment ago: they come and go seldom, and listing them takes long."""
        if self._paths is None:
            self.check_time()
            self._paths = _listed(self._reader)
        return self._paths

    def module_files(self, module: str, level: int, importer: str, limit: int = 40) -> tuple[str, ...]:
        """The files a module's name may mean: as many of its words as possible in the path, in order.

        Of a folder that is a package (Go, Java) all; else those that are the module themselves.
        """
        key = (module, level, importer)
        if key not in self._modules:
            self._modules[key] = self._module_files(module, level, importer, limit)
        return self._modules[key]

    def _module_files(self, module: str, level: int, importer: str, limit: int) -> tuple[str, ...]:
        by_stem = self._listing().by_stem
        words = [word for word in _WORD.findall(module) if word not in _PLACEHOLDERS]
        if not words:
            folder = _above(importer, max(0, level - 1))
            return tuple(
                path
                for path in by_stem.get(folder.rpartition("/")[2], ())
                if path.rpartition("/")[0] in (folder, folder.rpartition("/")[0])
            )[:1]
        last = words[-1]
        if importer.endswith(".go"):
            return self._package(words, importer)
        stems = {last, last.replace("-", "_"), "_" + last}
        found = [path for stem in sorted(stems) for path in by_stem.get(stem, ())]
        best = _best(found, words, importer)
        if best:
            return tuple(best[:3])
        if importer.endswith(".rs"):
            return ()
        package = self._listing().by_folder.get(last, ())
        return tuple(_best(package, words, importer)[:limit])

    def crate_root(self, importer: str) -> str:
        """Rust: the file of the crate's own module; empty where there is none."""
        roots = [path for path in self.paths() if path.endswith(("src/lib.rs", "src/main.rs"))]
        roots = [path for path in roots if importer.startswith(path.rpartition("/")[0] + "/")]
        return max(roots, key=lambda path: (len(path), path), default="")

    def _package(self, words: Sequence[str], importer: str) -> tuple[str, ...]:
        """Go: the files of a folder, its tests left out."""
        found = [path for path in self._listing().by_folder.get(words[-1], ()) if path.endswith(".go")]
        folders = {path.rpartition("/")[0] for path in found}
        best = _best([f"{folder}/{words[-1]}.go" for folder in folders], [*words, words[-1]], importer)[:1]
        chosen = best[0].rpartition("/")[0] if best else None
        return tuple(path for path in found if path.rpartition("/")[0] == chosen and not is_aside(path))

    def nearest(
        self, found: Iterable[Located], importer: str, words: Sequence[str] = ()
    ) -> tuple[Located, ...]:
        """Likeliest first.  `words`: of the module it is said to be from."""

        def rank(one: Located) -> tuple[float, str, int]:
            return (-nearness(one.path, importer, tuple(words)), one.path, one.definition.start)

        return tuple(sorted(found, key=rank))

    def types(self, name: str, importer: str, words: Sequence[str] = ()) -> tuple[Located, ...]:
        """Types, and aliases of types, of this name, likeliest first; at most two."""
        found = [
            one
            for one in self.named(name)
            if one.definition.kind in TYPE_KINDS or (one.definition.kind == "variable" and name[:1].isupper())
        ]
        if len(found) > 1:
            found = [one for one in found if one.definition.kind in TYPE_KINDS] or found
            found = list(self.nearest(found, importer, words))
            same = [one for one in found if one.path == importer]
            found = same or found
        return tuple(found[:2])


@lru_cache(maxsize=8192)
def nearness(path: str, importer: str, words: tuple[str, ...] = ()) -> float:
    """How likely a use in `importer` means what is defined in `path`; higher is likelier."""
    parts = _parts(path)
    score = 0.0
    at = len(parts)
    for word in reversed(words):
        if word in parts[:at]:
            at = parts.index(word)
            score += 2.0
    folders, own = path.split("/")[:-1], importer.split("/")[:-1]
    common = 0
    while common < min(len(folders), len(own)) and folders[common] == own[common]:
        common += 1
    score += 0.6 * common
    score += 1.0 if folders == own else -0.2 * (len(folders) - common)
    score -= 3.0 * (is_aside(path) and not is_aside(importer))
    return score


@lru_cache(maxsize=8192)
def is_aside(path: str) -> bool:
    """A test, an example, a document."""
    return _ASIDE.search(path) is not None or _TEST_NAME.search(path) is not None


@lru_cache(maxsize=8192)
def stem_of(path: str) -> str:
    """`rows` of `store/rows.py`, `store` of `store/__init__.py`."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return folder.rpartition("/")[2] if stem in FOLDER_STEMS and folder else stem


@lru_cache(maxsize=8192)
def _parts(path: str) -> tuple[str, ...]:
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    words = _WORD.findall(folder.replace("-", "_"))
    return (*words, *(() if stem in FOLDER_STEMS else (stem,)))


def last_word(text: str) -> str:
    """`Inner` of `Outer.Inner` or `*Inner`."""
    words = _WORD.findall(text)
    return words[-1] if words else text


def _best(paths: Iterable[str], words: Sequence[str], importer: str) -> list[str]:
    """Those that hold most of the words, in order; of these the nearest first."""
    normal = [word.replace("-", "_") for word in words]

    def fit(path: str) -> int:
        parts = [part.replace("-", "_") for part in _parts(path)]
        at, fits = len(parts), 0
        for word in reversed(normal):
            if word in parts[:at]:
                at = len(parts[:at]) - 1 - parts[:at][::-1].index(word)
                fits += 1
        return fits

    scored = [(fit(path), path) for path in paths]
    best = max((score for score, _ in scored), default=0)
    kept = [path for score, path in scored if score == best]
    return sorted(kept, key=lambda path: (is_aside(path), -nearness(path, importer), path))


def _above(path: str, levels: int) -> str:
    folder = path.rpartition("/")[0]
    for _ in range(levels):
        folder = folder.rpartition("/")[0]
    return folder
