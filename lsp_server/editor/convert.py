r"""The only position arithmetic: LSP positions <-> code-point offsets of a text.

An LSP position is a line and a column, and the column counts UTF-8 bytes, UTF-16 units or code
points, as negotiated.  The closing quote of `x="😋"` is column 7, 5 or 4.  Everywhere else in this
project a place in a text is an `offset` in code points.

Lines end at `\n`, `\r\n` or `\r` and nowhere else (not at U+2028, not at a form feed).  What lies
beyond an end is clamped to it: a column to the end of its line, before the terminator; a line to
the end of the text.  A column inside a character (half a surrogate pair, part of a UTF-8 sequence)
means the character's start.  Nothing here changes its arguments.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal, Protocol

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


class PositionLike(Protocol):
    """A zero-based line and column; ours or lsprotocol's."""

    @property
    def line(self) -> int: ...

    @property
    def character(self) -> int: ...


class RangeLike(Protocol):
    """From `start` up to, not including, `end`."""

    @property
    def start(self) -> PositionLike: ...

    @property
    def end(self) -> PositionLike: ...


@dataclass(frozen=True, slots=True, order=True)
class Position:
    line: int
    character: int


@dataclass(frozen=True, slots=True)
class Range:
    start: Position
    end: Position


class LineIndex:
    """A text and where its lines start.  Made once per version of a document, used many times."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        """The offset of the first character of each line; never empty."""
        if "\r" in self.text:
            return [0, *(end.end() for end in _LINE_END.finditer(self.text))]
        lengths = map(len, self.text.split("\n"))  # about four times faster than the pattern
        return [0, *(end + line for line, end in enumerate(accumulate(lengths), start=1))][:-1]

    @property
    def num_lines(self) -> int:
        return len(self.starts)

    def offset(self, position: PositionLike, encoding: Encoding) -> int:
        """The code-point offset of `position`, clamped into the text."""
        if position.line < 0:
            return 0
        if position.line >= self.num_lines:
            return len(self.text)
        start = self.starts[position.line]
        line = self.text[start : self._line_end(position.line)]
        return start + _points(line, max(position.character, 0), encoding)

    def position(self, offset: int, encoding: Encoding) -> Position:
        r"""The position of `offset`, which must lie within `[0, len(text)]`.

        The place between the two halves of `\r\n` has no LSP position; it becomes the line's end.
        """
        assert 0 <= offset <= len(self.text), f"offset {offset} of {len(self.text)} characters"
        number = bisect_right(self.starts, offset) - 1
        before = self.text[self.starts[number] : min(offset, self._line_end(number))]
        return Position(number, _units(before, encoding))

    def span(self, range_: RangeLike, encoding: Encoding) -> tuple[int, int]:
        """`(start, end)` offsets with `start <= end`; a range given backwards is turned round."""
        one, other = self.offset(range_.start, encoding), self.offset(range_.end, encoding)
        return min(one, other), max(one, other)

    def range(self, start: int, end: int, encoding: Encoding) -> Range:
        return Range(self.position(start, encoding), self.position(end, encoding))

    def _line_end(self, number: int) -> int:
        """Where line `number` ends, before its terminator."""
        if number + 1 == self.num_lines:
            return len(self.text)
        end = self.starts[number + 1] - 1
        is_pair = self.text[end] == "\n" and end > self.starts[number] and self.text[end - 1] == "\r"
        return end - 1 if is_pair else end


def apply_change(index: LineIndex, range_: RangeLike | None, new_text: str, encoding: Encoding) -> str:
    """The text after one content change: `new_text` in place of `range_`, or of everything."""
    if range_ is None:
        return new_text
    start, end = index.span(range_, encoding)
    return index.text[:start] + new_text + index.text[end:]


def _units(text: str, encoding: Encoding) -> int:
    """How long `text` is in the encoding's units."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def _points(line: str, units: int, encoding: Encoding) -> int:
    """How many whole characters of `line` fit into its first `units` units."""
    if encoding == "utf-32" or line.isascii():
        return min(units, len(line))
    if encoding == "utf-16":
        return _points_utf16(line, units)
    encoded = line.encode("utf-8", "surrogatepass")
    if units >= len(encoded):
        return len(line)
    while encoded[units] & 0xC0 == 0x80:  # a continuation byte, 10xxxxxx
        units -= 1
    return len(encoded[:units].decode("utf-8", "surrogatepass"))


def _points_utf16(line: str, units: int) -> int:
    wide = 0  # characters of two units before the place
    for astral in _ASTRAL.finditer(line):
        first_unit = astral.start() + wide
        if first_unit >= units:
            break
        if first_unit + 1 == units:
            return astral.start()
        wide += 1
    return min(units - wide, len(line))
