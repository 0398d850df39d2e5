"""Pointers that may be null, followed before anybody asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..trees import span
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

_MAY_FAIL = re.compile(
    r"(?:^|_)(?:find|lookup|search)(?:_|$)|(?:^|_)get_by_\w+$|_by_(?:index|name|id|type|addr|key|handle)$"
    r"|^(?:[a-z]\w*)?(?:[fF]ind|Lookup|Search)(?:[A-Z]\w*)?$|^dynamic_cast<[^>]*\*>$"
    r"|^(?:strchr|strrchr|strstr|strpbrk|memchr|getenv|secure_getenv|strtok|localtime|gmtime|getpwnam|getpwuid|getgrnam"
    r"|getgrgid|gethostbyname|bsearch|fopen|fdopen|freopen|tmpfile|popen|opendir|fopen64|setlocale|ttyname|getlogin)$"
    r"|^(?:devm_)?k\w*alloc\w*$|^kmem_cache_\w*alloc\w*$|^devm_kmemdup$|^kstrdup\w*$|^alloc_skb$|^skb_clone$|^skb_copy$"
    r"|^platform_get_resource\w*$|^of_match_device$|^of_match_node$|^nla_nest_start\w*$|^genlmsg_put$|^ip_dev_find$"
    r"|^av_(?:malloc\w*|calloc|strdup|frame_alloc|packet_alloc|dict_get|buffer_\w*alloc|memdup|fast_\w*alloc)$"
    r"|^avformat_new_stream$|^(?:Acquire|Clone|Get)\w*(?:Memory|ImageProperty|Image)$|^(?:cJSON|json)_\w*(?:Get|Create|Parse)\w*$"
    r"|^__archive_read_ahead$|^g_s?list_nth_data$|^xml(?:GetProp|DocGetRootElement)$"
    r"|^(?:Get|Queue)(?:Cache)?(?:View)?(?:Virtual|Authentic)Pixels$|^usb_(?:ifnum_to_if|altnum_to_altsetting)$|^skb_header_pointer$"
    r"|^l2cap_get_chan_by_\w+$|^r_(?:bin|anal|core)_get_\w+$|^AcquireVirtualMemory$|^strn?dup$|^Get(?:Optional)?(?:Input|Output|Temporary|Intermediates)(?:Tensor)?$"
)
_NEVER_FAILS = re.compile(
    r"(?i)(^|_)(x|must|safe|checked|e|or_die)_?\w*alloc|or_die|_nofail|find_or_|_add$|insert"
)
_CALLED = re.compile(r"^(?:\([\w\s:]+\*+\)|\([\w\s:]+\))?(?:[\w.>:-]*?(?:->|\.|::))?(\w+(?:<[^>()]*>)?)\(")
_OPENS = frozenset({"fopen", "fdopen", "freopen", "tmpfile", "popen", "fopen64", "opendir"})
_ON_FILES = re.compile(
    r"^(f(get|put|read|write|print|scan|seek|tell|close|eof|error|lush|ileno)\w*|getc|putc|getline|rewind|readdir|pclose)$"
)
_ON_TEXT = re.compile(
    r"^(str(len|cpy|cat|cmp|ncmp|casecmp|dup|chr|str|tol|toul)|atoi|atol|mem(cpy|set|move|cmp)|av_strdup)$"
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


def unchecked_lookup(facts: Facts) -> Iterator[SgNode]:
    """`p = find_it(…); p->x`: found, cast, opened, allocated by a name that says that it may fail."""
    for write in facts.writes:
        found = _CALLED.match(write.value)
        if write.operator != "=" or found is None or not re.fullmatch(r"\w+", write.target):
            continue
        if not _MAY_FAIL.search(found[1]) or _NEVER_FAILS.search(found[1]):
            continue
        use = _first_use(facts, write.target, write.at, is_file=found[1] in _OPENS)
        if use is None:
            continue
        at = span(use)[0]
        again = any(one.target == write.target and write.at < one.at <= at for one in facts.writes)
        if not again and not facts.was_asked(write.target, at, write.at) and not _is_measured(use):
            yield use


def _first_use(facts: Facts, name: str, after: int, *, is_file: bool) -> SgNode | None:
    found = [one.node for one in facts.accesses if one.base == name and one.at >= after]
    found += [
        node
        for at, base, node in facts.members
        if base == name and at >= after and "->" in node.text()[len(name) :][:3]
    ]
    wanted = _ON_FILES if is_file else _ON_TEXT
    found += [
        call.node
        for call in facts.calls
        if call.at >= after and name in call.arguments and wanted.search(call.name)
    ]
    return min(found, key=lambda node: span(node)[0], default=None)


def optional_attribute(facts: Facts) -> Iterator[SgNode]:
    """`nla_get_u32(attrs[X])`, and nobody asked whether it was sent."""
    for call in facts.calls:
        if not re.match(r"^nla_(get_\w+|data|len|strscpy|memcpy)$", call.name):
            continue
        for one in call.arguments:
            if not re.search(r"(?:^|->|\.)(?:attrs?|tb|data|nla|tbl?)\w*\[\w+\]$", one):
                continue
            if any(one in test.text for test in facts.tests if test.at < call.at):
                continue
            yield call.node
            break


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
    "unchecked-lookup": unchecked_lookup,
    "optional-attribute": optional_attribute,
    "checked-too-late": checked_too_late,
}
