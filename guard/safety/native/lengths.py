"""Lengths that others chose, used as if they were right."""

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

_WOULD_HAVE = re.compile(r"(?i)^v?snprintf$|^(\w*_)?v?snprintf$|2txt$|^strlcpy$|^strlcat$")
_ALLOCATES = re.compile(r"(?i)alloc|^new$|^AcquireMagickMemory$|^AcquireQuantumMemory$")
_COPIES = re.compile(
    r"(?i)^(\w*_)?(memcpy|memmove|bcopy|copy_from_user|CopyMagickMemory|fread|read|recv|memset|memcmp)$|(?i:copy\w*memory)"
)
_NETWORK = re.compile(
    r"(?i)\bntoh[sl]\b|\b[bl]e(16|32|64)toh\b|swap(16|32|64)\w*\(|(get|read|load|pull|peek)_?\w*(u?int|u|le|be|[bl])_?(16|24|32|64)\w*\("
    r"|(get|read)\w*(short|long|int32|uint32|int16|uint16)\w*\(|\b[bl]e_to_cpu|\b(bytestream\w*|avio_r[bl]\d+)\("
)
_OUT_READS = re.compile(
    r"(?i)^(push|read|get|parse|pull|fetch|stream_read|unpack)\w*(short|long|16|24|32|64|uint|int)\w*$"
)
_TEXT_NUMBER = re.compile(
    r"(?:^|[^\w])(atoi|atol|atoll|strtol|strtoul|strtoll|strtoull|std::stoi|stoi|std::stoul|stoul)\("
)


def returned_length(facts: Facts) -> Iterator[SgNode]:
    """`n = snprintf(buf, sizeof buf, …)` is what there would have been; `n` bytes of `buf` need not be."""
    for write in facts.writes:
        found = re.match(r"(?:\(\w+\))?(?:std::)?(\w+)\((\w+),(.+)\)$", write.value)
        if (
            found is None
            or _WOULD_HAVE.search(found[1]) is None
            or not re.fullmatch(r"[\w.>-]+", write.target)
        ):
            continue
        buffer, length = found[2], write.target
        for call in facts.calls:
            if call.at < write.at or length not in call.arguments or buffer not in call.arguments:
                continue
            if not facts.is_tested(length, call.at, write.at) and not _written_between(
                facts, length, write, call.at
            ):
                yield call.node
                break
        else:
            for access in facts.accesses:
                if access.at > write.at and access.base == buffer and length in names_in(access.index):
                    if not facts.is_tested(length, access.at, write.at):
                        yield access.node
                    break


def _written_between(facts: Facts, name: str, write: Write, at: int) -> bool:
    return any(one.target == name and write.at < one.at < at for one in facts.writes)


def link_length(facts: Facts) -> Iterator[SgNode]:
    """`n = readlink(path, buf, sizeof buf); buf[n] = 0` writes behind the end of a full buffer."""
    for write in facts.writes:
        found = re.match(
            r"(?:\(\w+\))?(?:::)?(?:readlink|recv|read|recvfrom)\(.+?,(\w+),sizeof\(?(\w+)\)?(?:,.*)?\)$",
            write.value,
        )
        if found is None or found[1] != found[2]:
            continue
        for access in facts.accesses:
            if access.at > write.at and access.base == found[1] and access.index == write.target:
                upper = any(
                    write.at < one.at < access.at
                    and one.is_ordered
                    and write.target in one.names
                    and "sizeof" in one.left + one.right
                    for one in facts.relations
                )
                if not upper:
                    yield access.node
                break


def file_size(facts: Facts) -> Iterator[SgNode]:
    """The size of a file taken from a `stat` whose result was thrown away, and never looked at."""
    for call in facts.calls:
        if call.name not in ("stat", "fstat", "lstat") or len(call.arguments) != 2:
            continue
        above = call.node.parent()
        if above is None or above.kind() != "expression_statement":
            continue
        size = f"{call.arguments[1].lstrip('&')}.st_size"
        if not call.arguments[1].startswith("&"):
            size = f"{call.arguments[1]}->st_size"
        if facts.is_tested(size, facts.end):
            continue
        for other in facts.calls:
            takes = _ALLOCATES.search(other.name) or _COPIES.search(other.name)
            if other.at > call.at and takes and any(size in names_in(one) for one in other.arguments):
                yield other.node
                break


