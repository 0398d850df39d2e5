"""The timing tree: where a request's time went, whoever measured it."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.ledger.timing import Span, note, span, watch


def shape(tree: Span) -> object:
    return (tree.name, [shape(part) for part in tree.parts]) if tree.parts else tree.name


def fail() -> None:
    with span("engine"):
        note("prefill", 1.0)
        raise ValueError("broken")


def test_stages_nest_as_their_blocks_do() -> None:
    """Also where one is left by an exception."""
    with watch("request") as clock:
        with span("context"), span("rank"):
            pass
        with pytest.raises(ValueError, match="broken"):
            fail()

    assert shape(clock.tree) == ("request", [("context", ["rank"]), ("engine", ["prefill"])])


def test_outside_a_request_nothing_is_kept() -> None:
    """The command line and the measurements call the same code."""
    with span("context"):
        note("prefill", 1.0)
    with watch("request") as clock:
        pass

    assert clock.tree.parts == ()


def test_requests_at_once_keep_their_stages_apart() -> None:
    """Tasks and threads of a request find its own tree."""

    async def one(name: str) -> Span:
        with watch(name) as clock:
            with span(f"{name} waits"):
                await asyncio.sleep(0)
            await asyncio.ensure_future(inner(name))
            await asyncio.to_thread(below, name)
        return clock.tree

    async def inner(name: str) -> None:
        with span(f"{name} task"):
            await asyncio.sleep(0)

    def below(name: str) -> None:
        with span(f"{name} thread"):
            pass

    async def both() -> list[Span]:
        return list(await asyncio.gather(one("a"), one("b")))

    trees = asyncio.run(both())

    assert [shape(tree) for tree in trees] == [
        (name, [f"{name} waits", f"{name} task", f"{name} thread"]) for name in "ab"
    ]


def test_what_is_under_way_ends_now() -> None:
    """A request that was superseded has a tree too."""
    with watch("request") as clock, span("engine"):
        tree = clock.tree

    assert shape(tree) == ("request", ["engine"])
    assert clock.tree.ms >= tree.ms


@given(st.lists(st.floats(0, 1e6), max_size=5))
def test_what_others_measured_lies_within_the_stage(measured: list[float]) -> None:
    """Sums are sums: parts never come to more than their whole, one after the other."""
    with watch("request") as clock, span("engine"):
        for number, ms in enumerate(measured):
            note(str(number), ms)
        time.sleep(0.0005)
    (engine,) = clock.tree.parts

    assert sum(part.ms for part in engine.parts) <= engine.ms * 1.0001
    assert engine.own_ms == pytest.approx(engine.ms - sum(part.ms for part in engine.parts), abs=1e-6)
    for part in engine.parts:
        assert engine.start_ms - 1e-6 <= part.start_ms
        assert part.start_ms + part.ms <= engine.start_ms + engine.ms + 1e-6


def test_sums_are_by_name_over_the_whole_tree() -> None:
    """The flat figures that are drawn and compared."""
    tree = Span("request", 0, 9, (Span("a", 0, 4, (Span("b", 0, 1),)), Span("b", 4, 2)))

    assert tree.sums() == {"a": 4, "b": 3}
    assert tree.own_ms == 3
