"""In which order the leaves of a `RadixTree` are given up.

Output before prompts, prompts before the open documents'.  Among equals by what computing a row again
costs × how likely it is asked for, per byte.  Every row takes the same bytes; the cost rises with its
position; the chance halves with every `HALF_LIFE_USES`, and is small where a newer version of the
document has taken its place.

A chance that decays exponentially decays alike for all, so the order of two leaves does not depend on
the moment it is looked at: a heap keeps it, only what is used is moved, and no request looks at the
whole tree.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from .language_model import Rows

DOUBLE_COST_TOKENS = 8192
"""Position at which a token's attention costs about what its matrix products cost."""

SUPERSEDED_CHANCE = 0.125
"""Of a version of a document that was left behind being asked for again (an undo, a branch switched
back), against that of the newest version of any document."""

HALF_LIFE_USES = 64
"""Requests after which what none of them used is half as likely to be used again: about two minutes of
typing."""

_SLACK_ENTRIES = 256


@dataclass(slots=True, eq=False)
class Node:
    """Ids and rows of positions `[start, end)` after its parent's.  A root has neither ids nor rows."""

    ids: tuple[int, ...] = ()
    start: int = 0
    rows: Rows | None = None
    parent: Node | None = None
    children: dict[int, Node] = field(default_factory=dict[int, "Node"])
    is_output: bool = False
    is_superseded: bool = False
    is_pinned: bool = False
    documents: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Namespace and name of those whose newest prompt ends here."""
    num_claims: int = 0
    """Leases whose sequence ends here."""
    last_used: int = 0
    entry: int = 0
    """Number of its valid entry in the order; 0: it has none."""

    @property
    def end(self) -> int:
        return self.start + len(self.ids)

    @property
    def can_be_evicted(self) -> bool:
        return self.rows is not None and not self.children and self.num_claims == 0

    @property
    def tier(self) -> int:
        return 2 if self.is_pinned else 0 if self.is_output else 1

    @property
    def worth(self) -> float:
        """log2(cost × chance), but for what is the same for all at any one moment."""
        chance = SUPERSEDED_CHANCE if self.is_superseded else 1.0
        return math.log2(chance * (1 + self.end / DOUBLE_COST_TOKENS)) + self.last_used / HALF_LIFE_USES


_Entry = tuple[int, float, int, Node]
"""Tier, worth, a number that no other entry has."""


class EvictionOrder:
    """A heap with one valid entry for each leaf that may go; entries that are out of date are skipped."""

    def __init__(self) -> None:
        self._heap: list[_Entry] = []
        self._num_valid = 0
        self._number = 0

    def rank(self, node: Node) -> None:
        """A node was used, has become a leaf, is free, belongs to a document: or the opposite."""
        self.forget(node)
        if not node.can_be_evicted:
            return
        self._number += 1
        self._num_valid += 1
        node.entry = self._number
        heapq.heappush(self._heap, (node.tier, node.worth, self._number, node))
        if len(self._heap) > 2 * self._num_valid + _SLACK_ENTRIES:
            self._heap = [entry for entry in self._heap if _is_valid(entry)]
            heapq.heapify(self._heap)

    def forget(self, node: Node) -> None:
        self._num_valid -= node.entry != 0
        node.entry = 0

    def pop(self, *, pinned_too: bool) -> Node | None:
        """The leaf worth least, which leaves the order."""
        while self._heap:
            entry = self._heap[0]
            if not _is_valid(entry):
                heapq.heappop(self._heap)
                continue
            tier, *_, node = entry
            if tier == 2 and not pinned_too:
                return None
            heapq.heappop(self._heap)
            self.forget(node)
            return node
        return None

    def check_integrity(self, nodes: Iterable[Node]) -> None:
        """Raise AssertionError unless exactly the nodes that may go have a valid entry, and a true one."""
        valid = {entry[2]: entry for entry in self._heap if _is_valid(entry)}
        assert len(valid) == self._num_valid, f"{self._num_valid} entries in the books, {len(valid)} found"
        for node in nodes:
            at = f"node [{node.start}, {node.end})"
            assert (node.entry != 0) == node.can_be_evicted, f"{at}: ranked is {node.entry != 0}"
            if node.entry:
                found = valid.pop(node.entry, (None, None))[:2]
                assert found == (node.tier, node.worth), f"{at} is ranked as {found}"
        assert not valid, f"{len(valid)} entries of nodes that are not in the tree"


def _is_valid(entry: _Entry) -> bool:
    return entry[3].entry == entry[2]
