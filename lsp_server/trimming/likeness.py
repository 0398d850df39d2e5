"""When two lines say the same.

Code that differs in one character may mean the opposite (`+= 1`, `-= 1`), so lines of code are alike only
if all their words and operators are equal: spacing, kind of quotes and a separator at the end may
differ.  Prose may differ by one character or 5 % (Tabby's measure, which we do not take for code).
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PROSE = re.compile(r"(?:#|//|/\*|\*|--|\"\"\"|''')")
MAX_PROSE_SHARE = 0.05
_MIN_WORDS = 3


def is_alike(a: str, b: str) -> bool:
    a, b = a.strip(), b.strip()
    if a == b:
        return True
    if _PROSE.match(a) and _PROSE.match(b):
        longest = max(1, int(MAX_PROSE_SHARE * max(len(a), len(b))))
        return len(a.split()) >= _MIN_WORDS and distance(a, b, longest) <= longest
    return _tokens(a) == _tokens(b) and bool(_tokens(a))


def distance(a: str, b: str, most: int) -> int:
    """Levenshtein's, or any number above `most` once it is clear that it is larger."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, start=1):
            cost = min(row[j] + 1, row[j - 1] + 1, diagonal + (char != other))
            diagonal, row[j] = row[j], cost
        if min(row) > most:
            return most + 1
    return row[-1]


def _tokens(line: str) -> list[str]:
    line = re.sub(r"[;,]\s*$", "", line.replace("'", '"').replace("`", '"'))
    return _TOKEN.findall(line)
