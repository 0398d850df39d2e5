"""What a query found in a tree, as columns of numbers instead of nodes.

Nodes are tree-sitter's and slow to ask; each is asked twice, for where it starts and where it ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tree_sitter

from ..parsing import Tree
from .queries import FRAMES, PARTS, query_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
_SEPARATORS = re.compile(rf"(?:[;,]\s*+){{{MAX_RUN}}}")


@dataclass(frozen=True, slots=True)
class Spans:
    """Of one kind of capture, in order of the text; offsets are code points."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


NO_SPANS = Spans(np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Captures:
    """Everything one pass of the query found."""

    starts: list[int]
    """Of frames and parts, sorted: what holds stands before what it holds."""
    ends: list[int]
    tags: list[int]
    """Places in `FRAMES + PARTS`."""
    others: dict[str, Spans]
    """References and comments by the name of their capture."""
    truncated: bool
    """Whether `MAX_PENDING` was reached."""


def captures_of(tree: Tree) -> Captures | None:
    """`None` for a tree that is skipped or would take too long: see `MAX_RUN`."""
    if tree.parsed is None or has_long_runs(tree):
        return None
    cursor = tree_sitter.QueryCursor(query_of(tree.language), match_limit=MAX_PENDING)
    cursor.set_max_start_depth(MAX_DEPTH)
    found = cursor.captures(tree.parsed.root_node)
    keys: list[int] = []
    for place, tag in enumerate(_TAGS):
        nodes = found.pop(tag, None)
        if nodes:
            low = (_PLACE << _TAG_BITS) + place
            keys += [
                (node.start_byte << (_BITS + _TAG_BITS)) + low - (node.end_byte << _TAG_BITS)
                for node in nodes
            ]
    events = np.array(keys, dtype=np.int64)
    events.sort()
    events = events[np.diff(events, prepend=-1) != 0]
    starts = events >> (_BITS + _TAG_BITS)
    ends = _PLACE - ((events >> _TAG_BITS) & _PLACE)
    real = starts < ends  # a token the parser invented is empty
    to_offsets = tree.byte_map.to_offsets
    return Captures(
        starts=to_offsets(starts[real]).tolist(),
        ends=to_offsets(ends[real]).tolist(),
        tags=(events[real] & ((1 << _TAG_BITS) - 1)).tolist(),
        others={name: _spans(nodes, tree) for name, nodes in found.items()},
        truncated=bool(cursor.did_exceed_match_limit),
    )


def _spans(nodes: list[tree_sitter.Node], tree: Tree) -> Spans:
    starts = np.array([node.start_byte for node in nodes], dtype=np.int64)
    ends = np.array([node.end_byte for node in nodes], dtype=np.int64)
    real = starts < ends
    to_offsets = tree.byte_map.to_offsets
    return Spans(to_offsets(starts[real]), to_offsets(ends[real]))


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
