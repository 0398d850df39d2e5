"""Numbers that wrap: sums of pointers, differences of lengths, products cut to a smaller type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .facts import names_in, squeezed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ast_grep_py import SgNode

    from . import Analysis
    from .facts import Facts

_UNSIGNED = re.compile(
    r"\b(size_t|unsigned|u?int(8|16|32|64)_t|u_?int\d*|ULONG|UINT\w*|DWORD|gsize|guint\w*|u(8|16|32|64)|uint)\b"
)
_SIGNED_EXACT = re.compile(r"\bint(8|16|32|64)_t\b")
_NARROW = re.compile(r"(?i)(\w*_)?s?int(32)?(_t)?|long")
_SUM = re.compile(r"\([\w.>-]+\+\(?[\w.>-]+(?:\+1\))?\*[A-Za-z_][\w.>-]*\)")
_SIZES = re.compile(r"(?i)len|size|count|avail|remain|left|bytes")


def subtracted_length(facts: Facts) -> Iterator[SgNode]:
    """`n > length - sizeof(header)`: without sign, and `length` may be the smaller one."""
    for relation in facts.relations:
        if not relation.is_ordered:
            continue
        for side in (relation.left, relation.right):
            found = re.fullmatch(r"\(?([A-Za-z_][\w.>-]*?)-\(?(sizeof\(?.+|\w+\))\)*", side)
            if found is None or not side.count("sizeof") or found[1].startswith("sizeof"):
                continue
            name = found[1]
            if not _SIZES.search(name) or _was_compared(facts, name, relation.at):
                continue
            yield relation.node


def _was_compared(facts: Facts, name: str, at: int) -> bool:
    return any(
        one.at < at and one.is_ordered and name in (one.left.strip("()"), one.right.strip("()"))
        for one in facts.relations
    )


def pointer_sum(facts: Facts) -> Iterator[SgNode]:
    """`p + n > end`: the sum may wrap, and the comparison says nothing."""
    for relation in facts.relations:
        if relation.operator not in (">", ">=", "<", "<="):
            continue
        sides = (
            (relation.left, relation.right)
            if relation.operator[0] == ">"
            else (relation.right, relation.left)
        )
        found = re.fullmatch(r"(\*?[\w.>-]+)\+([A-Za-z_][\w.>-]*)", sides[0])
        if found is None or re.fullmatch(r"\w*([eE]nd|END|limit|last)\w*", sides[1]) is None:
            continue
        pointer, length = found[1], found[2]
        kind = facts.types.get(pointer.lstrip("*"), "")
        if "*" not in kind or not re.search(r"\b(char|u_?int8_t|uint8_t|u8|BYTE|guint8)\b", kind):
            continue
        if pointer.startswith("*") != (kind.count("*") > 1):
            continue
        if facts.is_ordered(length, relation.at) and not _only_here(facts, length, relation.at):
            continue
        if "8" in facts.types.get(length, "") or "16" in facts.types.get(length, ""):
            continue
        yield relation.node


def _only_here(facts: Facts, name: str, at: int) -> bool:
    """Whether the comparisons of `name` before `at` bound it by constants only."""
    found = [one for one in facts.relations if one.at < at and name in one.names and one.is_ordered]
    return all(re.fullmatch(r"\d+", one.right) or re.fullmatch(r"\d+", one.left) for one in found)


def narrowed_sum(facts: Facts) -> Iterator[SgNode]:
    """`(int32_t)(a + b * c)`: it may not fit."""
    casts = [(node.field("type"), node.field("value"), node) for node in facts.casts]
    # `(T)(x)` of a type the grammar does not know is a call to it.
    casts += [
        (call.node.field("function"), call.node.field("arguments"), call.node)
        for call in facts.calls
        if call.name.startswith("(")
    ]
    for held, inner, node in casts:
        if held is None or inner is None or not _NARROW.fullmatch(held.text().strip(" ()")):
            continue
        text = squeezed(inner.text())
        if _SUM.fullmatch(text) and not _is_bounded(facts, text, node):
            yield node


def _is_bounded(facts: Facts, text: str, node: SgNode) -> bool:
    at = node.range().start.index
    return any(
        one.at < at
        and one.is_ordered
        and not one.in_loop
        and max(names_in(text.rpartition("*")[2]), key=len) in one.names
        for one in facts.relations
    )


def shifted_byte(facts: Facts) -> Iterator[SgNode]:
    """`bytes[i] << (8 * i)`: an `int` is shifted, however wide the result is."""
    for access in facts.accesses:
        above = access.node.parent()
        if above is None or above.kind() != "binary_expression":
            continue
        left, right, held = above.field("left"), above.field("right"), above.field("operator")
        if held is None or held.text() != "<<" or left is None or right is None:
            continue
        by_bytes = re.search(r"\*8\b|\b8\*|<<3", squeezed(right.text())) is not None
        if left.range().start.index == access.at and by_bytes and re.search(r"[A-Za-z_]", right.text()):
            yield above


def constant_minus(facts: Facts) -> Iterator[SgNode]:
    """`return 1000 - n` of an unsigned `n` that nobody compared."""
    for node in facts.returns:
        found = re.fullmatch(r"return ?\(?(\d{2,}|[A-Z][A-Z0-9_]{2,})-(\w+)\)?;", squeezed(node.text()))
        if found is None:
            continue
        kind = facts.types.get(found[2], "")
        if "*" in kind or _SIGNED_EXACT.search(kind) or not _UNSIGNED.search(kind):
            continue
        at = node.range().start.index
        if not facts.is_ordered(found[2], at):
            yield node


def divided_by_parameter(facts: Facts) -> Iterator[SgNode]:
    """`x / (width * height)`, and nobody asked whether there is any."""
    for parameter, kind in facts.parameters.items():
        name = parameter
        if re.search(r"(?i)block|align|base|radix|modul", name):
            continue
        if "*" in kind or not re.search(r"\b(int|size_t|unsigned|long|u?int\d+_t|ssize_t)\b", kind):
            continue
        name = _product_of(facts, name)
        found = re.search(rf"(?<![/*])[/%]\s*(?:\(\w+\)\s*)?\(?{name}\b(?!\s*(?:\.|->|\[|\())", facts.text)
        if found is None or facts.is_tested(name, facts.end) or facts.is_tested(parameter, facts.end):
            continue
        at = facts.start + found.start()
        for node in facts.quotients:
            if node.range().start.index <= at < node.range().end.index:
                yield node
                break


def _product_of(facts: Facts, name: str) -> str:
    """The local name of a product with `name` in it, where there is one."""
    for one in facts.writes:
        if re.fullmatch(rf"(?:\(\w+\))?(?:{name}\*\w+|\w+\*{name})", one.value) and re.fullmatch(
            r"\w+", one.target
        ):
            return one.target
    return name


def less_than_nothing(facts: Facts) -> Iterator[SgNode]:
    """`n = length - 1`, where `length` was read from the data and may be zero."""
    for write in facts.writes:
        found = re.fullmatch(r"(\w+)-\d", write.value)
        if found is None or write.operator != "=" or found[1] == write.target:
            continue
        source = facts.last_write(found[1], write.at)
        if source is None or not re.match(r"(?:\(\w+\))?\w+\[[^\]]+\](?:&\w+)?$", source.value):
            continue
        if not _may_not_be_zero(facts, found[1], write.at):
            yield write.node


def _may_not_be_zero(facts: Facts, name: str, before: int) -> bool:
    """Whether it was compared with a number, or asked for as such."""
    for one in facts.relations:
        if (
            one.at < before
            and name in one.names
            and re.search(r"^\d+$", one.right if one.left == name else one.left)
        ):
            return True
    bare = re.compile(rf"(?:^\(?!?|&&!?|\|\|!?|\(){re.escape(name)}(?:$|\)|&&|\|\|)")
    return any(bare.search(test.text) for test in facts.tests if test.at < before and name in test.names)


def doubled_size(facts: Facts) -> Iterator[SgNode]:
    """`decode(…, size * 2 + 1024)`, in a type that was not made wider first."""
    for call in facts.calls:
        for text, node in zip(call.arguments, call.nodes, strict=True):
            found = re.fullmatch(r"([A-Za-z_]\w*)\*\d+\+[\d*]+", text)
            if found is not None and _SIZES.search(found[1]) and "sizeof" not in text:
                kind = facts.types.get(found[1], "")
                if "size_t" in kind or "64" in kind or "long" in kind or facts.is_bounded(found[1], call.at):
                    continue
                yield node


ARITHMETIC: Mapping[str, Analysis] = {
    "subtracted-length": subtracted_length,
    "pointer-sum": pointer_sum,
    "narrowed-sum": narrowed_sum,
    "shifted-byte": shifted_byte,
    "constant-minus": constant_minus,
    "divided-by-parameter": divided_by_parameter,
    "less-than-nothing": less_than_nothing,
    "doubled-size": doubled_size,
}
