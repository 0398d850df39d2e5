"""Where compiled code is kept between starts: a folder for every version of it.

    <cache>/kernels/<digest of these files and of numba>/…     numba's own files, and `whole`

numba looks at the age of one file only, and these depend on each other: hence the digest.  numba's files
are pickles, so the folder must be nobody else's to write to; where it is, or cannot be written to at all,
a temporary one serves for as long as the process lives.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

import llvmlite  # pyright: ignore[reportMissingTypeStubs]  # there are none
import numba
from numba.core import config

from ..store import cache_root

KERNELS = "kernels"

KEPT_VERSIONS = 3
"""Folders that stay: ours, and those of other installations that were used last."""

_WHOLE = "whole"
_DIGEST = re.compile(r"[0-9a-f]{16}")
_log = logging.getLogger(__name__)


def version() -> str:
    """What the compiled code depends on, besides the processor, which numba looks at."""
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class CodeFolder:
    """The folder of this version; `path` is None where nothing can be written at all."""

    def __init__(self, wanted: Path) -> None:
        self.path: Path | None = wanted
        self._is_kept = True
        try:
            wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check(wanted)
        except OSError as error:
            self.path, self._is_kept = _temporary(wanted, error), False

    @property
    def is_whole(self) -> bool:
        """Whether everything has been compiled before."""
        return self.path is not None and (self.path / _WHOLE).exists()

    def finish(self) -> None:
        """Everything is compiled.  Of other versions, those that have not been used for longest go.

        A temporary folder has no other versions beside it, but what belongs to everybody: nothing is
        looked at there, let alone removed.
        """
        if self.path is None:
            return
        try:
            (self.path / _WHOLE).touch()
            others = _versions_beside(self.path) if self._is_kept else []
        except OSError as error:
            _log.warning("%s: cannot be tidied: %s", self.path, error)
            return
        for path in others[KEPT_VERSIONS - 1 :]:
            shutil.rmtree(path, ignore_errors=True)  # another process may be doing the same


def _versions_beside(folder: Path) -> list[Path]:
    """Finished folders of other versions, last used first.

    Only what certainly is one: named by a digest, in a folder of ours, and with our mark in it.
    """
    if folder.parent.name != KERNELS:
        return []
    found = [
        path
        for path in folder.parent.iterdir()
        if path != folder
        and _DIGEST.fullmatch(path.name)
        and not path.is_symlink()
        and (path / _WHOLE).is_file()
    ]
    return sorted(found, key=_last_used, reverse=True)


def choose() -> CodeFolder:
    """The folder of this version in the cache, made if need be; numba is told."""
    folder = CodeFolder(cache_root() / KERNELS / version())
    if folder.path is not None:
        config.CACHE_DIR = str(folder.path)  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
    return folder


def _check(folder: Path) -> None:
    """Raises OSError unless it can be written to, by us alone."""
    tempfile.TemporaryFile(dir=folder).close()
    if os.name == "posix":
        found = folder.stat()
        if found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"{folder} may be written to by others: its code is not to be trusted")


def _temporary(wanted: Path, error: OSError) -> Path | None:
    try:
        folder = Path(tempfile.mkdtemp(prefix="truepenny-kernels-"))
    except OSError:
        _log.warning("compiled code cannot be kept (%s): it is made anew at every start", error)
        return None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if _is_ours(wanted):  # prepared, and read-only now
        shutil.copytree(wanted, folder, dirs_exist_ok=True)
    if not (folder / _WHOLE).exists():
        _log.warning("compiled code cannot be kept (%s): it is made anew at every start", error)
    return folder


def _is_ours(folder: Path) -> bool:
    """Made by us or by the owner of the machine, and writable by nobody else."""
    if os.name != "posix" or not os.access(folder, os.R_OK | os.X_OK):
        return False
    found = folder.stat()
    return found.st_uid in (0, os.getuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _last_used(folder: Path) -> float:
    try:
        return (folder / _WHOLE).stat().st_mtime
    except OSError:
        return 0.0  # never finished
