"""Definitions and bindings from frames."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import cast

from ..facts import TYPE_KINDS, Binding, Definition, DefinitionKind
from ..records import Language
from . import wording
from .frames import FUNCTIONS, Frame, Span
from .wording import Remarks

MAX_DEFINITIONS = 20_000
"""Of a file; more of them are a table, not code.  Bindings likewise."""

_PREFIX = len("definition.")
_INFERRED = frozenset({"var", "auto", "const auto", "let", "val", "auto&", "const auto&"})
_EXPORTS = frozenset({"exports", "module.exports"})  # CommonJS


@dataclass(slots=True)
class Reading:
    """One text while it is read."""

    text: str
    language: Language
    line_starts: list[int]
    remarks: Remarks
    after: dict[int, Span]
    """Docstrings that stand below what they document, by the line they begin on."""
    parents: dict[int, str] = field(default_factory=dict[int, str])
    """Qualified names of frames that have members, by `id`."""
    definitions: list[Definition] = field(default_factory=list[Definition])
    bindings: list[Binding] = field(default_factory=list[Binding])
    used: set[int] = field(default_factory=set[int])
    """Where names stand that are defined, not used."""
    seen_fields: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    extended: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Bases that are told apart from the type, by its qualified name."""
    full: bool = False

    def line_of(self, offset: int) -> int:
        return bisect_right(self.line_starts, offset) - 1

    def at(self, span: Span | None) -> str:
        return self.text[span[0] : span[1]] if span else ""

    def type_at(self, span: Span | None) -> str:
        """The type written at `span`; empty where it is only a word for "infer it"."""
        written = wording.type_text(self.text[span[0] : span[1]]) if span else ""
        return "" if written in _INFERRED else written


def read_definitions(reading: Reading, frames: list[Frame]) -> None:
    """Fills `definitions` and `bindings`, both in order of the text."""
    for frame in frames:
        if len(reading.definitions) > MAX_DEFINITIONS or len(reading.bindings) > MAX_DEFINITIONS:
            reading.full = True
            break
        tag = frame.tag
        if tag == "binding":
            _bind(reading, frame)
        elif tag == "scope":
            _extend(reading, frame)
        elif tag == "closure":
            reading.parents[id(frame)] = _parent(reading, frame.holder())
        elif tag[:_PREFIX] == "definition.":
            _define(reading, frame, cast("DefinitionKind", tag[_PREFIX:]))

    if reading.extended:
        reading.definitions[:] = [
            replace(one, bases=one.bases + tuple(more))
            if one.kind in TYPE_KINDS and (more := reading.extended.get(one.qualified_name))
            else one
            for one in reading.definitions
        ]


def _define(reading: Reading, frame: Frame, kind: DefinitionKind) -> None:
    parts = frame.parts
    given = ""
    names = parts.get("name")
    if "qualified" in parts:
        names, given = _split(reading, parts["qualified"][0])
    if not names or (
        "function" in parts and reading.at(parts["function"][0]) not in reading.language.field_makers
    ):
        return
    holder = frame.holder()
    inside = holder.tag if holder else "file"
    if kind == "variable":
        if inside in FUNCTIONS:
            _bind(reading, frame)
            return
        if inside[_PREFIX:] in TYPE_KINDS or inside == "scope":
            kind = "field"
    if kind == "field" and "self" in parts:
        if reading.at(parts["self"][0]) in reading.language.self_names:
            _define_in_type(reading, frame)
        return
    if kind == "function" and inside in FUNCTIONS and "body" not in parts and frame.closure is None:
        return  # C's `Row row();` in a function
    if kind == "field" and inside in FUNCTIONS:
        _bind(reading, frame)
        if "promoted" in parts:
            _define_in_type(reading, frame)
        return
    parent = _parent(reading, holder)
    if "parent" in parts:
        given = reading.type_at(parts["parent"][0])
    given = "" if not given or given in _EXPORTS else _plain(given)
    if given:
        parent = f"{parent}.{given}" if parent else given
    if kind == "function" and (given or inside == "scope" or inside[_PREFIX:] in TYPE_KINDS):
        kind = "method"
    beginning = _beginning(frame)
    for name in names:
        _add(reading, frame, kind, name, parent, beginning)


def _plain(name: str) -> str:
    """A written name of a type as parents are written: `store::Row<T>` is `store.Row`."""
    return name.partition("<")[0].replace("::", ".").replace("\\", ".").strip()


def _split(reading: Reading, span: Span) -> tuple[list[Span], str]:
    """Name and parent of `Row<T>::find`."""
    parent, _, name = reading.at(span).rpartition("::")
    return [(span[1] - len(name), span[1])], parent


def _extend(reading: Reading, frame: Frame) -> None:
    """Members and bases for a type that is defined elsewhere, maybe above in this file."""
    outer = _parent(reading, frame.holder())
    name = _plain(reading.type_at(frame.first("parent")))
    qualified = f"{outer}.{name}" if outer else name
    reading.parents[id(frame)] = qualified
    for base in frame.all("base"):
        reading.extended.setdefault(qualified, []).append(reading.type_at(base))


def _parent(reading: Reading, holder: Frame | None) -> str:
    return reading.parents.get(id(holder), "") if holder else ""


def _define_in_type(reading: Reading, frame: Frame) -> None:
    """A field that is written inside a method."""
    for above in frame.above():
        parent = reading.parents.get(id(above), "")
        if "parent" in above.parts and above.tag in FUNCTIONS:  # Lua's `function M:open()`
            parent = parent.rpartition(".")[0]
        elif above.tag[_PREFIX:] not in TYPE_KINDS and above.tag != "scope":
            continue
        for name in frame.all("name"):
            if (parent, reading.at(name)) not in reading.seen_fields:
                _add(reading, frame, "field", name, parent, (frame.start, frame.start, []))
        return


