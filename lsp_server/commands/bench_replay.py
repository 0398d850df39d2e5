"""`truepenny bench replay`: how long a person who types waits for suggestions, beside a peer if wanted."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...models.catalogue import DEFAULT_MODEL
from ...models.errors import BenchmarkError, ModelsError
from ..settings import Settings, read_settings
from .measuring import alone, rounded

if TYPE_CHECKING:
    from ..evaluation.replay.figures import Comparison, SideFigures, Spread
    from ..evaluation.replay.run import Plan, ReplayReport, TraceReport
    from ..evaluation.replay.typing_through import TypingFigures

EXAMPLE = """\
examples:
  truepenny bench replay rustcode.json.gz sveltecomponent.json.gz
  truepenny bench replay rustcode.json.gz --keystrokes 100 --start 4000 --set completion.max_tokens=48
  truepenny bench replay rustcode.json.gz --peer http://127.0.0.1:8012 --json --plot waits.svg

A trace is an editing trace (github.com/josephg/editing-traces) or an editor's recording
(*.recording.w.json).  The peer is a llama-server; it is asked as its editor plug-in asks by default.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "replay",
        help="time to suggestion while a person types",
        description="Type a recorded session into the real language server, at the recorded pace, and "
        "measure how long each keystroke waits for its suggestion.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE", help=".json or .json.gz")
    parser.add_argument(
        "--keystrokes",
        "--limit",
        type=int,
        default=300,
        metavar="N",
        help="per trace (%(default)s)",
    )
    parser.add_argument(
        "--start",
        type=int,
        metavar="K",
        help="the trace's keystroke to begin with (where its pace is typical)",
    )
    parser.add_argument(
        "--max-gap",
        type=float,
        default=2.0,
        metavar="S",
        help="cut pauses to this many seconds (%(default)s)",
    )
    parser.add_argument("--pace", type=float, default=1.0, metavar="X", help="2: twice as fast (%(default)s)")
    parser.add_argument("--as", dest="file_name", metavar="NAME", help="what the traced file is called")
    parser.add_argument("--peer", metavar="URL", help="a llama-server to take turns with")
    parser.add_argument(
        "--segment", type=int, default=25, metavar="N", help="keystrokes until the other's turn (%(default)s)"
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="default: %(default)s")
    parser.add_argument(
        "--set",
        dest="assignments",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of the server; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="write the distributions of waiting")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: measured, whatever the figures; 1: a request was left unanswered; 2: it could not be measured."""
    from ..evaluation.replay.run import replay

    try:
        _check_plot(args.plot)
        plan = _plan(args)
        num_sides = 1 if plan.peer is None else 2
        total = num_sides * sum(session.num_keystrokes for session in plan.sessions)
        with alone(), _progress(total) as on_keystroke:
            report = asyncio.run(replay(plan, on_keystroke))
        if args.plot is not None:
            _plot(args.plot, report)
    except ModelsError as error:
        print(f"truepenny bench: {error}", file=sys.stderr)
        return 2
    print(table(report))
    if args.json:
        print(json.dumps(document(report)))
    return 1 if report.total.ours.by_kind["unanswered"] else 0


def _plan(args: argparse.Namespace) -> Plan:
    from ..evaluation.replay.run import Plan
    from ..evaluation.replay.session import Pacing, make_session
    from ..evaluation.replay.traces import read_trace

    if args.segment < 1:
        raise BenchmarkError(f"--segment {args.segment}: give at least 1")
    options, settings = read_options(args.model, args.assignments)
    pacing = Pacing(args.max_gap, args.pace)
    sessions = tuple(
        make_session(read_trace(path, args.file_name), args.keystrokes, args.start, pacing)
        for path in args.traces
    )
    return Plan(sessions, settings, options, args.segment, args.peer)


def read_options(model: str, assignments: list[str]) -> tuple[dict[str, Any], Settings]:
    """The settings as an editor would send them, and read.  Values are JSON where they can be, else text."""
    options: dict[str, Any] = {"completion": {"model": model}}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise BenchmarkError(f"--set {assignment}: write KEY=VALUE, such as completion.max_tokens=48")
        try:
            value: Any = json.loads(text)
        except ValueError:
            value = text
        _assign(options, key.split("."), value, assignment)
    settings, problems = read_settings(options)
    if problems:
        raise BenchmarkError(
            "; ".join(f"--set {problem.key}={problem.value}: {problem.fix}" for problem in problems)
        )
    return options, settings


def _assign(options: dict[str, Any], path: list[str], value: object, assignment: str) -> None:
    group = options
    for step in path[:-1]:
        inner: Any = group.setdefault(step, {})
        if not isinstance(inner, dict):
            raise BenchmarkError(f"--set {assignment}: {step} has a value already; give each key once")
        group = cast("dict[str, Any]", inner)
    group[path[-1]] = value


def _check_plot(path: Path | None) -> None:
    """Before anything is measured: minutes of work are not lost to a mistyped folder."""
    if path is not None and not path.absolute().parent.is_dir():
        raise BenchmarkError(f"--plot {path}: there is no such folder; give a file in one that exists")


def _plot(path: Path, report: ReplayReport) -> None:
    from ..evaluation.replay.plot import Curve, distributions

    curves = [Curve(report.total.ours.name, report.ours_wait_ms)]
    if report.total.peer is not None:
        curves.append(Curve(report.total.peer.name, report.peer_wait_ms))
    try:
        path.write_text(distributions("Time to suggestion while typing", curves), encoding="utf-8")
    except OSError as error:
        raise BenchmarkError(f"--plot {path}: {error.strerror}; give a file that can be written") from error


@contextmanager
def _progress(total: int) -> Generator[Callable[[], None], None, None]:
    """A bar of keystrokes, on stderr and only on a terminal; else a line for each tenth."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    done = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("typing", total=total)

        def on_keystroke() -> None:
            nonlocal done
            done += 1
            bar.update(task, completed=done)
            if not console.is_terminal and 10 * done // total > 10 * (done - 1) // total:
                print(f"bench: {done} of {total} keystrokes", file=sys.stderr, flush=True)

        yield on_keystroke


