"""A text that was proposed once, and what of it is still to be written.  Pure.

Whatever is found here, `text[:start] + rest + text[end:]` is what the document would have become had
the proposal been accepted when it was made.  That holds however the person came here: by typing it, by
deleting some of it again, by undo, or by coming back from elsewhere.

Two habits of editors are allowed for.  A bracket or quote typed may bring its closer along, which then
stands behind the cursor; and a line end typed may bring indentation along, which need not be what was
proposed.  Both are replaced where they differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

BEFORE_CHARS = 2_048
AFTER_CHARS = 1_024
"""Of the document round a proposal: an edit farther away changes nothing about it."""

MAX_EXTRA_CHARS = 200
"""How much longer than proposed the typed text may be by its indentation."""

_TAIL_CHARS = 64
_CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
_QUOTES = "\"'`"
_BLANKS = str.maketrans("", "", " \t\r")
_CLOSED = re.compile(r"[\s)\]}\"'`]{1,64}")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in which text something was proposed: the characters round it, as far as they matter."""

    before: str
    """Fewer than `BEFORE_CHARS` where the document begins."""
    after: str

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Spot:
        return cls(text[max(0, start - BEFORE_CHARS) : start], text[end : end + AFTER_CHARS])

    def starts(self, text: str, offset: int, longest: int) -> Iterator[int]:
        """Where in `text`, up to `longest` before `offset`, this spot may be, nearest first."""
        before = self.before
        if len(before) < BEFORE_CHARS:  # nothing but the document's beginning stands before it
            if 0 <= offset - len(before) <= longest and text.startswith(before):
                yield len(before)
            return
        tail, end = before[-_TAIL_CHARS:], offset
        lowest = max(0, offset - longest - len(tail))
        while (found := text.rfind(tail, lowest, end)) >= 0:
            at = found + len(tail)
            if text.endswith(before, 0, at):
                yield at
            end = at - 1

    def num_closed(self, text: str, offset: int) -> int | None:
        """How many characters of an editor's own making stand behind the cursor, before `after`.

        None: something else stands there, and this is another place.
        """
        if self._is_after(text, offset):
            return 0
        if (match := _CLOSED.match(text, offset)) is None:
            return None
        for length in range(1, len(match[0]) + 1):
            if match[0][length - 1].strip() and self._is_after(text, offset + length):
                return length
        return None

    def _is_after(self, text: str, at: int) -> bool:
        is_end = len(self.after) == AFTER_CHARS or at + len(self.after) == len(text)
        return is_end and text.startswith(self.after, at)


@dataclass(frozen=True, slots=True)
class Rest:
    """What is still to be written: `text` in place of `[start, end)` of the document."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """`text` was proposed for a spot."""

    spot: Spot
    text: str
    language: str
    told: object = field(default=None, hash=False)
    """What else the model had been told of; equal where it is the same."""
    made: object = field(default=None, hash=False, compare=False)
    """What whoever keeps it wants to know of how it was made."""
    is_ahead: bool = False
    """Begins with a line end that nobody was going to be shown: of use once that has been typed."""

    @property
    def num_bytes(self) -> int:
        """About what it occupies."""
        return len(self.spot.before) + len(self.spot.after) + len(self.text)

    def rest(self, text: str, offset: int) -> Rest | None:
        """What is still to be written at `offset`; None where the text does not lead there, or is there."""
        num_closed = self.spot.num_closed(text, offset)
        if num_closed is None:
            return None
        closed = text[offset : offset + num_closed]
        for at in self.spot.starts(text, offset, len(self.text) + MAX_EXTRA_CHARS):
            typed = text[at:offset]
            if self.is_ahead and "\n" not in typed:
                continue
            kept = _shared(typed, self.text)
            if kept is None or (closed and not _brings_along(typed, closed)):
                continue
            rest = _before_closed(self.text[kept:], closed, offset - (len(typed) - kept), offset)
            if rest is not None:
                return rest
        return None

    def departed(self, text: str, offset: int) -> str | None:
        """What was typed here instead of it; empty where nothing was, None where this is another place."""
        if self.spot.num_closed(text, offset) is None:
            return None
        for at in self.spot.starts(text, offset, len(self.text) + MAX_EXTRA_CHARS):
            typed = text[at:offset]
            common = next((n for n in range(len(typed)) if not self.text.startswith(typed[: n + 1])), None)
            return "" if common is None else typed[common:]
        return None

    def length_to(self, spot: Spot) -> int | None:
        """How much of it brings the cursor to `spot`; None where it does not lead there."""
        if spot.after != self.spot.after:
            return None
        whole = self.spot.before + self.text
        for at in range(len(self.spot.before) + 1, min(len(whole), len(self.spot.before) + BEFORE_CHARS)):
            if whole[max(0, at - BEFORE_CHARS) : at] == spot.before:
                return at - len(self.spot.before)
        return None

    def is_same_text(self, other: Proposal) -> bool:
        """Would both, accepted, leave the same text?"""
        if self.spot.after != other.spot.after:
            return False
        mine, others = self.spot.before + self.text, other.spot.before + other.text
        shared = min(len(mine), len(others), max(len(self.text), len(other.text)) + _TAIL_CHARS)
        return mine[len(mine) - shared :] == others[len(others) - shared :]


def continues(written: str, typed: str) -> bool:
    """Can text that has begun with `written` still turn out to lead through `typed`?

    Cheap, and generous about blanks: only `Proposal.rest` decides in the end.
    """
    has, wants = _bare(written), _bare(typed)
    return has.startswith(wants) or wants.startswith(has)


def _bare(text: str) -> str:
    return text.translate(_BLANKS)


def _shared(typed: str, proposed: str) -> int | None:
    """Where in `proposed` one goes on after `typed`; None if `typed` is something else.

    On a new line that holds nothing but other white space than proposed, one goes on at its beginning.
    """
    if proposed.startswith(typed):
        return len(typed)
    line = typed.rfind("\n") + 1
    if not line or typed[line:].strip() or not proposed.startswith(typed[:line]):
        return None
    following = proposed[line:].split("\n", 1)[0]
    return line if following.strip() else None


def _brings_along(typed: str, closed: str) -> bool:
    """Is `closed` what an editor adds by itself when `typed` is typed, innermost first?"""
    open_: list[str] = []
    for char in typed:
        in_string = bool(open_) and open_[-1] in _QUOTES
        if open_ and char == open_[-1]:
            open_.pop()
        elif not in_string and char in _CLOSER_OF:
            open_.append(_CLOSER_OF[char])
        elif not in_string and char in _QUOTES:
            open_.append(char)
    wanted = "".join(closed.split())
    return "".join(reversed(open_)).startswith(wanted)


def _before_closed(rest: str, closed: str, start: int, end: int) -> Rest | None:
    """`rest` in place of `[start, end)` and of `closed` behind it, which is left alone where it can be."""
    if closed and rest.endswith(closed):
        rest, closed = rest[: len(rest) - len(closed)], ""
    if not rest.strip():
        return None
    if "\n" in closed or not _holds_in_order(rest, closed):
        return None
    return Rest(rest, start, end + len(closed))


def _holds_in_order(text: str, characters: str) -> bool:
    """Editors show only what adds to the text that is there."""
    at = 0
    for character in characters:
        at = text.find(character, at) + 1
        if not at:
            return False
    return True
