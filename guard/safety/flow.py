"""Where a value comes from, within one function: from a sink back through what was assigned.

Demand-driven: nothing is computed before a sink was found, and then only for the names that lead to
it.  Calls of unknown functions carry what comes from outside, but not what is merely a parameter,
except by name (`FlowFacts.carriers`): most functions do something with their arguments.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .trees import enclosing, find_all, known_kinds, matches, span, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ast_grep_py import SgNode

    from .grammars import Grammar
    from .rule import Flow, FlowFacts, Matcher

HOLE = "\0"
_MAX_DEPTH = 24
_MAX_TEXT = 4_000
_OUTSIDE = frozenset({"remote", "local"})
_WEAK = frozenset({"param", "free", "field"})

# What a function's own text says of who fills its parameters.
_TOLD = re.compile(
    r"(?i)\buser[- ]?(?:provided|supplied|input|request(?:ed)?|given|controlled|specified|defined|entered)"
    r"|(?:provided|requested|given|specified|supplied|entered|submitted|sent|chosen|controlled) by "
    r"(?:an? |the )?(?:\w+ )?(?:user|client|visitor|attacker|customer)|\buntrusted\b"
    r"|\bweb (?:api|service|form|request)\b|\bhttp (?:request|handler|endpoint)\b"
    r"|\bfrom the (?:request|client|browser|url)\b"
)
_CONSTANT_NAME = re.compile(r"_*[A-Z][A-Z0-9_]*")
_MODULES = sys.stdlib_module_names | frozenset(
    {
        *("bytes", "bytearray", "str", "dict", "list", "int", "float", "set", "tuple", "type", "object"),
        *("crypto", "fs", "path", "process", "console", "window", "document", "module", "exports", "util"),
        *("url", "http", "https", "child_process", "requests", "numpy", "pandas", "yaml", "flask", "lxml"),
    }
)
"""Names before a dot that are modules or types even where nothing says so: fragments lack imports."""
_PLACE = re.compile(r"(?i)(path|dir|directory|folder|root|base|prefix)$")
"""Parameters that a program chooses even in a function that serves users."""
_REQUESTS = frozenset({"request", "req", "res", "ctx", "next", "response", "reply"})
"""Parameters of handlers that are no values themselves; what is in them is said in `flow.yml`."""
_FORMATTERS = frozenset({"fmt", "String", "string"})
"""What stands before a call that formats, and is no value."""
_DUNDER = re.compile(r"__\w+__")


_CONSTANT = frozenset({"constant"})


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of an expression."""

    labels: frozenset[str] = frozenset()
    text: str = HOLE
    """Literal pieces, with `HOLE` for what is not known."""
    built: bool = False
    """Put together from literal text and something with a label."""
    names: frozenset[str] = frozenset()
    """The variables it came through, as they are written."""
    steps: tuple[tuple[int, int], ...] = ()
    """Spans on the way."""

    @property
    def is_constant(self) -> bool:
        return self.labels == _CONSTANT


CLEAN = Value()