def document(report: ReplayReport) -> dict[str, Any]:
    """The figures as they are, rounded; the single waits stay out."""
    whole = rounded(asdict(report))
    for told, one in zip([*whole["sessions"], whole["total"]], [*report.sessions, report.total], strict=True):
        told["typing"]["share"] = round(one.typing.share, 4)
    del whole["ours_wait_ms"], whole["peer_wait_ms"]
    total = report.total
    beside = {} if total.peer is None else {"address": report.peer, **_in_short(total.peer)}
    return whole | _in_short(total.ours) | {"peer": beside or None}


def _in_short(side: SideFigures) -> dict[str, Any]:
    """What is asked for most often, by the names that the other commands use too."""
    return {
        "requests": side.requests,
        "answered": side.requests - side.by_kind["unanswered"],
        "unanswered": side.by_kind["unanswered"],
        "shown": side.suggested,
        "cancelled": side.by_kind.get("superseded", 0),
        "cache_hits": side.by_kind.get("recalled", 0),
        "tokens_reused": side.reused_tokens,
        "tokens_computed": side.total_computed_tokens,
        "computed_tokens_p50": side.computed_tokens.p50,
        "computed_tokens_p95": side.computed_tokens.p95,
        "total_ms_p50": round(side.wait_ms.p50, 2),
        "total_ms_p95": round(side.wait_ms.p95, 2),
        "stage_ms_p50": {name: round(spread.p50, 2) for name, spread in side.stage_ms.items()},
        "stage_ms_p95": {name: round(spread.p95, 2) for name, spread in side.stage_ms.items()},
    }


def table(report: ReplayReport) -> str:
    """The same for people."""
    lines = [f"{report.model} on {report.cores} cores" + (f", beside {report.peer}" if report.peer else "")]
    reports = [*report.sessions, report.total] if len(report.sessions) > 1 else report.sessions
    for one in reports:
        lines += ["", *_trace_lines(one)]
    if report.peer is not None:
        lines += ["", *(f"left out {what}" for what in report.left_out)]
    late = report.total.ours.late_ms
    if late.p95 > 20:
        lines += ["", f"keys were {late.p95:.0f} ms late (p95): the machine is too busy; measure again"]
    return "\n".join(lines)


