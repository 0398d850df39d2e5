"""What of the current file goes into the prompt.

The window is cut so that the engine's prefix cache keeps working while a person types: `prefix`
holds whole lines only and depends on nothing of the current line, so typing on it never changes the
prefix; `suffix` begins at the cursor and depends on nothing before it.  Where the file is larger than
the budget, a new window begins at a multiple of 64 lines and leaves a quarter of the budget free; a
caller that passes the beginnings of former windows keeps one of them until the budget is full.
Stateless: the same arguments give the same window.

Tokens are counted by a function that is passed in, on whole aligned blocks of lines, so a caller
that remembers counts by text is asked for few new ones.  Whole lines are taken to add up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SNAP_LINES = 64
"""The prefix of a large file begins at a multiple of this, or of a half, a quarter, … of it."""

SUFFIX_LINES = 64
"""The suffix is the rest of the current line and at most this many lines after it."""

MAX_TYPED_CHARS = 2_000
"""Of the current line; a longer one is minified, and its beginning tells nothing."""

_TYPED_SNAP_CHARS = 256
_CHARS_PER_TOKEN = 8
"""More than any run of code has on average: an upper bound on what can fit, free of counting."""

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Window:
    """`prefix + typed + suffix` is the text round the cursor, which stands between the last two.

    Contiguous, unless the current line is longer than `MAX_TYPED_CHARS` and lost its beginning.
    """

    prefix: str
    """Whole lines before the current one, line ends included."""
    typed: str
    """The current line up to the cursor."""
    suffix: str
    """From the cursor on."""
    start: int
    """Where `prefix` begins in the text; where the current line does if `prefix` is empty."""
    truncated_before: bool
    truncated_after: bool


def cut(
    text: str,
    offset: int,
    *,
    prefix_tokens: int,
    suffix_tokens: int,
    count: Callable[[str], int],
    starts: Sequence[int] = (),
) -> Window:
    """The window at code point `offset`.  Lines end at LF, CRLF or CR.

    `prefix` has at most `prefix_tokens` and `suffix` at most `suffix_tokens`; `typed` comes on top, at
    most `MAX_TYPED_CHARS` of it.  `prefix` begins at the first of `starts` that is the start of a line
    and neither too far nor too near: within the budget, and at least three eighths of it (a new window has
    half or more).  A cursor inside CRLF counts as before it.

    Raises `ValueError` for an offset outside the text.
    """
    if not 0 <= offset <= len(text):
        raise ValueError(f"offset {offset} is outside the text, which has {len(text)} characters")
    if text[offset - 1 : offset + 1] == "\r\n" and offset:
        offset -= 1
    line_start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    typed = text[_typed_start(line_start, offset) : offset]
    start = _kept_start(text, line_start, prefix_tokens, count, starts)
    if start is None:
        start = _prefix_start(text, line_start, prefix_tokens, count)
    suffix = _suffix(text, offset, suffix_tokens, count)
    return Window(
        prefix=text[start:line_start],
        typed=typed,
        suffix=suffix,
        start=start,
        truncated_before=start > 0 or len(typed) < offset - line_start,
        truncated_after=offset + len(suffix) < len(text),
    )


def _typed_start(line_start: int, offset: int) -> int:
    """In steps, so that it stands still for most keystrokes."""
    over = offset - line_start - MAX_TYPED_CHARS
    return line_start + max(0, -(-over // _TYPED_SNAP_CHARS)) * _TYPED_SNAP_CHARS


def _kept_start(
    text: str, line_start: int, budget_tokens: int, count: Callable[[str], int], starts: Sequence[int]
) -> int | None:
    """The first of `starts` with which the prefix fits, and is not much less than could be shown."""
    for start in starts:
        if not 0 <= start <= line_start or line_start - start > budget_tokens * _CHARS_PER_TOKEN:
            continue
        begins_line = start == 0 or (text[start - 1] in "\r\n" and text[start - 1 : start + 1] != "\r\n")
        if not begins_line:
            continue
        tokens, at = 0, start
        ends = [start + end.end() for end in _LINE_END.finditer(text[start:line_start])]
        for last in range(
            SNAP_LINES - 1, len(ends) + SNAP_LINES - 1, SNAP_LINES
        ):  # blocks that stay the same
            end = ends[min(last, len(ends) - 1)]
            tokens += count(text[at:end])
            at = end
        if tokens <= budget_tokens and (start == 0 or tokens * 8 >= budget_tokens * 3):
            return start
    return None


def _prefix_start(text: str, line_start: int, budget_tokens: int, count: Callable[[str], int]) -> int:
    """Where a new prefix begins.

    Blocks that end at a multiple of `SNAP_LINES` are added, last first, while they fit.  Where that
    leaves more than half of the budget unused, blocks of half the size are tried, and so on.  What
    does not reach the beginning of the text leaves a quarter of the budget to be typed into.
    """
    line = _line_number(text, line_start)
    starts = _line_starts_before(text, line_start, budget_tokens * _CHARS_PER_TOKEN)
    taken, used_tokens, step = 0, 0, SNAP_LINES  # `taken` lines before the current one

    def start_of(lines_back: int) -> int:
        return line_start if lines_back == 0 else starts[-lines_back]

    while step >= 1 and taken < line:
        further = min(taken + ((line - taken - 1) % step + 1), line)
        if further <= len(starts):
            tokens = count(text[start_of(further) : start_of(taken)])
            room_tokens = budget_tokens if further == line else budget_tokens - budget_tokens // 4
            if used_tokens + tokens <= room_tokens:
                taken, used_tokens = further, used_tokens + tokens
                continue
        if used_tokens * 2 >= budget_tokens:
            break
        step //= 2
    return start_of(taken)


def _line_number(text: str, line_start: int) -> int:
    ends = text.count("\n", 0, line_start) + text.count("\r", 0, line_start)
    return ends - text.count("\r\n", 0, line_start)


def _line_starts_before(text: str, line_start: int, max_chars: int) -> list[int]:
    """The starts of the lines before `line_start` that lie within `max_chars`, in order."""
    low = max(0, line_start - max_chars)
    starts = [low + end.end() for end in _LINE_END.finditer(text[low:line_start])]
    if low == 0:
        starts.insert(0, 0)
    return starts[:-1]  # the last is the current line's own


def _suffix(text: str, offset: int, budget_tokens: int, count: Callable[[str], int]) -> str:
    """The rest of the line and the lines after it, as many as fit; whole lines, or part of the first."""
    region = text[offset : offset + budget_tokens * _CHARS_PER_TOKEN]
    if text[offset + len(region) - 1 : offset + len(region) + 1] == "\r\n":
        region = region[:-1]  # half a line end is none
    ends = [end.end() for end in _LINE_END.finditer(region)][: SUFFIX_LINES + 1]
    if len(ends) <= SUFFIX_LINES and offset + len(region) == len(text):
        ends.append(len(region))  # the last line of the file has no end
    fits, fails = 0, len(ends) + 1
    attempt = len(ends)  # usually everything fits: ask that first
    while fails - fits > 1:
        if count(region[: ends[attempt - 1]]) <= budget_tokens:
            fits = attempt
        else:
            fails = attempt
        attempt = (fits + fails) // 2
    if fits:
        return region[: ends[fits - 1]]
    part = region[: ends[0]] if ends else region
    while part and count(part) > budget_tokens:
        part = part[: len(part) // 2]
    return part
