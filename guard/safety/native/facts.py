"""What one C or C++ function does, as lists in the order of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from ..trees import find_all, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ast_grep_py import SgNode

_CHAIN = re.compile(r"[A-Za-z_]\w*(?:(?:->|\.)[A-Za-z_]\w*)*")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_SPACES = re.compile(r"\s")
_ROUND_SIGNS = re.compile(r"\s+(?=[^\w\s])|(?<=[^\w\s])\s+")
_BETWEEN_WORDS = re.compile(r"\s+")
_RELATIONAL = frozenset({"<", ">", "<=", ">=", "==", "!="})
_ORDERED = frozenset({"<", ">", "<=", ">="})
_LENGTH = re.compile(
    r"(?i)(^|_|[a-z])(len|length|size|sz|count|cnt|left|avail|available|remain\w*|end|limit|max|bytes|nbytes|num|siz)\d*$|^n$"
)
_ASSERTS = re.compile(
    r"(?i)assert|check|require|verify|ensure|return_if|return_val_if|throwif|bug_on|warn_on"
)
_CONDITIONS = {
    "if_statement": "if",
    "while_statement": "loop",
    "for_statement": "loop",
    "do_statement": "loop",
    "conditional_expression": "if",
    "switch_statement": "if",
}
_KINDS = (
    *_CONDITIONS,
    *("binary_expression", "call_expression", "assignment_expression", "init_declarator"),
    *("update_expression", "subscript_expression", "pointer_expression", "field_expression"),
    *("parameter_declaration", "declaration", "return_statement", "cast_expression"),
)


@dataclass(frozen=True, slots=True)
class Test:
    """A condition, or what stands left of an `&&`; `kind` is `if`, `loop`, `and` or `assert`."""

    at: int
    text: str
    names: frozenset[str]
    kind: str
    end: int


@dataclass(frozen=True, slots=True)
class Relation:
    """`left op right`; without spaces."""

    at: int
    left: str
    operator: str
    right: str
    names: frozenset[str]
    in_loop: bool
    node: SgNode

    @property
    def is_ordered(self) -> bool:
        return self.operator in _ORDERED


@dataclass(frozen=True, slots=True)
class Call:
    at: int
    name: str
    arguments: tuple[str, ...]
    node: SgNode
    nodes: tuple[SgNode, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """`target = value`, `+=` and its like, `++` (whose value is `1`)."""

    at: int
    target: str
    operator: str
    value: str
    node: SgNode


@dataclass(frozen=True, slots=True)
class Access:
    """`base[index]`, or `*base` with an empty index."""

    at: int
    base: str
    index: str
    node: SgNode


class Facts:
    """One function, or the text where none could be made out."""

    def __init__(self, node: SgNode) -> None:
        self.node = node
        self.text = node.text()
        self.start, self.end = span(node)
        body = self.text.find("{")
        self.header = self.text[: max(body, 0)]
        self.tests: list[Test] = []
        self.relations: list[Relation] = []
        self.calls: list[Call] = []
        self.writes: list[Write] = []
        self.accesses: list[Access] = []
        self.members: list[tuple[int, str, SgNode]] = []
        """`base->…`: where, the base, the node."""
        self.types: dict[str, str] = {}
        self.parameters: dict[str, str] = {}
        self.returns: list[SgNode] = []
        self.casts: list[SgNode] = []
        self.quotients: list[SgNode] = []
        for one in find_all(node, *({"kind": kind} for kind in _KINDS)):
            self._add(one)
        if not self.parameters:
            self._read_header()

    def _add(self, node: SgNode) -> None:
        kind, at = node.kind(), span(node)[0]
        if kind in _CONDITIONS:
            held = node.field("condition")
            if held is not None:
                self._test(held, _CONDITIONS[kind])
        elif kind == "binary_expression":
            self._binary(node, at)
        elif kind == "call_expression":
            self._call(node, at)
        elif kind in ("assignment_expression", "init_declarator", "update_expression"):
            self._write(node)
        elif kind == "subscript_expression":
            base = node.field("argument")
            index = node.field("index") or node.field("indices")
            if base is not None and index is not None:
                inner = squeezed(index.text()).strip("[]")
                self.accesses.append(Access(at, squeezed(base.text()), inner, node))
        elif kind == "pointer_expression":
            held = node.field("argument")
            if held is not None and node.text().startswith("*"):
                self.accesses.append(Access(at, squeezed(held.text()).strip("()"), "", node))
        elif kind == "field_expression":
            held = node.field("argument")
            if held is not None:
                self.members.append((at, squeezed(held.text()), node))
        elif kind in ("parameter_declaration", "declaration"):
            self._declaration(node, kind)
        elif kind == "return_statement":
            self.returns.append(node)
        elif kind == "cast_expression":
            self.casts.append(node)

    def _read_header(self) -> None:
        """Parameters by the look of them, where a macro or an old style keeps the grammar from telling."""
        found = re.search(r"\(([^()]*)\)[^()]*$", self.header)
        for piece in found[1].split(",") if found is not None else ():
            words = squeezed_words(piece)
            name = declared_name(words)
            if name and name != words:
                self.parameters[name] = words[: -len(name)].strip() if words.endswith(name) else words
                self.types.setdefault(name, self.parameters[name])

    def _test(self, node: SgNode, kind: str) -> None:
        text = squeezed(node.text())
        start, end = span(node)
        self.tests.append(Test(start, text, names_in(text), kind, end))

    def _binary(self, node: SgNode, at: int) -> None:
        left, right = node.field("left"), node.field("right")
        held = node.field("operator")
        operator = held.text() if held is not None else ""
        if left is None or right is None:
            return
        if operator in _RELATIONAL:
            sides = squeezed(left.text()), squeezed(right.text())
            in_loop = _is_loop_condition(node)
            self.relations.append(
                Relation(at, sides[0], operator, sides[1], names_in(" ".join(sides)), in_loop, node)
            )
        elif operator in ("&&", "||"):
            self._test(left, "and")
        elif operator in ("/", "%"):
            self.quotients.append(node)

    def _call(self, node: SgNode, at: int) -> None:
        callee, held = node.field("function"), node.field("arguments")
        if callee is None or held is None:
            return
        given = tuple(one for one in held.named_children() if one.kind() != "comment")
        name = re.split(r"->|\.|::", callee.text())[-1].split("<", 1)[0].strip()
        self.calls.append(Call(at, name, tuple(squeezed(one.text()) for one in given), node, given))
        if _ASSERTS.search(name):
            self._test(held, "assert")

    def _write(self, node: SgNode) -> None:
        kind = node.kind()
        if kind == "update_expression":
            held = node.field("argument")
            if held is not None:
                operator = "+=" if "++" in node.text() else "-="
                self.writes.append(Write(span(node)[1], squeezed(held.text()), operator, "1", node))
            return
        left = node.field("left") or node.field("declarator")
        right = node.field("right") or node.field("value")
        if left is None or right is None:
            return
        target = squeezed(left.text())
        operator = "="
        if kind == "init_declarator":
            target = target.lstrip("*&").split("[", 1)[0]
        else:
            held = node.field("operator")
            operator = held.text() if held is not None else "="
        self.writes.append(Write(span(node)[1], target, operator, squeezed(right.text()), node))

    def _declaration(self, node: SgNode, kind: str) -> None:
        held = node.field("type")
        if held is None:
            return
        for one in node.field_children("declarator"):
            text = one.text().split("=", 1)[0]
            name = declared_name(text)
            if not name:
                continue
            whole = squeezed_words(f"{held.text()} {text.replace(name, '', 1)}")
            self.types.setdefault(name, whole)
            if kind == "parameter_declaration" and span(node)[0] - self.start < len(self.header):
                self.parameters[name] = whole

    @cached_property
    def lengths(self) -> frozenset[str]:
        """Names that say how much of something there is."""
        found = names_in(self.text) | set(self.types)
        return frozenset(one for one in found if is_length(one))

    def tests_of(self, name: str, before: int, after: int = -1) -> Iterator[Test]:
        for test in self.tests:
            if after <= test.at < before and name in test.names:
                yield test

    def is_tested(self, name: str, before: int, after: int = -1) -> bool:
        if any(True for _ in self.tests_of(name, before, after)):
            return True
        return any(after <= one.at < before and name in one.names for one in self.relations)

    def was_asked(self, name: str, before: int, after: int = -1) -> bool:
        """Whether a condition with `name` in it was over before: one that holds the use says nothing."""
        if any(one.end <= before for one in self.tests_of(name, before, after)):
            return True
        return any(
            after <= one.at and span(one.node)[1] <= before and name in one.names for one in self.relations
        )

    def is_ordered(self, name: str, before: int, after: int = -1, *, loops: bool = True) -> bool:
        """Whether `name` is compared by size in between, or cut to one."""
        for one in self.relations:
            if (
                after <= one.at < before
                and one.is_ordered
                and name in one.names
                and (loops or not one.in_loop)
            ):
                return True
        return any(
            after <= call.at < before
            and re.search(
                r"(?i)min|clamp|bound|limit|check|valid|ensure|require|assert|avail|remain", call.name
            )
            and any(name in names_in(one) for one in call.arguments)
            for call in self.calls
        )

    def is_bounded(self, name: str, before: int, after: int = -1) -> bool:
        """Whether `name` is compared with more than next to nothing, outside the head of a loop."""
        return any(
            after <= one.at < before
            and one.is_ordered
            and not one.in_loop
            and name in one.names
            and not re.fullmatch(r"[-(]*[012][uUlL)]*", one.right if one.right != name else one.left)
            for one in self.relations
        )

    def last_write(self, name: str, before: int) -> Write | None:
        found = None
        for one in self.writes:
            if one.target == name and one.at <= before and (found is None or one.at > found.at):
                found = one
        return found

    def is_pointer(self, name: str) -> bool:
        return "*" in self.types.get(name, "") or "[" in self.types.get(name, "")


def squeezed(text: str) -> str:
    """Without comments, and without the white space that does not part two words."""
    if "/*" in text or "//" in text:
        text = _COMMENTS.sub(" ", text)
    return _BETWEEN_WORDS.sub(" ", _ROUND_SIGNS.sub("", text)).strip() if _SPACES.search(text) else text


def squeezed_words(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=4_096)
def names_in(text: str) -> frozenset[str]:
    """`a->b.c` is one name; the objects it goes through are names too."""
    found: set[str] = set()
    for match in _CHAIN.finditer(_QUOTED.sub('""', text)):
        found.add(match[0])
        found.update(match[0][: at.start()] for at in re.finditer(r"->|\.", match[0]))
    return frozenset(found)


def is_length(name: str) -> bool:
    return _LENGTH.search(re.split(r"->|\.", name)[-1]) is not None


def declared_name(text: str) -> str:
    found = re.search(r"[A-Za-z_]\w*(?=\s*(?:\[|$|\)|=|:))", text.strip())
    return found[0] if found else ""


def _is_loop_condition(node: SgNode) -> bool:
    inner = node
    for above in node.ancestors():
        kind = above.kind()
        if kind in ("for_statement", "while_statement", "do_statement"):
            held = above.field("condition")
            return held is not None and span(held)[0] <= span(inner)[0] <= span(held)[1]
        if kind.endswith("_statement") or kind == "declaration":
            return False
    return False
