"""What is allocated and given back: unchecked, twice, too late, too early."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..trees import span
from .facts import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ast_grep_py import SgNode

    from . import Analysis
    from .facts import Facts, Write

_ALLOCATORS = (
    r"(?:std::)?(?:malloc|calloc|strdup|strndup|kmalloc|kzalloc|kcalloc|kmemdup"
    r"|kstrdup|vmalloc|vzalloc|av_malloc|av_mallocz|fopen|opendir)"
)
_ALLOCATED = re.compile(rf"^(?:\([\w\s:*]+\)|\w*cast<[^>]*>\()*{_ALLOCATORS}\(")
_FEW_BYTES = re.compile(r"\((?:\d{1,3})\)$")
"""So few that there are always as many."""
_FREES = re.compile(r"^(free|kfree|vfree|kvfree|xfree|g_free|av_free|OPENSSL_free)$")
_RELEASES = re.compile(r"(?i)(^|_)(free|release|destroy|put|dispose)(_|$|[A-Z])|free$")
_DESTRUCTOR = re.compile(
    r"(?i)free|destroy|release|clean|clear|exit|fini|close|delete|dispose|reset|remove|term|uninit|deinit|drop|unref|put|detach|disconnect|shutdown|stop|~"
)
_LEAVES = frozenset(
    {"return_statement", "break_statement", "continue_statement", "goto_statement", "throw_statement"}
)


def unchecked_allocation(facts: Facts) -> Iterator[SgNode]:
    """Memory that may not have been had is written to at once."""
    if re.search(r"\bmain\s*\(", facts.header):
        return
    for write in facts.writes:
        if (
            write.operator != "="
            or _ALLOCATED.match(write.value) is None
            or not re.fullmatch(r"[\w.>-]+", write.target)
        ):
            continue
        if _FEW_BYTES.search(write.value):
            continue
        use = _first_deref(facts, write.target, write.at)
        if use is None or facts.is_tested(write.target, span(use)[0], write.at):
            continue
        if _written_again(facts, write, span(use)[0]):
            continue
        yield use


def _first_deref(facts: Facts, name: str, after: int) -> SgNode | None:
    found = [one.node for one in facts.accesses if one.base == name and one.at >= after]
    found += [
        node
        for at, base, node in facts.members
        if base == name and at >= after and "->" in node.text()[len(name) :][:3]
    ]
    found += [
        call.node
        for call in facts.calls
        if call.at >= after
        and re.match(
            r"^(memcpy|memset|memmove|strcpy|strcat|strncpy|sprintf|snprintf|fread|fgets|fprintf|fwrite|readdir)$",
            call.name,
        )
        and name in call.arguments[:4]
    ]
    return min(found, key=lambda node: span(node)[0], default=None)


def _written_again(facts: Facts, write: Write, before: int) -> bool:
    return any(one.target == write.target and write.at < one.at <= before for one in facts.writes)


def use_after_free(facts: Facts) -> Iterator[SgNode]:
    """Something is used, or freed again, in the statements after `free`."""
    for call in facts.calls:
        if (
            not _FREES.match(call.name)
            or not call.arguments
            or not re.fullmatch(r"[\w.>-]+", call.arguments[0])
        ):
            continue
        yield from _uses_below(facts, call.node, call.arguments[0], span(call.node)[1])


def _uses_below(facts: Facts, call: SgNode, name: str, after: int) -> Iterator[SgNode]:
    statement = call.parent()
    if statement is None or statement.kind() != "expression_statement":
        return
    for following in statement.next_all():
        kind = following.kind()
        if kind in _LEAVES:
            held = following.text()
            if re.search(rf"(?:\*\s*{re.escape(name)}\b|\b{re.escape(name)}\s*(?:->|\[))", held):
                yield following
            return
        if kind in ("labeled_statement", "case_statement"):
            return
        start, end = span(following)
        if any(start <= one.at <= end and one.target == name for one in facts.writes):
            return
        if any(start <= one.at <= end and f"&{name}" in one.arguments for one in facts.calls):
            return
        for access in (*((a.at, a.base, a.node) for a in facts.accesses), *facts.members):
            at, base, node = access
            if start <= at < end and base == name and at >= after:
                yield node
                return
        for other in facts.calls:
            if (
                start <= other.at < end
                and name in other.arguments
                and not re.match(r"(?i)^(assert|v?f?printf|.*log.*|.*debug.*)$", other.name)
            ):
                yield other.node
                return


def conditional_allocation(facts: Facts) -> Iterator[SgNode]:
    """`p = NULL; if (n) p = alloc(n); … p[i]`: used where it may still be null."""
    for write in facts.writes:
        if (
            write.operator != "="
            or _ALLOCATED.match(write.value) is None
            or not re.fullmatch(r"\w+", write.target)
        ):
            continue
        holder = _holding_if(write.node)
        if holder is None or facts.text.count("=") == 0:
            continue
        name = write.target
        others = [one for one in facts.writes if one.target == name and one is not write]
        if any(one.value not in ("NULL", "0", "nullptr") for one in others):
            continue
        start, end = span(holder)
        condition = holder.field("condition")
        told = names_in(condition.text()) if condition is not None else frozenset[str]()
        for access in (
            *((a.at, a.base, a.node) for a in facts.accesses),
            *((a, b, c) for a, b, c in facts.members),
        ):
            at, base, node = access
            if at < end or base != name or not (start < end <= at):
                continue
            if facts.is_tested(name, at, end) or any(facts.is_tested(one, at, end) for one in told):
                break
            yield node
            break


def _holding_if(node: SgNode) -> SgNode | None:
    for above in node.ancestors():
        if above.kind() == "if_statement":
            condition, other = above.field("condition"), above.field("alternative")
            at = span(node)[0]
            if condition is not None and span(condition)[0] <= at < span(condition)[1]:
                return None
            return above if other is None else None
        if above.kind() in ("function_definition", "for_statement", "while_statement", "case_statement"):
            return None
    return None


def dangling_field(facts: Facts) -> Iterator[SgNode]:
    """A field of what the caller holds is freed on the way out, and still points there."""
    name = re.search(r"([\w:~]+)\s*\(", facts.header)
    if name is None or _DESTRUCTOR.search(name[1]):
        return
    for call in facts.calls:
        if not _RELEASES.search(call.name) or len(call.arguments) != 1:
            continue
        found = re.fullmatch(r"(\w+)->(\w+)", call.arguments[0])
        if found is None or found[1] not in facts.parameters:
            continue
        statement = call.node.parent()
        if statement is None or statement.kind() != "expression_statement":
            continue
        following = statement.next()
        if statement.parent() is not None and statement.parent().kind() == "labeled_statement":  # type: ignore[union-attr]
            following = statement.parent().next()  # type: ignore[union-attr]
        if following is None or following.kind() != "return_statement":
            continue
        if re.search(r"return\s*(-\s*\w+|NULL|false|FALSE|-?1)\s*;", following.text()):
            yield call.node


def allocated_product(facts: Facts) -> Iterator[SgNode]:
    """`malloc(n * size)` of a parameter that nobody compared: the product may wrap."""
    if re.search(r"\bmain\s*\(", facts.header):
        return
    for call in facts.calls:
        if call.name not in (
            "malloc",
            "alloca",
            "kmalloc",
            "kzalloc",
            "realloc",
            "valloc",
            "g_malloc",
            "vmalloc",
        ):
            continue
        sized = call.arguments[-1] if call.name != "realloc" else (call.arguments[1:2] or ("",))[0]
        if call.name in ("kmalloc", "kzalloc"):
            sized = call.arguments[0]
        found = re.fullmatch(
            r"(?:sizeof\(?[\w *>-]+\)?\*\(?([\w.>-]+)\)?|\(?([\w.>-]+)\)?\*(?:sizeof\(?[\w *>-]+\)?|(\w+)))",
            sized,
        )
        if found is None:
            continue
        for name in (found[1], found[2], found[3]):
            if name is None or name.isdigit() or name.isupper() or name not in facts.parameters:
                continue
            if "sizeof" in sized and not re.search(r"size_t|unsigned|uint|u32|u64", facts.parameters[name]):
                continue  # a count that was made by adding up, mostly
            if not facts.is_ordered(name, call.at, loops=False):
                yield call.node
                break


MEMORY: Mapping[str, Analysis] = {
    "unchecked-allocation": unchecked_allocation,
    "use-after-free": use_after_free,
    "conditional-allocation": conditional_allocation,
    "dangling-field": dangling_field,
    "allocated-product": allocated_product,
}