def _beginning(frame: Frame) -> tuple[int, int, list[Span]]:
    """Where a definition starts, where its signature does, and the decorators between."""
    start = signature_start = frame.start
    decorators: list[Span] = []
    up, below = frame.up, frame
    while up is not None and up.tag == "outer":
        first = up.parts.setdefault("claimed", [(below.start, below.start)])[0][0]
        if first != below.start:  # the second of `const a = 1, b = 2`
            break
        decorators = up.all("decorator") + decorators
        start = signature_start = up.start
        up, below = up.up, up
    name = frame.first("name") or frame.first("qualified")
    decorators += [one for one in frame.all("decorator") if name and one[1] <= name[0]]
    if decorators:
        signature_start = max(start, *(one[1] for one in decorators))
    return start, signature_start, decorators


def _add(
    reading: Reading,
    frame: Frame,
    kind: DefinitionKind,
    name: Span,
    parent: str,
    beginning: tuple[int, int, list[Span]],
) -> None:
    text = reading.text
    start, signature_start, decorators = beginning
    comment: Span | None = None
    if reading.remarks.any_before:
        comment, preludes = wording.before(text, start, reading.remarks)
        if preludes:
            start, decorators = preludes[0][0], preludes + decorators
    written = text[name[0] : name[1]]
    word = written.strip("`\"'").lstrip("$:")
    if not word:
        return
    if kind in ("module", "class"):  # Ruby's `module A::B`, TypeScript's `namespace A.B`
        *above, word = word.replace("::", ".").split(".")
        parent = ".".join([*([parent] if parent else []), *above])
    reading.used.add(name[0])
    parts = frame.parts
    body = frame.first("body")
    returns = frame.all("returns") if kind in ("function", "method") else []
    if frame.closure is not None and body is None:
        body, returns = frame.closure.first("body"), frame.closure.all("returns")
    data = kind in ("field", "variable", "variant")
    qualified = f"{parent}.{word}" if parent else word
    if kind == "field":
        reading.seen_fields.add((parent, word))
    if kind not in ("field", "variable"):
        reading.parents.setdefault(id(frame), qualified)
    line, end_line = reading.line_of(start), reading.line_of(frame.end - 1)
    type_ = reading.type_at(frame.first("type")) if "type" in parts and (data or kind == "type") else ""
    callee = ""
    if data and not type_:
        callee = wording.callee_text(reading.at(frame.first("callee")))
        value = frame.first("value")
        if value and not callee:
            type_ = _type_of_parameter(reading, reading.at(value), frame)
    reading.definitions.append(
        Definition(
            name=word,
            kind=kind,
            start=start,
            end=frame.end,
            line=line,
            end_line=end_line,
            name_start=name[0] + written.rindex(word),
            signature=_signature(reading, signature_start, frame.end, name, body, data=data),
            parent=parent,
            doc=_doc(reading, frame, comment, end_line),
            bases=tuple([reading.type_at(base) for base in parts["base"]]) if "base" in parts else (),
            type=type_,
            returns=next((told for one in returns if (told := reading.type_at(one))), ""),
            callee=callee,
            decorators=tuple([wording.one_line(reading.at(one)) for one in decorators]) if decorators else (),
        )
    )


def _signature(reading: Reading, start: int, end: int, name: Span, body: Span | None, *, data: bool) -> str:
    limit = wording.MAX_VALUE if data else wording.MAX_SIGNATURE
    if body is None or body[0] < start:
        return wording.signature(reading.text, start, end, reading.remarks, limit)
    first = wording.signature(reading.text, start, body[0], reading.remarks, limit)
    if body[0] > name[0]:
        return first
    return (
        f"{first} … {wording.signature(reading.text, body[1], end, reading.remarks, limit)}"  # typedef struct
    )


def _doc(reading: Reading, frame: Frame, comment: Span | None, end_line: int) -> str:
    own = frame.parts.get("doc")
    if own:
        return wording.string_doc(reading.at(own[0]))
    after = reading.after.get(end_line + 1)
    if after:
        return wording.string_doc(reading.at(after))
    return wording.comment_doc(reading.at(comment)) if comment else ""


def _type_of_parameter(reading: Reading, value: str, frame: Frame) -> str:
    """The type written of the parameter `value` of the function around `frame`."""
    for above in frame.above():
        if above.tag in FUNCTIONS:
            for one in reversed(reading.bindings):
                if one.start < above.start:
                    break
                if one.name == value and one.written:
                    return one.type
            break
    return ""


def _bind(reading: Reading, frame: Frame) -> None:
    """A parameter or local variable whose type, or maker, is written."""
    parts = frame.parts
    names = parts.get("name")
    if not names or "self" in parts:
        return
    for name in names:
        reading.used.add(name[0])
    if "type" not in parts and "callee" not in parts:
        return
    written = reading.type_at(frame.first("type"))
    told = written or wording.callee_text(reading.at(frame.first("callee")))
    if not told:
        return
    scope = ""
    for above in frame.above():
        if above.tag in FUNCTIONS:
            scope = reading.parents.get(id(above), "")
            break
    for name in names:
        reading.bindings.append(
            Binding(
                name=reading.at(name),
                type=told,
                written=bool(written),
                start=name[0],
                line=reading.line_of(name[0]),
                scope=scope,
            )
        )
