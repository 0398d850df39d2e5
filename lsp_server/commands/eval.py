"""`truepenny eval`: quality on a benchmark file, through the whole pipeline or with the bare model."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO, get_args

from ...models.errors import ModelsError
from ..evaluation.cases import CasesError, InfillCase, read_cases
from ..evaluation.infill import (
    CaseResult,
    Complete,
    InfillReport,
    OnProgress,
    before_typing,
    evaluate,
    raw_completer,
)
from ..prompting.anchor import MAX_MIDDLE_CHARS, Layout
from ..settings import DEFAULT_MODEL, Settings, read_settings
from ..snapshot import Query, Suggestion
from . import eval_calibration, eval_xfile

if TYPE_CHECKING:
    from ..status import Status

EXAMPLE = """\
examples:
  truepenny eval infill he_infill_singleline.jsonl.gz --lines single --json
  truepenny eval infill safim_block.jsonl.gz --limit 20 --dump failed.jsonl
  truepenny eval infill he_infill_singleline.jsonl.gz --raw    the same model without the pipeline
  truepenny eval infill he_infill_singleline.jsonl.gz --typed 300          beside --layout plain

Programs the model writes are run in a sandbox: limited time, memory and folder, no network.
"""

RAW_TOKENS = {"single": 96, "multi": 384}
"""How much the bare model may write; it stops by itself long before."""


class UsageError(Exception):
    """What was asked for cannot be done; the message says what to change."""


class Completing(Protocol):
    """The part of `Assistant` that is measured."""

    async def complete(self, query: Query) -> Suggestion: ...

    def anchor(self, query: Query) -> None:
        """Cut the prompt as for this request, without making it."""
        ...

    async def raw_infill(self, before: str, after: str, max_tokens: int, stop: tuple[str, ...]) -> str: ...

    async def close(self) -> None: ...


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    layout = argparse.RawDescriptionHelpFormatter
    parser = subparsers.add_parser(
        "eval", help="measure quality on a benchmark file", epilog=EXAMPLE, formatter_class=layout
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="infill|xfile|calibration")
    eval_xfile.add_parser(kinds)
    eval_calibration.add_parser(kinds)
    infill = kinds.add_parser(
        "infill",
        help="fill holes in programs and run them",
        description="Fill the hole of every case, run the programs that have tests, and count.",
        epilog=EXAMPLE,
        formatter_class=layout,
    )
    infill.add_argument(
        "set", type=Path, metavar="SET", help="HumanEval infilling or SAFIM, .jsonl or .jsonl.gz"
    )
    infill.add_argument("--limit", type=int, metavar="N", help="only the first N cases")
    infill.add_argument(
        "--lines", choices=["auto", "single", "multi"], default="auto", help="how much to ask for (auto)"
    )
    infill.add_argument("--guard", choices=["on", "off"], default="on", help="check suggestions (on)")
    infill.add_argument(
        "--raw",
        action="store_true",
        help="the baseline: a plain fill-in-the-middle prompt straight to the engine, without the guard; "
        "`--lines auto` is then one line if every expected answer is",
    )
    infill.add_argument(
        "--layout",
        choices=get_args(Layout),
        default="ours",
        help="of prompts: as in an editor (%(default)s); with the little that is shown first after a jump; "
        "or cut anew at the cursor's line, with nothing kept",
    )
    infill.add_argument(
        "--typed",
        type=int,
        default=0,
        metavar="N",
        help="the last N characters before the cursor were typed since the prompt was cut (0)",
    )
    infill.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="default: %(default)s")
    infill.add_argument("--engine", default="local", metavar="local|fake|URL", help="default: %(default)s")
    infill.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS", help="for each program (10)"
    )
    infill.add_argument(
        "--dump", type=Path, metavar="FILE", help="write each case that was not right, as JSON lines"
    )
    infill.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    infill.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: measured, whatever the figures; 2: it could not be measured."""
    try:
        _check_typed(args)
        cases = read_cases(args.set, _limit(args.limit))
        settings = _settings(args)
        with _dump_file(args.dump) as dump, _progress_bar(len(cases)) as (on_progress, on_status):
            report = asyncio.run(_measure(args, settings, cases, on_progress, on_status))
            if dump is not None:
                for result in report.results:
                    if not result.is_right:
                        dump.write(json.dumps(_dumped(result), ensure_ascii=False) + "\n")
    except (CasesError, ModelsError, UsageError) as error:
        print(f"truepenny eval: {error}", file=sys.stderr)
        return 2
    print(json.dumps(_document(args, report)) if args.json else _table(args, report))
    return 0


