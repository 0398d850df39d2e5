"""Definitions and bindings from frames."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import cast

from ..facts import TYPE_KINDS, Binding, Definition, DefinitionKind
from ..records import Language
from . import wording
from .frames import FUNCTIONS, Frame, Span
from .wording import Remarks

MAX_DEFINITIONS = 20_000
"""Of a file; more of them are a table, not code.  Bindings likewise."""

_PREFIX = len("definition.")


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
    full: bool = False

    def line_of(self, offset: int) -> int:
        return bisect_right(self.line_starts, offset) - 1

    def at(self, span: Span | None) -> str:
        return self.text[span[0] : span[1]] if span else ""

    def type_at(self, span: Span | None) -> str:
        return wording.type_text(self.text[span[0] : span[1]]) if span else ""


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
            reading.parents[id(frame)] = reading.type_at(frame.first("parent")).partition("<")[0]
        elif tag == "closure":
            reading.parents[id(frame)] = _parent(reading, frame.holder())
        elif tag[:_PREFIX] == "definition.":
            _define(reading, frame, cast("DefinitionKind", tag[_PREFIX:]))


def _define(reading: Reading, frame: Frame, kind: DefinitionKind) -> None:
    names = frame.parts.get("name")
    if not names:
        return
    holder = frame.holder()
    inside = holder.tag if holder else "file"
    if kind == "variable":
        if inside in FUNCTIONS:
            _bind(reading, frame)
            return
        if inside[_PREFIX:] in TYPE_KINDS or inside == "scope":
            kind = "field"
    own = frame.first("self")
    if own is not None:
        _define_own_field(reading, frame, own)
        return
    if kind == "field" and inside in FUNCTIONS:
        _bind(reading, frame)
        if "promoted" in frame.parts:
            _define_in_type(reading, frame)
        return
    given = frame.first("parent")
    parent = _parent(reading, holder)
    if given:
        parent = reading.type_at(given).replace("::", ".").partition("<")[0]
    if kind == "function" and (given or inside == "scope" or inside[_PREFIX:] in TYPE_KINDS):
        kind = "method"
    start, signature_start = _beginning(frame)
    for name in names:
        _add(reading, frame, kind, name, parent, start, signature_start)
        start = signature_start = name[0]  # the others of `int a, b`


def _parent(reading: Reading, holder: Frame | None) -> str:
    return reading.parents.get(id(holder), "") if holder else ""


def _define_own_field(reading: Reading, frame: Frame, own: Span) -> None:
    """`self.x = …` in a method: a field of the class around it."""
    if reading.at(own) in reading.language.self_names:
        _define_in_type(reading, frame)


def _define_in_type(reading: Reading, frame: Frame) -> None:
    """A field that is written inside a method."""
    for above in frame.above():
        if above.tag[_PREFIX:] in TYPE_KINDS or above.tag == "scope":
            parent = reading.parents.get(id(above), "")
            for name in frame.all("name"):
                if (parent, reading.at(name)) not in reading.seen_fields:
                    _add(reading, frame, "field", name, parent, frame.start, frame.start)
            return


def _beginning(frame: Frame) -> tuple[int, int]:
    """Where a definition starts, and where its signature does: after decorators."""
    start = frame.start
    signature_start = start
    up, below = frame.up, frame
    while up is not None and up.tag == "outer":
        if up.parts.get("claimed", [(below.start, 0)])[0][0] != below.start:
            break
        up.parts["claimed"] = [(below.start, 0)]
        decorators = up.parts.get("decorator")
        if decorators is None and signature_start == start:
            signature_start = up.start
        start = up.start
        up, below = up.up, up
    return start, signature_start


def _add(
    reading: Reading,
    frame: Frame,
    kind: DefinitionKind,
    name: Span,
    parent: str,
    start: int,
    signature_start: int,
) -> None:
    text, language = reading.text, reading.language
    word = text[name[0] : name[1]].strip("`\"'")
    if not word:
        return
    reading.used.add(name[0])
    parts = frame.parts
    body = frame.first("body")
    data = kind in ("field", "variable", "variant")
    qualified = f"{parent}.{word}" if parent else word
    if kind == "field":
        reading.seen_fields.add((parent, word))
    if not data:
        reading.parents[id(frame)] = qualified
    line, end_line = reading.line_of(start), reading.line_of(frame.end - 1)
    type_ = reading.type_at(frame.first("type")) if "type" in parts else ""
    callee = ""
    if data and not type_:
        callee = reading.type_at(frame.first("callee"))
        value = frame.first("value")
        if value and not callee:
            type_ = _type_of_parameter(reading, reading.at(value), frame)
    outer = frame.up
    decorators = outer.parts.get("decorator", ()) if outer is not None and outer.tag == "outer" else ()
    decorators = decorators or parts.get("decorator", ())
    reading.definitions.append(
        Definition(
            name=word,
            kind=kind,
            start=start,
            end=frame.end,
            line=line,
            end_line=end_line,
            name_start=name[0],
            signature=wording.signature(
                text,
                signature_start,
                body[0] if body and body[0] > name[0] else frame.end,
                reading.remarks,
                wording.MAX_VALUE if data else wording.MAX_SIGNATURE,
            ),
            parent=parent,
            doc=_doc(reading, frame, start, end_line),
            bases=tuple([reading.type_at(base) for base in parts["base"]]) if "base" in parts else (),
            type=type_,
            returns=reading.type_at(frame.first("returns")) if "returns" in parts else "",
            callee=callee,
            decorators=tuple([wording.one_line(reading.at(one)) for one in decorators]) if decorators else (),
        )
    )


def _doc(reading: Reading, frame: Frame, start: int, end_line: int) -> str:
    own = frame.parts.get("doc")
    if own:
        return wording.string_doc(reading.at(own[0]))
    after = reading.after.get(end_line + 1)
    if after:
        return wording.string_doc(reading.at(after))
    if not reading.remarks.any_documents:
        return ""
    before = wording.comment_before(reading.text, start, reading.remarks)
    return wording.comment_doc(reading.at(before)) if before else ""


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
    told = written or reading.type_at(frame.first("callee"))
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
