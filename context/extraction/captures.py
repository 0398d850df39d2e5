"""What a query found in a tree, as columns of numbers instead of nodes.

Nodes are tree-sitter's and slow to ask; each is asked twice, for where it starts and where it ends,
and only those somebody wants to know about.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

import tree_sitter

from ..parsing import Tree, encoded
from .queries import FRAMES, PARTS, query_of

MAX_DEPTH = 1_000
"""Of nodes below the file's.  tree-sitter's matching costs depth times length; people's code stays
below 100."""

MAX_RUN = 5_000
"""Of tokens with nothing between them that a query can name (`((((…`, `;;;;…`): matching costs the
square of a run."""

MAX_PENDING = 10_000
"""Of matches that have begun and not ended."""

_TAGS = FRAMES + PARTS  # their order decides between captures of one span
_BITS, _TAG_BITS = 21, 6  # a text has at most `parsing.MAX_BYTES` bytes
_PLACE = (1 << _BITS) - 1
_CONTINUED = re.compile(rb"[\x80-\xbf]")
_SEPARATORS = re.compile(rf"(?:[;,]\s*+){{{MAX_RUN}}}")


class Spans(NamedTuple):
    """Of one kind of capture, in order of the query; offsets are code points.  None is empty."""

    starts: list[int]
    ends: list[int]


NO_SPANS = Spans([], [])


class Offsets:
    """Bytes to code points, of one text.  Free where it is ASCII; else it costs its other characters."""

    __slots__ = ("_continued",)

    def __init__(self, text: str) -> None:
        found = () if text.isascii() else _CONTINUED.finditer(encoded(text))
        self._continued = [one.start() for one in found]
        """Bytes within a character."""

    def of(self, octets: list[int]) -> list[int]:
        """The code points that hold these bytes; the list itself where the text is ASCII."""
        continued = self._continued
        if not continued:
            return octets
        return [one - bisect_right(continued, one) for one in octets]


@dataclass(frozen=True, slots=True)
class Captures:
    """Everything one pass of the query found."""

    starts: list[int]
    """Of frames and parts, sorted: what holds stands before what it holds."""
    ends: list[int]
    tags: list[int]
    """Places in `FRAMES + PARTS`."""
    others: dict[str, list[tree_sitter.Node]]
    """References and comments by the name of their capture; see `spans`."""
    offsets: Offsets
    truncated: bool
    """Whether `MAX_PENDING` was reached."""

    def spans(self, name: str) -> Spans:
        """Where the captures of this name are that are not frames or parts."""
        nodes = self.others.get(name)
        if not nodes:
            return NO_SPANS
        starts = [node.start_byte for node in nodes]
        ends = [node.end_byte for node in nodes]
        if any(map(int.__eq__, starts, ends)):  # a token the parser invented is empty
            real = [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]
            starts, ends = [start for start, _end in real], [end for _start, end in real]
        return Spans(self.offsets.of(starts), self.offsets.of(ends))


def captures_of(tree: Tree) -> Captures | None:
    """`None` for a tree that is skipped or would take too long: see `MAX_RUN`."""
    if tree.parsed is None or has_long_runs(tree):
        return None
    cursor = tree_sitter.QueryCursor(query_of(tree.language), match_limit=MAX_PENDING)
    cursor.set_max_start_depth(MAX_DEPTH)
    found = cursor.captures(tree.parsed.root_node)
    keys: set[int] = set()
    for place, tag in enumerate(_TAGS):
        nodes = found.pop(tag, None)
        if nodes:
            low = (_PLACE << _TAG_BITS) + place
            keys.update(
                [
                    (node.start_byte << (_BITS + _TAG_BITS)) + low - (node.end_byte << _TAG_BITS)
                    for node in nodes
                ]
            )
    events = sorted(keys)
    starts = [event >> (_BITS + _TAG_BITS) for event in events]
    ends = [_PLACE - ((event >> _TAG_BITS) & _PLACE) for event in events]
    tags = [event & ((1 << _TAG_BITS) - 1) for event in events]
    if any(map(int.__eq__, starts, ends)):  # a token the parser invented is empty
        real = [one for one in zip(starts, ends, tags, strict=True) if one[0] < one[1]]
        starts, ends, tags = ([one[nth] for one in real] for nth in range(3))
    offsets = Offsets(tree.text)
    return Captures(
        starts=offsets.of(starts),
        ends=offsets.of(ends),
        tags=tags,
        others=found,
        offsets=offsets,
        truncated=bool(cursor.did_exceed_match_limit),
    )


def has_long_runs(tree: Tree) -> bool:
    """Whether many tokens without a name follow one another; looks closely only at broken code."""
    if tree.parsed is None:
        return False
    if not tree.has_errors:
        text = tree.text
        many = text.count(";") > MAX_RUN or text.count(",") > MAX_RUN
        return many and _SEPARATORS.search(text) is not None
    pending = [tree.parsed.root_node]
    while pending:
        node = pending.pop()
        if node.child_count > MAX_RUN:
            run = 0
            for child in node.children:
                run = 0 if child.is_named else run + 1
                if run > MAX_RUN:
                    return True
        pending += [child for child in node.children if child.has_error]
    return False
