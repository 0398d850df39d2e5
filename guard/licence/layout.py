"""The index file: a checked header, then named arrays that are mapped, not read.

    magic (8 bytes) │ header length, header CRC-32 (u32 each) │ header (JSON) │ sections, each at a
    multiple of 8

The header names every section with its place, size, element type and CRC-32, so a file that is
short, foreign, newer or damaged is told from a sound one before anything of it is used.  Files are
written beside their place and renamed into it: a reader sees the old one or the new one.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import LicenceIndexError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

MAGIC = b"TPLICENC"
VERSION = 2
MAX_HEADER_BYTES = 1 << 20
_PREFIX = struct.Struct("<8sII")

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Section:
    offset: int
    size_bytes: int
    dtype: str
    crc: int


def damaged(path: Path, why: str) -> LicenceIndexError:
    return LicenceIndexError(
        f"licence index {path}: {why}; remove the file and make it anew with `truepenny licences`"
    )


def unwritable(path: Path, error: OSError) -> LicenceIndexError:
    return LicenceIndexError(
        f"licence index {path} cannot be written: {error.strerror or error}; check that there is space "
        "and that you may write there"
    )


@contextmanager
def replacing(path: Path) -> Generator[IO[bytes]]:
    """A file beside `path` that takes its place when all has gone well, and else leaves no trace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> int:
    """Puts `arrays` and `facts` into the file, in the order given.  Returns its size in bytes."""
    sections: dict[str, list[Any]] = {}
    at = 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array)
        crc = zlib.crc32(data.view(np.uint8).data) if data.size else 0
        sections[name] = [at, data.nbytes, data.dtype.str, crc]
        at += -(-data.nbytes // 8) * 8
    header = json.dumps(
        {"version": VERSION, "facts": facts, "sections": sections, "body_bytes": at},
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    header += b" " * (-(len(header) + _PREFIX.size) % 8)
    with replacing(path) as file:
        file.write(_PREFIX.pack(MAGIC, len(header), zlib.crc32(header)))
        file.write(header)
        for array in arrays.values():
            data = np.ascontiguousarray(array)
            file.write(data.tobytes())
            file.write(b"\0" * (-data.nbytes % 8))
    return _PREFIX.size + len(header) + at


def read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The facts and the mapped arrays of a sound file.  LicenceIndexError says what is wrong else."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(_PREFIX.size)
            if not prefix:
                raise damaged(path, "it is empty")
            if not prefix.startswith(MAGIC[: len(prefix)]):
                raise damaged(path, "it is not a licence index")
            if len(prefix) < _PREFIX.size:
                raise damaged(path, f"it ends after {size} bytes")
            _, length, crc = _PREFIX.unpack(prefix)
            raw = file.read(min(length, MAX_HEADER_BYTES))
        if len(raw) != length or zlib.crc32(raw) != crc:
            raise damaged(path, "its header is damaged or cut off")
        header = cast("dict[str, Any]", json.loads(raw))
        if header["version"] != VERSION:
            raise damaged(path, f"it has format {header['version']}, and this version reads {VERSION}")
        body = _PREFIX.size + length
        if size != body + header["body_bytes"]:
            raise damaged(path, f"it has {size} bytes where {body + header['body_bytes']} are promised")
        mapped = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
        arrays: dict[str, Array] = {}
        for name, entry in cast("dict[str, list[Any]]", header["sections"]).items():
            section = Section(*entry)
            data = mapped[body + section.offset : body + section.offset + section.size_bytes]
            if zlib.crc32(data.data) != section.crc:
                raise damaged(path, f"its part {name!r} does not match its checksum")
            arrays[name] = data.view(np.dtype(section.dtype))
    except OSError as error:
        raise LicenceIndexError(
            f"licence index {path} cannot be read: {error.strerror or error}; check that it is there "
            "and that you may read it"
        ) from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise damaged(path, f"its header makes no sense ({error})") from error
    return cast("dict[str, Any]", header["facts"]), arrays
