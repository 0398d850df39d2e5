"""Python's indentation, which its grammar here does not enforce.

The grammar takes a block from the columns it finds: it accepts statements of one block that begin in
different columns, an `else` that stands under nothing, and a header without a block.  Python does
not; these are the commonest faults of short suggestions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..context.language_table import PYTHON

if TYPE_CHECKING:
    from ..context.parsing import Node, Tree


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A statement that may not begin at `start`, a code point of the whole text."""

    start: int
    reason: str


def misplaced(tree: Tree, start: int, end: int) -> Misplaced | None:
    """The first statement or clause that begins in `[start, end)` in a column where it may not."""
    for node in tree.walk(start, end):
        if not start <= node.start < end or not _begins_line(tree, node):
            continue
        if node.kind.endswith("_clause"):
            reason = _clause_fault(tree, node)
        elif node.kind in PYTHON.statement_nodes:
            reason = _statement_fault(tree, node)
        else:
            continue
        if reason:
            return Misplaced(node.start, reason)
    return None


def _clause_fault(tree: Tree, clause: Node) -> str | None:
    whole = clause.parent
    if whole is None or not _begins_line(tree, whole) or whole.kind not in PYTHON.statement_nodes:
        return None
    return None if _indentation(tree, clause) == _indentation(tree, whole) else "unexpected indentation"


def _statement_fault(tree: Tree, node: Node) -> str | None:
    above = node.previous_sibling
    while above is not None and above.kind not in PYTHON.statement_nodes:
        above = above.previous_sibling
    if above is None or node.parent is None or node.parent.kind not in PYTHON.block_nodes:
        return None
    if not _begins_line(tree, above):
        return None
    if _indentation(tree, node) != _indentation(tree, above):
        return "unexpected indentation"
    # With empty lines between, the header is an older one that its author has yet to fill.
    if _lacks_body(above) and tree.text.count("\n", above.end, node.start) < 2:
        return "an indented block is missing"
    return None


def _lacks_body(node: Node) -> bool:
    """Whether the last clause of a compound statement has nothing under its colon."""
    while node.named_children:
        last = node.named_children[-1]
        if last.kind in PYTHON.block_nodes:
            return not last.named_children
        if last.kind not in PYTHON.statement_nodes and not last.kind.endswith("_clause"):
            break
        node = last
    return bool(node.children) and node.children[-1].kind == ":" and not node.children[-1].is_missing


def _begins_line(tree: Tree, node: Node) -> bool:
    return not tree.text[_line_start(tree, node) : node.start].strip()


def _indentation(tree: Tree, node: Node) -> str:
    return tree.text[_line_start(tree, node) : node.start]


def _line_start(tree: Tree, node: Node) -> int:
    return tree.text.rfind("\n", 0, node.start) + 1
