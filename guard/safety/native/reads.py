"""Reads past the end: nobody asked how much there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..trees import span
from .facts import is_length, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ast_grep_py import SgNode

    from . import Analysis
    from .facts import Access, Facts

_BYTES = re.compile(
    r"\b(u?int8_t|guint8|uchar|unsigned char|char|u8|__u8|BYTE|byte|u_char|quint8|void|OPJ_BYTE|ut8)\b"
)
_BUFFER_NAMES = re.compile(r"(?i)^(buf|buffer|data|packet|pkt|payload|msg|frame|bytes|input|src|in|ptr)$")
_READS = re.compile(
    r"(?i)(^|_)(READ|GET|LOAD|PEEK|PULL|FETCH|UNPACK)_?(U?INT|LE|BE|[UBL]E?|PIXEL|WORD|DWORD|SHORT|LONG)?_?(8|16|24|32|64)?"
    r"(_?(LE|BE|L|B|INC))?$"
)
_SIZED_READ = re.compile(
    r"(?i)(read|get|load|peek|pull|fetch|unpack).*(16|24|32|64|short|long|word)|^ntoh[sl]$"
)
_MOVES = frozenset({"+=", "="})


def last_of_empty(facts: Facts) -> Iterator[SgNode]:
    """`s[n - 1]`, where `n` is `strlen(s)` and may be zero."""
    for access in facts.accesses:
        found = re.fullmatch(r"(.+)-1", access.index)
        if found is None:
            continue
        length = found[1]
        direct = re.fullmatch(r"\(?(?:\w+\))?strlen\((.+)\)", length)
        if direct is None:
            write = facts.last_write(length, access.at)
            direct = re.fullmatch(r"(?:\(\w+\))?strlen\((.+)\)", write.value) if write is not None else None
        if direct is None:
            continue
        text = direct[1]
        base = access.base
        told = (length, text, base)
        if any(facts.is_tested(name, access.at) for name in told if re.fullmatch(r"[\w.>-]+", name)):
            continue
        if any(
            f"{piece}" in test.text
            for test in facts.tests
            if test.at < access.at
            for piece in (f"strlen({text})", f"*{text}")
        ):
            continue
        yield access.node


def unchecked_read(facts: Facts) -> Iterator[SgNode]:
    """Several bytes put together from a buffer whose length nobody looks at."""
    by_base: dict[str, list[Access]] = {}
    for access in facts.accesses:
        if re.fullmatch(r"\d+|0x[0-9a-fA-F]+", access.index) and "->" not in access.base:
            by_base.setdefault(access.base, []).append(access)
    for base, found in by_base.items():
        top = max(int(one.index, 0) for one in found)
        first = found[0]
        if top < 2 or not _is_outside_buffer(facts, base):
            continue
        composed = any(_is_composed(one.node) for one in found)
        if not composed or _is_told(facts, base, first.at):
            continue
        if any(one.target.split("[")[0] == base for one in facts.writes if "[" in one.target):
            continue
        yield first.node


def _is_outside_buffer(facts: Facts, base: str) -> bool:
    kind = facts.parameters.get(base)
    if kind is not None:
        lengths = [name for name in facts.parameters if is_length(name)]
        return "*" in kind and "[" not in kind and _BYTES.search(kind) is not None and bool(lengths)
    return base not in facts.types and _BUFFER_NAMES.match(base) is not None and "(" in facts.header


def _is_told(facts: Facts, base: str, at: int) -> bool:
    for test in facts.tests:
        if test.at < at and (base in test.names or any(is_length(one) for one in test.names)):
            return True
    return any(one.at < at and any(is_length(name) for name in one.names) for one in facts.relations) or any(
        call.at < at
        and base in call.arguments
        and any(is_length(n) for a in call.arguments for n in names_in(a))
        for call in facts.calls
    )


def _is_composed(node: SgNode) -> bool:
    for above in node.ancestors():
        kind = above.kind()
        if kind == "binary_expression":
            held = above.field("operator")
            if held is not None and held.text() == "<<":
                return True
        elif kind not in ("parenthesized_expression", "cast_expression"):
            return False
    return False


def advanced_index(facts: Facts) -> Iterator[SgNode]:
    """`i += 2; … data[i]`: moved on, and used before it is compared again."""
    for write in facts.writes:
        if not re.fullmatch(r"\w+", write.target) or write.operator != "+=" or write.value == "1":
            continue
        if not facts.is_ordered(write.target, facts.end):
            continue  # nothing bounds it: it may not be an index into something of known length
        uses = [
            one
            for one in facts.accesses
            if one.at >= write.at and write.target in names_in(one.index) and _is_buffer(facts, one.base)
        ]
        if not uses:
            continue
        use = min(uses, key=lambda one: one.at)
        between = [one for one in facts.writes if one.target == write.target and write.at < one.at <= use.at]
        if between or facts.is_tested(write.target, use.at, write.at):
            continue
        if _same_block(write.node, use.node) and not _is_written(use.node):
            yield use.node


def _is_buffer(facts: Facts, base: str) -> bool:
    kind = facts.parameters.get(base, "")
    return "*" in kind and _BYTES.search(kind) is not None


def _is_written(node: SgNode) -> bool:
    above = node.parent()
    if above is None or above.kind() != "assignment_expression":
        return False
    left = above.field("left")
    return left is not None and span(left) == span(node)


def _same_block(first: SgNode, second: SgNode) -> bool:
    for above in first.ancestors():
        if above.kind() in ("compound_statement", "case_statement", "translation_unit"):
            start, end = span(above)
            return start <= span(second)[0] < end
    return False


def advanced_pointer(facts: Facts) -> Iterator[SgNode]:
    """`p += n;` and then a read through `p`, where the function compares it with an end elsewhere."""
    for write in facts.writes:
        name = write.target
        if not re.fullmatch(r"\w+", name) or write.operator not in _MOVES:
            continue
        step = write.value
        if write.operator == "=":
            found = re.fullmatch(rf"{re.escape(name)}\+(.+)", step)
            if found is None:
                continue
            step = found[1]
        if re.fullmatch(r"\d+|sizeof.*", step) or not _is_byte_pointer(facts, name):
            continue
        if not _has_end(facts, name):
            continue
        use = _next_read(facts, name, write.at)
        if use is None or facts.is_tested(name, span(use)[0], write.at):
            continue
        if any(one.target == name and write.at < one.at <= span(use)[0] for one in facts.writes):
            continue
        if _same_block(write.node, use):
            yield use


def _is_byte_pointer(facts: Facts, name: str) -> bool:
    kind = facts.types.get(name, "")
    return "*" in kind and _BYTES.search(kind) is not None


def _has_end(facts: Facts, name: str) -> bool:
    return any(re.search(r"(?i)end|limit|last", one) is not None for one in facts.types) or any(
        one.is_ordered and name in one.names for one in facts.relations
    )


def _next_read(facts: Facts, name: str, after: int) -> SgNode | None:
    found: list[SgNode] = [
        one.node for one in facts.accesses if one.at >= after and one.base in (name, f"{name}++")
    ]
    found += [
        call.node
        for call in facts.calls
        if call.at >= after
        and name in call.arguments
        and (_READS.search(call.name) or _SIZED_READ.search(call.name))
    ]
    return min(found, key=lambda node: span(node)[0], default=None)


def unbounded_scan(facts: Facts) -> Iterator[SgNode]:
    """`for (p = &data[at]; *p; p++)`: looks for an end that the data need not have."""
    for test in facts.tests:
        if test.kind != "loop":
            continue
        for found in re.finditer(r"\*(\w+)\b(?!\()", test.text):
            name = found[1]
            if any(
                one.at >= test.at
                and one.at < test.at + len(test.text) + 80
                and one.is_ordered
                and name in one.names
                for one in facts.relations
            ):
                continue
            if re.search(rf"(?<![*\w]){name}(?:[<>!]|\s*!=)|[<>]=?{name}\b|!={name}\b", test.text):
                continue
            if _starts_in_data(facts, name, test.at, 2):
                access = next((one for one in facts.accesses if one.at >= test.at and one.base == name), None)
                if access is not None:
                    yield access.node
                    break


def _starts_in_data(facts: Facts, name: str, at: int, depth: int) -> bool:
    write = None
    for one in facts.writes:
        if one.target == name and one.operator == "=" and one.at <= at:
            write = one
    if write is None or depth == 0:
        return False
    value = re.sub(r"^\((?:[\w ]+)\*+\)", "", write.value)
    found = re.match(r"&(\w+)\[(.+)\]$|\(?(\w+)\+(\w.*)$", value)
    if found is not None:
        base = found[1] or found[3]
        kind = facts.parameters.get(base, "")
        sized = any(is_length(one) for one in facts.parameters)
        return "*" in kind and _BYTES.search(kind) is not None and sized
    return re.fullmatch(r"\w+", value) is not None and _starts_in_data(facts, value, write.at - 1, depth - 1)


def sized_read(facts: Facts) -> Iterator[SgNode]:
    """`READ_UINT32(value)`, where `value_len` is at hand and nobody has looked at it."""
    for call in facts.calls:
        if not call.arguments or (_SIZED_READ.search(call.name) is None and _READS.search(call.name) is None):
            continue
        name = call.arguments[-1] if len(call.arguments) == 1 else call.arguments[0]
        if not re.fullmatch(r"[A-Za-z]\w*", name) or not re.search(r"\d|SHORT|LONG", call.name):
            continue
        for length in (
            f"{name}_len",
            f"{name}_size",
            f"{name}_length",
            f"{name}len",
            f"{name}Len",
            f"{name}Length",
            f"{name}Size",
        ):
            if length not in facts.types:
                continue
            since = _case_start(call.node)
            write = facts.last_write(length, call.at)
            since = max(since, write.at if write is not None else 0) if since == 0 else since
            if not facts.is_tested(length, call.at, since):
                yield call.node


def _case_start(node: SgNode) -> int:
    for above in node.ancestors():
        if above.kind() == "case_statement":
            return span(above)[0]
        if above.kind() == "function_definition":
            return 0
    return 0


READS: Mapping[str, Analysis] = {
    "last-of-empty": last_of_empty,
    "unchecked-read": unchecked_read,
    "advanced-index": advanced_index,
    "advanced-pointer": advanced_pointer,
    "unbounded-scan": unbounded_scan,
    "sized-read": sized_read,
}
