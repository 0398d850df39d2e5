"""What a message says of itself, taken at its word: how long it is, which entry it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .facts import is_length, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ast_grep_py import SgNode

    from . import Analysis
    from .facts import Access, Facts

_FROM_OUTSIDE = re.compile(
    r"(?i)^(req|request|cfg|config|cmd|msg|hdr|header|pkt|packet|attr|args?|params?|desc|evt|event|frame|ie|tlv|ioc\w*)$"
)
_STREAM = re.compile(
    r"^(?:\(\w+\))?(?:bytestream2?_get_\w+|avio_r[bl8]\w*|get_[us]e_golomb\w*|get_vlc2?|get_byte\w*|read_byte\w*|read_u8\w*"
    r"|fgetc|getc|ReadBlobByte|br_read\w*|read_bits|get_bits)\((.*)\)$"
)

_STREAMS = (
    (
        re.compile(r"^Stream_(?:Read_\w+|Seek(?:_\w+)?|Peek_\w+|Read)$"),
        re.compile(
            r"Stream_(?:GetRemaining|CheckAndLog|Ensure|SafeSeek|SafeRead|Length|GetPosition|New|StaticInit)|_Check\w*\("
        ),
    ),
    (
        re.compile(r"^EXTRACT_(?:\d+BITS|[LB]E_\w+|U_1)$"),
        re.compile(r"T(?:CHECK|TEST)|snapend|\bE?TCHECK2?|l_?en\w*\s*[<>]|ep\b|trunc"),
    ),
)
"""How bytes are taken in some libraries, and how these ask whether there are any."""


def unasked_stream(facts: Facts) -> Iterator[SgNode]:
    """The way to read has its own way to ask how much is left, and this function does not ask."""
    for reads, asks in _STREAMS:
        uses = [call for call in facts.calls if reads.match(call.name)]
        if uses and not asks.search(facts.text):
            yield min(uses, key=lambda call: call.at).node


def index_from_stream(facts: Facts) -> Iterator[SgNode]:
    """A number read from a stream is an index at once."""
    for write in facts.writes:
        found = _STREAM.match(write.value)
        if found is None or write.operator != "=" or not re.fullmatch(r"\w+", write.target):
            continue
        bits = re.search(r",(\d+)$", found[1])
        if "bits" in write.value and (bits is None or int(bits[1]) < 5):
            continue
        use = _as_index(facts, write.target, write.at)
        if use is None or facts.is_tested(write.target, use.at, write.at):
            continue
        if any(write.at < one.at < use.at and one.target == write.target for one in facts.writes):
            continue
        kind = facts.types.get(use.base, "")
        if not re.search(r"\[(?:256|0x100|1<<\w+|UCHAR_MAX\+1)\]", kind.replace(" ", "")):
            yield use.node


def _as_index(facts: Facts, name: str, after: int) -> Access | None:
    found = [one for one in facts.accesses if one.at > after and one.index == name]
    return min(found, key=lambda one: one.at, default=None)


def index_from_message(facts: Facts) -> Iterator[SgNode]:
    """`table[request->number]`: what the sender says is an index, and nobody compared it."""
    for access in facts.accesses:
        found = re.fullmatch(r"(\w+)->([\w.]+)", access.index)
        if found is None or found[1] not in facts.parameters or not _FROM_OUTSIDE.match(found[1]):
            continue
        if access.base.startswith(f"{found[1]}->") or facts.is_tested(access.index, access.at):
            continue
        if any(access.index in one.names for one in facts.relations):
            continue
        yield access.node


def copied_as_told(facts: Facts) -> Iterator[SgNode]:
    """`memcpy(to, header->bytes, header->length)`: the message says how long it is itself."""
    for call in facts.calls:
        if call.name not in ("memcpy", "memmove", "bcopy") or len(call.arguments) != 3:
            continue
        found = re.fullmatch(r"(?:ntoh[sl]|[bl]e\d\d_to_cpu)?\(?(\w+)->(\w+)\)?", call.arguments[2])
        if found is None or not is_length(found[2]):
            continue
        name, length = found[1], f"{found[1]}->{found[2]}"
        source = re.match(rf"(?:&|\(.*\))?{re.escape(name)}(?:->|\+|$)", call.arguments[1])
        if source is None or not _FROM_OUTSIDE.match(name) or call.arguments[0].startswith(f"{name}->"):
            continue
        if not facts.is_tested(length, call.at) and not _allocated_for(facts, call.arguments[0], length):
            yield call.node


def _allocated_for(facts: Facts, target: str, length: str) -> bool:
    return any(one.target == target and length in names_in(one.value) for one in facts.writes)


MESSAGES: Mapping[str, Analysis] = {
    "unasked-stream": unasked_stream,
    "index-from-stream": index_from_stream,
    "index-from-message": index_from_message,
    "copied-as-told": copied_as_told,
}
