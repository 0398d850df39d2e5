"""How alike two pieces of code are, and a percentile.  Pure functions of text and numbers."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Sequence

_TOKENS = re.compile(
    r"""
      (?P<comment> \#[^\n]* | //[^\n]* | /\*.*?\*/ )
    | (?P<string> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | `(?:\\.|[^`\\])*` )
    | (?P<name> [^\W\d]\w* )
    """,
    re.VERBOSE | re.DOTALL,
)


def is_exact(text: str, expected: str) -> bool:
    """Equal, line ends unified and white space at the end of each line and of the whole set aside."""
    return _lines(text) == _lines(expected)


def edit_similarity(text: str, expected: str) -> float:
    """1 − Levenshtein distance / length of the longer text, in code points; 1 for two empty texts.

    White space at the end is set aside.
    """
    first, second = "\n".join(_lines(text)), "\n".join(_lines(expected))
    longer = max(len(first), len(second))
    return 1 - levenshtein(first, second) / longer if longer else 1.0


def levenshtein(first: str, second: str) -> int:
    """Fewest insertions, deletions and substitutions of one character that turn one into the other.

    Bit-parallel over whole integers (Myers 1999, in Hyyrö's 2003 form): one column a step, so two
    texts of a thousand characters take about a millisecond.
    """
    if not first or not second:
        return len(first) + len(second)
    positions: dict[str, int] = {}
    for index, character in enumerate(first):
        positions[character] = positions.get(character, 0) | 1 << index
    mask = (1 << len(first)) - 1
    last = 1 << (len(first) - 1)
    rises, falls, distance = mask, 0, len(first)
    for character in second:
        equal = positions.get(character, 0)
        diagonal = (((equal & rises) + rises) ^ rises) | equal | falls
        right_rises = falls | ~(diagonal | rises) & mask
        right_falls = rises & diagonal
        if right_rises & last:
            distance += 1
        elif right_falls & last:
            distance -= 1
        right_rises = right_rises << 1 | 1
        rises = (right_falls << 1 | ~(diagonal | right_rises)) & mask
        falls = right_rises & diagonal & mask
    return distance


def identifiers(text: str) -> tuple[str, ...]:
    """The names in a piece of code, in order, with repetitions.

    What looks like a comment or a closed string is left out, and so are Python's keywords; other
    languages' keywords count as names, which changes nothing when two texts are compared.
    """
    names = (match["name"] for match in _TOKENS.finditer(text))
    return tuple(name for name in names if name and not keyword.iskeyword(name))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of `values` do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]
