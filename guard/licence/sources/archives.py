"""Archives as trees: zip (wheels too) and tar in gzip, bzip2 or xz.

Nothing is extracted: the members that are wanted are read into memory.  An archive is never
believed about itself: bytes are counted as they come.  One that unpacks to far more than any
source code does is refused as a whole; a member whose name leads out of the archive, a link or a
device is listed as unsafe and never read.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from .errors import ArchiveError
from .trees import MAX_FILES

MAX_UNPACKED_BYTES = 3_000_000_000
"""The largest source archive we know of (an operating system's kernel) unpacks to half of it."""
MAX_KEPT_BYTES = 600_000_000
MAX_RATIO = 100
"""Source code packs about 5 : 1.  Counted once an archive has grown beyond `_SMALL_BYTES`."""
_SMALL_BYTES = 20_000_000
MAX_MEMBER_BYTES = 2_000_000
_BLOCK_BYTES = 1 << 16

Wanted = Callable[[str, int], bool]
"""Is a member of this name (within its project) and size worth keeping in memory?"""

_ZIP_SUFFIXES = (".whl", ".zip", ".jar", ".egg")
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".crate")
SUFFIXES = _ZIP_SUFFIXES + _TAR_SUFFIXES
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile)


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """Members read already."""

    members: dict[str, bytes]
    unsafe: tuple[str, ...] = ()
    others: dict[str, int] = field(default_factory=dict[str, int])
    """Bytes by name of members that were not wanted."""

    @property
    def sizes(self) -> dict[str, int]:
        kept = {name: len(data) for name, data in self.members.items()}
        return dict(sorted((self.others | kept).items()))

    def read(self, name: str) -> bytes:
        return self.members[name]


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def open_archive(path: Path, wanted: Wanted) -> MemoryTree:
    """Read the wanted members of an archive.

    Raises:
        ArchiveError: not an archive, damaged, encrypted, or unpacking without end.
    """
    try:
        read = _zip if path.name.lower().endswith(_ZIP_SUFFIXES) else _tar
        return _without_top(
            read(path, lambda name, size: wanted(name, size) or wanted(_below_top(name), size))
        )
    except _BROKEN as error:
        raise ArchiveError(f"{path.name} is not a whole archive ({error}): fetch it again") from error
    except (
        NotImplementedError,
        RuntimeError,
    ) as error:  # how zipfile says: packed or encrypted in a way I do not read
        raise ArchiveError(f"{path.name} cannot be read ({error}): unpack it and name the folder") from error
    except UnicodeError as error:
        raise ArchiveError(f"{path.name} has names that cannot be read ({error})") from error
    except FileNotFoundError as error:
        raise ArchiveError(f"{path} is not there: check the path") from error
    except OSError as error:
        raise ArchiveError(f"{path.name} is not a whole archive ({error}): fetch it again") from error


def is_unsafe(name: str) -> bool:
    """Does a name lead out of where it is, or mean something to some system's paths?"""
    parts = name.split("/")
    return bool(
        name.startswith("/")
        or ".." in parts
        or "\\" in name
        or re.match(r"[A-Za-z]:", name)
        or any(ord(letter) < 32 for letter in name)
    )


@dataclass(slots=True)
class _Budget:
    """What an archive has unpacked to so far."""

    path: Path
    packed_bytes: int
    unpacked_bytes: int = 0
    kept_bytes: int = 0
    num_members: int = 0

    def unpack(self, num_bytes: int) -> None:
        self.unpacked_bytes += num_bytes
        too_dense = self.unpacked_bytes > max(_SMALL_BYTES, MAX_RATIO * self.packed_bytes)
        if too_dense or self.unpacked_bytes > MAX_UNPACKED_BYTES:
            raise ArchiveError(
                f"{self.path.name} unpacks to more than {self.unpacked_bytes / 1e6:,.0f} MB from "
                f"{self.packed_bytes / 1e6:,.2f} MB: no source code does; it is left alone"
            )

    def keep(self, num_bytes: int) -> None:
        self.kept_bytes += num_bytes
        if self.kept_bytes > MAX_KEPT_BYTES:
            raise ArchiveError(
                f"{self.path.name} holds more than {MAX_KEPT_BYTES / 1e6:,.0f} MB of code: "
                "unpack it and name the folders one by one"
            )

    def count(self) -> None:
        self.num_members += 1
        if self.num_members > MAX_FILES:
            raise ArchiveError(
                f"{self.path.name} has more than {MAX_FILES:,} members: unpack it and name a folder"
            )


