"""The licence indexes of this machine: one file per source, in a folder of the cache.

    <root>/NAME.tplx      an index, as `IndexWriter` makes it; NAME is the project's, folded
    <root>/build/         what `licences build` has fetched so far

One file per source makes removing one simple; all of them are searched together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..index import LicenceIndex
from ..writer import IndexStats, IndexWriter
from .errors import SourceError
from .files import SourceFile
from .recognise import UNKNOWN

SUFFIX = ".tplx"
BUILT = "copyleft-packages"
"""The source that `licences build` makes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One source on the shelf, for a person."""

    name: str
    path: Path
    projects: tuple[tuple[str, str], ...]
    """(name, version)."""
    licences: tuple[tuple[str, int], ...]
    """(SPDX expression or `unknown`, files), most first."""
    num_files: int
    num_lines: int
    num_bytes: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder.  It need not exist."""

    root: Path

    def paths(self) -> list[Path]:
        """The index files, by name."""
        return sorted(self.root.glob(f"*{SUFFIX}")) if self.root.is_dir() else []

    def path_of(self, name: str) -> Path:
        return self.root / (folded_name(name) + SUFFIX)

    def add(self, name: str, version: str, url: str, files: Iterable[SourceFile]) -> IndexStats:
        """Make the index of a source, in place of an older one of that name.

        Raises:
            SourceError: nothing in it can be copied from; an older index stays.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with IndexWriter(self.path_of(name)) as writer:
            if not put(writer, name, version, url, files):
                raise SourceError(
                    f"{name} has no source code of a known language: name the folder that holds it"
                )
            return writer.finish()

    def remove(self, name: str) -> int:
        """Bytes removed.

        Raises:
            SourceError: there is none of that name.
        """
        path = self.path_of(name)
        if not path.is_file():
            there = ", ".join(one.stem for one in self.paths()) or "nothing has been added yet"
            raise SourceError(
                f"no source is called {name}: there are {there}"
                if self.paths()
                else f"no source is called {name}: {there}"
            )
        num_bytes = path.stat().st_size
        path.unlink()
        return num_bytes

    def entry(self, path: Path) -> Entry:
        """Raises `LicenceIndexError` where the file is no sound index."""
        return entry_of(path)


def entry_of(path: Path) -> Entry:
    """What is in an index file, on the shelf or elsewhere."""
    index = LicenceIndex.open(path)
    try:
        files = index.files()
        licences = Counter(one.licence or UNKNOWN for one in files)
        return Entry(
            path.stem,
            path,
            tuple(sorted({(one.project, one.version) for one in files})),
            tuple(sorted(licences.items(), key=lambda each: (-each[1], each[0]))),
            len(files),
            sum(one.lines for one in files),
            path.stat().st_size,
        )
    finally:
        index.close()


def put(writer: IndexWriter, name: str, version: str, url: str, files: Iterable[SourceFile]) -> int:
    """Files added.  An address that ends in a slash is a folder's: each file has its own below it."""
    num_added = 0
    for file in files:
        licence = "" if file.licence == UNKNOWN else file.licence
        address = url + file.path if url.endswith("/") and "sources.debian.org" in url else url
        num_added += writer.add(name, version, file.path, licence, address, file.text)
    return num_added


def folded_name(name: str) -> str:
    """As a file name on every system: `Foo.Bar` and `foo-bar` are one."""
    folded = re.sub(r"[^a-z0-9+]+", "-", name.lower()).strip("-")
    if not folded:
        raise SourceError(f"{name!r} cannot name a source: give one with --name")
    return folded[:100]
