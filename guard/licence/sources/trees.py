"""A tree of files, wherever it lies: names with sizes, and bytes on demand.

Names are relative, with slashes.  Symbolic links are neither followed nor listed, so nothing
outside the tree is ever read, and no walk can go in circles.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .errors import SourceError

_NEVER = {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox"}
MAX_FILES = 400_000


class Tree(Protocol):
    """`sizes` once, then `read` for what is wanted, in the order of `sizes` where speed counts."""

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes by name, sorted by name."""
        ...

    @property
    def unsafe(self) -> tuple[str, ...]:
        """Names that point out of the tree, and links: never read."""
        ...

    def read(self, name: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class FolderTree:
    """A folder.  With `only`, just these files of it (an installed package's own)."""

    root: Path
    only: tuple[str, ...] | None = None

    @property
    def sizes(self) -> dict[str, int]:
        names = self.only if self.only is not None else tuple(_walk(self.root))
        found: dict[str, int] = {}
        for name in sorted(names):
            path = self.root / name
            if path.is_file() and not path.is_symlink():
                found[name] = path.stat().st_size
        return found

    @property
    def unsafe(self) -> tuple[str, ...]:
        return ()

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()


def _walk(root: Path) -> Iterator[str]:
    num_files = 0
    for folder, folders, files in os.walk(root):  # does not follow links to folders
        folders[:] = sorted(one for one in folders if one not in _NEVER)
        for name in files:
            num_files += 1
            if num_files > MAX_FILES:
                raise SourceError(f"{root} has more than {MAX_FILES:,} files: name a folder inside it")
            yield (Path(folder) / name).relative_to(root).as_posix()