def _zip(path: Path, wanted: Wanted) -> MemoryTree:
    budget = _Budget(path, path.stat().st_size)
    members: dict[str, bytes] = {}
    others: dict[str, int] = {}
    unsafe: list[str] = []
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            budget.count()
            is_link = (info.external_attr >> 28) == 0xA
            if is_unsafe(info.orig_filename) or is_link:
                unsafe.append(info.orig_filename)
            elif info.is_dir():
                continue
            elif info.file_size > MAX_MEMBER_BYTES or not wanted(info.filename, info.file_size):
                others[info.filename] = info.file_size
            else:
                with archive.open(info) as stream:
                    data = _bounded(stream, budget)
                if data is None:
                    others[info.filename] = MAX_MEMBER_BYTES + 1
                else:
                    members[info.filename] = data
    return MemoryTree(members, tuple(unsafe), others)


def _bounded(stream: IO[bytes], budget: _Budget) -> bytes | None:
    """All of a member, or None where it has more than it may."""
    data = bytearray()
    while block := stream.read(_BLOCK_BYTES):
        budget.unpack(len(block))
        data += block
        if len(data) > MAX_MEMBER_BYTES:
            return None
    budget.keep(len(data))
    return bytes(data)


class _Counted:
    """The unpacked bytes of a tar, counted against its budget as `tarfile` asks for them."""

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(_BLOCK_BYTES if size < 0 else min(size, 1 << 24))
        self._budget.unpack(len(data))
        return data


def _tar(path: Path, wanted: Wanted) -> MemoryTree:
    budget = _Budget(path, path.stat().st_size)
    members: dict[str, bytes] = {}
    others: dict[str, int] = {}
    unsafe: list[str] = []
    with _unpacked(path) as stream:
        source = cast("IO[bytes]", _Counted(stream, budget))
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for info in archive:
                budget.count()
                name = info.name.removeprefix("./")
                if is_unsafe(name) or not (info.isreg() or info.isdir() or info.issparse()):
                    unsafe.append(name)
                elif info.isdir() or not info.isreg():
                    continue
                elif info.size > MAX_MEMBER_BYTES or not wanted(name, info.size):
                    others[name] = info.size
                elif (content := archive.extractfile(info)) is not None:
                    budget.keep(info.size)
                    members[name] = content.read()
                cast("Any", archive).members = []  # else a large archive's headers all stay in memory
    return MemoryTree(members, tuple(unsafe), others)


def _unpacked(path: Path) -> IO[bytes]:
    """By what the file begins with, not by what it is called."""
    with path.open("rb") as file:
        head = file.read(6)
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path))
    if head.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.open(path))
    if head.startswith(b"\xfd7zXZ"):
        return cast("IO[bytes]", lzma.open(path))
    return path.open("rb")


def _below_top(name: str) -> str:
    """Whether all members share one folder at the top is known only at the end."""
    return name.split("/", 1)[-1]


def _without_top(tree: MemoryTree) -> MemoryTree:
    """Without the one folder (`project-1.2/`) that source archives put everything in."""
    names = [*tree.members, *tree.others]
    tops = {name.split("/", 1)[0] if "/" in name else "" for name in names}
    if len(tops) != 1 or "" in tops:
        return tree
    cut = len(tops.pop()) + 1
    return MemoryTree(
        {name[cut:]: data for name, data in tree.members.items()},
        tree.unsafe,
        {name[cut:]: size for name, size in tree.others.items()},
    )
