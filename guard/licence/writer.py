"""An index file is made: fingerprints and codes are collected, sorted, and written in one go.

The same files give the same bytes, in whatever order they were added.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import LicenceIndexError
from .layout import Array, unwritable, write
from .lexing import U64, Ints, lex
from .records import (
    BLOCK_LEXEMES,
    COMMON,
    COMMON_PROJECTS,
    GRANULE_LEXEMES,
    LINE_STEP,
    MAX_POSTINGS,
    SMALL_COMMON,
    IndexedFile,
    bucket_of,
    is_small,
    pack_files,
    rest_of,
)
from .winnowing import CHANNELS, EXACT, MAX_LEXEMES, Channel, fingerprints, spread

if TYPE_CHECKING:
    from types import TracebackType

SEGMENT_POSTINGS = 1 << 20
"""So many are held in memory; then a segment is put on disk."""

MAX_INDEX_LEXEMES = (COMMON - 1) * GRANULE_LEXEMES
BUCKET_POSTINGS = 16


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What went into an index file."""

    files: int
    projects: int
    lines: int
    lexemes: int
    fingerprints: int
    size_bytes: int
    skipped: int
    """Files that were too short to be found, or the same as another file of their project."""


@dataclass(frozen=True, slots=True)
class _Added:
    """A file and the part of the spool that is its codes."""

    file: IndexedFile
    offset: int
    lexemes: int
    steps: bytes
    """Lines gone down per `LINE_STEP` lexemes."""


