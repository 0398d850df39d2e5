"""The names of one function and what is assigned to them; what of a text is a source.

Nothing is computed before a sink was found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .trees import enclosing, find_all, known_kinds, matches, span, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ast_grep_py import SgNode

    from .grammar import Grammar
    from .rule import FlowFacts, Matcher

# What a function's own text says of who fills its parameters.
_TOLD = re.compile(
    r"(?i)\buser[- ]?(?:provided|supplied|input|request(?:ed)?|given|controlled|specified|defined|entered)"
    r"|(?:provided|requested|given|specified|supplied|entered|submitted|sent|chosen|controlled) by "
    r"(?:an? |the )?(?:\w+ )?(?:user|client|visitor|attacker|customer)|\buntrusted\b"
    r"|\bweb (?:api|service|form|request)\b|\bhttp (?:request|handler|endpoint)\b"
    r"|\bfrom the (?:request|client|browser|url)\b"
)
_PLACE = re.compile(r"(?i)(path|dir|directory|folder|root|base|prefix)$")
"""Parameters that a program chooses even in a function that serves users."""
_REQUESTS = frozenset({"request", "req", "res", "ctx", "next", "response", "reply"})
"""Parameters of handlers that are no values themselves; what is in them is said in `flow.yml`."""


@dataclass(frozen=True, slots=True)
class Definition:
    """`target` takes the value of `value`; nothing is taken when it is `None` (a parameter)."""

    at: int
    value: SgNode | None
    label: str | None
    adds: bool
    block: int
    """Start of the block it stands in."""
    part: bool = False
    """The target takes an element or a field of the value."""


class Marks:
    """Where the matchers of a language match in one text; asked for once a sink was found."""

    def __init__(self, areas: Sequence[SgNode], text: str, facts: FlowFacts, language: str) -> None:
        self.areas, self.text, self.facts, self.language = areas, text, facts, language
        self._tokens = tokens_of("\n".join(node.text() for node in areas))
        self.globals: dict[str, bool] = {}
        """Names asked for, and whether the text imports or declares them."""
        self.sources: dict[tuple[int, int], str] = {}
        self.written: list[tuple[int, str, str]] = []
        self.handlers = {span(node) for one in facts.handlers for node in self.find(one)}
        self.sanitised = {span(node) for one in facts.sanitisers for node in self.find(one)}
        self.constants = {span(node) for one in facts.constants for node in self.find(one)}
        for label, matcher in facts.sources:
            for node in self.find(matcher):
                target = node.get_match("TAINT")
                if target is None:
                    self.sources.setdefault(span(node), "request" if label == "remote" else label)
                else:
                    given = "request" if label == "remote" else label
                    self.written.append((span(node)[0], target.text().lstrip("&*"), given))
        self.copies: list[tuple[int, str, list[SgNode]]] = []
        for matcher in facts.copies:
            for node in self.find(matcher):
                target = node.get_match("TO")
                single = node.get_match("FROM")
                given = [single] if single is not None else node.get_multiple_matches("FROM")
                if target is not None:
                    self.copies.append((span(node)[0], target.text().lstrip("&*"), given))

    @cached_property
    def holds_remote(self) -> bool:
        """Whether anything here can come from a request or a user at all."""
        if self.handlers or "request" in self.sources.values():
            return True
        if any(label == "request" for _, _, label in self.written):
            return True
        for node in self.areas:
            above = node.prev()
            said = above.text() if above is not None and "comment" in above.kind() else ""
            if _TOLD.search(said + node.text()):
                return True
        return False

    def find(self, matcher: Matcher) -> list[SgNode]:
        if not matcher.may_match(self._tokens):
            return []
        return [found for node in self.areas for found in matches(matcher, node)]


class Scope:
    """One function (or the text outside of any), and the values of its names."""

    def __init__(self, node: SgNode | None, marks: Marks, grammar: Grammar, root: SgNode) -> None:
        self.node, self.marks, self.grammar = node, marks, grammar
        self.body = node if node is not None else root
        self.start, self.end = span(self.body)
        self._definitions: dict[str, list[Definition]] | None = None
        self.outer: Scope | None = None
        if node is not None:
            above = enclosing(node.parent(), grammar)
            self.outer = Scope(above, marks, grammar, root)

    def definitions(self, name: str) -> list[Definition]:
        if self._definitions is None:
            self._definitions = {}
            for key, one in self._collect():
                self._definitions.setdefault(key, []).append(one)
            for found in self._definitions.values():
                found.sort(key=lambda one: one.at)
        return self._definitions.get(name, [])

    def _collect(self) -> Iterator[tuple[str, Definition]]:
        yield from self._parameters()
        kinds = [{"kind": kind} for kind in known_kinds(self.marks.language, tuple(self.grammar.assignments))]
        found = find_all(self.body, *kinds) if kinds else []
        for node in found:
            target_field, value_field = self.grammar.assignments[node.kind()]
            target = node.field(target_field) if target_field else None
            value = node.field(value_field) if value_field else None
            named = node.named_children()
            if node.kind() == "as_pattern" and len(named) == 2:
                value, target = named
            elif node.kind() == "variable_declarator" and not value_field and len(named) > 1:
                target, value = target or named[0], named[-1]
            if target is None or value is None:
                continue
            at, block = span(node)[1], self._block(node)
            adds = node.kind() in self.grammar.augmented or _is_compound(node, target, value)
            part = "for" in node.kind() or "range" in node.kind()
            if part:
                # A loop's name is there from its header on; that of a comprehension before its clause.
                parent = node.parent()
                comprehends = node.kind() == "for_in_clause" and parent is not None
                at = span(parent)[0] if comprehends and parent is not None else span(value)[1]
            for name, whole in self._targets(target):
                yield name, Definition(at, value, None, adds, block, part or not whole)
        for at, name, label in self.marks.written:
            if self.start <= at < self.end:
                yield name, Definition(at, None, label, adds=True, block=self.start)
        for at, name, given in self.marks.copies:
            if self.start <= at < self.end:
                for one in given:
                    yield name, Definition(at, one, None, adds=True, block=self.start)

    def _parameters(self) -> Iterator[tuple[str, Definition]]:
        if self.node is None:
            return
        above = self.node.parent()
        places = {span(self.node), span(above) if above is not None else (0, 0)}
        handles = not places.isdisjoint(self.marks.handlers)
        told = not handles and _TOLD.search(self._said()) is not None
        label = "request" if handles else "remote" if told else "param"
        holder = self.node.field("parameters")
        if holder is None:
            declarator = self.node.field("declarator")
            while declarator is not None and holder is None:
                holder, declarator = declarator.field("parameters"), declarator.field("declarator")
        single = self.node.field("parameter")
        if single is not None:
            yield single.text(), Definition(self.start, None, label, adds=False, block=self.start)
        if holder is None:
            return
        numbers = self.marks.facts.number_types
        for one in holder.named_children():
            if one.kind() == self.grammar.comment:
                continue
            several = [held.text() for held in one.field_children("name")]  # `a, b string`
            for name in several if len(several) > 1 else [self._parameter_name(one)]:
                if name in ("", "self", "cls", "this"):
                    continue
                chosen = name in _REQUESTS or (told and _PLACE.search(name) is not None)
                own = self.marks.sources.get(span(one), "param" if chosen else label)
                if numbers is not None and numbers.search(one.text()):
                    yield name, Definition(self.start, None, None, adds=False, block=self.start)
                    continue
                for each, _ in self._targets(one) if "pattern" in one.kind() else [(name, True)]:
                    yield each, Definition(self.start, None, own, adds=False, block=self.start)

    def _parameter_name(self, node: SgNode) -> str:
        if node.kind() in self.grammar.identifiers:
            return node.text()
        for field in ("name", "pattern", "left"):
            held = node.field(field)
            if held is not None:
                return held.text()
        declarator = node.field("declarator")
        while declarator is not None and declarator.kind() not in self.grammar.identifiers:
            declarator = declarator.field("declarator") or (declarator.named_children() or [None])[-1]
        if declarator is not None:
            return declarator.text()
        names = [one for one in node.named_children() if one.kind() in self.grammar.identifiers]
        return names[0].text() if names else ""

    def _said(self) -> str:
        """Signature, documentation and the comment above."""
        if self.node is None:
            return ""
        said = self.node.text()[:1_500]
        before = self.node.prev()
        parent = self.node.parent()
        if before is None and parent is not None:
            before = parent.prev()
        if before is not None and self.grammar.comment in before.kind():
            said = before.text() + said
        return said

    def _targets(self, node: SgNode) -> Iterator[tuple[str, bool]]:
        """The names a target binds, and whether each takes the whole value."""
        kind = node.kind()
        if kind in self.grammar.identifiers or kind in self.grammar.members:
            yield node.text(), True
            return
        if kind in self.grammar.subscripts:
            named = node.named_children()
            if named:
                yield named[0].text(), False
            return
        children = node.named_children()
        if kind in ("as_pattern_target", "expression_list", "pattern_list") and len(children) == 1:
            yield from self._targets(children[0])
            return
        if kind == "pair_pattern" and len(children) == 2:
            children = children[1:]
        elif kind in ("assignment_pattern", "object_assignment_pattern") and children:
            children = children[:1]
        elif kind in ("pointer_declarator", "array_declarator", "reference_declarator") and children:
            yield from self._targets(children[0])
            return
        for child in children:
            for name, _ in self._targets(child):
                yield name, False

    def _block(self, node: SgNode) -> int:
        for one in node.ancestors():
            if one.kind() in self.grammar.blocks or one.kind() in self.grammar.functions:
                return span(one)[0]
        return 0


def _is_compound(node: SgNode, target: SgNode, value: SgNode) -> bool:
    """`+=`, where the grammar has no kind of its own for it."""
    between = node.text()[span(target)[1] - span(node)[0] : span(value)[0] - span(node)[0]]
    return bool(re.search(r"[-+*.|]=", between))
