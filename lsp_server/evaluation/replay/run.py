"""A whole replay: sessions, one or two sides, and the report."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from ...settings import Settings
from .figures import Comparison, SideFigures, compare, compared_waits, figures_of
from .ours import our_side
from .peer import peer_side
from .play import Side, SideRun, play_session
from .record import SegmentRun, waits
from .session import Session
from .typing_through import TypingFigures, total, typing_figures

LEFT_OUT = (
    "of the comparison: suggestions remembered by us, or kept by the peer's editor, and shown again",
    "on both sides: requests ahead of what is on the screen",
    "of the peer's plug-in: the process it starts for each request",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be played, and how.  `options` are the server's settings as an editor would send them."""

    sessions: tuple[Session, ...]
    settings: Settings
    options: Mapping[str, Any]
    segment_keystrokes: int
    peer: str | None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TraceReport:
    """One session, or all of them together."""

    name: str
    first_keystroke: int | None
    """None for all together."""
    keystrokes: int
    duration_s: float
    """Of the typing, as planned."""
    ours: SideFigures
    typing: TypingFigures
    """Of ours."""
    peer: SideFigures | None
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class ReplayReport:
    model: str
    engine: str
    options: dict[str, Any]
    peer: str | None
    segment_keystrokes: int
    cores: int
    load_average: float | None
    """Processes wanting a core when the run began; None where the system does not count them."""
    left_out: tuple[str, ...]
    sessions: tuple[TraceReport, ...]
    total: TraceReport
    ours_wait_ms: tuple[float, ...]
    """For the picture: of the keystrokes compared, or without a peer of all that the model answered."""
    peer_wait_ms: tuple[float, ...]
    engine_work: dict[str, float]
    """What our engine did meanwhile, by class of request; superseded requests count too."""


async def replay(plan: Plan, on_keystroke: Callable[[], None] = lambda: None) -> ReplayReport:
    """Play everything.  Raises BenchmarkError when a side cannot be reached or does not answer."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    async with AsyncExitStack() as stack:
        sides: list[Side] = []
        if plan.peer is not None:  # first: if it is not there, no engine need be started
            sides.append(await stack.enter_async_context(peer_side(plan.peer, plan.seed)))
        ours = await stack.enter_async_context(our_side(plan.settings, plan.options))
        sides.insert(0, ours)
        before = await ours.work()
        runs = [
            await play_session(session, sides, plan.segment_keystrokes, on_keystroke)
            for session in plan.sessions
        ]
        work = {name: value - before.get(name, 0.0) for name, value in (await ours.work()).items()}
    return _report(plan, runs, load, work)


def _report(
    plan: Plan, runs: Sequence[Sequence[SideRun]], load: float | None, work: dict[str, float]
) -> ReplayReport:
    names = [run.name for run in runs[0]]
    pooled = [
        SideRun(name, [segment for played in runs for segment in played[nth].segments])
        for nth, name in enumerate(names)
    ]
    ours = pooled[0].segments
    typing = [
        typing_figures(session, played[0].segments)
        for session, played in zip(plan.sessions, runs, strict=True)
    ]
    if plan.peer is None:
        ours_ms, peer_ms = _model_waits(ours), list[float]()
    else:
        ours_ms, peer_ms = compared_waits(ours, pooled[1].segments)
    duration_s = sum(session.duration_s for session in plan.sessions)
    return ReplayReport(
        model=plan.settings.completion.model,
        engine=plan.settings.engine,
        options=dict(plan.options),
        peer=plan.peer,
        segment_keystrokes=plan.segment_keystrokes,
        cores=os.cpu_count() or 1,
        load_average=load,
        left_out=LEFT_OUT,
        sessions=tuple(
            _trace_report(session.name, session.first_keystroke, session.duration_s, played, figures)
            for session, played, figures in zip(plan.sessions, runs, typing, strict=True)
        ),
        total=_trace_report("all", None, duration_s, pooled, total(typing)),
        ours_wait_ms=tuple(ours_ms),
        peer_wait_ms=tuple(peer_ms),
        engine_work=work,
    )


def _trace_report(
    name: str, first: int | None, duration_s: float, played: Sequence[SideRun], typing: TypingFigures
) -> TraceReport:
    figures = [figures_of(run.name, run.segments) for run in played]
    comparison = compare(played[0].segments, played[1].segments) if len(played) > 1 else None
    return TraceReport(
        name=name,
        first_keystroke=first,
        keystrokes=figures[0].keystrokes,
        duration_s=duration_s,
        ours=figures[0],
        typing=typing,
        peer=figures[1] if len(figures) > 1 else None,
        comparison=comparison,
    )


def _model_waits(runs: Sequence[SegmentRun]) -> list[float]:
    found = [wait for run in runs for wait in waits(run)]
    return [wait.ms for wait in found if wait.answer is not None and wait.answer.kind == "model"]
