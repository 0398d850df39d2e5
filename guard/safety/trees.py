"""ast-grep's trees, through as few doors as possible.  Offsets are code points."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

Memory = dict[str, "list[SgNode]"]
"""Of one node: what was found, by what was searched for."""
_WORD = re.compile(r"\w{3,}")

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ast_grep_py import SgNode

    from .grammar import Grammar
    from .rule import Matcher


def parse(text: str, language: str) -> SgNode:
    """The root; never fails on broken code."""
    from ast_grep_py import SgRoot

    return SgRoot(text, language).root()


def tokens_of(text: str) -> frozenset[str]:
    """The words of a text that are long enough to be asked for by `Matcher.words`."""
    return frozenset(_WORD.findall(text))


def span(node: SgNode) -> tuple[int, int]:
    place = node.range()
    return place.start.index, place.end.index


def matches(matcher: Matcher, node: SgNode, memory: Memory | None = None) -> list[SgNode]:
    """What matches in `node`.  `memory` holds what has been searched for in it before."""
    memory = {} if memory is None else memory
    if matcher.rough is not None:
        places = _remembered(matcher.rough, f"~{matcher.rough}", node, memory)
        if not any(_passes(matcher, one) for one in places):
            return []
    found = _remembered(matcher.config, matcher.key or repr(matcher.config), node, memory)
    return [one for one in found if _passes(matcher, one)] if matcher.tests else found


def _remembered(config: Any, key: str, node: SgNode, memory: Memory) -> list[SgNode]:
    found = memory.get(key)
    if found is None:
        found = memory[key] = node.find_all(config)
    return found


def matches_anywhere(matcher: Matcher, node: SgNode) -> bool:
    return bool(matches(matcher, node))


def _passes(matcher: Matcher, node: SgNode) -> bool:
    for name, pattern, wanted in matcher.tests:
        held = node.get_match(name) if name else node
        if held is not None and (pattern.search(held.text()) is not None) != wanted:
            return False
    return True


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


def enclosed(node: SgNode, grammar: Grammar) -> bool:
    """Whether `node` is a function, with its decorators perhaps."""
    if node.kind() in grammar.functions:
        return True
    return node.kind() == "decorated_definition" and any(
        child.kind() in grammar.functions for child in node.named_children()
    )