class IndexWriter:
    """Makes the index file `path`.

        with IndexWriter(path) as writer:
            writer.add("ansible-core", "2.19.4", "ansible/cli/doc.py", "GPL-3.0-or-later", url, text)
            stats = writer.finish()

    Nothing is at `path` before `finish()`, which replaces what is there at one stroke; leaving the
    block without it, or `close()`, drops everything.  Work in progress lies in a folder beside
    `path`.  Memory is bounded by segments on disk until `finish()`, which takes some 40 bytes per
    fingerprint.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            folder = tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".building", dir=self.path.parent)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._folder = Path(folder)
        self._spool = (self._folder / "codes").open("w+b")
        self._spooled = 0
        self._added: list[_Added] = []
        self._seen: set[tuple[str, str, bytes]] = set()
        self._skipped = 0
        self._held: dict[str, list[tuple[U64, Ints, Ints]]] = {one.name: [] for one in CHANNELS}
        self._held_postings = 0
        self._segments = 0

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, project: str, version: str, path: str, licence: str, url: str, text: str) -> bool:
        """Adds one source file.  False where it is too short to be found or was added already.

        `project` is what counts for "common to ten projects": the same name for all versions and
        parts of one.  `licence` is the SPDX expression for this file, `""` where nobody knows.
        `path` is the place in the project, `url` a page for a person (or empty).
        """
        lexemes = lex(text)
        if len(lexemes) > MAX_LEXEMES:
            lexemes = lexemes.part(0, MAX_LEXEMES)
        codes = lexemes.codes.tobytes()
        key = (project, licence, hashlib.blake2b(codes, digest_size=16).digest())
        if len(lexemes) < EXACT.k or key in self._seen:
            self._skipped += 1
            return False
        if self._spooled + len(codes) > MAX_INDEX_LEXEMES:
            raise LicenceIndexError(
                f"{self.path} would hold more than {MAX_INDEX_LEXEMES:,} lexemes: put {project} and what "
                "follows into another index file; several are searched together"
            )
        self._seen.add(key)
        number = len(self._added)
        for channel in CHANNELS:
            hashes, places = fingerprints(lexemes, channel)
            self._held[channel.name].append((hashes, np.full(len(places), number), places))
            self._held_postings += len(places)
        characters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        newlines = np.flatnonzero(characters == ord("\n"))
        lines = np.searchsorted(newlines, lexemes.starts[::LINE_STEP])
        steps = np.minimum(np.diff(lines, prepend=0), 255).astype(np.uint8).tobytes()
        count = len(newlines) + (not text.endswith("\n"))
        file = IndexedFile(project, version, path, licence, url, count)
        self._added.append(_Added(file, self._spooled, len(codes), steps))
        self._spool.write(codes)
        self._spooled += len(codes)
        if self._held_postings >= SEGMENT_POSTINGS:
            self._put_down()
        return True

    def finish(self) -> IndexStats:
        """Writes the file and ends the writer.  LicenceIndexError where it cannot be written."""
        try:
            return self._finished()
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _finished(self) -> IndexStats:
        self._put_down()
        order = sorted(range(len(self._added)), key=lambda i: (self._added[i].file, self._added[i].offset))
        added = [self._added[i] for i in order]
        starts = np.concatenate(([0], np.cumsum([one.lexemes for one in added], dtype=np.int64)))
        where = np.empty(len(added), np.int64)
        where[order] = starts[:-1]
        names = sorted({one.file.project for one in added})
        numbers = {name: i for i, name in enumerate(names)}
        projects = np.array([numbers[one.file.project] for one in self._added], np.int64)
        codes, blocks = self._compressed(added)
        facts: dict[str, Any] = {"lexemes": int(starts[-1]), "files": len(added), "channels": {}}
        arrays: dict[str, Array] = {
            "files": pack_files([one.file for one in added]),
            "starts": starts.astype(np.uint32),
            "steps": np.frombuffer(b"".join(one.steps for one in added), np.uint8),
            "blocks": blocks,
            "codes": codes,
        }
        total = 0
        for channel in CHANNELS:
            hashes, files, places = self._gathered(channel)
            hashes, granules = _postings(spread(hashes), where[files] + places, projects[files])
            bits = (len(hashes) // BUCKET_POSTINGS).bit_length()
            arrays[f"{channel.name}.buckets"] = np.searchsorted(
                bucket_of(hashes, bits), np.arange((1 << bits) + 1)
            ).astype(np.uint32)
            arrays[f"{channel.name}.rests"] = rest_of(hashes, bits)
            arrays[f"{channel.name}.granules"] = (granules & SMALL_COMMON).astype(np.uint16)
            if not is_small(int(starts[-1])):
                arrays[f"{channel.name}.granules_high"] = (granules >> 16).astype(np.uint8)
            facts["channels"][channel.name] = {"k": channel.k, "w": channel.w, "bits": bits}
            total += len(hashes)
        size = write(self.path, facts, arrays)
        self.close()
        return IndexStats(
            files=len(added),
            projects=len(names),
            lines=sum(one.file.lines for one in added),
            lexemes=int(starts[-1]),
            fingerprints=total,
            size_bytes=size,
            skipped=self._skipped,
        )

    def close(self) -> None:
        """Drops what was collected.  Does nothing after `finish()`."""
        self._spool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _put_down(self) -> None:
        """The held postings become a segment on disk."""
        for name, held in self._held.items():
            if held:
                columns = [np.concatenate([one[i] for one in held]) for i in range(3)]
                for column, label in zip(columns, ("hashes", "files", "places"), strict=True):
                    np.save(self._folder / f"{name}.{self._segments}.{label}.npy", column)
                held.clear()
        self._held_postings = 0
        self._segments += 1

    def _gathered(self, channel: Channel) -> tuple[U64, Ints, Ints]:
        def column(label: str) -> list[Any]:
            found = (self._folder / f"{channel.name}.{i}.{label}.npy" for i in range(self._segments))
            return [np.load(path, allow_pickle=False) for path in found if path.exists()]

        none = np.empty(0, np.int64)
        return (
            np.concatenate([np.empty(0, np.uint64), *column("hashes")]),
            np.concatenate([none, *column("files")]),
            np.concatenate([none, *column("places")]),
        )

    def _compressed(self, added: list[_Added]) -> tuple[Array, Array]:
        """All codes in order as compressed blocks, and where each begins."""
        blocks: list[bytes] = []
        held = b""
        self._spool.flush()
        for one in added:
            self._spool.seek(one.offset)
            held += self._spool.read(one.lexemes)
            while len(held) >= BLOCK_LEXEMES:
                blocks.append(zlib.compress(held[:BLOCK_LEXEMES], 9))
                held = held[BLOCK_LEXEMES:]
        if held:
            blocks.append(zlib.compress(held, 9))
        ends = np.cumsum([0, *map(len, blocks)], dtype=np.int64)
        return np.frombuffer(b"".join(blocks), np.uint8), ends.astype(np.uint64)


def _postings(hashes: U64, places: Ints, projects: Ints) -> tuple[U64, Ints]:
    """Hashes and granules, sorted; what ten projects share is one entry that says so."""
    order = np.lexsort((places, projects, hashes))
    hashes, places, projects = hashes[order], places[order], projects[order]
    count = len(hashes)
    first = np.ones(count, bool)
    first[1:] = hashes[1:] != hashes[:-1]
    first_of_project = first.copy()
    first_of_project[1:] |= projects[1:] != projects[:-1]
    group = np.cumsum(first) - 1
    different = np.bincount(group, weights=first_of_project, minlength=1)[group] if count else np.empty(0)
    common = different >= COMMON_PROJECTS
    begin = np.flatnonzero(first_of_project)
    rank = np.arange(count) - begin[np.cumsum(first_of_project) - 1] if count else np.empty(0, np.int64)
    granules = np.where(common, COMMON, places // GRANULE_LEXEMES)
    # Of a hash in many places, some of each project.
    order = np.lexsort((places, rank, group))
    begin = np.flatnonzero(first)
    kept = np.zeros(count, bool)
    kept[order] = np.arange(count) - begin[group[order]] < MAX_POSTINGS if count else False
    kept &= ~common | first
    hashes, granules = hashes[kept], granules[kept]
    if len(hashes):  # twice in one granule is once
        order = np.lexsort((granules, hashes))
        hashes, granules = hashes[order], granules[order]
        again = (hashes[1:] == hashes[:-1]) & (granules[1:] == granules[:-1])
        keep = np.concatenate(([True], ~again))
        hashes, granules = hashes[keep], granules[keep]
    return hashes, granules
