"""Published names, compact: a Bloom filter (1970) with a chance of 1 in 10,000 of a wrong yes.

    magic (8 bytes) │ header length (u32) │ header (JSON) │ bits

A name that is in is always found.  A name that is not is "published" once in 10,000 times, which errs
on the side of showing a suggestion.  20 bits for each name: 2.3 MB for 900,000.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .errors import PackagesError

MAGIC = b"TPKNOWN1"
FALSE_YES = 1e-4
_PREFIX = struct.Struct("<8sI")
_MAX_HEADER_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What a filter says of itself."""

    num_names: int
    num_bits: int
    num_hashes: int
    origin: str
    """Where the names came from, for a person."""
    date: str
    crc: int = 0


class NameFilter:
    """Never changes.  Safe to share between threads."""

    def __init__(self, facts: Facts, bits: npt.NDArray[np.uint8]) -> None:
        self.facts = facts
        self._bits = bits

    def __contains__(self, name: str) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in _places(name, self.facts))

    @classmethod
    def of(cls, names: Iterable[str], origin: str, date: str) -> NameFilter:
        distinct = set(names)
        count = max(1, len(distinct))
        num_bits = max(64, math.ceil(-count * math.log(FALSE_YES) / math.log(2) ** 2))
        num_bits += -num_bits % 64
        facts = Facts(len(distinct), num_bits, max(1, round(num_bits / count * math.log(2))), origin, date)
        bits = bytearray(num_bits // 8)
        for name in distinct:
            for place in _places(name, facts):
                bits[place >> 3] |= 1 << (place & 7)
        return cls(facts, np.frombuffer(bytes(bits), dtype=np.uint8))

    def save(self, path: Path) -> None:
        """Whole or not at all.  PackagesError names the file."""
        data = self._bits.tobytes()
        header = json.dumps({**asdict(self.facts), "crc": zlib.crc32(data)}).encode()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_PREFIX.pack(MAGIC, len(header)) + header + data)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            why = error.strerror or error
            raise PackagesError(f"{path} cannot be written: {why}; check space and permissions") from error

    @classmethod
    def open(cls, path: Path) -> NameFilter:
        """PackagesError says what is wrong with the file, and that `truepenny packages refresh` mends it."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise PackagesError(f"{path} cannot be read: {error.strerror or error}") from error
        try:
            magic, length = _PREFIX.unpack_from(data)
            if magic != MAGIC or length > _MAX_HEADER_BYTES:
                raise _unfit(path, "it is no list of names")
            facts = Facts(**json.loads(data[_PREFIX.size : _PREFIX.size + length]))
            bits = np.frombuffer(data, dtype=np.uint8, offset=_PREFIX.size + length)
            if len(bits) * 8 != facts.num_bits or zlib.crc32(bits.data) != facts.crc or facts.num_hashes < 1:
                raise _unfit(path, "it is short or damaged")
        except (ValueError, TypeError, struct.error) as error:
            raise _unfit(path, str(error)) from error
        return cls(facts, bits)


def _unfit(path: Path, why: str) -> PackagesError:
    return PackagesError(f"{path}: {why}; make it anew with `truepenny packages refresh`")


def _places(name: str, facts: Facts) -> list[int]:
    """Bits of a name: two hashes stand in for many (Kirsch and Mitzenmacher, 2006)."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    first = int.from_bytes(digest[:8], "little")
    second = int.from_bytes(digest[8:], "little") | 1
    return [(first + nth * second) % facts.num_bits for nth in range(facts.num_hashes)]
