"""Real git repositories, real processes, a real database."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from truepenny.context.index.build import BuildReport
from truepenny.context.index.location import Location, locate
from truepenny.context.index.process import run_build
from truepenny.context.index.reader import Reader

GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}
PATIENCE_S = 30.0
"""How long what does not happen is waited for."""


def git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **GIT}, capture_output=True, text=True, check=True
    )
    return ran.stdout


def eventually(claim: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@dataclass
class Workspace:
    root: Path
    cache: Path

    @property
    def location(self) -> Location:
        return locate(self.root, self.cache)

    @property
    def folder(self) -> Path:
        return self.location.folder

    def write(self, path: str, text: str | bytes = "") -> Path:
        whole = self.root / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(text if isinstance(text, bytes) else text.encode())
        return whole

    def git(self, *arguments: str) -> str:
        return git(self.root, *arguments)

    def build(self) -> BuildReport:
        return run_build(self.location)

    def names(self) -> set[str]:
        """Everything that is defined, by the index."""
        reader = Reader(self.location)
        try:
            found = {one.name for entry in reader.files() for one in reader.definitions_in(entry.path)}
        finally:
            reader.close()
        return found

    def stored_bytes(self) -> bytes:
        """All that is on disk for this workspace."""
        return b"".join(path.read_bytes() for path in self.cache.rglob("*") if path.is_file())


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty git repository and an empty cache folder."""
    root = tmp_path / "repository"
    root.mkdir()
    made = Workspace(root, tmp_path / "cache")
    made.git("init", "-q", "-b", "main")
    return made