def length_from_data(facts: Facts) -> Iterator[SgNode]:
    """A number read from the data is used as a length, and nobody compared it with anything."""
    for at, name in _read_numbers(facts):
        use = _first_use(facts, name, at)
        if use is None:
            continue
        place = span(use)[0]
        if facts.is_bounded(name, place, at) or _is_masked(facts, name, at, place):
            continue
        yield use


def _read_numbers(facts: Facts) -> Iterator[tuple[int, str]]:
    for write in facts.writes:
        if write.operator == "=" and _NETWORK.search(write.value) and re.fullmatch(r"[\w.>-]+", write.target):
            yield write.at, write.target
    for call in facts.calls:
        if _OUT_READS.search(call.name):
            for one in call.arguments:
                if re.fullmatch(r"&[\w.>-]+", one):
                    yield call.at, one[1:]


def _first_use(facts: Facts, name: str, at: int) -> SgNode | None:
    """As the length of an allocation or a copy."""
    for call in facts.calls:
        if call.at <= at:
            continue
        if _ALLOCATES.search(call.name):
            given = call.arguments
        elif _COPIES.search(call.name) and len(call.arguments) >= 3:
            given = call.arguments[2:3]
        else:
            continue
        if any(name in names_in(re.sub(r"sizeof\([^()]*\)", "", one)) for one in given):
            rewritten = any(
                one.target == name and at < one.at < call.at and "=" in one.operator for one in facts.writes
            )
            return None if rewritten else call.node
    return None


def _is_masked(facts: Facts, name: str, at: int, before: int) -> bool:
    return any(
        one.target == name
        and at < one.at < before
        and re.search(r"[&%]|(?i:min|clamp)", one.operator + one.value)
        for one in facts.writes
    )


def looped_length(facts: Facts) -> Iterator[SgNode]:
    """A number read from the data allocates or bounds a loop, compared with nothing but zero."""
    for at, name in _read_numbers(facts):
        if facts.is_bounded(name, facts.end, at):
            continue
        zero = any(
            at < one.at
            and one.operator == "=="
            and name in (one.left, one.right)
            and "0" in (one.left, one.right)
            for one in facts.relations
        )
        loop = next(
            (
                one
                for one in facts.relations
                if one.in_loop and one.at > at and one.right == name and one.is_ordered
            ),
            None,
        )
        if zero and loop is not None:
            yield loop.node


def index_parameter(facts: Facts) -> Iterator[SgNode]:
    """A signed index that the caller gives, into an array of the function's own."""
    for name, kind in facts.parameters.items():
        if not re.fullmatch(
            r"(const )?(int|long|short|int32_t|ssize_t|ptrdiff_t|gint|OPJ_INT32)", kind.strip()
        ):
            continue
        for access in facts.accesses:
            if (
                access.index == name
                and "[" in facts.types.get(access.base, "")
                and not facts.is_tested(name, access.at)
            ):
                yield access.node
                break


def index_from_text(facts: Facts) -> Iterator[SgNode]:
    """An index parsed from text and not compared with the length of what it is an index of."""
    for write in facts.writes:
        if (
            write.operator != "="
            or not _TEXT_NUMBER.search(write.value)
            or not re.fullmatch(r"\w+", write.target)
        ):
            continue
        for access in facts.accesses:
            if access.at > write.at and access.index == write.target:
                if not facts.is_ordered(write.target, access.at, write.at):
                    yield access.node
                break


LENGTHS: Mapping[str, Analysis] = {
    "returned-length": returned_length,
    "link-length": link_length,
    "file-size": file_size,
    "length-from-data": length_from_data,
    "looped-length": looped_length,
    "index-parameter": index_parameter,
    "index-from-text": index_from_text,
}
