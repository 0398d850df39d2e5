"""Sizes that wrap: what is allocated, copied or compared is smaller than what was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .facts import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ast_grep_py import SgNode

    from . import Analysis
    from .facts import Call, Facts

_ALLOCATES = re.compile(
    r"(?i)^(x|g_|av_|k|v|kv|z|je_|os_|png_|SDL_|devm_k|alloca$)?\w*(malloc|zalloc|realloc|mallocz)\w*$|^alloca$|^Acquire\w*Memory$|^AllocateMemory$"
)
_COPIES = re.compile(r"^(memcpy|memmove|memset|read|fread|recv|copy_from_user)$")
_WIDE = re.compile(r"size_t\)|64_t\)|u64\)|\(off_t\)|long long\)|sizeof\(?size_t|UL\*|ULL\*")
_FACTOR = re.compile(r"[A-Za-z_][\w.>-]*")
_NAMED_OFFSET = re.compile(
    r"(?i)(^|_|>|\.)(off|offs|offset|pos|position|start|addr|begin|base|first|index)\w*$"
)
_NAMED_SIZE = re.compile(r"(?i)(^|_|>|\.|[a-z])(len|length|size|sz|count|cnt|bytes|nbytes|num|n)$")
_UNSIGNED = re.compile(
    r"\b(size_t|unsigned|u?int(32|64)_t|u_?int|ULONG|UINT\w*|DWORD|gsize|guint\w*|u(32|64)|uint)\b"
)


def product_of_sizes(facts: Facts) -> Iterator[SgNode]:
    """`malloc(width * height * 4)`: neither of them was compared with anything."""
    for call in facts.calls:
        for text, at in _sizes(facts, call):
            factors = _factors(text)
            if len(factors) < 2 or _WIDE.search(text):
                continue
            if any(_is_small(facts, one) for one in factors) or _is_told(facts, factors, at):
                continue
            if all(_comes_in(facts, one) for one in factors):
                yield call.node
                break


def _sizes(facts: Facts, call: Call) -> Iterator[tuple[str, int]]:
    """What an allocation is given as its size, and where that was put together."""
    if not _ALLOCATES.match(call.name):
        return
    for one in call.arguments:
        if "*" in one.strip("*("):
            yield one, call.at
        elif re.fullmatch(r"\w+", one):
            write = facts.last_write(one, call.at)
            if write is not None and write.operator == "=" and "*" in write.value:
                yield write.value, write.at


def _factors(text: str) -> list[str]:
    """The names of a plain product; nothing for what is more than that."""
    bare = re.sub(r"sizeof\([^()]*\)|\((?:unsigned )?(?:int|long|char|\w+_t)\)", "1", text)
    pieces = [one.strip("()") for one in bare.split("*")]
    if not all(re.fullmatch(r"[A-Za-z_][\w.>-]*|\d+\w*|", one) for one in pieces):
        return []
    return [one for one in pieces if one and not one[0].isdigit() and not one.isupper()]


def _is_small(facts: Facts, name: str) -> bool:
    kind = facts.types.get(name, "")
    return "8" in kind or "char" in kind or "*" in kind or "short" in kind or "16" in kind


def _is_told(facts: Facts, names: list[str], at: int) -> bool:
    """Whether one of them was compared, or handed to something that checks."""
    return any(facts.is_ordered(one, at, loops=False) for one in names) or any(
        write.at < at and re.search(r"[/%]", write.value) and set(names) & names_in(write.value)
        for write in facts.writes
    )


def _comes_in(facts: Facts, name: str) -> bool:
    """Whether it is the caller's: a parameter, or a field of one."""
    head = re.split(r"->|\.", name)[0]
    return head in facts.parameters


