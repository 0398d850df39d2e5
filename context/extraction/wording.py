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
_QUOTES = re.compile(r"""^[a-zA-Z]{0,2}('''|\"\"\"|'|")(.*?)(?:\1)?$""", re.DOTALL)
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


@dataclass(frozen=True, slots=True)
class Remarks:
    """All comments of a text, in order; `documents[i]` says whether comment `i` may be a doc comment."""

    starts: list[int]
    ends: list[int]
    documents: list[bool]
    any_documents: bool


def without_remarks(text: str, start: int, end: int, remarks: Remarks) -> str:
    """`text[start:end]` without the comments in it."""
    place = bisect_left(remarks.starts, start)
    pieces: list[str] = []
    while place < len(remarks.starts) and remarks.starts[place] < end:
        pieces.append(text[start : remarks.starts[place]])
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
    return one_line(piece.rstrip(_ENDS), limit).rstrip(_ENDS)


def comment_before(text: str, start: int, remarks: Remarks) -> Span | None:
    """The comments that stand alone on the lines right above `start`, as one span."""
    place = bisect_right(remarks.ends, start) - 1
    first: Span | None = None
    below = start
    while place >= 0 and remarks.documents[place]:
        comment_start, comment_end = remarks.starts[place], remarks.ends[place]
        gap = text[comment_end:below]
        newlines = gap.count("\n") + (text[comment_end - 1] == "\n")
        line_start = text.rfind("\n", 0, comment_start) + 1
        if newlines != 1 or gap.strip() or text[line_start:comment_start].strip():
            break
        first = (comment_start, first[1] if first else comment_end)
        if start - comment_start > MAX_COMMENT:
            break
        below = line_start
        place -= 1
    return first


def header(text: str, remarks: Remarks) -> Span | None:
    """The comments a file begins with, as one span."""
    found: Span | None = None
    for start, end, documents in zip(remarks.starts, remarks.ends, remarks.documents, strict=True):
        before = text[found[1] : start] if found else text[:start]
        if not documents or before.strip("\ufeff \t\r\n") or (found and before.count("\n") > 1):
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
    quoted = _QUOTES.match(text)
    return _paragraph(quoted[2] if quoted else text)


def _paragraph(text: str) -> str:
    text = _TAGS.sub("", _BREAK.split(text.replace("\r\n", "\n").strip(), maxsplit=1)[0])
    return shortened(_BLANKS.sub(" ", text).strip(), MAX_DOC)
