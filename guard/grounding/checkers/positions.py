"""Where in a text: our offsets count code points, a server's columns whatever was agreed on."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal, get_args

Encoding = Literal["utf-32", "utf-8", "utf-16"]
OFFERED: tuple[Encoding, ...] = get_args(Encoding)
"""Best first: with `utf-32` nothing has to be converted."""

_LINE_END = re.compile(r"\r\n|\r|\n")  # what the protocol calls one; Python's splitlines knows more


class Lines:
    """A text and where its lines begin."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.text, self._encoding = text, encoding

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def position(self, offset: int) -> dict[str, int]:
        line = bisect_right(self._starts, offset) - 1
        before = self.text[self._starts[line] : offset]
        return {"line": line, "character": self._columns(before)}

    def offset(self, position: Any) -> int:
        """Raises ValueError for what is no position; one past the end of its line is taken back to it."""
        try:
            line, character = int(position["line"]), int(position["character"])
        except (TypeError, KeyError, IndexError) as error:
            raise ValueError(f"{position!r} is no position") from error
        if line < 0 or character < 0:
            raise ValueError(f"{position!r} is no position")
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        content = self.text[start:end].rstrip("\r\n")
        return start + min(self._characters(content, character), len(content))

    def _columns(self, text: str) -> int:
        if self._encoding == "utf-32" or text.isascii():
            return len(text)
        if self._encoding == "utf-8":
            return len(text.encode("utf-8", "replace"))
        return len(text.encode("utf-16-le", "replace")) // 2

    def _characters(self, content: str, columns: int) -> int:
        """The other way round; a column within a character belongs to it."""
        if self._encoding == "utf-32" or content.isascii():
            return columns
        if self._encoding == "utf-8":
            return len(content.encode("utf-8", "replace")[:columns].decode("utf-8", "ignore"))
        return len(content.encode("utf-16-le", "replace")[: 2 * columns].decode("utf-16-le", "ignore"))


def changed_part(old: str, new: str) -> tuple[int, int, int]:
    """`(start, end_in_old, end_in_new)` of the one stretch in which two texts differ."""
    start = _common(lambda size: old[:size] == new[:size], min(len(old), len(new)))
    rest = min(len(old), len(new)) - start
    tail = _common(lambda size: old[len(old) - size :] == new[len(new) - size :], rest)
    if start and old[start - 1 : start + 1] == "\r\n":
        start -= 1  # never between the two halves of a line end
    return start, len(old) - tail, len(new) - tail


def _common(is_same: Callable[[int], bool], most: int) -> int:
    """The largest size up to `most` that is the same; comparing slices is what Python is fast at."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if is_same(middle):
            low = middle
        else:
            high = middle - 1
    return low
