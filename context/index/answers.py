"""What the index answers with: frozen, complete, in a fixed order (by path, then by line)."""

from __future__ import annotations

from dataclasses import dataclass

from ..facts import Definition
from .exclusion import Reason


@dataclass(frozen=True, slots=True)
class Located:
    """A definition and the file it is in."""

    path: str
    """Relative to the workspace, with `/`."""
    definition: Definition


@dataclass(frozen=True, slots=True)
class FileEntry:
    path: str
    language: str
    num_lines: int
    num_bytes: int
    package: str
    doc: str
    note: str
    """Why not all of it was read; else empty."""


@dataclass(frozen=True, slots=True)
class Use:
    """How often a file uses a name."""

    path: str
    name: str
    num: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that a search found.  Higher is better; comparable within one search."""

    path: str
    score: float


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file, or a folder (its path ends in `/`), that is kept out."""

    path: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class LanguageCounts:
    language: str
    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What is in the index of one workspace; open buffers do not count."""

    files: int
    lines: int
    bytes: int
    definitions: int
    references: int
    refused: int
    other: int
    """Files in no language we know."""
    left_out: int
    """Files beyond the limit."""
    complete: bool
    """The last build came to its end."""
    languages: tuple[LanguageCounts, ...]
