"""How well a name fits what stands round the cursor, by the words in it.

Whoever writes `read_resource(…, params: types.` probably goes on with `ReadResourceRequestParams`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from ..index.words import words_of

_PLURAL = re.compile(r"(?<=[a-z]{3})s$")
_NAME = re.compile(r"[^\W\d]\w+")
_SIGNATURE_SHARE = 0.25


class Affinity:
    """Of candidates to one place.  `names`: those round the cursor, with what each counts."""

    def __init__(self, names: Mapping[str, float]) -> None:
        self._weights: dict[str, float] = {}
        for name, weight in names.items():
            for word in parts_of(name):
                if weight > self._weights.get(word, 0.0):
                    self._weights[word] = weight
        self._num = 0
        self._having: Counter[str] = Counter()
        self._rarities: dict[str, float] = {}

    def learn(self, names: Iterable[str]) -> None:
        """What the candidates are called: words that many of them have tell little."""
        for name in names:
            self._num += 1
            self._having.update(set(parts_of(name)))
        self._rarities.clear()

    def touches(self, name: str) -> bool:
        """Has it any word in common with the surroundings?"""
        return any(part in self._weights for part in parts_of(name))

    def of(self, name: str, signature: str = "") -> float:
        """0 to 1: the share of its words that the surroundings explain."""
        own = self._explained(parts_of(name))
        if not signature:
            return own
        return (1 - _SIGNATURE_SHARE) * own + _SIGNATURE_SHARE * self._explained(_words_in(signature, name))

    def _explained(self, words: Iterable[str]) -> float:
        known = total = 0.0
        for word in words:
            rarity = self._rarities.get(word)
            if rarity is None:
                rarity = math.log(1 + (self._num + 1) / (self._having[word] + 1))
                self._rarities[word] = rarity
            total += rarity
            known += rarity * self._weights.get(word, 0.0)
        return known / total if total else 0.0


@lru_cache(maxsize=16_384)
def parts_of(name: str) -> tuple[str, ...]:
    """Its words in lower case, without plural; the name itself where it is one word."""
    words = words_of(name).split()
    parts = words[1:] or words
    return tuple(_PLURAL.sub("", part) for part in parts)


@lru_cache(maxsize=8_192)
def _words_in(signature: str, name: str) -> tuple[str, ...]:
    names = dict.fromkeys(_NAME.findall(signature))
    return tuple(word for part in names if part != name for word in parts_of(part))
