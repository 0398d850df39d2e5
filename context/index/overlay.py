"""Open buffers: what the editor shows counts, not what the disk holds.

For several threads: each change replaces the whole map, so a reader sees one state throughout.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..facts import Definition, FileFacts
from . import rows
from .answers import FileEntry


@dataclass(frozen=True)
class Buffer:
    """The facts of one open file; what is asked of it often is worked out once."""

    path: str
    facts: FileFacts
    num_lines: int
    num_bytes: int

    @cached_property
    def uses(self) -> dict[str, int]:
        return rows.uses_of(self.facts)

    @cached_property
    def import_words(self) -> frozenset[str]:
        return frozenset(rows.import_words(self.facts.imports))

    @cached_property
    def words(self) -> Counter[str]:
        """What it would be searched by, were it on disk."""
        names = {one.name for one in self.facts.definitions} | self.uses.keys()
        return Counter(rows.document_of(names).split())

    def named(self, name: str) -> tuple[Definition, ...]:
        """Its definitions of exactly this name."""
        return tuple(one for one in self.facts.definitions if one.name == name)

    def members_of(self, parent: str) -> tuple[Definition, ...]:
        """Its definitions inside types whose own name, without what they are in, is `parent`."""
        return tuple(
            one for one in self.facts.definitions if one.parent and rows.last_part(one.parent) == parent
        )

    @property
    def entry(self) -> FileEntry:
        facts = self.facts
        note = facts.skipped or facts.truncated
        return FileEntry(
            self.path, facts.language, self.num_lines, self.num_bytes, facts.package, facts.doc, note
        )


class Overlay:
    """The open buffers of a workspace, by path relative to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buffers: Mapping[str, Buffer] = {}

    def open(self, path: str, text: str, facts: FileFacts) -> None:
        """Shows `facts` of `text` for `path`; also after each change of the buffer."""
        num_lines = text.count("\n") + (not text.endswith("\n") and bool(text))
        buffer = Buffer(path, facts, num_lines, len(text.encode("utf-8", "surrogatepass")))
        with self._lock:
            self._buffers = {**self._buffers, path: buffer}

    def close(self, path: str) -> None:
        """The disk counts again.  A path that is not open is no error."""
        with self._lock:
            self._buffers = {name: buffer for name, buffer in self._buffers.items() if name != path}

    def buffers(self) -> Mapping[str, Buffer]:
        """As of now; never changes."""
        return self._buffers
