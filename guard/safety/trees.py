"""ast-grep's trees, through as few doors as possible.  Offsets are code points."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ast_grep_py import SgNode

    from .grammars import Grammar
    from .rule import Matcher


def parse(text: str, language: str) -> SgNode:
    """The root; never fails on broken code."""
    from ast_grep_py import SgRoot

    return SgRoot(text, language).root()


def span(node: SgNode) -> tuple[int, int]:
    place = node.range()
    return place.start.index, place.end.index


def matches(matcher: Matcher, node: SgNode) -> list[SgNode]:
    config: Any = matcher.config
    return node.find_all(config)


def matches_anywhere(matcher: Matcher, node: SgNode) -> bool:
    config: Any = matcher.config
    return node.find(config) is not None


def find_all(
    node: SgNode, *rules: Mapping[str, Any], constraints: Mapping[str, Any] | None = None
) -> list[SgNode]:
    """Nodes that one of `rules` matches."""
    config: Any = {"rule": {"any": list(rules)}, "constraints": dict(constraints or {})}
    return node.find_all(config)


@cache
def known_kinds(language: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `kinds` that the grammar has: C and C++, JavaScript and TypeScript share a record."""
    root = parse("", language)
    found: list[str] = []
    for kind in kinds:
        try:
            root.find(kind=kind)
        except RuntimeError:
            continue
        found.append(kind)
    return tuple(found)


def enclosing(node: SgNode | None, grammar: Grammar) -> SgNode | None:
    """The innermost function that `node` is or is in."""
    while node is not None:
        if node.kind() in grammar.functions:
            return node
        node = node.parent()
    return None
