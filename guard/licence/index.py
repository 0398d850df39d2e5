"""An index file, opened: where k-grams of a suggestion stand in licensed code.

The arrays are mapped, not read; a look-up touches one bucket per k-gram and decompresses the blocks
of codes in which something was found, of which the last `CACHED_BLOCKS` are kept.
"""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .layout import Array, damaged, read
from .lexing import SHAPE_CODES
from .records import (
    BLOCK_LEXEMES,
    COMMON,
    GRANULE_LEXEMES,
    LINE_STEP,
    SMALL_COMMON,
    IndexedFile,
    bucket_of,
    rest_of,
    unpack_files,
)
from .winnowing import CHANNELS, Channel, grams, spread

if TYPE_CHECKING:
    from .lexing import U8, Ints, Lexemes

CACHED_BLOCKS = 128
MAX_SEEDS = 2_000
"""Looked at per query and channel; more is a table or the like, and the first ones tell."""

_SHAPE_TABLE = SHAPE_CODES.tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """k-grams found: `query[i]` of the lexemes asked for stands at `places[i]` of the index."""

    query: Ints
    places: Ints
    common: Ints
    """Places of the query whose k-gram too many projects share."""


class LicenceIndex:
    """One opened index file.  Safe to share between threads; any number are searched together."""

    def __init__(self, path: Path, bits: dict[str, int], arrays: dict[str, Array], lexemes: int) -> None:
        """Use `open()`."""
        self.path = path
        self.lexemes = lexemes
        self._bits = bits
        self._arrays = arrays
        self._starts = arrays["starts"].astype(np.int64)
        self._step_starts = np.concatenate(([0], np.cumsum(-(-np.diff(self._starts) // LINE_STEP))))
        self._files = unpack_files(arrays["files"])
        self._blocks: dict[int, bytes] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> LicenceIndex:
        """Opens a sound index file.

        LicenceIndexError names the file, what is wrong with it and what to do, where it is missing,
        short, damaged, of another format, or no index at all.
        """
        path = Path(path)
        facts, arrays = read(path)
        try:
            bits = {one.name: int(facts["channels"][one.name]["bits"]) for one in CHANNELS}
            for one in CHANNELS:
                kept = facts["channels"][one.name]
                if (kept["k"], kept["w"]) != (one.k, one.w):
                    raise damaged(path, f"its channel {one.name} was made with other lengths")
            index = cls(path, bits, arrays, int(facts["lexemes"]))
            if len(index._starts) != len(index._files) + 1 or index._starts[-1] != index.lexemes:
                raise damaged(path, "its parts do not fit together")
        except (KeyError, ValueError, TypeError, IndexError, OverflowError, zlib.error) as error:
            raise damaged(path, f"its contents make no sense ({error!r})") from error
        return index

    def close(self) -> None:
        """Lets go of the file.  The index finds nothing from then on."""
        self._arrays = {}
        self._blocks = {}
        self._files = ()
        self.lexemes = 0

    def files(self) -> tuple[IndexedFile, ...]:
        """All files in it, sorted by project, version and path."""
        return self._files

    def seeds(self, lexemes: Lexemes, channel: Channel) -> Seeds:
        """Where the k-grams of `lexemes` stand, confirmed by the codes."""
        hashes, telling = grams(lexemes, channel)
        if not len(telling) or not self.lexemes:
            return _NOTHING
        query, granules = self._looked_up(spread(hashes[telling]), channel)
        query = telling[query]
        common = granules == COMMON
        silent = np.unique(query[common])
        query, granules = query[~common][:MAX_SEEDS], granules[~common][:MAX_SEEDS]
        wanted = (SHAPE_CODES[lexemes.codes] if channel.renamed else lexemes.codes).tobytes()
        found: list[tuple[int, int]] = []
        for place, granule in zip(query.tolist(), granules.tolist(), strict=True):
            begin = granule * GRANULE_LEXEMES
            codes = self._bytes(begin, begin + GRANULE_LEXEMES + channel.k - 1)
            if channel.renamed:
                codes = codes.translate(_SHAPE_TABLE)
            gram = wanted[place : place + channel.k]
            at = codes.find(gram)
            while at >= 0:
                found.append((place, begin + at))
                at = codes.find(gram, at + channel.k)
        pairs = np.array(found, np.int64).reshape(-1, 2)
        return Seeds(pairs[:, 0], pairs[:, 1], silent)

    def codes(self, begin: int, end: int) -> U8:
        """The codes of `[begin, end)`, which must be in the index."""
        return np.frombuffer(self._bytes(begin, end), np.uint8)

    def file_at(self, place: int) -> int:
        return int(np.searchsorted(self._starts, place, side="right")) - 1

    def files_at(self, places: Ints) -> Ints:
        return np.searchsorted(self._starts, places, side="right") - 1

    def places(self, lexemes: Lexemes, channel: Channel) -> Ints:
        """Where k-grams of `lexemes` begin that the index has: an index can say what is known, too."""
        found = self.seeds(lexemes, channel)
        return np.unique(np.concatenate((found.query, found.common)))

    def span_of(self, file: int) -> tuple[int, int]:
        """The places `[begin, end)` of a file."""
        return int(self._starts[file]), int(self._starts[file + 1])

    def line_at(self, place: int) -> int:
        """The line of its file, from 1, or one a little before it."""
        file = self.file_at(place)
        first = int(self._step_starts[file])
        last = first + (place - int(self._starts[file])) // LINE_STEP
        return 1 + int(self._arrays["steps"][first : last + 1].sum(dtype=np.int64))

    def _looked_up(self, hashes: Array, channel: Channel) -> tuple[Ints, Ints]:
        """Pairs of a place in `hashes` and the granule of one of its postings."""
        name, bits = channel.name, self._bits[channel.name]
        buckets = self._arrays[f"{name}.buckets"]
        bucket = bucket_of(hashes, bits)
        begins = buckets[bucket].astype(np.int64)
        sizes = buckets[bucket + 1].astype(np.int64) - begins
        owners = np.repeat(np.arange(len(hashes)), sizes)
        firsts = np.cumsum(sizes) - sizes
        at = np.arange(len(owners)) + (begins - firsts)[owners]
        same = np.flatnonzero(self._arrays[f"{name}.rests"][at] == rest_of(hashes, bits)[owners])
        at = at[same]
        granules = self._arrays[f"{name}.granules"][at].astype(np.int64)
        high = self._arrays.get(f"{name}.granules_high")
        if high is None:
            granules[granules == SMALL_COMMON] = COMMON
        else:
            granules |= high[at].astype(np.int64) << 16
        return owners[same], granules

    def _bytes(self, begin: int, end: int) -> bytes:
        begin, end = max(begin, 0), min(end, self.lexemes)
        if begin >= end:
            return b""
        first, last = begin // BLOCK_LEXEMES, (end - 1) // BLOCK_LEXEMES
        data = self._block(first) if first == last else b"".join(map(self._block, range(first, last + 1)))
        return data[begin - first * BLOCK_LEXEMES : end - first * BLOCK_LEXEMES]

    def _block(self, number: int) -> bytes:
        held = self._blocks.get(number)
        if held is None:
            begin, end = self._arrays["blocks"][number : number + 2].tolist()
            held = zlib.decompress(self._arrays["codes"][begin:end].data)
            with self._lock:
                while len(self._blocks) >= CACHED_BLOCKS:
                    self._blocks.pop(next(iter(self._blocks)))
                self._blocks[number] = held
        return held


_NONE = np.empty(0, np.int64)
_NOTHING = Seeds(_NONE, _NONE, _NONE)
