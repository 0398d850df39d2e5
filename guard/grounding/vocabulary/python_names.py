"""The names that a Python source defines, found by a few expressions over its bytes.

No tree: a tree costs fifty times as much, and packages hold a hundred megabytes.  What is taken for a
definition too many: the words of strings that look like names (keys, `setattr`, `__slots__`), local
variables, and names in commented-out code.  What is missed: names put together at run time.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain

MAX_SOURCE_BYTES = 8_000_000
"""Longer sources are tables; what lies beyond is not read."""

_DEFINED = re.compile(rb"\b(?:def|class|type)[ \t]++(\w++)")
_ASSIGNED = re.compile(rb"\b(\w++)[ \t]*+:?=(?!=)")  # keywords of calls and defaults too
_ANNOTATED = re.compile(rb"^[ \t]*+(?:\w++\.)?+(\w++)[ \t]*+:", re.MULTILINE)
_LITERAL = re.compile(rb"""["']([A-Za-z_]\w*+)["']""")
_PARAMETERS = re.compile(rb"\bdef[ \t]++\w++[^(\n]*+\(((?:[^()]++|\((?:[^()]++|\([^()]*+\))*+\))*+)\)")
_UNPACKED = re.compile(
    rb"^[ \t]*+(?:\(([\w.,\s*]++)\)|([\w.\[\]*() \t]++,[\w., \[\]*()\t]++))[ \t]*+=(?!=)", re.MULTILINE
)
_IMPORTED = re.compile(rb"\bimport[ \t]++(\([^)]*+\)|[^\n]++)")
_LISTED = re.compile(
    rb"(?:namedtuple|Enum|Flag|NamedTuple|make_dataclass|__slots__)[^\n\"']{0,60}+([\"'][^)]{0,4000}+)"
)
_TARGET = re.compile(rb"\b(?:for|as)[ \t]++[\w., \t]*?\.(\w++)[ \t]*+(?:in\b|:)")
_WORD = re.compile(rb"[A-Za-z_]\w*+")
_WIDE_WORD = re.compile(r"[^\W\d]\w*+")


def names_in(source: bytes) -> set[bytes]:
    """Names as UTF-8, a few too many of them; never fails, whatever the bytes."""
    source = source[:MAX_SOURCE_BYTES]
    found = set(_DEFINED.findall(source))
    for pattern in (_ASSIGNED, _ANNOTATED, _LITERAL, _TARGET):
        found.update(pattern.findall(source))
    unpacked = chain.from_iterable(_UNPACKED.findall(source))
    for text in (unpacked, *(pattern.findall(source) for pattern in (_PARAMETERS, _IMPORTED, _LISTED))):
        found.update(chain.from_iterable(map(_WORD.findall, text)))
    if not source.isascii():
        wide = _WIDE_WORD.findall(source.decode("utf-8", "replace"))
        found.update(unicodedata.normalize("NFKC", one).encode() for one in wide if not one.isascii())
    return found
