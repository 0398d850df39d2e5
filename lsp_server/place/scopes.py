"""Where the cursor stands: in code, or in text that is none.

By the tree of the document where there is one, and by reading from the left where the tree is broken:
a string that is being typed has no end yet, and parsers read its words as code.  Never raises, and costs
a few milliseconds at a keystroke.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...context.parsing import Node
from ...context.records import Language
from ..snapshot import Snapshot
from .reading import Reading, read
from .scope_table import Row, Scope, row_of
from .trees import Part, Trees

_MAX_LINES = 150
_MAX_CHARS = 12_000

_TREES = Trees()
_CONTAINERS = frozenset({"concatenated_string", "chained_string"})
_TAG_NODES = frozenset({"jsx_opening_element", "jsx_self_closing_element", "jsx_closing_element"})
_LITERALS = re.compile(
    r"object|dictionary|set|hash|table|initializer|literal_value|array|pattern|specifiers|imports|use_list"
)
_BEFORE_LITERAL = re.compile(r"(?:[=(,:\[?]|&&|\|\||\breturn|\bimport|\bexport)\s*$")
_NEW_STATEMENT = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def|class|import|return|while|with|try|raise|pass|@\w)\b", re.MULTILINE
)
_DOC_QUOTES = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is round the cursor."""

    scope: Scope = "code"
    bracket: str = ""
    """The innermost bracket that is open before the cursor: `(`, `[`, or `{` where it holds no statements."""
    in_hole: bool = False
    """In code inside a string: `f"{|}"`."""


def standing(snapshot: Snapshot, offset: int, trees: Trees = _TREES) -> Standing:
    row, language = row_of(snapshot.language, snapshot.path)
    part = trees.at(snapshot, offset)
    before = snapshot.text[:offset]
    start = _region_start(before)
    if part is None or language is None or not part.holds(offset):
        return _of_reading(before, start, read(before[start:], row), row, None, language)
    scope, in_hole = _scope_in_tree(part, offset, row, language)
    if scope != "code":
        return Standing(scope)
    start = _code_start(part, max(start, part.start), offset, row, language)
    found = _of_reading(before, start, read(before[start:], row), row, part, language)
    if found.scope != "code" and not _is_broken(part, start, offset):
        found = Standing("code", in_hole=in_hole)
    return Standing(found.scope, found.bracket, in_hole or found.in_hole)


def _of_reading(
    text: str, start: int, reading: Reading, row: Row, part: Part | None, language: Language | None
) -> Standing:
    """`text` ends at the cursor, and `start` is where `reading` began."""
    at = start + reading.at
    if reading.inside == "comment":
        is_doc = any(text.startswith(mark, at) for mark in row.doc_comments)
        return Standing("docstring" if is_doc else "comment")
    if reading.inside == "string":
        line = text[text.rfind("\n", 0, at) + 1 : at]
        is_doc = reading.opener in _DOC_QUOTES and row.doc_comments == () and not line.strip(" \trRuU")
        return Standing("docstring" if is_doc else "string")
    return Standing(bracket=_bracket(text, start, reading, part, language), in_hole=reading.in_hole)


def _bracket(text: str, start: int, reading: Reading, part: Part | None, language: Language | None) -> str:
    if not reading.brackets:
        return ""
    at = start + reading.brackets[-1]
    by_indent = language is not None and language.block_style == "indent"
    if by_indent and _NEW_STATEMENT.search(text, at) is not None:
        return ""  # it was left open
    if text[at] != "{":
        return text[at] if text[at] in "([" else ""  # else it is the mark of a hole
    node = (
        None if part is None or at < part.start else part.tree.node_at(at - part.start, at - part.start + 1)
    )
    if node is None or language is None or node.is_error:
        return "{" if _BEFORE_LITERAL.search(text[max(0, at - 40) : at]) else ""
    if node.kind in language.block_nodes:
        return ""
    return "{" if _LITERALS.search(node.kind) else ""


def _scope_in_tree(part: Part, offset: int, row: Row, language: Language) -> tuple[Scope, bool]:
    """The scope, and whether it is code inside a string."""
    at, tree = offset - part.start, part.tree
    if at == 0:
        return "code", False
    for node in _chain(tree.node_at(at - 1, at)):
        kind, text = node.kind, tree.text
        if kind in row.holes and _holds(node, at, text):
            return "code", any(above.kind in language.string_nodes for above in node.ancestors())
        if kind in language.comment_nodes and _in_comment(node, at, text, row):
            is_doc = any(text.startswith(mark, node.start) for mark in row.doc_comments)
            return ("docstring" if is_doc else "comment"), False
        if kind in row.strings and node.start < at <= node.end:
            return "string", False
        if kind in language.string_nodes and kind not in _CONTAINERS and _in_string(node, at, text):
            return ("docstring" if _is_docstring(node, text) else "string"), False
        if kind in row.regexes and node.start < at < node.end:
            return "regex", False
        if kind in _TAG_NODES and node.start < at < node.end:
            return "code", False
        is_element = kind == "jsx_element" and node.start < at < node.end
        if is_element or (kind in row.markup and node.start < at <= node.end):
            return "markup", False
    return "code", False


def _chain(node: Node | None) -> tuple[Node, ...]:
    return () if node is None else (node, *node.ancestors())


def _holds(node: Node, at: int, text: str) -> bool:
    return node.start < at < node.end or (at == node.end and text[at - 1] not in "})`")


def _in_comment(node: Node, at: int, text: str, row: Row) -> bool:
    if not node.start < at <= node.end or (text[at - 1] == "\n" and at == node.end):
        return False
    is_block = any(text.startswith(opener, node.start) for opener, _ in row.block_comments)
    return at < node.end or not is_block


def _in_string(node: Node, at: int, text: str) -> bool:
    if node.start < at < node.end:
        return True
    is_closed = node.end - node.start > 1 and text[node.end - 1] in "\"'`]"
    return at == node.end and not is_closed


def _is_docstring(node: Node, text: str) -> bool:
    parent = node.parent
    opening = text[node.start : node.start + 5].lstrip("rRuU")
    return parent is not None and parent.kind == "expression_statement" and opening.startswith(_DOC_QUOTES)


def _region_start(before: str) -> int:
    """The start of a line some lines above the end of `before`, from which on it is read."""
    start = len(before)
    for _ in range(_MAX_LINES):
        start = before.rfind("\n", 0, start)
        if start < 0:
            return 0
        if len(before) - start > _MAX_CHARS:
            break
    return start + 1


def _code_start(part: Part, start: int, offset: int, row: Row, language: Language) -> int:
    """`start`, or the end of the comment or string that it is in, so that reading begins in code."""
    for node in _chain(part.tree.node_at(start - part.start)):
        is_text = node.kind in language.comment_nodes | language.string_nodes | row.strings
        if is_text and node.start < start - part.start < node.end:
            return min(offset, part.start + node.end)
    return start


def _is_broken(part: Part, start: int, offset: int) -> bool:
    """Is there an error in `[start, offset]` or round it?  Also one that begins at the cursor."""
    end = min(len(part.tree.text), offset - part.start + 1)
    node = part.tree.node_at(max(0, start - part.start), end)
    return node is None or node.has_error