async def _measure(
    args: argparse.Namespace,
    settings: Settings,
    cases: tuple[InfillCase, ...],
    on_progress: OnProgress,
    on_status: Callable[[Status], None],
) -> InfillReport:
    assistant = open_assistant(settings, on_status, args.layout)
    try:
        complete, placement = _asked(args, assistant, cases)
        return await evaluate(
            cases,
            complete,
            lines=args.lines,
            placement=placement,
            timeout_s=args.timeout,
            on_progress=on_progress,
        )
    finally:
        await assistant.close()


def open_assistant(settings: Settings, on_status: Callable[[Status], None], layout: Layout) -> Completing:
    """The whole pipeline; tests put a scripted one in its place."""
    from ..assistant import Assistant

    return Assistant(settings, on_status, layout)


def _asked(
    args: argparse.Namespace, assistant: Completing, cases: tuple[InfillCase, ...]
) -> tuple[Complete, Literal["typed", "cut"]]:
    """Whom to ask, and with the cursor where."""
    if not args.raw:
        return _typing(assistant, args.typed) if args.typed else assistant.complete, "typed"
    is_single_line = args.lines == "single" or (
        args.lines == "auto" and all(case.is_single_line for case in cases)
    )
    stop = ("\n",) if is_single_line else ()

    def complete_raw(before: str, after: str, max_tokens: int) -> Awaitable[str]:
        return assistant.raw_infill(before, after, max_tokens, stop)

    budget = RAW_TOKENS["single" if is_single_line else "multi"]
    return raw_completer(complete_raw, single_line=is_single_line, max_tokens=budget), "cut"


def _typing(assistant: Completing, num_chars: int) -> Complete:
    """As a person who began to type `num_chars` ago."""

    async def complete(query: Query) -> Suggestion:
        assistant.anchor(before_typing(query, num_chars))
        return await assistant.complete(query)

    return complete


def _check_typed(args: argparse.Namespace) -> None:
    most = 2 * MAX_MIDDLE_CHARS
    if not 0 <= args.typed <= most:
        raise UsageError(f"--typed {args.typed}: give 0 to {most}; beyond that a prompt is always cut anew")
    if args.raw and (args.typed or args.layout != "ours"):
        raise UsageError("--raw has a prompt of its own: leave out --layout and --typed")


