"""What is told of other files stays with its branch."""

from __future__ import annotations

from collections.abc import Sequence

from truepenny.context.packing.chunk import Chunk
from truepenny.context.packing.pack import Pack
from truepenny.context.window import Window, cut
from truepenny.lsp_server.prompting.anchor import NO_PACK, Anchors
from truepenny.lsp_server.snapshot import Query, Snapshot, Trigger

ABOVE = "".join(f"line_{number} = {number}\n" for number in range(30))
BELOW = "\nafter = 1\n"


def pack(name: str) -> Pack:
    return Pack((Chunk(f"{name}.py", f"def {name}()", "near", 9, (name,), (0,)),))


def window_at(query: Query, prefix_tokens: int, suffix_tokens: int, starts: Sequence[int]) -> Window:
    text = query.snapshot.text
    budget = {"prefix_tokens": prefix_tokens, "suffix_tokens": suffix_tokens}
    return cut(text, query.offset, **budget, count=len, starts=starts)


def query_at(typed: str, trigger: Trigger = Trigger.AUTOMATIC) -> Query:
    text = ABOVE + typed
    return Query(Snapshot("a.py", "python", text + BELOW), len(text), trigger)


def test_a_branch_made_in_haste_tells_what_was_told_last() -> None:
    anchors = Anchors(window_at)
    assert anchors.cut(query_at("x")).pack == NO_PACK
    following = anchors.next_branch(query_at("x"), pack("a"))
    assert following is not None
    anchors.adopt(query_at("x"), following[0])
    assert anchors.cut(query_at("xy")).pack == pack("a")
    assert anchors.cut(query_at("xy\n" * 60)).pack == pack("a")


def test_another_pack_waits_for_its_branch() -> None:
    """Until that has been computed the old one serves; then the new one, at the same place."""
    anchors = Anchors(window_at)
    first = anchors.cut(query_at("x", Trigger.INVOKED), pack("a"))
    following = anchors.next_branch(query_at("x"), pack("b"))
    assert following is not None
    assert following[1].pack == pack("b")
    assert (following[1].prefix, following[1].suffix) == (first.prefix, first.suffix)
    assert anchors.cut(query_at("xy")).pack == pack("a")
    assert anchors.pack(query_at("xy")) == pack("b")
    anchors.adopt(query_at("xy"), following[0])
    assert anchors.cut(query_at("xyz")).pack == pack("b")


def test_the_same_pack_needs_no_branch() -> None:
    anchors = Anchors(window_at)
    anchors.cut(query_at("x", Trigger.INVOKED), pack("a"))
    assert anchors.next_branch(query_at("x"), pack("a")) is None
    assert anchors.next_branch(query_at("x")) is None


def test_who_waits() -> None:
    """Who asks by key and has no branch yet; never one who types."""
    anchors = Anchors(window_at)
    assert not anchors.waits(query_at("x"))
    assert anchors.waits(query_at("x", Trigger.INVOKED))
    anchors.cut(query_at("x", Trigger.INVOKED))
    assert not anchors.waits(query_at("xy", Trigger.INVOKED))
