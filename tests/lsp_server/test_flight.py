"""Latest wins, and everybody is answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from truepenny.lsp_server.flight import Flights

pytestmark = pytest.mark.asyncio


class Work:
    """Work that ends when told to, and remembers how it ended."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log
        self.may_end = asyncio.Event()

    async def __call__(self) -> str:
        self.log.append(f"{self.name} started")
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.log.append(f"{self.name} cancelled")
            raise
        return self.name


async def started(coroutine: Any) -> asyncio.Task[Any]:
    """A task that has had its first turn."""
    task = asyncio.ensure_future(coroutine)
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_a_flight_alone_returns_its_result() -> None:
    """The plain case, and nothing is kept afterwards."""
    flights, work = Flights(), Work("one", [])
    work.may_end.set()

    assert await flights.run("a.py", work) == "one"
    assert flights._latest == {}


async def test_of_three_only_the_last_has_a_result() -> None:
    """Older ones stop, and are answered at once rather than when the last is done."""
    flights, log = Flights(), list[str]()
    works = [Work(name, log) for name in ("one", "two", "three")]
    tasks = [await started(flights.run("a.py", work)) for work in works]

    assert await asyncio.gather(*tasks[:2]) == [None, None]
    works[2].may_end.set()
    assert await tasks[2] == "three"
    assert [event for event in log if "cancelled" in event] == ["one cancelled", "two cancelled"]
    assert flights._latest == {}


async def test_documents_do_not_disturb_each_other() -> None:
    """Two files being edited are two flights."""
    flights, one, other = Flights(), Work("one", []), Work("other", [])
    tasks = [await started(flights.run("a.py", one)), await started(flights.run("b.py", other))]
    one.may_end.set()
    other.may_end.set()

    assert await asyncio.gather(*tasks) == ["one", "other"]


async def test_cancelling_the_caller_cancels_the_work() -> None:
    """`$/cancelRequest` must reach the engine, and is not mistaken for a superseded request."""
    flights, log = Flights(), list[str]()
    task = await started(flights.run("a.py", Work("one", log)))

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["one started", "one cancelled"]
    assert flights._latest == {}


async def test_superseded_work_that_finished_anyway_is_dropped() -> None:
    """Work may be too far along to stop; its result is still stale."""
    flights = Flights()

    async def stubborn() -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return "late"
        return "never"

    task = await started(flights.run("a.py", stubborn))
    newer = Work("newer", [])
    newer.may_end.set()

    assert await flights.run("a.py", newer) == "newer"
    assert await task is None


async def test_a_failure_reaches_the_caller() -> None:
    """Nothing is swallowed."""

    async def failing() -> str:
        raise ValueError("broken")

    flights = Flights()

    with pytest.raises(ValueError, match="broken"):
        await flights.run("a.py", failing)
    assert flights._latest == {}


async def test_cancel_ends_the_flight_of_a_closed_document() -> None:
    """A closed document's request is answered with nothing."""
    flights, log = Flights(), list[str]()
    task = await started(flights.run("a.py", Work("one", log)))

    flights.cancel("a.py")
    flights.cancel("never-opened.py")

    assert await task is None
    assert log == ["one started", "one cancelled"]
