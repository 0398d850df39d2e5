"""Where a value comes from, within one function: from a sink back through what was assigned.

Demand-driven: only the names that lead to the sink are looked at.  Calls of unknown functions carry
what comes from outside, but not what is merely a parameter, except by name (`FlowFacts.carriers`):
most functions do something with their arguments.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from .trees import span
from .values import CLEAN, CONSTANT, HOLE, Value, joined, labels_of, union

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from .grammar import Grammar
    from .rule import Flow
    from .scope import Definition, Marks, Scope

_MAX_DEPTH = 24
_OUTSIDE = frozenset({"remote", "request", "local"})
_WEAK = frozenset({"param", "free", "field", "call"})
_CONSTANT_NAME = re.compile(r"_*[A-Z][A-Z0-9_]*")
_MODULES = sys.stdlib_module_names | frozenset(
    {
        *("bytes", "bytearray", "str", "dict", "list", "int", "float", "set", "tuple", "type", "object"),
        *("crypto", "fs", "path", "process", "console", "window", "document", "module", "exports", "util"),
        *("url", "http", "https", "child_process", "requests", "numpy", "pandas", "yaml", "flask", "lxml"),
    }
)
"""Names before a dot that are modules or types even where nothing says so: fragments lack imports."""
_FORMATTERS = frozenset({"fmt", "String", "string"})
"""What stands before a call that formats, and is no value."""
_COMPREHENSIONS = frozenset({"list_comprehension", "set_comprehension", "generator_expression"})
"""What they run through says nothing of what they yield."""
_DUNDER = re.compile(r"__\w+__")


class Evaluation:
    """Values as one rule sees them: its own sources and sanitisers beside the language's."""

    def __init__(self, marks: Marks, grammar: Grammar, flow: Flow) -> None:
        self.marks, self.grammar = marks, grammar
        self.sources = {span(node) for one in flow.sources for node in marks.find(one)}
        self.sanitised = {span(node) for one in flow.sanitisers for node in marks.find(one)}
        self._globals = marks.globals
        self._busy: set[tuple[str, int, int]] = set()

    def of(self, node: SgNode, scope: Scope, depth: int = 0) -> Value:
        kind, place = node.kind(), span(node)
        if depth > _MAX_DEPTH or place in self.sanitised or place in self.marks.sanitised:
            return CLEAN
        if place in self.sources:
            return Value(
                labels=frozenset({"own"}) | labels_of("remote"),
                names=frozenset({node.text()}),
                steps=(place,),
            )
        label = self.marks.sources.get(place)
        if label is not None:
            return Value(labels=labels_of(label), names=frozenset({node.text()}), steps=(place,))
        g = self.grammar
        if kind in g.strings:
            return self._string(node, scope, depth)
        if kind in g.literals:
            return Value(labels=CONSTANT, text=node.text())
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
        if kind in _COMPREHENSIONS and (body := node.field("body")) is not None:
            value = self.of(body, scope, depth + 1)
            return replace(value, built=value.built and kind == "generator_expression")
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
                    pieces.append(Value(labels=CONSTANT, text=child.text()))
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
            return Value(labels=CONSTANT, text=node.text().strip("'\"`"))
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
            if operator == "/" and not sides[0].labels - CONSTANT and sides[0].text == HOLE:
                return replace(sides[1], built=bool(sides[1].labels - CONSTANT))
            return joined(sides, fills=operator == "%")
        if operator in self.grammar.choosing:
            return union([self.of(left, scope, depth + 1), self.of(right, scope, depth + 1)])
        if operator == "*":
            left_value, right_value = self.of(left, scope, depth + 1), self.of(right, scope, depth + 1)
            if left_value.is_constant and right_value.is_constant:
                return Value(labels=CONSTANT, text=left_value.text)
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
        given: list[Value] = []
        if arguments is not None:
            alone = arguments.kind() in _COMPREHENSIONS
            given = [self.of(arguments, scope, depth)] if alone else self._children(arguments, scope, depth)
        held = CLEAN
        if receiver is not None and (
            receiver.text() not in _MODULES
            or self._defined(receiver.text(), receiver, scope, depth) is not None
        ):
            held = self.of(receiver, scope, depth + 1)
        fixed = held.is_constant or (not held.labels and bool(given or receiver is None))
        if fixed and span(node) in self.marks.constants and all(one.is_constant for one in given):
            pieces = [held, *given] if held.is_constant else given
            return Value(labels=CONSTANT, text="".join(one.text for one in pieces))
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
        known = self._globals.get(name)
        if known is None:
            declares = (
                r"from\b.*\bimport\b|import\b|def |class |function |async |export |#include|using |use "
            )
            pattern = rf"(?m)^\s*(?:{declares}).*\b{re.escape(name)}\b"
            known = self._globals[name] = re.search(pattern, self.marks.text) is not None
        return known

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
        self, name: str, found: list[Definition], node: SgNode, scope: Scope, depth: int, *, same: bool
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
        if value.labels <= CONSTANT:
            return value
        return replace(value, names=value.names | {name})

    def _taken(self, one: Definition, scope: Scope, depth: int) -> Value:
        if one.value is None:
            if one.label is None:
                return CLEAN
            return Value(labels=labels_of(one.label))
        value = self.of(one.value, scope, depth + 1)
        step = span(one.value)
        if one.part:
            value = replace(value, text=HOLE, built=False)
            if value.is_constant:
                return CLEAN
        return replace(value, steps=(*value.steps, step)[-12:]) if value.labels else value


def _between(node: SgNode, left: SgNode, right: SgNode) -> str:
    start = span(node)[0]
    return node.text()[span(left)[1] - start : span(right)[0] - start].strip()