@dataclass(frozen=True, slots=True)
class _Definition:
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
        self.sources: dict[tuple[int, int], str] = {}
        self.written: list[tuple[int, str, str]] = []
        self.handlers = {span(node) for one in facts.handlers for node in self.find(one)}
        self.sanitised = {span(node) for one in facts.sanitisers for node in self.find(one)}
        self.constants = {span(node) for one in facts.constants for node in self.find(one)}
        for label, matcher in facts.sources:
            for node in self.find(matcher):
                target = node.get_match("TAINT")
                if target is None:
                    self.sources.setdefault(span(node), label)
                else:
                    self.written.append((span(node)[0], target.text().lstrip("&*"), label))
        self.copies: list[tuple[int, str, list[SgNode]]] = []
        for matcher in facts.copies:
            for node in self.find(matcher):
                target = node.get_match("TO")
                single = node.get_match("FROM")
                given = [single] if single is not None else node.get_multiple_matches("FROM")
                if target is not None:
                    self.copies.append((span(node)[0], target.text().lstrip("&*"), given))

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
        self._definitions: dict[str, list[_Definition]] | None = None
        self.outer: Scope | None = None
        if node is not None:
            above = enclosing(node.parent(), grammar)
            self.outer = Scope(above, marks, grammar, root)

    def definitions(self, name: str) -> list[_Definition]:
        if self._definitions is None:
            self._definitions = {}
            for key, one in self._collect():
                self._definitions.setdefault(key, []).append(one)
            for found in self._definitions.values():
                found.sort(key=lambda one: one.at)
        return self._definitions.get(name, [])

    def _collect(self) -> Iterator[tuple[str, _Definition]]:
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
                yield name, _Definition(at, value, None, adds, block, part or not whole)
        for at, name, label in self.marks.written:
            if self.start <= at < self.end:
                yield name, _Definition(at, None, label, adds=True, block=self.start)
        for at, name, given in self.marks.copies:
            if self.start <= at < self.end:
                for one in given:
                    yield name, _Definition(at, one, None, adds=True, block=self.start)

    def _parameters(self) -> Iterator[tuple[str, _Definition]]:
        if self.node is None:
            return
        handles = span(self.node) in self.marks.handlers
        told = not handles and _TOLD.search(self._said()) is not None
        label = "remote" if handles or told else "param"
        holder = self.node.field("parameters")
        if holder is None:
            declarator = self.node.field("declarator")
            while declarator is not None and holder is None:
                holder, declarator = declarator.field("parameters"), declarator.field("declarator")
        single = self.node.field("parameter")
        if single is not None:
            yield single.text(), _Definition(self.start, None, label, adds=False, block=self.start)
        if holder is None:
            return
        numbers = self.marks.facts.number_types
        for one in holder.named_children():
            if one.kind() == self.grammar.comment:
                continue
            name = self._parameter_name(one)
            if name in ("", "self", "cls", "this"):
                continue
            chosen = name in _REQUESTS or (told and _PLACE.search(name) is not None)
            own = self.marks.sources.get(span(one), "param" if chosen else label)
            if numbers is not None and numbers.search(one.text()):
                yield name, _Definition(self.start, None, None, adds=False, block=self.start)
            else:
                for each, _ in self._targets(one) if "pattern" in one.kind() else [(name, True)]:
                    yield each, _Definition(self.start, None, own, adds=False, block=self.start)

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


