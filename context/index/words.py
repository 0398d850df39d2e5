"""Identifiers taken apart, so that `parse_http_header` finds `HTTPHeaderParser`."""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_RUNS = re.compile(r"[^\W_]+")
_MIN_PART_CHARS = 2
MAX_NAME_CHARS = 200
"""Longer ones are data, not names."""


@lru_cache(maxsize=8_192)
def words_of(name: str) -> str:
    """The whole name and its parts, lower case, separated by blanks; empty where it holds no word."""
    whole = name.lower()
    parts = _PARTS.findall(name) if name.isascii() else _parts(name)
    kept = [part for part in map(str.lower, parts) if len(part) >= _MIN_PART_CHARS and part != whole]
    return " ".join((whole, *kept)) if parts else ""


def _parts(name: str) -> list[str]:
    """The same in any alphabet; `re` does not know capitals outside ASCII."""
    parts: list[str] = []
    for run in _RUNS.findall(name):
        start = 0
        for at in range(1, len(run)):
            follows = run[at + 1 : at + 2]
            begins = run[at].isupper() and (not run[at - 1].isupper() or follows.islower())
            if begins or run[at].isdigit() != run[at - 1].isdigit():
                parts.append(run[start:at])
                start = at
        parts.append(run[start:])
    return parts
