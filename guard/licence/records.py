"""What an index knows of its files, and the sizes both sides of the index file agree on."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .lexing import U8, U64, Ints

BLOCK_LEXEMES = 1 << 15
"""Codes are compressed in blocks of so many, across files."""

GRANULE_LEXEMES = 256
"""A posting says in which so many lexemes its k-gram begins; the codes say where exactly."""

LINE_STEP = 128
"""Every so many lexemes of a file, how many lines it has gone down."""

COMMON = (1 << 24) - 1
"""The granule of a hash that too many projects share: it is nobody's."""

SMALL_COMMON = (1 << 16) - 1
"""The same in an index of fewer granules, which keeps 16 bits of each."""

COMMON_PROJECTS = 10
MAX_POSTINGS = 16
"""Per hash.  What stands in more places of fewer projects is kept for some of them."""


@dataclass(frozen=True, slots=True, order=True)
class IndexedFile:
    """Where the code came from and on what terms.  `licence` is an SPDX expression, or empty: unknown."""

    project: str
    version: str
    path: str
    licence: str
    url: str
    lines: int = 0


def pack_files(files: Sequence[IndexedFile]) -> U8:
    """The table as bytes: what a project's files share is said once."""
    groups: list[list[Any]] = []
    key: tuple[str, ...] | None = None
    for one in files:
        base = one.url.removesuffix(one.path) if one.path else one.url
        ours = (one.project, one.version, one.licence, base, "1" if base != one.url else "")
        if ours != key:
            key = ours
            groups.append([*ours, []])
        groups[-1][-1] += [one.path, one.lines]
    raw = json.dumps(groups, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return np.frombuffer(zlib.compress(raw, 9), np.uint8)


def unpack_files(packed: U8) -> tuple[IndexedFile, ...]:
    """Raises ValueError or zlib.error where the bytes are not what `pack_files` made."""
    text = zlib.decompress(packed.tobytes()).decode("utf-8", "surrogatepass")
    files: list[IndexedFile] = []
    for project, version, licence, base, relative, entries in cast("list[Any]", json.loads(text)):
        for path, lines in zip(entries[::2], entries[1::2], strict=True):
            url = base + path if relative else base
            files.append(IndexedFile(project, version, path, licence, url, lines))
    return tuple(files)


def is_small(lexemes: int) -> bool:
    """Whether an index of so many has a byte of each posting less."""
    return lexemes < SMALL_COMMON * GRANULE_LEXEMES


def bucket_of(hashes: U64, bits: int) -> Ints:
    """A hash is kept as its bucket, the highest `bits`, which costs nothing, …"""
    return (hashes >> np.uint64(64 - bits)).astype(np.int64) if bits else np.zeros(len(hashes), np.int64)


def rest_of(hashes: U64, bits: int) -> npt.NDArray[np.uint16]:
    """… and the 16 bits after those.  What matches by chance is told by the codes."""
    return ((hashes << np.uint64(bits)) >> np.uint64(48)).astype(np.uint16)
