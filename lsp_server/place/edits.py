"""What an editor's changes tell of how they were made."""

from __future__ import annotations

from collections.abc import Sequence

from ..editor.convert import RangeLike
from ..editor.documents import ChangeLike


def num_places(changes: Sequence[ChangeLike]) -> int:
    """How many places of the text were changed at once.

    Keys typed one after another, which some editors send together, are one place: each change is on the
    lines of the one before it, or next to them.  Whole texts are one too.
    """
    lines: list[tuple[int, int]] = []
    for change in changes:
        range_: RangeLike | None = getattr(change, "range", None)
        if range_ is not None:
            first = range_.start.line
            lines.append((first, max(first, range_.end.line, first + change.text.count("\n"))))
    apart = 0
    for at, (first, last) in enumerate(lines):
        apart += not any(first <= end + 1 and start <= last + 1 for start, end in lines[:at])
    return max(1, apart)
