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

_ROLES = frozenset(["body", "type", "returns", "base", "callee", "value"])
"""What a node is to the node around it, even where it is a frame itself: a module whose body is a class."""

Span = tuple[int, int]

TRANSPARENT = frozenset(
    ["outer", "item", "import", "binding", "definition.field", "definition.variable", "definition.type"]
)
"""Frames that members do not belong to."""
FUNCTIONS = frozenset({"definition.function", "closure"})


class Frame:
    """One captured node with its parts, in code points of the text."""

    __slots__ = ("closure", "end", "parts", "start", "tag", "up")

    def __init__(self, tag: str, start: int, end: int, up: Frame | None) -> None:
        self.tag = tag
        self.start = start
        self.end = end
        self.up = up
        self.parts: dict[str, list[Span]] = {}
        self.closure: Frame | None = None
        """The first function without a name in it: that of `const f = () => …`."""

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
            if place in _DEFINING and top.start == start and top.end == end and top.tag in _DEFINED:
                continue  # the same node, captured as something that counts more
            frame = Frame(tag, start, end, top)
            if tag == "closure" and top.closure is None:
                top.closure = frame
            frames.append(frame)
            top = frame
        else:
            owner = top
            if tag in _ROLES:
                while owner.start == start and owner.end == end and owner.up:
                    owner = owner.up
            while tag == "parent" and owner.tag == "binding" and owner.up:  # Go's receiver is a parameter
                owner = owner.up
            owner.parts.setdefault(tag, []).append((start, end))
    return frames
