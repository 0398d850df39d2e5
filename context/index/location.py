"""Where the index of a workspace lies: in the user's cache folder, never in the repository.

One database per repository, so that its branches and worktrees share what they have in common, and
one per version of the code that reads facts, so that two installed versions do not undo each other's
work.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SCHEMA_VERSION = 1
"""Of the tables; `user_version` of the database."""


@dataclass(frozen=True, slots=True)
class Location:
    """The files of one workspace's index.  `folder` is shared by the worktrees of a repository."""

    root: Path
    """The workspace, absolute, links resolved."""
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / f"facts-{fingerprint()}.sqlite3"

    @property
    def build_lock(self) -> Path:
        """Held by whoever builds; one at a time."""
        return self.folder / "build.lock"

    @property
    def repair_lock(self) -> Path:
        """Held while the database is created or moved aside."""
        return self.folder / "repair.lock"


def locate(root: str | Path, cache_folder: str | Path) -> Location:
    """The place for `root` under `cache_folder`; nothing is created."""
    resolved = Path(root).resolve()
    shared = repository_of(resolved)
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", shared.name.removesuffix(".git") or shared.parent.name)[:40]
    digest = hashlib.blake2b(os.fsencode(shared), digest_size=8).hexdigest()
    return Location(resolved, Path(cache_folder).resolve() / "index" / f"{name or 'root'}-{digest}")


def repository_of(root: Path) -> Path:
    """What the worktrees of a repository have in common: its git folder; `root` itself outside of any."""
    for folder in (root, *root.parents):
        mark = folder / ".git"
        if mark.is_dir():
            return mark
        if mark.is_file():  # a worktree or a submodule
            return _linked(mark) or folder
    return root


def _linked(mark: Path) -> Path | None:
    try:
        text = mark.read_text(encoding="utf-8", errors="surrogateescape")
        if not text.startswith("gitdir: "):
            return None
        own = (mark.parent / text.removeprefix("gitdir: ").strip()).resolve()
        common = own / "commondir"
        if common.is_file():
            return (own / common.read_text(encoding="utf-8", errors="surrogateescape").strip()).resolve()
    except (OSError, ValueError):
        return None
    return own


@cache
def fingerprint() -> str:
    """Changes with everything that decides what is stored for given bytes: our own code of this package.

    So no number has to be raised by hand, and none can be forgotten.
    """
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.blake2b(str(SCHEMA_VERSION).encode(), digest_size=6)
    ours = {"exclusion.py", "rows.py", "schema.py", "words.py"}
    for source in sorted([*package.rglob("*.py"), *package.rglob("*.scm")]):
        if source.parent.name == "index" and source.name not in ours:
            continue  # says nothing about what is stored
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()