def count_of_message(facts: Facts) -> Iterator[SgNode]:
    """`kmalloc(request->count * sizeof(*x))`: what the sender says, and the product may wrap."""
    for call in facts.calls:
        if not re.match(r"^(k[mzv]\w*alloc|vmalloc|vzalloc|memdup_user)$", call.name):
            continue
        for one in call.arguments:
            found = re.fullmatch(r"(?:sizeof\(?.+?\)?\*)?\(?(\w+(?:->|\.)\w+)\)?(?:\*sizeof\(?.+\)?)?", one)
            if found is None or "sizeof" not in one or "*" not in one:
                continue
            told = facts.is_ordered(found[1], call.at, loops=False)
            from_user = "copy_from_user" in facts.text or "memdup_user" in call.name
            if from_user and _comes_in(facts, found[1]) and not told:
                yield call.node


def sum_compared(facts: Facts) -> Iterator[SgNode]:
    """`offset + size > limit` of numbers without sign: the sum may wrap, and be small."""
    for relation in facts.relations:
        if not relation.is_ordered or relation.in_loop:
            continue
        larger = relation.left if relation.operator[0] == ">" else relation.right
        found = re.fullmatch(r"\(?([A-Za-z_][\w.>-]*)\+([A-Za-z_][\w.>-]*)\)?", larger)
        if found is None:
            continue
        pair = (found[1], found[2])
        sizes = [one for one in pair if _NAMED_SIZE.search(one)]
        if not sizes or not any(_NAMED_OFFSET.search(one) for one in pair if one is not sizes[0]):
            continue
        if not all(_may_be_large(facts, one, relation.at) for one in pair):
            continue
        yield relation.node


def _may_be_large(facts: Facts, name: str, at: int) -> bool:
    kind = facts.types.get(name, "")
    if "*" in kind or (kind and not _UNSIGNED.search(kind)) or "64" in kind:
        return False
    if not kind and not re.search(r"->|\.", name):
        return False
    if re.search(r"->|\.", name) and not re.search(
        r"(?i)hdr|head|req|msg|entry|sect|desc|chunk|pkt|box|atom", name
    ):
        return False
    return not facts.is_ordered(name, at)


def rest_of_length(facts: Facts) -> Iterator[SgNode]:
    """`left = total - HEADER`, without sign, and `left` is a length then: `total` may be the smaller one."""
    for write in facts.writes:
        found = re.fullmatch(r"(\w+)-(\d+|[A-Z][A-Z0-9_]+|sizeof\(?[^()]+\)?)", write.value)
        if found is None or write.operator != "=" or not re.fullmatch(r"\w+", write.target):
            continue
        name = found[1]
        if (
            name not in facts.parameters
            or not _UNSIGNED.search(facts.parameters[name])
            or found[2] in ("0", "1")
        ):
            continue
        if "*" in facts.parameters[name] or facts.is_tested(name, write.at):
            continue
        for call in facts.calls:
            sized = _ALLOCATES.match(call.name) or _COPIES.match(call.name)
            if not sized or call.at <= write.at or write.target not in call.arguments:
                continue
            if not facts.is_tested(write.target, call.at, write.at):
                yield write.node
                break


def multiplied_up(facts: Facts) -> Iterator[SgNode]:
    """`n *= dims[i]` in a loop, and memory for `n`: the product may wrap."""
    for write in facts.writes:
        if write.operator != "*=" or not re.search(r"\[|->|\.", write.value):
            continue
        name = write.target
        if "64" in facts.types.get(name, "") or facts.is_ordered(name, facts.end):
            continue
        if any(f"/{part}" in test.text for test in facts.tests for part in (write.value, name)):
            continue
        held = re.search(rf"new\s+[\w:]+\s*\[\s*{re.escape(name)}\b", facts.text)
        called = any(
            call.at > write.at
            and _ALLOCATES.match(call.name)
            and any(name in names_in(one) for one in call.arguments)
            for call in facts.calls
        )
        if held is not None or called:
            yield write.node


SIZES: Mapping[str, Analysis] = {
    "product-of-sizes": product_of_sizes,
    "count-of-message": count_of_message,
    "sum-compared": sum_compared,
    "rest-of-length": rest_of_length,
    "multiplied-up": multiplied_up,
}
