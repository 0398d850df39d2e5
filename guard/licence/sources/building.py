"""An index of a whole list of packages: the seed that ships, and what `licences build` makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..writer import IndexStats, IndexWriter
from .collect import Choice, Project
from .debian_source import collect_debian
from .errors import FetchError, SourceError
from .files import SourceFile
from .locate import collect_archive
from .packages import Package
from .shelf import put

MAX_SEED_BYTES = 2_097_152
MAX_BUILT_LINES = 5_600_000
"""What fits into 40 MB.  A list begins with what matters most."""


class Progress(Protocol):
    """As of `truepenny pull`: bytes of a phase."""

    def start(self, total_bytes: int, what: str) -> None: ...

    def advance(self, done_bytes: int) -> None: ...


class Fetch(Protocol):
    """Brings one package, verified; `FetchError` where it cannot be had."""

    def fetch(self, package: Package) -> Path: ...


@dataclass(frozen=True, slots=True)
class Built:
    stats: IndexStats
    missing: tuple[tuple[str, str], ...]
    """(package, why) of those that could not be had or read."""


def build(
    packages: Sequence[Package],
    fetcher: Fetch,
    target: Path,
    progress: Progress,
    *,
    strict: bool = False,
    max_lines: int = MAX_BUILT_LINES,
) -> Built:
    """Fetch all, then index all; the same packages give the same bytes.

    A package that cannot be had is left out and said so; with `strict` it is an error.  What was
    fetched stays, so that a second call goes on where the first one stopped.  The index at
    `target`, if any, is replaced at the end only.

    Raises:
        SourceError: nothing could be had; with `strict`, anything could not.
    """
    missing: list[tuple[str, str]] = []
    here: list[tuple[Package, Path]] = []
    progress.start(sum(one.bytes for one in packages), "fetching")
    for package in packages:
        try:
            here.append((package, fetcher.fetch(package)))
        except FetchError as error:
            if strict:
                raise
            missing.append((package.name, str(error)))
        progress.advance(package.bytes)
    if not here:
        reason = missing[0][1] if missing else "the list is empty"
        raise SourceError(f"no package could be fetched: {reason}")
    progress.start(sum(package.bytes for package, _ in here), "indexing")
    with IndexWriter(target) as writer:
        num_lines = 0
        for package, path in here:
            try:
                num_lines += _index(writer, package, path, max_lines - num_lines)
            except SourceError as error:
                if strict:
                    raise
                missing.append((package.name, str(error)))
            progress.advance(package.bytes)
            if num_lines >= max_lines:
                break
        return Built(writer.finish(), tuple(missing))


def _index(writer: IndexWriter, package: Package, path: Path, room_lines: int) -> int:
    """Lines added."""
    project = open_package(package, path)
    num_lines = 0

    def counted() -> Iterator[SourceFile]:
        nonlocal num_lines
        for file in project.files:
            if num_lines >= room_lines:
                return
            num_lines += file.num_lines
            yield file

    if not put(writer, package.name, project.version, project.url, counted()):
        raise SourceError(f"{path.name} has no source code of a known language, or none that the list chose")
    return num_lines


def open_package(package: Package, path: Path) -> Project:
    choice = Choice(package.only)
    if package.kind == "debian":
        return collect_debian(path, choice=choice)
    return collect_archive(path, name=package.name, version=package.version, choice=choice)
