"""Which capture belongs to which: frames hold the parts that stand within them.

A query captures nodes (`@definition.class`) and parts of nodes (`@name`) in separate patterns; what
joins them is position.  A part belongs to the innermost frame around it.
"""

from __future__ import annotations

from collections.abc import Iterator

from .captures import Captures
from .queries import FRAMES, PARTS

_TAGS = FRAMES + PARTS
_FIRST_PART = len(FRAMES)
_DEFINED = frozenset(tag for tag in FRAMES if tag.startswith("definition."))
_DEFINING = frozenset(place for place, tag in enumerate(FRAMES) if tag in _DEFINED or tag == "binding")

Span = tuple[int, int]

TRANSPARENT = frozenset(
    "outer item import binding definition.field definition.variant definition.variable definition.type".split()
)
"""Frames that members do not belong to."""
FUNCTIONS = frozenset({"definition.function", "closure"})


class Frame:
    """One captured node with its parts, in code points of the text."""

    __slots__ = ("end", "parts", "start", "tag", "up")

    def __init__(self, tag: str, start: int, end: int, up: Frame | None) -> None:
        self.tag = tag
        self.start = start
        self.end = end
        self.up = up
        self.parts: dict[str, list[Span]] = {}

    def first(self, part: str) -> Span | None:
        """Where the first `part` stands."""
        spans = self.parts.get(part)
        return spans[0] if spans else None

    def all(self, part: str) -> list[Span]:
        return self.parts.get(part, [])

    def above(self) -> Iterator[Frame]:
        """The frames around it, innermost first, the file's last."""
        up = self.up
        while up is not None:
            yield up
            up = up.up

    def holder(self) -> Frame | None:
        """The innermost frame around it that can have members or locals."""
        up = self.up
        while up is not None and up.tag in TRANSPARENT:
            up = up.up
        return up


def frames_of(captures: Captures, length: int) -> list[Frame]:
    """All frames in order of the text; the first is the file's, `[0, length)`."""
    file = Frame("file", 0, length, None)
    frames = [file]
    top = file
    for start, end, place in zip(captures.starts, captures.ends, captures.tags, strict=True):
        while top.end <= start and top.up is not None:
            top = top.up
        tag = _TAGS[place]
        if place < _FIRST_PART:
            if (
                tag.startswith("definition.")
                and top.start == start
                and top.end == end
                and top.tag[:4] == "defi"
            ):
                continue  # the same node, captured as something that counts more
            top = Frame(tag, start, end, top)
            frames.append(top)
        else:
            top.parts.setdefault(tag, []).append((start, end))
    return frames