def _trace_lines(one: TraceReport) -> list[str]:
    place = "" if one.first_keystroke is None else f" from {one.first_keystroke}"
    lines = [f"{one.name}: {one.keystrokes} keystrokes{place}, {one.duration_s:.0f} s of typing"]
    sides = [one.ours] if one.peer is None else [one.ours, one.peer]
    columns = zip(_ROWS, *(_column(side) for side in sides), strict=True)
    lines += [f"  {'':<28}" + "".join(f"{side.name:>22}" for side in sides)]
    lines += [f"  {name:<28}" + "".join(f"{cell:>22}" for cell in cells) for name, *cells in columns]
    lines += [*_typing_lines(one.typing), *_reasons(one.ours)]
    return lines + (_comparison(one.comparison) if one.comparison else [])


def _typing_lines(typing: TypingFigures) -> list[str]:
    through = f"{typing.recalled} of {typing.through} ({typing.share:.1%})" if typing.through else "none"
    trouble = f"{typing.contradicted}, {typing.flickered}, {typing.repeating}"
    return [
        f"  typed through a suggestion, without a model call: {through}",
        f"  contradicted, flickered, repeating the line below: {trouble}",
    ]


_ROWS = (
    "time to suggestion, ms",
    "request, ms",
    "prompt reused",
    "prompt tokens",
    "of which computed",
    "tokens written",
    "decode, tokens/s",
    "drafted, accepted",
    "queue, ms",
    "context, ms",
    "prefill, ms",
    "decode, ms",
    "guard, ms",
    "asked, superseded",
    "remembered, silent",
    "shown, of those answered",
    "failed, unanswered",
)


def _column(side: SideFigures) -> list[str]:
    kinds = side.by_kind
    stages = [_spread(side.stage_ms.get(name)) for name in ("queue", "context", "prefill", "decode", "guard")]
    drafted = "" if side.drafted_tokens is None else f"{side.drafted_tokens}, {side.accepted_tokens or 0}"
    return [
        _spread(side.wait_ms),
        _spread(side.request_ms),
        f"{side.reused_share:.1%}",
        _spread(side.prompt_tokens),
        _spread(side.computed_tokens),
        _spread(side.completion_tokens),
        "" if side.decode_tokens_per_s is None else f"{side.decode_tokens_per_s:.1f}",
        drafted,
        *stages,
        f"{side.requests}, {kinds.get('superseded', 0)}",
        f"{side.recalled_share:.1%}, {side.silent_share:.1%}",
        f"{side.shown_share:.1%}",
        f"{kinds['failed']}, {kinds['unanswered']}",
    ]


def _spread(spread: Spread | None) -> str:
    """Median and p95."""
    if spread is None or not spread.n:
        return ""
    digits = 1 if spread.p95 < 100 else 0
    return f"{spread.p50:.{digits}f} / {spread.p95:.{digits}f}"


def _reasons(side: SideFigures) -> list[str]:
    """Ours, the most frequent."""
    return [f"    {count:>5} × {reason}" for reason, count in list(side.reasons.items())[:6]]


def _comparison(comparison: Comparison) -> list[str]:
    left_out = ", ".join(f"{count} {why}" for why, count in comparison.left_out.items()) or "none"
    ours, peer = comparison.ours_ms, comparison.peer_ms
    lines = [f"  compared: {comparison.compared} keystrokes answered by both models; left out: {left_out}"]
    if comparison.ratio_p50 is not None and comparison.ratio_p95 is not None:
        lines += [
            f"    median   {ours.p50:>8.0f} ms {peer.p50:>8.0f} ms   {comparison.ratio_p50:.2f}× sooner",
            f"    p95      {ours.p95:>8.0f} ms {peer.p95:>8.0f} ms   {comparison.ratio_p95:.2f}× sooner",
        ]
    return lines
