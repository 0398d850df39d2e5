"""Tables for the parts that have none yet, and one of all together for a workspace to map.

Whoever builds holds a lock, so that two servers that open at once read everything once.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import binary_names, builtin_names, python_names, web_names
from .errors import VocabularyError
from .parts import BINARY_SUFFIXES, DECLARATION_SUFFIXES, PYTHON_SUFFIXES, Part
from .table import Hashes, Table, hashes_of, write

log = logging.getLogger(__name__)

MAX_TOGETHER = 16
"""Tables of whole environments that are kept; the ones used longest ago go."""
MAX_PART_BYTES = 300_000_000


@dataclass(frozen=True, slots=True)
class Built:
    """What a build came to."""

    path: Path
    """The table of all parts together."""
    num_names: int
    num_parts: int
    num_read: int
    """Parts that had no table yet."""
    num_bytes: int
    """Read for those."""


def build(parts: Sequence[Part], cache: Path) -> Built:
    """Raises VocabularyError where the cache cannot be written."""
    from filelock import FileLock

    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / ".lock"):
            return _build(parts, cache)
    except OSError as error:
        raise VocabularyError(
            f"names cannot be kept in {cache}: {error.strerror or error}; check that there is space and that "
            "you may write there"
        ) from error


def _build(parts: Sequence[Part], cache: Path) -> Built:
    keys = sorted({part.key for part in parts})
    whole = cache / f"all-{hashlib.blake2b(' '.join(keys).encode(), digest_size=12).hexdigest()}.names"
    table = _opened(whole)
    num_read = num_bytes = 0
    if table is None:
        columns: list[Hashes] = []
        for part in parts:
            place = cache / f"{part.key}.names"
            own = _opened(place)
            if own is None:
                names, size = _names_of(part)
                write(place, hashes_of(names))
                own = Table.open(place)
                num_read, num_bytes = num_read + 1, num_bytes + size
            columns.append(own.hashes)
        write(whole, np.unique(np.concatenate(columns)) if columns else np.empty(0, dtype=np.uint64))
        table = Table.open(whole)
        _forget(cache, whole)
    else:
        os.utime(whole)
    return Built(whole, len(table), len(parts), num_read, num_bytes)


def _opened(path: Path) -> Table | None:
    """Nothing where there is none, or a damaged one, which is said and made anew."""
    if not path.exists():
        return None
    try:
        return Table.open(path)
    except VocabularyError as error:
        log.warning("%s: it is made anew", error)
        return None


def _names_of(part: Part) -> tuple[set[bytes], int]:
    """The names, and how many bytes were read for them."""
    if part.is_interpreter:
        return builtin_names.builtin_names(), 0
    found: set[bytes] = set()
    size = 0
    for file in part.files:
        name = file.name
        try:
            with file.open("rb") as opened:
                source = opened.read(binary_names.MAX_BINARY_BYTES)
        except OSError as error:
            log.warning("%s cannot be read (%s): its names are not known", file, error.strerror)
            continue
        size += len(source)
        if name.endswith(PYTHON_SUFFIXES):
            found |= python_names.names_in(source)
        elif name.endswith(BINARY_SUFFIXES):
            found |= binary_names.names_in(source)
        elif name.endswith(DECLARATION_SUFFIXES) or not name.endswith(".min.js"):
            found |= web_names.names_in(source)
        found.add(name.partition(".")[0].encode("utf-8", "surrogateescape"))
        found.add(file.parent.name.encode("utf-8", "surrogateescape"))
        if size > MAX_PART_BYTES:
            log.warning("%s has more than %d bytes: its other names are not known", part.name, MAX_PART_BYTES)
            break
    return found, size


def _forget(cache: Path, newest: Path) -> None:
    """Tables of whole environments that nobody has used for long."""
    tables = sorted(cache.glob("all-*.names"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in tables[MAX_TOGETHER:]:
        if old != newest:
            old.unlink(missing_ok=True)
