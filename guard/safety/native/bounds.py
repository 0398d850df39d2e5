"""Arrays whose length is known, or at hand, and that nobody compared with the index."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from ..trees import span
from .facts import is_length

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ast_grep_py import SgNode

    from . import Analysis
    from .facts import Access, Facts

_BYTE = re.compile(
    r"\b(u?int8_t|guint8|uchar|char|u8|__u8|BYTE|byte|u_char|quint8|void|ut8|xmlChar|Bytef?)\b"
)
_NUMBER = re.compile(
    r"\b(int|long|short|unsigned|size_t|ssize_t|\w*u?int\d*(_t)?|u(8|16|32|64)|uint|u_int)\b"
)
_COPIES_IN = re.compile(
    r"^(memcpy|memmove|bcopy|copy_from_user|__copy_from_user|strncpy|fread|recv|read|get_bytes)$"
)
_ALLOCATES = re.compile(
    r"^(?:\([\w\s*]+\))?\w*?(?:malloc|kmalloc|kzalloc|calloc)\((?:1,)?(\w+)(?:,GFP_\w+)?\)$"
)
_COUNTS = re.compile(
    r"^(?:MAX_\w+|\w+_(?:SIZE|COUNT|LEN|ENTRIES)|(?:ARRAY_SIZE|NELEMS?|countof|_countof)\(.*\))$"
)
_LOOPS = ("for_statement", "while_statement", "do_statement")


def unread_length(facts: Facts) -> Iterator[SgNode]:
    """The length that comes with the bytes is not used at all, and the bytes are."""
    parameters = list(facts.parameters.items())
    body = facts.text[len(facts.header) :]
    for (name, kind), (length, other) in itertools.pairwise(parameters):
        if "*" not in kind or kind.count("*") > 1 or "[" in kind or not _BYTE.search(kind):
            continue
        if not _is_size_name(length) or "*" in other or not _NUMBER.search(other):
            continue
        if re.search(rf"\b{re.escape(length)}\b", body):
            continue
        use = _first_read(facts, name)
        if use is not None and not _is_text(facts, name, kind):
            yield use


def _is_size_name(name: str) -> bool:
    return is_length(name) and not re.search(r"(?i)end|limit|max|num$", name)


def _is_text(facts: Facts, name: str, kind: str) -> bool:
    """Whether it ends with a zero, so far as one can tell: the text is treated as a string."""
    if re.search(r"\b(char|xmlChar)\b", kind) is None or "unsigned" in kind:
        return False
    held = re.escape(name)
    direct = rf"\b(?:str\w+|atoi|atol|puts|fputs|sscanf|printf)\s*\((?:[^;()]*,)?\s*{held}\s*[,)]"
    return (
        re.search(direct, facts.text) is not None
        or re.search(rf"\*\s*{held}(?:\+\+)?\s*[;)&|!=]", facts.text) is not None
    )


def _first_read(facts: Facts, name: str) -> SgNode | None:
    found = [one.node for one in facts.accesses if one.base in (name, f"{name}++")]
    for call in facts.calls:
        for text, node in zip(call.arguments, call.nodes, strict=True):
            reads = re.search(r"(?i)(get|read|load|peek|[lb]e|rl|rb|ntoh)\w*\d", call.name)
            if re.fullmatch(rf"(?:\(.*\))?{re.escape(name)}\+.+", text) or (reads and text == name):
                found.append(node)
    return min(found, key=lambda node: span(node)[0], default=None)


def short_loop(facts: Facts) -> Iterator[SgNode]:
    """`while (n > 0) … p[1]`: the loop says that there is one byte, and more are read."""
    for relation in facts.relations:
        if not relation.in_loop or relation.operator != ">" or relation.right not in ("0", "1"):
            continue
        length, least = relation.left, int(relation.right)
        if not re.fullmatch(r"\w+", length) or length not in facts.types or not is_length(length):
            continue
        loop = _loop_of(relation.node)
        if loop is None:
            continue
        start, end = span(loop)
        for access in facts.accesses:
            if not start <= access.at < end or not re.fullmatch(r"\d+", access.index):
                continue
            if int(access.index) <= least or not _is_bytes(facts, access.base) or is_target(access):
                continue
            if not _looked_at(facts, length, relation.at + 1, access.at):
                yield access.node
            break


def _looked_at(facts: Facts, length: str, since: int, before: int) -> bool:
    return any(since <= one.at < before and length in one.names for one in facts.tests) or any(
        since <= one.at < before and length in one.names for one in facts.relations
    )


def _is_bytes(facts: Facts, name: str) -> bool:
    kind = facts.types.get(name, "")
    return "*" in kind and _BYTE.search(kind) is not None


def copied_into_array(facts: Facts) -> Iterator[SgNode]:
    """As many bytes as the caller says, into an array of fixed length."""
    for call in facts.calls:
        if not _COPIES_IN.match(call.name) or len(call.arguments) < 3:
            continue
        given = call.arguments
        target, length = (given[0], given[2]) if call.name not in ("recv", "read") else (given[1], given[2])
        if call.name == "fread":
            length = given[2] if given[1] in ("1", "sizeof(char)") else given[1]
        if "[" not in facts.types.get(target, "") or target in facts.parameters:
            continue
        if length not in facts.parameters or "*" in facts.parameters[length]:
            continue
        if not _NUMBER.search(facts.parameters[length]) or facts.is_ordered(length, call.at):
            continue
        if not any(one.target == length for one in facts.writes):
            yield call.node


def looped_into_array(facts: Facts) -> Iterator[SgNode]:
    """`for (i = 0; i < count; i++) array[i] = …`, and `count` is whatever the caller says."""
    for relation in facts.relations:
        if not relation.in_loop or relation.operator not in ("<", "<="):
            continue
        bound, index = relation.right, relation.left
        if bound not in facts.parameters or not _NUMBER.search(facts.parameters[bound]):
            continue
        if facts.is_bounded(bound, facts.end) or any(one.target == bound for one in facts.writes):
            continue
        if any(one.at != relation.at and one.is_ordered and index in one.names for one in facts.relations):
            continue
        loop = _loop_of(relation.node)
        for access in facts.accesses:
            held = "[" in facts.types.get(access.base, "") and access.base not in facts.parameters
            inside = access.index == index and loop is not None and _within(access.node, loop)
            if held and inside and is_target(access) and not facts.is_tested(bound, relation.at):
                yield access.node
                break


def behind_allocation(facts: Facts) -> Iterator[SgNode]:
    """`p = malloc(n); … p[n] = 0`: one place too few."""
    for write in facts.writes:
        found = _ALLOCATES.match(write.value)
        if found is None or write.operator != "=" or found[1].isdigit():
            continue
        for access in facts.accesses:
            if access.at > write.at and access.base == write.target and access.index == found[1]:
                changed = any(
                    write.at < one.at < access.at and one.target in (write.target, found[1])
                    for one in facts.writes
                )
                if is_target(access) and not changed:
                    yield access.node
                break


def counted_up(facts: Facts) -> Iterator[SgNode]:
    """`array[n++] = …` in a loop that does not ask how many there may be."""
    for access in facts.accesses:
        found = re.fullmatch(r"(\w+)\+\+", access.index)
        if found is None or not is_target(access) or found[1] in facts.parameters:
            continue
        base, name = access.base, found[1]
        kind = facts.types.get(base, "")
        fixed = "[" in kind and base not in facts.parameters
        handed = base in facts.parameters and kind.count("*") + kind.count("[") > 1
        loop = _loop_of(access.node)
        if not (fixed or handed) or loop is None or facts.is_ordered(name, facts.end):
            continue
        if any(name in one.names for one in facts.tests):
            continue
        if _resets(facts, name, loop) or re.search(r"(?i)count|nargs|max|limit|size|len", facts.header):
            continue
        if fixed and not _reads_text(loop):
            continue
        yield access.node


def _resets(facts: Facts, name: str, loop: SgNode) -> bool:
    start, end = span(loop)
    return any(start < one.at < end and one.target == name and one.operator == "=" for one in facts.writes)


def _reads_text(loop: SgNode) -> bool:
    """Whether the loop goes on for as long as there is input."""
    return (
        re.search(r"strtok|strsep|getc|gets|getline|getopt|\*\s*\w+(?:\+\+)?\s*[)&!=]", loop.text()[:400])
        is not None
    )


def one_too_many(facts: Facts) -> Iterator[SgNode]:
    """`i <= MAX_THINGS`, and `things[i]` in the loop: there is one fewer."""
    for relation in facts.relations:
        if not relation.in_loop or relation.operator != "<=" or _COUNTS.match(relation.right) is None:
            continue
        if not re.search(rf"\b{re.escape(relation.left)}\s*=\s*0\b", facts.text):
            continue
        loop = _loop_of(relation.node)
        for access in facts.accesses:
            if access.index != relation.left or loop is None or not _within(access.node, loop):
                continue
            kind = facts.types.get(access.base, "")
            if not re.search(r"\+\s*[12]\s*\]", kind):
                yield access.node
            break


def is_target(access: Access) -> bool:
    """Whether it is written to, itself or a field of it."""
    node = access.node
    above = node.parent()
    while above is not None and above.kind() in ("field_expression", "subscript_expression"):
        node, above = above, above.parent()
    if above is None or above.kind() != "assignment_expression":
        return False
    left = above.field("left")
    return left is not None and span(left) == span(node)


def _loop_of(node: SgNode) -> SgNode | None:
    return next((above for above in node.ancestors() if above.kind() in _LOOPS), None)


def _within(node: SgNode, outer: SgNode) -> bool:
    start, end = span(outer)
    return start <= span(node)[0] < end


BOUNDS: Mapping[str, Analysis] = {
    "unread-length": unread_length,
    "short-loop": short_loop,
    "copied-into-array": copied_into_array,
    "looped-into-array": looped_into_array,
    "behind-allocation": behind_allocation,
    "counted-up": counted_up,
    "one-too-many": one_too_many,
}
