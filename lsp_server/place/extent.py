"""One line or several?  By what the cursor's place opens, not by how much room there is.

Several where a block has been opened, below a comment or docstring that asks for code, on a blank line
between statements or at a block's end, and for a key on any blank line.  One inside an expression, an
argument list or a text, and where code goes on below at the same level.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ..snapshot import Trigger
from .scope_table import UNKNOWN, Row
from .scopes import Standing

_OPENS_BLOCK = re.compile(r"(?:[:{(\[]|=>|->|\bthen|\bdo)[ \t]*(?:#.*|//.*)?$")
_OPENS_BRACE = re.compile(r"(?:[:{]|=>|->|\bthen|\bdo)[ \t]*$")
_MAX_HEADER_CHARS = 400
_DOC_ENDS = ('"""', "'''", "*/")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The cursor's line and its neighbours, without line ends."""

    typed: str
    """The line up to the cursor."""
    rest: str
    """The line from the cursor on."""
    previous: str
    """The nearest line above that is not blank; empty if there is none."""
    next_line: str | None
    """The line just below; None at the end of the document."""


def opens_block(line: str) -> bool:
    """Does code follow from this line into a block, a bracket or an arrow?  In any language."""
    return bool(_OPENS_BLOCK.search(line))


def wants_several(here: Surroundings, place: Standing, row: Row, trigger: Trigger) -> bool:
    if here.rest.strip():
        return False
    if place.in_hole:
        return False
    if here.typed.strip():
        is_code = place.scope in ("code", "comment") and place.bracket not in ("(", "[")
        is_inside_literal = place.bracket == "{" and not here.typed.rstrip().endswith("{")
        return is_code and not is_inside_literal and is_header(here.typed, row)
    if place.scope not in ("code", "markup") or place.bracket in ("(", "["):
        return False
    if is_block_empty(here, row):
        return True
    if place.bracket == "{":
        return False
    return trigger is Trigger.INVOKED or _is_between_statements(here, row)


def is_header(line: str, row: Row) -> bool:
    """Must a block, or what stands between braces, come after this line?"""
    code = _without_comment(line, row).strip()[-_MAX_HEADER_CHARS:]
    if not code:
        return False
    return bool((_OPENS_BRACE.search if row is UNKNOWN else _header(row).match)(code))


def is_block_empty(here: Surroundings, row: Row) -> bool:
    """On a blank line: does a block begin above and nothing of it stand below?"""
    if not is_header(here.previous, row):
        return False
    below = here.next_line or ""
    return not below.strip() or _indent(below) <= _indent(here.previous)


def _is_between_statements(here: Surroundings, row: Row) -> bool:
    below = here.next_line or ""
    if not below.strip() or _asks_for_code(here.previous, row):
        return True
    first = re.match(r"\s*([\w#;]+)", below)
    closes = below.lstrip()[0] in ")]}" or (first is not None and first[1] in row.ends)
    return closes or _indent(below) < _indent(here.typed)


def _asks_for_code(line: str, row: Row) -> bool:
    """Is this a comment, or the end of a docstring?"""
    return line.rstrip().endswith(_DOC_ENDS) or line.lstrip().startswith(row.line_comments)


def _without_comment(line: str, row: Row) -> str:
    """Without a comment at its end, which begins its line or stands after a blank."""
    marks = [re.escape(mark) for mark in row.line_comments]
    return re.split(rf"(?:^|(?<=\s))(?:{'|'.join(marks)})", line, maxsplit=1)[0] if marks else line


@lru_cache(maxsize=64)
def _header(row: Row) -> re.Pattern[str]:
    return re.compile(row.header)


def _indent(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip())
