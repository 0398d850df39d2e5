"""From k-grams found to what two texts share: runs on nearly the same diagonal, chained over gaps.

A statement inserted into a copy moves what follows to the next diagonal, so runs of equal codes are
looked for in a band of diagonals round those of the seeds, and the best chain of runs in order is
kept: its lexemes less what lies between.  (JPlag's merging of matches has the same aim.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .lexing import FIRST_WORD, U8, U64, Ints

BAND = 48
"""Diagonals on either side of the seeds'."""
MAX_BAND = 512
MAX_GAP = 64
"""Lexemes between two runs of one chain, on either side."""
MAX_RUNS = 48
GAP_COST = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """`length` equal codes, from `query` of one text and `place` of the other."""

    query: int
    place: int
    length: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Runs in order, on both sides; never empty."""

    runs: tuple[Run, ...]

    @property
    def lexemes(self) -> int:
        return sum(run.length for run in self.runs)

    @property
    def coverage(self) -> float:
        """The share of the shorter side's stretch that is matched: a common subsequence."""
        first, last = self.runs[0], self.runs[-1]
        ours = last.query + last.length - first.query
        theirs = last.place + last.length - first.place
        return self.lexemes / min(ours, theirs)

    def pairs(self) -> tuple[Ints, Ints]:
        """All matched lexemes, on both sides."""
        ours = np.concatenate([np.arange(run.query, run.query + run.length) for run in self.runs])
        theirs = np.concatenate([np.arange(run.place, run.place + run.length) for run in self.runs])
        return ours, theirs


def clusters(query: Ints, places: Ints, files: Ints, length: int) -> list[Ints]:
    """Seeds that may be of one copy, as indices: one file, and no further apart than the query is long.

    The largest clusters first; ties in order of place.
    """
    if not len(query):
        return []
    order = np.lexsort((query, places, files))
    apart = np.diff(places[order]) > length + MAX_GAP
    apart |= np.diff(files[order]) != 0
    groups = np.split(order, np.flatnonzero(apart) + 1)
    return sorted(groups, key=lambda group: -len(np.unique(query[group])))


def best_chain(
    ours: U8, theirs: U8, first_place: int, diagonals: tuple[int, int], min_run: int
) -> Chain | None:
    """The best chain between two texts; `theirs[0]` is at `first_place`.

    `diagonals` are the least and greatest `place - query` of the seeds.
    """
    low, high = diagonals[0] - BAND, diagonals[1] + BAND
    if high - low > MAX_BAND:
        high = low + MAX_BAND
    count = len(ours)
    # Row i is the diagonal low + i; code 0 stands for what is not there.
    before = max(0, first_place - low)
    after = max(0, high + count - (first_place + len(theirs)))
    padded = np.concatenate((np.zeros(before, np.uint8), theirs, np.zeros(after, np.uint8)))
    offset = low - first_place + before
    rows = sliding_window_view(padded[offset : offset + high - low + count], count)
    equal = np.zeros((len(rows), count + 1), bool)
    np.equal(rows, ours, out=equal[:, :count])
    edges = np.diff(equal.reshape(-1).view(np.int8), prepend=np.int8(0))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    lengths = ends - begins
    long = np.flatnonzero(lengths >= min_run)
    if not len(long):
        return None
    long = long[np.argsort(-lengths[long], kind="stable")[:MAX_RUNS]]
    diagonal, query = np.divmod(begins[long], count + 1)
    runs = [
        Run(q, low + d + q, n)
        for d, q, n in zip(diagonal.tolist(), query.tolist(), lengths[long].tolist(), strict=True)
    ]
    return _chained(sorted(runs, key=lambda run: (run.query, run.place)), min_run)


def _chained(runs: list[Run], min_run: int) -> Chain:
    scores: list[float] = []
    links: list[tuple[int, Run]] = []
    for i, run in enumerate(runs):
        best, link, cut = float(run.length), -1, run
        for j in range(i):
            last = links[j][1]
            over = max(0, last.query + last.length - run.query, last.place + last.length - run.place)
            if run.length - over < min_run // 2:
                continue
            gap = run.query + over - last.query - last.length
            their_gap = run.place + over - last.place - last.length
            if max(gap, their_gap) > MAX_GAP:
                continue
            score = scores[j] + run.length - over - min(gap, their_gap) - GAP_COST * max(gap, their_gap)
            if score > best:
                best, link = score, j
                cut = Run(run.query + over, run.place + over, run.length - over)
        scores.append(best)
        links.append((link, cut))
    at = max(range(len(runs)), key=lambda i: scores[i])
    found: list[Run] = []
    while at >= 0:
        at, run = links[at]
        found.append(run)
    return Chain(tuple(reversed(found)))


@dataclass(frozen=True, slots=True)
class Consistency:
    """How far the words of one text are the words of another under other names.

    Of the words that stand in several places of either, the share that is matched with the same one
    throughout.  In a renamed copy it is one, less what codes that two words share take away from
    `back`; two texts that merely have the same shape call different things by different names.
    """

    forth: float
    back: float
    words: int
    """Places of words of ours that stand in several."""


def consistency(ours: U64, theirs: U8) -> Consistency:
    """Of matched lexemes of ours and the codes they are matched with; shapes (n,)."""
    words = theirs >= FIRST_WORD
    names, numbers = np.unique(ours[words], return_inverse=True)
    codes = theirs[words].astype(np.int64)
    if not len(names):
        return Consistency(0.0, 0.0, 0)
    counts = np.zeros((len(names), 256), np.int64)
    np.add.at(counts, (numbers, codes), 1)
    forth, several = _share(counts)
    back, _ = _share(counts.T)
    return Consistency(forth, back, several)


def _share(counts: Ints) -> tuple[float, int]:
    totals = counts.sum(axis=1)
    several = totals >= 2
    count = int(totals[several].sum())
    return (float(counts[several].max(axis=1).sum()) / count if count else 0.0), count


def variety(shapes: U8) -> int:
    """How many different five lexemes in a row there are: few in a table, however long."""
    if len(shapes) < 5:
        return 0
    packed = np.zeros(len(shapes) - 4, np.uint64)
    for i in range(5):
        packed = packed << np.uint64(8) | shapes[i : len(shapes) - 4 + i]
    return len(np.unique(packed))
