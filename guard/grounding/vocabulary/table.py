"""A set of names as a file: the sorted 64-bit hashes of them, mapped into memory.

    magic and format (8 bytes) │ number of names (u64) │ CRC-32 of the hashes (u64) │ hashes (u64 each)

Written beside its place and renamed into it.  A file that is short, foreign or damaged is told from a
sound one when it is opened; it is then made anew, nothing else.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .errors import VocabularyError

MAGIC = b"TPNAMES1"
_HEADER = struct.Struct("<8sQQ")

Hashes = npt.NDArray[np.uint64]


def hash_of(name: bytes) -> int:
    """64 bits; two names of a million share one with a chance of 1 in 40 million."""
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")


def hashes_of(names: Iterable[bytes]) -> Hashes:
    """Sorted, none twice."""
    blake2b = hashlib.blake2b
    data = b"".join([blake2b(one, digest_size=8).digest() for one in names])
    return np.unique(np.frombuffer(data, dtype="<u8")).astype(np.uint64)


class Table:
    """An opened file.  Safe to share between threads."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, name: str) -> bool:
        wanted = np.uint64(hash_of(name.encode("utf-8", "surrogatepass")))
        at = int(self._hashes.searchsorted(wanted))
        return at < len(self._hashes) and bool(self._hashes[at] == wanted)

    @property
    def hashes(self) -> Hashes:
        return self._hashes

    @classmethod
    def open(cls, path: Path) -> Table:
        """VocabularyError names the file and what is wrong with it."""
        try:
            with path.open("rb") as file:
                head = file.read(_HEADER.size)
                size = os.fstat(file.fileno()).st_size
            if len(head) < _HEADER.size or head[:8] != MAGIC:
                raise VocabularyError(f"{path} is no table of names")
            _, count, crc = _HEADER.unpack(head)
            if size != _HEADER.size + 8 * count:
                raise VocabularyError(f"{path} has {size} bytes, and {_HEADER.size + 8 * count} are promised")
            if not count:
                return cls(np.empty(0, dtype=np.uint64))
            hashes = np.memmap(path, dtype="<u8", mode="r", offset=_HEADER.size).view(np.ndarray)
        except OSError as error:
            raise VocabularyError(f"{path} cannot be read: {error.strerror or error}") from error
        if zlib.crc32(hashes.view(np.uint8).data) != crc:
            raise VocabularyError(f"{path} does not match its checksum")
        return cls(hashes)


def write(path: Path, hashes: Hashes) -> None:
    """`hashes` sorted; the file is there whole or not at all.  Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.ascontiguousarray(hashes, dtype="<u8").tobytes()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_HEADER.pack(MAGIC, len(hashes), zlib.crc32(data)) + data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
