"""Where in a text the last tokens have stood before, and what followed them there.

Chains of equal pairs of tokens, as in LZ77 (Ziv, Lempel 1977): for every position the previous one
with the same pair.  Appending, cutting and asking are O(1) for a token; nothing scans the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

LONGEST_MATCH = 16
"""Tokens compared backwards; beyond, a match is not more likely to go on."""

_MOST_TRIED = 12
"""Places with the same pair that are looked at, the most recent first: ` =` stands everywhere."""

_PAIR_BITS = 20
"""Ids of every vocabulary we know have fewer."""


@dataclass(frozen=True, slots=True)
class Match:
    """The last `length` tokens have stood before; `ids` followed them there (at least one)."""

    length: int
    ids: list[int]


class SuffixIndex:
    """A text that grows at its end, and what followed every pair of tokens in it."""

    def __init__(self, ids: Sequence[int] = ()) -> None:
        self._ids: list[int] = []
        self._earlier: list[int] = []  # [i]: the last place before i where the pair that ends at i ended
        self._last: dict[int, int] = {}  # pair -> the last place where it ended
        self.extend(ids)

    def __len__(self) -> int:
        return len(self._ids)

    def extend(self, ids: Sequence[int]) -> None:
        known, last, earlier = self._ids, self._last, self._earlier
        before = known[-1] if known else -1
        place = len(known)
        for token_id in ids:
            pair = before << _PAIR_BITS | token_id
            earlier.append(last.get(pair, -1))
            last[pair] = place
            before = token_id
            place += 1
        known.extend(ids)

    def become(self, ids: Sequence[int]) -> None:
        """Make this the index of another text; what both begin with is not done again."""
        common = _common_length(self._ids, ids)
        self._truncate(common)
        self.extend(ids[common:])

    def find(self, tail: Sequence[int], count: int, fits: Callable[[list[int]], bool]) -> Match | None:
        """Where the end of `tail` (two tokens or more) has stood before: the longest, of equals the last.

        `fits` may turn down what followed there (up to `count` ids).
        """
        if len(tail) < 2:
            return None
        ids = self._ids
        place = self._last.get(tail[-2] << _PAIR_BITS | tail[-1], -1)
        best_length, best_place = 1, -1
        for _ in range(_MOST_TRIED):
            if place < 0:
                break
            if place + 1 < len(ids):
                length = _common_end(ids, place, tail)
                if length > best_length and fits(ids[place + 1 : place + 1 + count]):
                    best_length, best_place = length, place
                    if length >= LONGEST_MATCH:
                        break
            place = self._earlier[place]
        if best_place < 0:
            return None
        return Match(best_length, ids[best_place + 1 : best_place + 1 + count])

    def _truncate(self, length: int) -> None:
        ids, last, earlier = self._ids, self._last, self._earlier
        for place in range(len(ids) - 1, length - 1, -1):
            pair = (ids[place - 1] if place else -1) << _PAIR_BITS | ids[place]
            if earlier[place] < 0:
                del last[pair]
            else:
                last[pair] = earlier[place]
        del ids[length:], earlier[length:]


def _common_end(ids: list[int], place: int, tail: Sequence[int]) -> int:
    """How many tokens before and at `place` are those at the end of `tail`, at most `LONGEST_MATCH`."""
    most = min(LONGEST_MATCH, place + 1, len(tail))
    length = 0
    while length < most and ids[place - length] == tail[-1 - length]:
        length += 1
    return length


def _common_length(a: Sequence[int], b: Sequence[int]) -> int:
    for place, (mine, other) in enumerate(zip(a, b, strict=False)):
        if mine != other:
            return place
    return min(len(a), len(b))
