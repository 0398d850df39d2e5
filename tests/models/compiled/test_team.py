"""Threads that work together: they come, they fail, they are called again, and they go home."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import numpy as np
import pytest

from truepenny.models.compiled import passes
from truepenny.models.compiled.team import Team

sizes = pytest.mark.parametrize("size", [1, 2, 3, 4])


def alive() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("team-")}


def check_gone(before: set[threading.Thread]) -> None:
    """They end when they are told, not in the same instant."""
    for _ in range(500):
        if alive() <= before:
            return
        time.sleep(0.01)
    pytest.fail(f"still there: {alive() - before}")


@sizes
def test_every_thread_works_once_per_run(size):
    """Thousands of times, each under its own number, number 0 the caller's."""
    team = Team(size)
    counts = np.zeros(size, np.int64)
    callers = set()

    def work(thread: int) -> None:
        counts[thread] += 1
        if thread == 0:
            callers.add(threading.get_ident())

    for _ in range(3000):
        team.run(work)
    assert (counts == 3000).all()
    assert callers == {threading.get_ident()}
    team.close()


@sizes
def test_threads_meet(size):
    """What one wrote before it spoke all see who have heard everybody."""
    team = Team(size)
    counter, rounds = np.zeros(1, np.int64), 200
    written = np.zeros((rounds, size), np.int64)
    seen: list[int] = []

    def work(thread: int) -> None:
        for index in range(rounds):
            written[index, thread] = index + 1
            passes.say(counter.ctypes.data)
            passes.hear(counter.ctypes.data, (index + 1) * size)
            if not (written[index] == index + 1).all():
                seen.append(index)

    for _ in range(10):
        counter[0], written[:] = 0, 0
        team.run(work)
        assert counter[0] == rounds * size
    assert not seen
    team.close()


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("failing", [{0}, {1}, {0, 1}])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_fails_in_a_thread_is_raised_and_the_next_run_works(size, failing, kind):
    """After all have ended; the lowest number speaks first."""
    team = Team(size)
    done: list[int] = []

    def fail(thread: int) -> None:
        if thread in failing:
            raise kind(f"thread {thread}")
        time.sleep(0.002)
        done.append(thread)

    for _ in range(20):
        done.clear()
        with pytest.raises(kind, match=f"thread {min(failing)}"):
            team.run(fail)
        assert sorted(done) == sorted(set(range(size)) - failing)
        team.run(done.append)
    team.close()


def test_an_interrupted_team_refuses_rather_than_waits(monkeypatch):
    """Ctrl-C while others were at work: nobody knows any more who has come back."""
    team = Team(2)

    class Interrupted:
        def acquire(self) -> None:
            raise KeyboardInterrupt

        def release(self) -> None:
            pass

    monkeypatch.setattr(team._desks[0], "done", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        team.run(lambda _: time.sleep(0.01))
    with pytest.raises(AssertionError, match="interrupted"):
        team.run(lambda _: None)


def test_a_closed_team_has_no_threads():
    """Closing twice is closing once."""
    before = alive()
    team = Team(4)
    assert len(alive() - before) == 3
    team.run(lambda _: None)
    team.close()
    team.close()
    assert alive() <= before
    with pytest.raises(AssertionError, match="closed"):
        team.run(lambda _: None)


def test_threads_go_home_when_nobody_holds_the_team():
    """Also when it failed at the end."""
    before = alive()
    team = Team(3)

    def divide(thread: int) -> None:
        assert 1 // thread >= 0

    with pytest.raises(ZeroDivisionError):
        team.run(divide)
    team.run(lambda _: None)
    del team
    gc.collect()
    check_gone(before)


def test_threads_hold_nothing_of_the_last_run():
    """Memory of a pass goes when the pass has ended."""
    team = Team(2)

    class Memory:
        pass

    memory, gone = Memory(), threading.Event()

    def work(_thread: int, held: Memory = memory) -> None:
        assert held

    weakref.finalize(memory, gone.set)
    team.run(work)
    del work, memory
    gc.collect()
    assert gone.wait(5)
    team.close()


def test_many_teams_at_once():
    """Each with a caller of its own."""
    totals = [0] * 6

    def use(index: int) -> None:
        team = Team(3)
        counts = np.zeros(3, np.int64)

        def work(thread: int) -> None:
            counts[thread] += 1

        for _ in range(300):
            team.run(work)
        totals[index] = int(counts.sum())
        team.close()

    callers = [threading.Thread(target=use, args=(i,)) for i in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert totals == [900] * 6