def _limit(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: give at least 1, or leave it out for all cases")
    return limit


def _settings(args: argparse.Namespace) -> Settings:
    raw = {
        "engine": args.engine,
        "completion": {"model": args.model, "lines": args.lines, "choices": 1},
        "guard": {"enabled": args.guard == "on"},
    }
    settings, problems = read_settings(raw)
    if problems:
        raise UsageError("; ".join(map(str, problems)))
    return settings


@contextmanager
def _dump_file(path: Path | None) -> Generator[TextIO | None, None, None]:
    """Opened before anything is measured: an hour's work is not lost to a mistyped folder."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--dump {path}: {error.strerror}; give a file in a folder that exists") from error
    with file:
        yield file


@contextmanager
def _progress_bar(total: int) -> Generator[tuple[OnProgress, Callable[[Status], None]], None, None]:
    """A bar for asking and one for running, on stderr and only on a terminal; warnings in any case."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {"asked": bars.add_task("asking", total=total), "run": bars.add_task("running", total=total)}

        def on_progress(stage: Literal["asked", "run"], done: int) -> None:
            bars.update(tasks[stage], completed=done)

        def on_status(status: Status) -> None:
            if status.kind in ("warning", "error") and status.message:
                console.print(f"truepenny eval: {status.message}", style="yellow", markup=False)

        yield on_progress, on_status


def _document(args: argparse.Namespace, report: InfillReport) -> dict[str, Any]:
    """The figures, without the cases."""
    per_accepted = report.characters_generated_per_accepted
    return {
        "set": args.set.name,
        "mode": "raw" if args.raw else "pipeline",
        "model": args.model,
        "engine": args.engine,
        "lines": args.lines,
        "guard": args.guard,
        "layout": args.layout,
        "typed": args.typed,
        "n": report.n,
        "runnable": report.runnable,
        "pass_at_1": None if report.pass_at_1 is None else round(report.pass_at_1, 4),
        "exact_match": round(report.exact_match, 4),
        "edit_similarity": round(report.edit_similarity, 4),
        "identifier_match": round(report.identifier_match, 4),
        "withheld": report.withheld,
        "reasons": report.reasons,
        "seconds": round(report.seconds, 3),
        "characters_shown": report.characters_shown,
        "characters_accepted": report.characters_accepted,
        "characters_generated": report.characters_generated,
        "characters_generated_per_accepted": None if per_accepted is None else round(per_accepted, 3),
        "characters_per_s": round(report.characters_per_s, 2),
        "latency_ms_p50": round(report.latency_ms_p50, 1),
        "latency_ms_p95": round(report.latency_ms_p95, 1),
        "reused_share": round(report.reused_share, 4),
        "unlimited": report.unlimited,
    }


def _table(args: argparse.Namespace, report: InfillReport) -> str:
    """The same for people."""
    how = f"lines {args.lines}, guard {args.guard}, layout {args.layout}, {args.typed} characters typed"
    how = "bare model" if args.raw else how
    passed = "nothing in this set can be run" if report.pass_at_1 is None else f"{report.pass_at_1:.1%}"
    accepted = f"{report.characters_accepted:,} of {report.characters_shown:,} characters shown were right"
    per_accepted = report.characters_generated_per_accepted
    per_right = "none was right" if per_accepted is None else f"{per_accepted:.2f} for each that was right"
    rows = [
        f"{args.set.name}: {report.n} cases, {report.runnable} with tests; {args.model}, {how}",
        f"  pass@1            {passed}",
        f"  exact match       {report.exact_match:.1%}",
        f"  edit similarity   {report.edit_similarity:.1%}",
        f"  identifier match  {report.identifier_match:.1%}",
        f"  not shown         {report.withheld}",
        *(f"    {count:>5} × {reason}" for reason, count in report.reasons.items()),
        f"  latency           {report.latency_ms_p50:.0f} ms median, {report.latency_ms_p95:.0f} ms at 95 %",
        f"  speed             {report.characters_per_s:.0f} characters/s; {accepted}",
        f"  generated         {report.characters_generated:,} characters, {per_right}",
        f"  prompt reused     {report.reused_share:.1%}",
        *(f"  not limited here: {name}" for name in report.unlimited),
    ]
    return "\n".join(rows)


def _dumped(result: CaseResult) -> dict[str, Any]:
    """One case that was not right, with what is needed to see why."""
    suggestion, outcome = result.suggestion, result.outcome
    return {
        "id": result.case.id,
        "language": result.case.language,
        "kind": "different" if outcome is None else outcome.kind,
        "detail": "" if outcome is None else outcome.detail,
        "expected": result.case.expected,
        "inserted": result.inserted,
        "shown": suggestion.shown,
        "reason": suggestion.reason,
        "text": suggestion.text,
        "start": suggestion.start,
        "end": suggestion.end,
        "verdicts": [asdict(verdict) for verdict in suggestion.verdicts],
        "ms": round(result.seconds * 1000, 1),
        "program": result.program,
    }
