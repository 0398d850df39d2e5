"""What was given back and is used once more: in the next round, on another way, by another name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..trees import find_all, span
from .facts import squeezed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ast_grep_py import SgNode

    from . import Analysis
    from .facts import Call, Facts

_FREES = re.compile(
    r"^(?:\w*_)?(?:k?v?z?free(?:_\w+)?|free\w*)$|^(?:\w+_)(?:free|destroy|release|delete|unref|put)$|^put_\w+$|^(?:\w+)Free$"
)
_GONE = re.compile(r"^(free|kfree|vfree|kvfree|xfree|g_free|av_free|OPENSSL_free|kfree_skb)$")
_LEAVES = frozenset({"return_statement", "break_statement", "continue_statement", "goto_statement"})
_WALKS = re.compile(
    r"^(?:h?list_for_each_entry(?:_rcu|_reverse|_continue)?|(?:TAILQ|LIST|SLIST|STAILQ)_FOREACH)$"
)
_PLAIN = frozenset({"expression_statement", "declaration", "return_statement"})


def freed_in_list(facts: Facts) -> Iterator[SgNode]:
    """`for (…; p; p = p->next) free(p)`: the next one is asked of what is gone."""
    for loop in find_all(facts.node, {"kind": "for_statement"}):
        update = loop.field("update")
        found = re.fullmatch(r"(\w+)=\(?\1->\w+\)?", squeezed(update.text())) if update is not None else None
        if found is None:
            continue
        start, end = span(loop)
        for call in facts.calls:
            frees = call.arguments == (found[1],) and _FREES.match(call.name) is not None
            if not frees or not start <= call.at < end or _leaves_after(call.node):
                continue
            if not _written(facts, found[1], call.at, end):
                yield call.node
                break


def freed_in_macro_loop(facts: Facts) -> Iterator[SgNode]:
    """`list_for_each_entry(p, …) kfree(p);`: the `_safe` form keeps the next one."""
    for call in facts.calls:
        if not _WALKS.match(call.name) or not call.arguments:
            continue
        name = call.arguments[0]
        parent = call.node.parent()
        body = call.node.next() or (parent.next() if parent is not None else None)
        if body is None or body.kind() not in ("compound_statement", "expression_statement"):
            continue
        start, end = span(body)
        for other in facts.calls:
            frees = other.arguments == (name,) and _GONE.match(other.name) is not None
            if frees and start <= other.at < end and not _leaves_after(other.node):
                yield other.node
                break


def used_by_name(facts: Facts) -> Iterator[SgNode]:
    """`node_free(n); … n->name`: the name of the function says that it is gone."""
    for call in facts.calls:
        if _GONE.match(call.name) or not _FREES.match(call.name) or len(call.arguments) != 1:
            continue
        name = call.arguments[0]
        statement = call.node.parent()
        if not re.fullmatch(r"\w+", name) or statement is None or statement.kind() != "expression_statement":
            continue
        for following in statement.next_all():
            if following.kind() in ("labeled_statement", "case_statement"):
                break
            start, end = span(following)
            held = [node for at, base, node in facts.members if start <= at < end and base == name]
            held += [one.node for one in facts.accesses if start <= one.at < end and one.base == name]
            use = min(held, key=lambda node: span(node)[0], default=None)
            written = _written(facts, name, start, end)
            if use is not None and (not written or _reads_itself(facts, name, start, end)):
                yield use
                break
            if following.kind() in _LEAVES or written:
                break


def _reads_itself(facts: Facts, name: str, start: int, end: int) -> bool:
    """`p = p->next`."""
    return any(
        start <= one.at <= end and one.target == name and one.value.startswith(f"{name}->")
        for one in facts.writes
    )


def next_of_freed(facts: Facts) -> Iterator[SgNode]:
    """`free(p); p = p->next;`"""
    for call in facts.calls:
        if not _GONE.match(call.name) or len(call.arguments) != 1:
            continue
        statement = call.node.parent()
        following = statement.next() if statement is not None else None
        while following is not None and following.kind() == "comment":
            following = following.next()
        if following is None:
            continue
        start, end = span(following)
        if _reads_itself(facts, call.arguments[0], start, end):
            yield following


def freed_on_one_way(facts: Facts) -> Iterator[SgNode]:
    """`if (c) { free(p); } use(p);`: gone in one case, used in both."""
    for call in facts.calls:
        if not _GONE.match(call.name) or len(call.arguments) != 1:
            continue
        name = call.arguments[0]
        holder = _if_of(call)
        if not re.fullmatch(r"\w+", name) or holder is None or _leaves_after(call.node):
            continue
        if _written(facts, name, call.at, span(holder)[1]):
            continue
        for following in holder.next_all():
            start, end = span(following)
            if following.kind() not in _PLAIN or _written(facts, name, start, end):
                break
            uses = [one.node for one in facts.calls if start <= one.at < end and name in one.arguments]
            uses += [node for at, base, node in facts.members if start <= at < end and base == name]
            if uses:
                yield uses[0]
                break


def _if_of(call: Call) -> SgNode | None:
    """The `if` without an `else` whose whole body the call stands in."""
    statement = call.node.parent()
    if statement is None or statement.kind() != "expression_statement":
        return None
    above = statement.parent()
    if above is not None and above.kind() == "compound_statement":
        above = above.parent()
    if above is None or above.kind() != "if_statement" or above.field("alternative") is not None:
        return None
    condition = above.field("condition")
    said = condition.text() if condition is not None else ""
    return None if re.search(rf"\b{re.escape(call.arguments[0])}\b", said) else above


def freed_again_at_exit(facts: Facts) -> Iterator[SgNode]:
    """`free(p); goto out; … out: free(p);`"""
    for call in facts.calls:
        statement = call.node.parent()
        if not _GONE.match(call.name) or len(call.arguments) != 1 or statement is None:
            continue
        name = call.arguments[0]
        jump = next((one for one in statement.next_all() if one.kind() in _LEAVES), None)
        if jump is None or jump.kind() != "goto_statement" or _written(facts, name, call.at, span(jump)[1]):
            continue
        target = jump.field("label")
        for label in find_all(facts.node, {"kind": "labeled_statement"}):
            held = label.field("label")
            if target is None or held is None or held.text() != target.text() or span(label)[0] < call.at:
                continue
            for other in facts.calls:
                if other.at > span(label)[0] and other.arguments == (name,) and _GONE.match(other.name):
                    if _in_every_case(other.node) and not _written(facts, name, span(label)[0], other.at):
                        yield other.node
                    break


def _in_every_case(call: SgNode) -> bool:
    """Whether it stands behind a label, or in the body of the function itself."""
    statement = call.parent()
    outer = statement.parent() if statement is not None else None
    if outer is None or outer.kind() != "compound_statement":
        return outer is not None and outer.kind() == "labeled_statement"
    above = outer.parent()
    return above is not None and above.kind() == "function_definition"


def erased_in_loop(facts: Facts) -> Iterator[SgNode]:
    """`for (it = c.begin(); …; ++it) c.erase(it)`: the iterator is gone with its element."""
    for loop in find_all(facts.node, {"kind": "for_statement"}):
        update = loop.field("update")
        found = (
            re.fullmatch(r"(?:\+\+(\w+)|(\w+)\+\+)", squeezed(update.text())) if update is not None else None
        )
        if found is None:
            continue
        name = found[1] or found[2]
        start, end = span(loop)
        for call in facts.calls:
            if not start <= call.at < end or call.name != "erase" or call.arguments != (name,):
                continue
            above = call.node.parent()
            alone = above is not None and above.kind() == "expression_statement"
            if alone and not _leaves_after(call.node) and not _written(facts, name, call.at, end):
                yield call.node
                break


def _leaves_after(node: SgNode) -> bool:
    """Whether the block goes somewhere else after the statement."""
    statement = node.parent()
    while statement is not None and not statement.kind().endswith("_statement"):
        statement = statement.parent()
    if statement is None:
        return False
    for following in statement.next_all():
        if following.kind() in _LEAVES:
            return True
        if following.kind() == "expression_statement" and re.match(
            r"(?i)(exit|abort|die|fatal|throw)\b", following.text()
        ):
            return True
    return False


def _written(facts: Facts, name: str, start: int, end: int) -> bool:
    changed = any(start <= one.at <= end and one.target == name for one in facts.writes)
    return changed or any(start <= one.at <= end and f"&{name}" in one.arguments for one in facts.calls)


LIFETIMES: Mapping[str, Analysis] = {
    "freed-in-list": freed_in_list,
    "freed-in-macro-loop": freed_in_macro_loop,
    "used-by-name": used_by_name,
    "next-of-freed": next_of_freed,
    "freed-on-one-way": freed_on_one_way,
    "freed-again-at-exit": freed_again_at_exit,
    "erased-in-loop": erased_in_loop,
}
