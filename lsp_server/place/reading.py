"""Program text read from the left, without a tree: what is still open at its end.

Trees are better where the text is whole.  Where it breaks off in the middle of a string, as text that is
being typed does, parsers throw the quote away and read the words in it as code; this does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .scope_table import Row

Inside = Literal["code", "comment", "string"]

_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the end of a text is in.  `opener` and `at` are of the comment or string, and empty in code."""

    inside: Inside = "code"
    opener: str = ""
    at: int = 0
    brackets: tuple[int, ...] = ()
    """Offsets of the brackets that are open, outermost first."""
    in_hole: bool = False
    """In code inside a string."""
    has_strings: bool = False


def read(text: str, row: Row) -> Reading:
    """Read `text`, which begins in code."""
    marks, brackets = _marks(row), list[int]()
    at, has_strings = 0, False
    while (found := marks.search(text, at)) is not None:
        opener, start = found[0], found.start()
        at = found.end()
        if opener in "([{":
            brackets.append(start)
            continue
        if opener in ")]}":
            _close(text, brackets, opener)
            continue
        is_comment = opener in row.line_comments or _closer(row, opener) is not None
        end = _end_of(text, start, opener, row)
        if end is not None:
            at, has_strings = end, has_strings or not is_comment
            continue
        if is_comment:
            return Reading("comment", opener, start, tuple(brackets), has_strings=has_strings)
        hole = _open_hole(text, start, at, row)
        if hole is None:
            return Reading("string", opener, start, tuple(brackets), has_strings=has_strings)
        inner = read(text[hole:], row)
        if inner.inside != "code":
            return Reading(inner.inside, inner.opener, hole + inner.at, tuple(brackets), has_strings=True)
        return Reading("code", brackets=(*brackets, hole - 1), in_hole=True, has_strings=True)
    return Reading(brackets=tuple(brackets), has_strings=has_strings)


def _close(text: str, brackets: list[int], closer: str) -> None:
    """Take back to the partner of `closer`, if it has one: what was left open in between was broken."""
    for depth in range(len(brackets) - 1, -1, -1):
        if text[brackets[depth]] == _PAIRS[closer]:
            del brackets[depth:]
            return


def _end_of(text: str, start: int, opener: str, row: Row) -> int | None:
    """Where the comment or string at `start` ends; None when it is open at the end of `text`."""
    after = start + len(opener)
    if opener in row.line_comments:
        end = text.find("\n", after)
        return None if end < 0 else end
    if (closer := _closer(row, opener)) is not None:
        end = text.find(closer, after)
        return None if end < 0 else end + len(closer)
    closed = _string(opener, opener in row.long_quotes).match(text, after)
    if closed is None or closed["close"] is None:
        end = len(text) if closed is None else closed.end()
        return None if end >= len(text) else end  # a string of one line ends with it, closed or not
    return closed.end()


def _closer(row: Row, opener: str) -> str | None:
    return next((end for start, end in row.block_comments if start == opener), None)


def _open_hole(text: str, start: int, at: int, row: Row) -> int | None:
    """Where code begins inside the string that is opened at `[start, at)`, if `text` ends in that code."""
    if row.hole is None or not re.search(f"(?:{row.holed})$", text[max(0, start - 2) : at]):
        return None
    opening, closing = row.hole
    last = text.rfind(opening, at)
    if last < 0 or text.find(closing, last + len(opening)) >= 0:
        return None
    return last + len(opening)


@lru_cache(maxsize=64)
def _marks(row: Row) -> re.Pattern[str]:
    """What may open or close anything, longest first; a `#` or `--` in the middle of a word does not."""
    openers = [start for start, _ in row.block_comments] + [*row.line_comments, *row.quotes]
    alternatives = [re.escape(one) for one in sorted(openers, key=len, reverse=True)]
    if row.hole is not None and row.hole[0] == "$(":  # of a shell, which has `$#` and `${#name}`
        alternatives[alternatives.index(re.escape("#"))] = r"(?<![\w$\\{])#"
    return re.compile("|".join([*alternatives, r"[()\[\]{}]"]))


@lru_cache(maxsize=64)
def _string(quote: str, is_long: bool) -> re.Pattern[str]:  # noqa: FBT001  (a key of the cache)
    """The rest of a string after its opening quote; `close` is None where it does not end."""
    step = r"\\[\s\S]" if is_long else r"\\[^\n]"
    other = rf"(?!{re.escape(quote)})[^\\{'' if is_long else chr(92) + 'n'}]"
    return re.compile(rf"(?:{step}|{other})*(?P<close>{re.escape(quote)})?")