class Evaluation:
    """Values as one rule sees them: its own sources and sanitisers beside the language's."""

    def __init__(self, marks: Marks, grammar: Grammar, flow: Flow) -> None:
        self.marks, self.grammar = marks, grammar
        self.sources = {span(node) for one in flow.sources for node in marks.find(one)}
        self.sanitised = {span(node) for one in flow.sanitisers for node in marks.find(one)}
        self._busy: set[tuple[str, int, int]] = set()

    def of(self, node: SgNode, scope: Scope, depth: int = 0) -> Value:
        kind, place = node.kind(), span(node)
        if depth > _MAX_DEPTH or place in self.sanitised or place in self.marks.sanitised:
            return CLEAN
        if place in self.sources:
            return Value(labels=frozenset({"own", "remote"}), names=frozenset({node.text()}), steps=(place,))
        label = self.marks.sources.get(place)
        if label is not None:
            return Value(labels=frozenset({label}), names=frozenset({node.text()}), steps=(place,))
        g = self.grammar
        if kind in g.strings:
            return self._string(node, scope, depth)
        if kind in g.literals:
            return Value(labels=_CONSTANT, text=node.text())
        if kind in g.identifiers:
            return self._name(node.text(), node, scope, depth)
        if kind in g.members:
            return self._member(node, scope, depth)
        if kind in g.calls:
            return self._call(node, scope, depth)
        if kind in g.binary:
            return self._binary(node, scope, depth)
        if kind in g.subscripts:
            held = node.field(g.subscripts[kind]) if g.subscripts[kind] else None
            named = node.named_children()
            held = held or (named[0] if named else None)
            value = self.of(held, scope, depth + 1) if held is not None else CLEAN
            return replace(value, built=False, text=HOLE, names=value.names | {node.text()})
        if kind in g.conditionals:
            return self._conditional(node, scope, depth)
        if kind in g.functions or kind in g.skipped:
            return CLEAN
        if kind == "expression_list" and len(node.named_children()) == 1:
            return self.of(node.named_children()[0], scope, depth + 1)
        if kind in g.containers:
            return replace(union(self._children(node, scope, depth)), built=False, text=HOLE)
        if kind in ("keyword_argument", "pair", "argument"):
            held = node.field("value") or (node.named_children() or [None])[-1]
            return self.of(held, scope, depth + 1) if held is not None else CLEAN
        return union(self._children(node, scope, depth))

    def _children(self, node: SgNode, scope: Scope, depth: int) -> list[Value]:
        return [self.of(child, scope, depth + 1) for child in node.named_children()]

    def _string(self, node: SgNode, scope: Scope, depth: int) -> Value:
        pieces: list[Value] = []
        for child in node.named_children():
            kind = child.kind()
            if kind in self.grammar.string_text:
                if kind not in ("string_start", "string_end"):
                    pieces.append(Value(labels=_CONSTANT, text=child.text()))
            elif kind in self.grammar.strings:
                pieces.append(self._string(child, scope, depth + 1))
            elif kind != self.grammar.comment:
                held = self.grammar.identifiers | self.grammar.members.keys() | self.grammar.subscripts.keys()
                inner = [
                    one
                    for one in ([] if kind in held else child.named_children())
                    if one.kind() not in ("format_specifier", "type_conversion")
                ]
                values = [self.of(one, scope, depth + 1) for one in inner] or [
                    self.of(child, scope, depth + 1)
                ]
                pieces.append(replace(union(values), text=HOLE))
        if not pieces:
            return Value(labels=_CONSTANT, text=node.text().strip("'\"`"))
        return joined(pieces)

    def _binary(self, node: SgNode, scope: Scope, depth: int) -> Value:
        left_field, right_field = self.grammar.binary[node.kind()]
        left, right = node.field(left_field), node.field(right_field)
        if left is None or right is None:
            return CLEAN
        held = node.field("operator")
        operator = held.text() if held is not None else _between(node, left, right)
        if operator in self.grammar.joining:
            sides = [self.of(left, scope, depth + 1), self.of(right, scope, depth + 1)]
            if operator == "/" and not sides[0].labels - _CONSTANT and sides[0].text == HOLE:
                return replace(sides[1], built=bool(sides[1].labels - _CONSTANT))
            return joined(sides, fills=operator == "%")
        if operator in self.grammar.choosing:
            return union([self.of(left, scope, depth + 1), self.of(right, scope, depth + 1)])
        if operator == "*":
            left_value, right_value = self.of(left, scope, depth + 1), self.of(right, scope, depth + 1)
            if left_value.is_constant and right_value.is_constant:
                return Value(labels=_CONSTANT, text=left_value.text)
        return CLEAN

    def _conditional(self, node: SgNode, scope: Scope, depth: int) -> Value:
        first, second = self.grammar.conditionals[node.kind()]
        named = node.named_children()
        if first:
            branches = [one for one in (node.field(first), node.field(second)) if one is not None]
        else:
            branches = [named[0], named[-1]] if named else []
        return union([self.of(one, scope, depth + 1) for one in branches])

    def _member(self, node: SgNode, scope: Scope, depth: int) -> Value:
        text = node.text()
        known = self._defined(text, node, scope, depth)
        if known is not None:
            return known
        held = node.field(self.grammar.members[node.kind()][0])
        if held is None:
            return CLEAN
        if self.grammar.field_of.match(text):
            name = text.rpartition(".")[2].rpartition("->")[2]
            if _CONSTANT_NAME.fullmatch(name) or "." in text[5:] or _DUNDER.search(text):
                return CLEAN
            return Value(labels=frozenset({"field"}), names=frozenset({text}), steps=(span(node),))
        if held.text() in _MODULES and self._defined(held.text(), held, scope, depth) is None:
            return CLEAN
        value = self.of(held, scope, depth + 1)
        if not value.labels or value.is_constant:
            return CLEAN
        name = text.rpartition(".")[2]
        if _CONSTANT_NAME.fullmatch(name):
            return CLEAN
        return replace(value, names=value.names | {text}, text=HOLE, built=False)

    def _call(self, node: SgNode, scope: Scope, depth: int) -> Value:
        callee_field, arguments_field = self.grammar.calls[node.kind()]
        callee = node.field(callee_field) if callee_field else None
        arguments = node.field(arguments_field) if arguments_field else None
        name = callee.text() if callee is not None else ""
        last = re.split(r"[.:>]", name)[-1]
        receiver = node.field("object") or node.field("receiver")
        if receiver is None and callee is not None and callee.kind() in self.grammar.members:
            receiver = callee.field(self.grammar.members[callee.kind()][0])
        facts = self.marks.facts
        if facts.stoppers is not None and facts.stoppers.search(last):
            return CLEAN
        given = self._children(arguments, scope, depth) if arguments is not None else []
        held = CLEAN
        if receiver is not None and (
            receiver.text() not in _MODULES
            or self._defined(receiver.text(), receiver, scope, depth) is not None
        ):
            held = self.of(receiver, scope, depth + 1)
        fixed = held.is_constant or (not held.labels and bool(given or receiver is None))
        if fixed and span(node) in self.marks.constants and all(one.is_constant for one in given):
            pieces = [held, *given] if held.is_constant else given
            return Value(labels=_CONSTANT, text="".join(one.text for one in pieces))
        if receiver is not None and receiver.text() in _FORMATTERS:
            held = CLEAN
        if self.grammar.format_calls.search(name):
            return joined([held, *given], fills=True)
        if last == "join" and held.is_constant:
            return joined([held, *given], fills=True)
        if last == "concat" and (held.labels or held.is_constant):
            return joined([held, *given])
        carries = facts.carriers is not None and facts.carriers.search(last) is not None
        if carries:
            return joined([one for one in (held, *given) if one.labels or one is held], keep=True)
        if held.is_constant:
            return replace(held, labels=frozenset(), text=HOLE) if not given else self._outside(given)
        if held.labels:
            return replace(held, text=HOLE, steps=(*held.steps, span(node))[:12])
        return self._outside(given)

    def _outside(self, given: list[Value]) -> Value:
        """What an unknown function makes of its arguments: what came from outside still does."""
        value = union(given)
        if value.labels & _OUTSIDE:
            return replace(value, labels=value.labels & _OUTSIDE, text=HOLE, built=False)
        if value.labels & (_WEAK | {"call"}):
            return replace(value, labels=frozenset({"call"}), text=HOLE, built=False)
        return CLEAN

    def _name(self, name: str, node: SgNode, scope: Scope, depth: int) -> Value:
        known = self._defined(name, node, scope, depth)
        if known is not None:
            return known
        if _CONSTANT_NAME.fullmatch(name) or _DUNDER.fullmatch(name) or name[:1].isupper():
            return CLEAN
        if name in ("self", "cls", "this", "undefined", "super") or self._is_global(name):
            return CLEAN
        return Value(labels=frozenset({"free"}), names=frozenset({name}), steps=(span(node),))

    def _is_global(self, name: str) -> bool:
        """Whether the text imports or declares it."""
        declares = r"from\b.*\bimport\b|import\b|def |class |function |async |export |#include|using |use "
        pattern = rf"(?m)^\s*(?:{declares}).*\b{re.escape(name)}\b"
        return re.search(pattern, self.marks.text) is not None

    def _defined(self, name: str, node: SgNode, scope: Scope, depth: int) -> Value | None:
        """The value of a name where `node` stands; nothing where the text does not say."""
        at = span(node)[0]
        level: Scope | None = scope
        inner = True
        while level is not None:
            found = [one for one in level.definitions(name) if one.at <= at or not inner]
            if found:
                return self._joined(name, found, node, level, depth, same=inner)
            level, inner = level.outer, False
        return None

    def _joined(
        self, name: str, found: list[_Definition], node: SgNode, scope: Scope, depth: int, *, same: bool
    ) -> Value:
        """The definitions that may hold: back to the last one that surely does."""
        above = {span(one)[0] for one in node.ancestors()} | {scope.start}
        pieces: list[Value] = []
        for one in reversed(found):
            key = (name, one.at, span(one.value)[0] if one.value is not None else -1)
            if key in self._busy:
                continue
            self._busy.add(key)
            try:
                pieces.append(self._taken(one, scope, depth))
            finally:
                self._busy.discard(key)
            if not one.adds and (one.block in above or not same):
                break
        added = pieces[::-1]
        value = joined(added) if any(one.adds for one in found) else union(added)
        if value.labels <= _CONSTANT:
            return value
        return replace(value, names=value.names | {name})

    def _taken(self, one: _Definition, scope: Scope, depth: int) -> Value:
        if one.value is None:
            if one.label is None:
                return CLEAN
            return Value(labels=frozenset({one.label}))
        value = self.of(one.value, scope, depth + 1)
        step = span(one.value)
        if one.part:
            value = replace(value, text=HOLE, built=False)
            if value.is_constant:
                return CLEAN
        return replace(value, steps=(*value.steps, step)[-12:]) if value.labels else value


