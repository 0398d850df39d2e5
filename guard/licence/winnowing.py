"""Fingerprints: k-grams of lexemes, of which a few are chosen so that every long enough copy shares one.

Schleimer, Wilkerson, Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003:
of every `w` k-grams in a row the one with the smallest hash is chosen, so any run of `w + k - 1`
lexemes that two texts share has a fingerprint in common, and nothing shorter than `k` ever has.  We
depart in two ways.  Ties go to a place that is pseudo-random in the position, which keeps the density
at 2/(w+1) in runs of equal k-grams too.  And only the indexed side is winnowed: of a suggestion all
k-grams are looked up, so one chosen place inside the copy is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from .lexing import FIRST_NUMBER, U64, Ints, Lexemes

_BASE = np.uint64(0x9E3779B97F4A7C15)
_PLACE_BITS = 24
_PLACE = np.uint64((1 << _PLACE_BITS) - 1)
_STEP = np.uint64(0xB5297A4D3)  # odd, so that a place can be read back from its product
_STEP_BACK = np.uint64(pow(0xB5297A4D3, -1, 1 << _PLACE_BITS))
_NEVER = np.uint64(2**64 - 1)
MAX_LEXEMES = 1 << _PLACE_BITS
"""Per text; more does not happen in code, and the rest of such a text has no fingerprints."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What of a lexeme counts, and the two lengths of winnowing."""

    name: str
    k: int
    w: int
    renamed: bool

    @property
    def guarantee(self) -> int:
        """Every shared run of so many lexemes is found."""
        return self.k + self.w - 1


EXACT = Channel("exact", k=17, w=25, renamed=False)
RENAMED = Channel("renamed", k=35, w=31, renamed=True)
CHANNELS = (EXACT, RENAMED)

MIN_SIGNS = 6
"""A renamed k-gram with fewer signs and keywords is prose or a table: it says nothing."""


def grams(lexemes: Lexemes, channel: Channel) -> tuple[U64, Ints]:
    """The hash of the k-gram that begins at each place, shape (n - k + 1,), and the places that count."""
    values = lexemes.shapes if channel.renamed else lexemes.values
    count = len(values) - channel.k + 1
    if count <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    hashes = _mixed(_polynomial(values, channel.k)[:count])
    if not channel.renamed:
        return hashes, np.arange(count)
    signs = np.concatenate(([0], np.cumsum(lexemes.codes < FIRST_NUMBER)))
    return hashes, np.flatnonzero(signs[channel.k :] - signs[: -channel.k] >= MIN_SIGNS)


def fingerprints(lexemes: Lexemes, channel: Channel) -> tuple[U64, Ints]:
    """The chosen hashes and the places where they begin, in order."""
    if len(lexemes) > MAX_LEXEMES:
        lexemes = lexemes.part(0, MAX_LEXEMES)
    hashes, telling = grams(lexemes, channel)
    if not len(telling):
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    places = np.arange(len(hashes), dtype=np.uint64) * _STEP & _PLACE
    keys = np.full(len(hashes), _NEVER)
    keys[telling] = (hashes[telling] & ~_PLACE) | places[telling]
    chosen = np.unique(_window_minimum(keys, min(channel.w, len(keys))))
    chosen = chosen[chosen != _NEVER]
    at = np.sort(((chosen & _PLACE) * _STEP_BACK & _PLACE).astype(np.int64))
    return hashes[at], at


def spread(hashes: U64) -> U64:
    """Chosen hashes are small ones; so spread, their highest bits are evenly distributed again."""
    with np.errstate(over="ignore"):
        return _mixed(hashes * _BASE)


def _polynomial(values: U64, k: int) -> U64:
    """Rolling hashes of length `k`, by doubling: log2(k) passes over the array."""
    result: U64 | None = None
    covered, power, length = 0, values, 1
    factor = _BASE
    with np.errstate(over="ignore"):
        while True:
            if k & length:
                if result is None:
                    result = power
                else:  # what is covered so far, then the next `length` values
                    size = min(len(result), len(power) - covered)
                    result = result[:size] * factor + power[covered : covered + size]
                covered += length
            if covered == k:
                return cast("U64", result)
            power = power[: len(power) - length] * factor + power[length:]
            factor = factor * factor
            length *= 2


def _mixed(values: U64) -> U64:
    """splitmix64's finaliser: every bit depends on every bit."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def _window_minimum(keys: U64, w: int) -> U64:
    """The smallest key of every `w` in a row, shape (n - w + 1,)."""
    smallest, length = keys, 1
    while length * 2 <= w:
        smallest = np.minimum(smallest[:-length], smallest[length:])
        length *= 2
    if length < w:
        rest = w - length
        smallest = np.minimum(smallest[: len(smallest) - rest], smallest[rest:])
    return smallest
