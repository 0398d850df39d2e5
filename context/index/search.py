"""BM25 for open buffers, by the formula FTS5 uses for the files on disk, so that scores compare.

Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), with k1 = 1.2 and b = 0.75; FTS5
keeps the weight of a word that more than half of the files have at 1e-6 instead of below zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .words import words_of

K1, B = 1.2, 0.75
MAX_WORDS = 48


@dataclass(frozen=True, slots=True)
class Statistics:
    num_files: int
    mean_words: float
    """Per file."""
    files_with: Mapping[str, int]


def search_words(names: Iterable[str]) -> tuple[str, ...]:
    """At most `MAX_WORDS`: those of the names given first."""
    words = dict.fromkeys(word for name in names for word in words_of(name).split())
    return tuple(words)[:MAX_WORDS]


def match_expression(words: Iterable[str]) -> str:
    """FTS5's query for files with any of `words`."""
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)


def bm25(words: Iterable[str], document: Mapping[str, int], statistics: Statistics) -> float:
    """The score of a file with these words, as many times each; 0 where it has none of them."""
    length = sum(document.values()) / max(statistics.mean_words, 1.0)
    score = 0.0
    for word in words:
        if times := document.get(word, 0):
            having = statistics.files_with.get(word, 0)
            odds = (statistics.num_files - having + 0.5) / (having + 0.5)
            weight = max(math.log(max(odds, 1e-9)), 1e-6)
            score += weight * times * (K1 + 1) / (times + K1 * (1 - B + B * length))
    return score
