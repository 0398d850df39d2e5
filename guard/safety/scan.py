"""All rules of a language on one text: where they match, and whether the value fits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .canonical import canonical
from .flow import Evaluation
from .grammars import GRAMMARS
from .rule import TAINT
from .scope import Marks, Scope
from .trees import Memory, enclosed, enclosing, find_all, matches, matches_anywhere, parse, span, tokens_of
from .values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ast_grep_py import SgNode

    from .native.facts import Facts
    from .rule import Flow, Matcher, Rule, RuleSet

_SLASHED = frozenset({"c", "cpp", "go", "java", "csharp"})
_COMMENTS = re.compile(r"""(?<![:"'])//[^\n]*|/\*.*?\*/""", re.DOTALL)
_MOSTLY = 0.5
"""The share of a suggestion that functions hold when they are where to look."""


_TRANSPARENT = re.compile(
    r"class|namespace|interface|impl_item|export_statement|decorated_definition|^if_statement$"
)
"""What a function may stand in without being part of it; `if 1:` is the scaffold's (`window`)."""
_REMOTE = frozenset({"request", "remote"})
_MAX_AREAS = 3
"""More small searches cost more than one in what holds them all."""
_BODY = re.compile(r"^block$|body$|declaration_list$|field_declaration_list")


@dataclass(frozen=True, slots=True)
class Finding:
    """Where `rule` matches.  Offsets are of the text as it came.

    `node` and `tainted` are of the text with names resolved.
    """

    rule: Rule
    start: int
    end: int
    value: Value | None
    steps: tuple[tuple[int, int], ...]
    """The way of the value, of the text as it came."""
    node: SgNode
    tainted: SgNode | None

    @property
    def key(self) -> tuple[str, str]:
        """The same finding elsewhere: in the text without the suggestion."""
        return self.rule.id, " ".join(self.node.text().split())


class Scan:
    """One text, parsed once."""

    def __init__(self, text: str, rules: RuleSet) -> None:
        self.source, self.rules = text, rules
        self.canonical = canonical(text, rules)
        self.text = self.canonical.text
        self.grammar = GRAMMARS[rules.language]
        self.areas: list[SgNode] = []
        self._tokens: frozenset[str] = frozenset()
        self._memories: list[tuple[frozenset[str], Memory]] = []
        self._scopes: dict[tuple[int, int] | None, Scope] = {}
        self._native_facts: list[Facts] | None = None

    @cached_property
    def root(self) -> SgNode:
        return self.canonical.root or parse(self.text, self.rules.language)

    @cached_property
    def marks(self) -> Marks:
        functions = all(enclosed(node, self.grammar) for node in self.areas)
        areas = self.areas if self.areas and functions else [self.root]
        return Marks(areas, self.text, self.rules.facts, self.rules.language)

    def findings(self, start: int, end: int) -> list[Finding]:
        """Those that touch `[start, end)` of the text as it came, or whose value comes through it."""
        self.areas = self._areas(start, end)
        self._memories = [(tokens_of(node.text()), {}) for node in self.areas]
        self._tokens = frozenset[str]().union(*(tokens for tokens, _ in self._memories))
        rules = self.rules.candidates(self._tokens)
        return [one for rule in rules for one in self._of(rule, start, end)]

    def _areas(self, start: int, end: int) -> list[SgNode]:
        """The outermost functions, and statements outside of any, that the suggestion touches."""
        current = self.root
        while True:
            touched: list[SgNode] = []
            for node in current.named_children():
                first, last = self._place(node)
                if first <= end and last >= start:
                    touched.append(node)
            if len(touched) > _MAX_AREAS:
                return [current]
            if len(touched) != 1 or not _TRANSPARENT.search(touched[0].kind()):
                return touched
            one = touched[0]
            if one.kind() == "if_statement" and not one.text().startswith("if 1:"):
                return touched
            bodies = [child for child in one.named_children() if _BODY.search(child.kind())]
            if one.kind() in ("export_statement", "decorated_definition"):
                inner = [child for child in one.named_children() if "class" in child.kind()]
                bodies = [
                    body for child in inner for body in child.named_children() if _BODY.search(body.kind())
                ]
            if not bodies:
                return touched
            first, last = self._place(bodies[-1])
            if not (first <= start and end <= last):
                return touched
            current = bodies[-1]

    def _of(self, rule: Rule, start: int, end: int) -> Iterator[Finding]:
        if rule.native is not None:
            yield from self._native(rule, start, end)
        seen: set[tuple[int, int]] = set()
        for matcher in rule.matchers:
            for node in self._matches(matcher):
                place = self._place(node)
                touches = place[0] < end and place[1] > start
                if place in seen or (rule.flow is None and not touches):
                    continue
                if not touches and not self._shares_function(node, start, end):
                    continue
                found = self._judged(rule, matcher, node)
                if found is not None and (touches or any(a < end and b > start for a, b in found.steps)):
                    seen.add(place)
                    yield found

    def _matches(self, matcher: Matcher) -> list[SgNode]:
        return [
            found
            for area, (tokens, memory) in zip(self.areas, self._memories, strict=True)
            if matcher.may_match(tokens)
            for found in matches(matcher, area, memory)
        ]

    def _native(self, rule: Rule, start: int, end: int) -> Iterator[Finding]:
        from .native import ANALYSES

        for facts in self._facts(start, end):
            for node in ANALYSES[rule.native or ""](facts):
                place = self._place(node)
                if place[0] < end and place[1] > start and self._fits(rule, enclosing(node, self.grammar)):
                    yield Finding(rule, *place, None, (), node, None)

    def _facts(self, start: int, end: int) -> list[Facts]:
        """Of the functions the suggestion is in; of the whole text where there are none to speak of."""
        if self._native_facts is None:
            from .native.facts import Facts

            functions = find_all(self.root, *({"kind": kind} for kind in sorted(self.grammar.functions)))
            touched = [node for node in functions if _overlap(self._place(node), start, end) > 0]
            covered = sum(_overlap(self._place(node), start, end) for node in touched)
            lean = len(self.source[start:end].strip()) * _MOSTLY
            self._native_facts = [Facts(node) for node in touched] if covered >= lean else [Facts(self.root)]
        return self._native_facts

    def _judged(self, rule: Rule, matcher: Matcher, node: SgNode) -> Finding | None:
        function = enclosing(node, self.grammar)
        if not self._fits(rule, function):
            return None
        place = self._place(node)
        if rule.flow is None:
            return Finding(rule, *place, None, (), node, None)
        if rule.flow.labels <= _REMOTE and not rule.flow.sources and not self.marks.holds_remote:
            return None
        evaluation = Evaluation(self.marks, self.grammar, rule.flow)
        scope = self.scope(function)
        marked = node.get_multiple_matches(TAINT) if matcher.many else [node.get_match(TAINT)]
        for one in marked:
            if one is None:
                continue
            value = evaluation.of(one, scope)
            if _wanted(value, rule.flow) and not self._is_guarded(value, node, scope, rule.flow):
                steps = tuple(self._located(*step) for step in value.steps)
                return Finding(rule, *place, value, steps, node, one)
        return None

    def _fits(self, rule: Rule, function: SgNode | None) -> bool:
        if rule.context is None and rule.unless_text is None and not rule.unless:
            return True
        outer = function
        while outer is not None and (above := enclosing(outer.parent(), self.grammar)) is not None:
            outer = above
        around = outer if outer is not None else self.root
        text = around.text()
        if outer is not None:
            text = self._above(outer) + text
        if rule.context is not None and not rule.context.search(text):
            return False
        if rule.unless_text is not None and rule.unless_text.search(self._said_in_code(text)):
            return False
        return not any(one.may_match(self._tokens) and matches_anywhere(one, around) for one in rule.unless)

    def _said_in_code(self, text: str) -> str:
        """A check that was commented out is none."""
        return _COMMENTS.sub(" ", text) if self.rules.language in _SLASHED else text

    def _above(self, function: SgNode) -> str:
        """The comment and the decorators over a function: they say what it is for."""
        said = ""
        parent = function.parent()
        if parent is not None and parent.kind() in ("decorated_definition", "export_statement"):
            said, function = parent.text()[: span(function)[0] - span(parent)[0]], parent
        before = function.prev()
        if before is not None and self.grammar.comment in before.kind():
            said = f"{before.text()}\n{said}"
        return said

    def _is_guarded(self, value: Value, sink: SgNode, scope: Scope, flow: Flow) -> bool:
        names = value.names
        if not names:
            return False
        limit = span(sink)[0]
        begin = scope.start if scope.node is not None else 0
        for matcher in (*flow.guards, *self.rules.facts.guards):
            for node in self.marks.find(matcher):
                start, end = span(node)
                if start < begin or end > limit:
                    continue
                checked = node.get_match(TAINT)
                given = node.get_multiple_matches(TAINT) if matcher.many else [checked]
                if any(one is not None and _mentions(one.text(), names) for one in given):
                    return True
        return False

    def scope(self, function: SgNode | None) -> Scope:
        key = span(function) if function is not None else None
        found = self._scopes.get(key)
        if found is None:
            found = self._scopes[key] = Scope(function, self.marks, self.grammar, self.root)
        return found

    def _shares_function(self, node: SgNode, start: int, end: int) -> bool:
        function = enclosing(node, self.grammar)
        if function is None:
            return True
        first, last = self._located(*span(function))
        return first < end and last > start

    def _place(self, node: SgNode) -> tuple[int, int]:
        return self._located(*span(node))

    def _located(self, start: int, end: int) -> tuple[int, int]:
        return self.canonical.back(start), self.canonical.back(end, end=True)


def _overlap(place: tuple[int, int], start: int, end: int) -> int:
    return min(place[1], end) - max(place[0], start)


def _wanted(value: Value, flow: Flow) -> bool:
    if "constant" in flow.labels and value.is_constant:
        return flow.text is None or flow.text.search(value.text) is not None
    if not value.labels & (flow.labels | {"own"}) or value.is_constant:
        return False
    if flow.built and not value.built:
        return False
    return flow.text is None or flow.text.search(value.text) is not None


def _mentions(text: str, names: frozenset[str]) -> bool:
    return text in names or any(text.endswith(f".{name}") for name in names)
