"""Playing sessions: what is common to all sides, and how two of them take turns.

Each side plays a segment while the other has nothing to do; who begins changes every time.  So both
see the same machine, and neither disturbs the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .record import Answer, Played, SegmentRun
from .session import Session, Step

IDLE_S = 3.0
"""A pause after which a side may do what it does when a person has stopped typing."""
QUIET_S = 0.2
"""Between two sides' turns."""
PATIENCE_S = 120.0
"""How long an answer is waited for before it counts as unanswered."""


class Side(Protocol):
    """Something that is typed at.  Nothing here waits for an answer but `open`, `idle` and `settle`."""

    @property
    def name(self) -> str: ...

    async def open(self, session: Session) -> None:
        """Open the session's files and have one request answered by the model.

        Raises BenchmarkError when it cannot be.
        """
        ...

    def edit(self, step: Step) -> None:
        """Make the step's changes, now."""
        ...

    def ask(self, step: Step) -> None:
        """Ask for a suggestion after the step, now."""
        ...

    async def idle(self, pause_s: float) -> None:
        """What happens in a pause as long as this; the clock stands still meanwhile."""
        ...

    async def settle(self) -> None:
        """Until nothing is under way any more; what never comes is given up."""
        ...

    def take_answers(self) -> list[Answer]:
        """Those that came since the last call."""
        ...

    async def close(self) -> None:
        """Close the session's files."""
        ...


@dataclass(slots=True)
class SideRun:
    """One side's whole session."""

    name: str
    segments: list[SegmentRun] = field(default_factory=list[SegmentRun])


async def play_session(
    session: Session,
    sides: Sequence[Side],
    segment_keystrokes: int,
    on_keystroke: Callable[[], None] = lambda: None,
) -> list[SideRun]:
    """All of a session on all sides, in turns; the runs in the order of `sides`."""
    runs = [SideRun(side.name) for side in sides]
    for side in sides:
        await side.open(session)
        await side.settle()
        side.take_answers()
    for nth, steps in enumerate(session.segments(segment_keystrokes)):
        turns = list(zip(sides, runs, strict=True))
        for side, run in turns if nth % 2 == 0 else reversed(turns):
            await asyncio.sleep(QUIET_S)
            run.segments.append(await play_segment(side, steps, on_keystroke))
    for side in sides:
        await side.close()
    return runs


async def play_segment(
    side: Side, steps: Sequence[Step], on_keystroke: Callable[[], None] = lambda: None
) -> SegmentRun:
    """The steps at their pace, then until all is answered."""
    played: list[Played] = []
    began_s = time.perf_counter() - steps[0].at_s
    for step in steps:
        await _until(began_s + step.at_s)
        if step.pause_s >= IDLE_S:
            paused_s = time.perf_counter()
            await side.idle(step.pause_s)
            began_s += time.perf_counter() - paused_s
        now_s = time.perf_counter()
        side.edit(step)
        if step.is_keystroke:
            side.ask(step)
            on_keystroke()
        played.append(Played(step.number, now_s, now_s - began_s - step.at_s, step.is_keystroke))
    await side.settle()
    return SegmentRun(tuple(played), tuple(side.take_answers()))


async def _until(moment_s: float) -> None:
    await asyncio.sleep(max(0.0, moment_s - time.perf_counter()))