def union(values: Iterable[Value]) -> Value:
    """One of several."""
    kept = [one for one in values if one.labels or one.text != HOLE]
    if not kept:
        return CLEAN
    if len(kept) == 1:
        return kept[0]
    labels = frozenset(label for one in kept for label in one.labels)
    if labels != _CONSTANT:
        labels -= _CONSTANT
    # The text of the piece that matters most: a built one, then a labelled one.
    main = max(kept, key=lambda one: (one.built, bool(one.labels - _CONSTANT)))
    return Value(
        labels=labels,
        text=main.text,
        built=main.built,
        names=frozenset(name for one in kept for name in one.names),
        steps=tuple(step for one in kept for step in one.steps)[-12:],
    )


def joined(values: list[Value], *, fills: bool = False, keep: bool = False) -> Value:
    """Several put together into one text.  `fills`: the first is a format, with places of its own."""
    labels = frozenset(label for one in values for label in one.labels)
    text = "".join(one.text for one in values)[:_MAX_TEXT]
    if fills and values and values[0].is_constant:
        text = re.sub(r"%[-+ #0-9.]*[sdrifxu]|%\(\w+\)[sd]|\{[^{}\n]*\}", HOLE, values[0].text)
        text += "".join(one.text for one in values[1:] if one.text != HOLE)[:_MAX_TEXT]
    unknown = labels - _CONSTANT
    all_constant = bool(values) and all(one.is_constant for one in values)
    literal = any(piece.strip() for piece in text.split(HOLE))
    built = any(one.built for one in values) or (bool(unknown) and literal and not keep)
    return Value(
        labels=_CONSTANT if all_constant else unknown,
        text=text,
        built=built and bool(unknown),
        names=frozenset(name for one in values for name in one.names),
        steps=tuple(step for one in values for step in one.steps)[-12:],
    )


def _between(node: SgNode, left: SgNode, right: SgNode) -> str:
    start = span(node)[0]
    return node.text()[span(left)[1] - start : span(right)[0] - start].strip()
