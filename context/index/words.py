"""Identifiers taken apart, so that `parse_http_header` finds `HTTPHeaderParser`."""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_]+")
_MIN_PART_CHARS = 2
MAX_NAME_CHARS = 200
"""Longer ones are data, not names."""


@lru_cache(maxsize=8_192)
def words_of(name: str) -> str:
    """The whole name and its parts, lower case, separated by blanks; empty where it holds no word."""
    whole = name.lower()
    parts = [part.lower() for part in _PARTS.findall(name)]
    kept = [part for part in parts if len(part) >= _MIN_PART_CHARS and part != whole]
    return " ".join((whole, *kept)) if parts else ""
