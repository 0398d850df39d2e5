"""Signatures and docstrings: what is said of a definition, on one line."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from .frames import Span

MAX_SIGNATURE = 400
MAX_VALUE = 120
"""Of the signature of a field or variable, whose value may be a table."""
MAX_DOC = 400
MAX_COMMENT = 8_000
"""Above a definition; a longer one loses its beginning."""
MAX_TYPE = 200
MAX_RECEIVER = 120

_BLANKS = re.compile(r"\s+")
_INSIDE_OPEN = re.compile(r"(?<=[(\[]) ")
_BEFORE_CLOSE = re.compile(r",? (?=[)\]])")
_ENDS = " \t\r\n{:=;,"
_MARKS = re.compile(
    r"^[ \t]*(?:/\*[*!]*|\*+/|\*(?!/)|///?!?|//!|#+:?|--+(?:\[=*\[)?|=begin|=end)[ \t]?", re.MULTILINE
)
_CLOSERS = re.compile(r"\s*(?:\*+/|\]=*\])\s*$", re.MULTILINE)
_PREFIXES = "rRuUbBfF"
_BREAK = re.compile(
    r"\n[ \t]*\n|\n[ \t]*(?=[@\\][a-z]|:param|Args?:|Arguments:|Parameters|Returns?:)|<p>|</summary>|</p>"
)
_TAGS = re.compile(r"</?(?:summary|para|p)>")
_NOT_DOC = re.compile(r"copyright|licensed? under|SPDX-|@generated|coding[:=]|eslint-|^#!", re.IGNORECASE)


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def one_line(text: str, limit: int = MAX_SIGNATURE) -> str:
    """Runs of blanks become one, brackets close up, and what is over `limit` is cut with `…`."""
    if "\n" in text or "\r" in text or "\t" in text or "  " in text:
        text = _BLANKS.sub(" ", text[: 4 * limit])
        text = _BEFORE_CLOSE.sub("", _INSIDE_OPEN.sub("", text))
    return shortened(text.strip(), limit)


def type_text(text: str) -> str:
    """A type as written; the colon or arrow some grammars count to it goes, and so do quotes."""
    text = one_line(text.lstrip(":-> \t") if text[:1] in ":-" else text, MAX_TYPE)
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    return text


def callee_text(text: str) -> str:
    """What is called, without the arguments a grammar counts to it."""
    text = one_line(text, MAX_TYPE)
    if not text.endswith(")"):
        return text
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] == ")") - (text[place] == "(")
        if depth == 0:
            return text[:place].rstrip()
    return text


REMARK, PRELUDE, COMMENT = range(3)


@dataclass(frozen=True, slots=True)
class Remarks:
    """What stands around definitions, in order of the text."""

    starts: list[int]
    ends: list[int]
    kinds: list[int]
    """`COMMENT` documents what follows; `PRELUDE`, an attribute, may stand between; `REMARK` neither."""
    any_before: bool
    """Whether one of them is more than a `REMARK`."""


def without_remarks(text: str, start: int, end: int, remarks: Remarks) -> str:
    """`text[start:end]` without the comments in it."""
    starts, place = remarks.starts, bisect_left(remarks.starts, start)
    if place == len(starts) or starts[place] >= end:
        return text[start:end]
    pieces: list[str] = []
    while place < len(starts) and starts[place] < end:
        pieces.append(text[start : starts[place]])
        start = max(start, remarks.ends[place])
        place += 1
    pieces.append(text[start:end])
    return " ".join(pieces)


def signature(text: str, start: int, end: int, remarks: Remarks, limit: int = MAX_SIGNATURE) -> str:
    """`text[start:end]` on one line, without comments and without the opener of what follows."""
    end = min(end, start + 8 * limit)
    piece = text[start:end]
    if "\n" in piece:
        piece = without_remarks(text, start, end, remarks)
    return one_line(piece.rstrip(_ENDS).removesuffix("=>"), limit).rstrip(_ENDS)


def before(text: str, start: int, remarks: Remarks) -> tuple[Span | None, list[Span]]:
    """The comments that stand alone on the lines right above `start`, as one span, and the preludes."""
    place = bisect_right(remarks.ends, start) - 1
    comment: Span | None = None
    preludes: list[Span] = []
    below = start
    while place >= 0 and remarks.kinds[place] != REMARK:
        own_start, own_end = remarks.starts[place], remarks.ends[place]
        gap = text[own_end:below]
        newlines = gap.count("\n") + (text[own_end - 1] == "\n")
        line_start = text.rfind("\n", 0, own_start) + 1
        if newlines != 1 or gap.strip() or text[line_start:own_start].strip():
            break
        if remarks.kinds[place] == PRELUDE:
            preludes.insert(0, (own_start, own_end))
        else:
            comment = (own_start, comment[1] if comment else own_end)
        if start - own_start > MAX_COMMENT:
            break
        below = line_start
        place -= 1
    return comment, preludes


def header(text: str, remarks: Remarks) -> Span | None:
    """The comments a file begins with, as one span."""
    found: Span | None = None
    past = text.find("\n") + 1 if text.startswith("#!") else 0
    for start, end, kind in zip(remarks.starts, remarks.ends, remarks.kinds, strict=True):
        if end <= past:
            continue
        gap = text[found[1] : start] if found else text[past:start]
        if kind != COMMENT or gap.strip("\ufeff \t\r\n") or (found and gap.count("\n") > 1):
            break
        found = (found[0] if found else start, end)
        if end > 8 * MAX_DOC:
            break
    return found


def comment_doc(text: str) -> str:
    """The first paragraph of a comment, on one line; empty where it is a licence or for a tool."""
    if _NOT_DOC.search(text[:MAX_DOC]):
        return ""
    return _paragraph(_CLOSERS.sub("", _MARKS.sub("", text[: 8 * MAX_DOC])))


def string_doc(text: str) -> str:
    """The first paragraph of a docstring, on one line."""
    text = text[: 8 * MAX_DOC].lstrip(_PREFIXES)
    mark = text[:3] if text[:3] in ('"""', "'''") else text[:1]
    return _paragraph(text.removeprefix(mark).removesuffix(mark))


def _paragraph(text: str) -> str:
    text = text.replace("\r\n", "\n").strip().partition("\n\n")[0]
    if "\n" in text or "<" in text:
        text = _TAGS.sub("", _BREAK.split(text, maxsplit=1)[0])
    return shortened(_BLANKS.sub(" ", text).strip(), MAX_DOC)
