"""Pointers that may be null, followed before anybody asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .facts import squeezed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ast_grep_py import SgNode

    from . import Analysis
    from .facts import Facts

_MAYBE = re.compile(
    r"(?:^|_)(?:next|find|lookup|search)(?:_|$)|(?:^|[a-z])(?:Next|Find|Lookup|Search)[A-Z]?"
    r"|^(?:strchr|strrchr|strstr|strpbrk|memchr|getenv|strtok|localtime|gmtime|getpwnam|getpwuid|getgrnam|gethostbyname|bsearch)$"
)


def followed_result(facts: Facts) -> Iterator[SgNode]:
    """`find(x)->field`: what was looked for may not be there."""
    for _, base, node in facts.members:
        if "->" not in squeezed(node.text())[len(base) : len(base) + 2]:
            continue
        found = re.fullmatch(r"(?:[\w>.:-]*?)(\w+)\(.*\)", base)
        if found is not None and _MAYBE.search(found[1]) and base.count("(") == 1:
            yield node
    for access in facts.accesses:
        found = re.fullmatch(r"(?:[\w>.:-]*?)(\w+)\(.*\)?", access.base)
        if found is not None and not access.index and _MAYBE.search(found[1]):
            yield access.node


def unchecked_result(facts: Facts) -> Iterator[SgNode]:
    """`p = strchr(…); *p`: what was looked for may not be there."""
    for write in facts.writes:
        found = re.match(r"^(?:\([\w\s*]+\))?(?:std::)?(\w+)\(", write.value)
        if write.operator != "=" or found is None or not re.fullmatch(r"\w+", write.target):
            continue
        if (
            re.match(
                r"^(?:strchr|strrchr|strstr|strpbrk|memchr|getenv|getpwnam|getpwuid|getgrnam|gethostbyname|bsearch)$",
                found[1],
            )
            is None
        ):
            continue
        uses = [
            (one.at, one.node) for one in facts.accesses if one.base == write.target and one.at >= write.at
        ]
        uses += [(at, node) for at, base, node in facts.members if base == write.target and at >= write.at]
        if not uses:
            continue
        at, node = min(uses, key=lambda one: one[0])
        again = any(one.target == write.target and write.at < one.at <= at for one in facts.writes)
        if not again and not facts.is_tested(write.target, at, write.at):
            yield node


def checked_too_late(facts: Facts) -> Iterator[SgNode]:
    """`p->x; … if (!p)`: whoever asks thinks it may be null, and has followed it."""
    for name, kind in facts.types.items():
        if kind.count("*") != 1 or "[" in kind:
            continue
        checks = [
            one
            for one in facts.tests
            if one.kind == "if"
            and re.fullmatch(
                rf"\(?(?:!{name}|{name}==(?:NULL|nullptr|0|\(\w+\*\)NULL))\)?(?:\|\|.*)?\)?", one.text
            )
        ]
        if not checks:
            continue
        first = min(checks, key=lambda one: one.at)
        uses = [(at, node) for at, base, node in facts.members if base == name and at < first.at]
        uses += [(one.at, one.node) for one in facts.accesses if one.base == name and one.at < first.at]
        for at, node in sorted(uses, key=lambda one: one[0]):
            since = facts.last_write(name, first.at)
            if (since is not None and since.at > at) or facts.is_tested(name, at):
                break
            if _is_measured(node) or _in_loop(node) or facts.text.count(f"&{name}"):
                break
            yield node
            break


def _is_measured(node: SgNode) -> bool:
    return any(
        above.kind() == "sizeof_expression" or "offsetof" in above.text()[:12] for above in node.ancestors()
    )


def _in_loop(node: SgNode) -> bool:
    return any(
        above.kind() in ("for_statement", "while_statement", "do_statement", "case_statement")
        for above in node.ancestors()
    )


POINTERS: Mapping[str, Analysis] = {
    "followed-result": followed_result,
    "unchecked-result": unchecked_result,
    "checked-too-late": checked_too_late,
}
