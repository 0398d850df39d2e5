"""`truepenny eval xfile`: what is gained by telling the model of other files, beside the best there is."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...context.errors import ContextError
from ...models.errors import ModelsError
from ...models.store import cache_root
from ..evaluation.cases import CasesError
from ..evaluation.xfile_cases import XFileCase, read_xfile_cases
from ..evaluation.xfile_errors import XFileError
from ..settings import DEFAULT_MODEL, Settings, read_settings
from .measuring import rounded

if TYPE_CHECKING:
    from ..evaluation.xfile_asking import Asking
    from ..evaluation.xfile_cases import Checkout
    from ..evaluation.xfile_members import XFileMembers
    from ..evaluation.xfile_scores import Context, Group, XFileAnswer

EXAMPLE = """\
examples:
  truepenny eval xfile xfile_dev.jsonl.gz --workspaces ~/checkouts --json --plot xfile.svg
  truepenny eval xfile xfile_dev.jsonl.gz --git ~/clones --limit 20 --language go
  truepenny eval xfile xfile_dev.jsonl.gz --git ~/clones --resume xfile.jsonl   goes on where it stopped
  truepenny eval xfile xfile_dev.jsonl.gz --git ~/clones --language python --members grounded

A checkout is a folder `owner+name@` and 12 digits of the commit, or a clone that stands at the commit.
Those that are missing are named with the commands that make them; nothing is fetched.
"""
_CONTEXTS = ("none", "ours", "oracle")
_COLUMNS = ("exact", "identifier", "told", "chunks", "of tokens", "of prompt")


def add_parser(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = kinds.add_parser(
        "xfile",
        help="complete names that other files define",
        description="Complete each case without other files, with those we find, and with the definition "
        "that is needed; say how much of the gain is recovered, and what was right and is wrong with them.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("set", type=Path, metavar="CASES", help="cross-file cases, .jsonl or .jsonl.gz")
    parser.add_argument(
        "--workspaces",
        type=Path,
        metavar="DIR",
        help="where the checkouts are (workspaces in the cache folder)",
    )
    parser.add_argument(
        "--git",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="clones or bare repositories, from which checkouts that are missing are made; may be repeated",
    )
    parser.add_argument(
        "--context",
        type=_contexts,
        default=_CONTEXTS,
        metavar="none,ours,oracle",
        help="one or several (all)",
    )
    parser.add_argument("--pipeline", action="store_true", help="ask as an editor does; else the bare model")
    parser.add_argument(
        "--budget", type=_positive, default=1024, metavar="TOKENS", help="of ours (%(default)s)"
    )
    parser.add_argument(
        "--deadline", type=_positive, default=100, metavar="MS", help="to find ours (%(default)s)"
    )
    parser.add_argument(
        "--members",
        choices=("checked", "grounded"),
        help="say how many answers name a member that is not there, by a type checker; `grounded`: and let "
        "the bare model write none (Python, and others whose checker is installed)",
    )
    parser.add_argument("--limit", type=_positive, metavar="N", help="only the first N cases")
    parser.add_argument("--language", metavar="ID", help="only cases in this language, such as go")
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="default: %(default)s")
    parser.add_argument("--engine", default="local", metavar="local|fake|URL", help="default: %(default)s")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="JSON lines of results: added to, and not asked again"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="write bars of what was right")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: measured, whatever the figures; 2: it could not be measured."""
    try:
        settings = _settings(args)
        _check_members(args)
        _check_plot(args.plot)
        cases = read_xfile_cases(args.set, limit=args.limit, language=args.language)
        answers = _measured(args, settings, cases)
        groups = _summarised(answers)
        if args.plot is not None:
            args.plot.write_text(plot(args.model, groups), encoding="utf-8")
    except (CasesError, XFileError, ContextError, ModelsError, OSError) as error:
        print(f"truepenny eval: {error}", file=sys.stderr)
        return 2
    print(table(args, groups))
    if args.json:
        print(json.dumps(_document(args, groups)))
    return 0


def open_asking(settings: Settings, *, pipeline: bool, members: XFileMembers | None = None) -> Asking:
    """The engine behind a bare prompt, or the whole pipeline; tests put a scripted one in its place.

    `members`: decoding is grounded in them.
    """
    from ..evaluation.xfile_asking import PipelineAsking, RawAsking

    if pipeline:
        return PipelineAsking(settings)
    return RawAsking(settings) if members is None else RawAsking(settings, members_of=members.of)


def _measured(
    args: argparse.Namespace, settings: Settings, cases: tuple[XFileCase, ...]
) -> list[XFileAnswer]:
    from ...context.index.location import fingerprint
    from ..evaluation.xfile import Looking, evaluate_xfile
    from ..evaluation.xfile_checkouts import find_checkouts
    from ..evaluation.xfile_journal import Journal

    folders: dict[Checkout, Path] = {}
    if "ours" in args.context or args.members:
        folder = args.workspaces or cache_root() / "workspaces"
        folders = find_checkouts({case.checkout for case in cases}, folder, args.git, _tell)
    how = {
        "set": args.set.name,
        "model": args.model,
        "engine": args.engine,
        "pipeline": args.pipeline,
        "budget_tokens": args.budget,
        "deadline_ms": args.deadline,
    } | ({"members": args.members} if args.members else {})

    async def measure(on_answer: Callable[[XFileAnswer], None]) -> list[XFileAnswer]:
        known = members if args.members == "grounded" else None
        asking = open_asking(settings, pipeline=args.pipeline, members=known)
        try:
            return await evaluate_xfile(
                cases,
                args.context,
                asking,
                folders,
                cache_root(),
                looking=Looking(args.budget, args.deadline / 1000),
                journal=journal,
                on_answer=on_answer,
                tell=_tell,
                is_invalid=members.is_invalid if members else lambda _case, _text: None,
            )
        finally:
            await asking.close()

    with (
        _open_members(args, folders) as members,
        Journal(args.resume, how, fingerprint()) as journal,
        _progress(len(cases) * len(args.context)) as bar,
    ):
        return asyncio.run(measure(bar))


@contextmanager
def _open_members(args: argparse.Namespace, folders: dict[Checkout, Path]) -> Generator[XFileMembers | None]:
    """The type checkers, where they are wanted."""
    if not args.members:
        yield None
        return
    from ...guard.grounding.assembly import python_place
    from ...guard.grounding.checkers.registry import Checkers
    from ..evaluation.xfile_members import XFileMembers

    with (
        closing(Checkers(cache_root() / "checkers", python_place(cache_root()))) as checkers,
        closing(XFileMembers(folders, checkers.checker_for)) as members,
    ):
        yield members


def _summarised(answers: list[XFileAnswer]) -> dict[str, Group]:
    from ..evaluation.xfile_scores import summarise

    return summarise(answers)


def table(args: argparse.Namespace, groups: dict[str, Group]) -> str:
    """For people."""
    how = "the whole pipeline" if args.pipeline else "bare model"
    lines = [
        f"{args.set.name}: {groups['all'].n} cases; {args.model}, {how}, {args.budget} tokens of context"
    ]
    for name, group in _telling(groups).items():
        lines += ["", f"{name}, {group.n} cases", f"  {'context':<8}" + "".join(map(_column, _COLUMNS))]
        for context, one in group.contexts.items():
            shares = "".join(_column(f"{share:.1%}") for share in (one.exact, one.identifier, one.told))
            sizes = (f"{one.num_chunks:.1f}", f"{one.context_tokens:.0f}", f"{one.prompt_tokens:.0f}")
            invalid = "" if one.invalid is None else f"   {one.invalid:.1%} name a member that is not there"
            lines.append(f"  {context:<8}{shares}" + "".join(map(_column, sizes)) + invalid)
        for context, changes in group.changes.items():
            for metric, one in changes.items():
                between = f"{one.gain_interval.low:+.1%} to {one.gain_interval.high:+.1%}"
                lines.append(
                    f"  {context}, {metric}: {one.gain:+.1%} ({between}); "
                    f"mended {one.mended:.1%}, broken {one.broken:.1%}"
                )
        for metric, one in group.recovered.items():
            between = f" ({one.interval.low:.0%} to {one.interval.high:.0%})" if one.interval else ""
            lines.append(f"  of the oracle's gain, {metric}: {one.share:.0%}{between}")
        if (ours := group.contexts.get("ours")) is not None:
            cut_short = f"; {ours.cut_short} cut short by the deadline" if ours.cut_short else ""
            lines.append(
                f"  ours found in {ours.context_ms_p50:.1f} ms (p95 {ours.context_ms_p95:.1f}){cut_short}"
            )
    return "\n".join(lines)


def _telling(groups: dict[str, Group]) -> dict[str, Group]:
    """Without the language where there is only one: it says nothing that `all` does not."""
    return groups if len(groups) > 2 else {"all": groups["all"]}


def _column(text: str) -> str:
    return f"{text:>12}"


def plot(model: str, groups: dict[str, Group]) -> str:
    """Shares that are right, by context: all cases, then each language; one SVG document."""
    from .bench_plot import Bar, bars
    from .bench_plot import Group as Bars

    titles = {"exact": "the rest of the line", "identifier": "the name"}
    drawn = [
        Bars(
            f"{name}, {group.n} cases: {title} is right, % of cases",
            [
                Bar(f"{model}, {context}", 100 * getattr(one, metric), context == "ours")
                for context, one in group.contexts.items()
            ],
        )
        for name, group in _telling(groups).items()
        for metric, title in titles.items()
    ]
    return bars("Names that other files define, completed", drawn)


def _document(args: argparse.Namespace, groups: dict[str, Group]) -> dict[str, Any]:
    return {
        "set": args.set.name,
        "mode": "pipeline" if args.pipeline else "raw",
        "model": args.model,
        "engine": args.engine,
        "contexts": list(args.context),
        "budget_tokens": args.budget,
        "deadline_ms": args.deadline,
        "members": args.members,
        "n": groups["all"].n,
        "groups": {name: rounded(asdict(group)) for name, group in groups.items()},
    }


def _contexts(text: str) -> tuple[Context, ...]:
    """In the order of `_CONTEXTS`, each once."""
    wanted = {part.strip() for part in text.split(",") if part.strip()}
    if not wanted or wanted - set(_CONTEXTS):
        raise argparse.ArgumentTypeError(f"{text!r}: give one or several of {','.join(_CONTEXTS)}")
    from ..evaluation.xfile_scores import CONTEXTS

    return tuple(context for context in CONTEXTS if context in wanted)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number, at least 1")
    return int(text)


def _check_members(args: argparse.Namespace) -> None:
    if args.pipeline and args.members == "grounded":
        raise XFileError("--members grounded: leave out --pipeline, which grounds what it writes itself")


def _check_plot(path: Path | None) -> None:
    """Before anything is measured."""
    if path is not None and not path.absolute().parent.is_dir():
        raise XFileError(f"--plot {path}: give a file in a folder that exists")


def _settings(args: argparse.Namespace) -> Settings:
    raw = {"engine": args.engine, "completion": {"model": args.model, "lines": "single", "choices": 1}}
    settings, problems = read_settings(raw)
    if problems:
        raise XFileError("; ".join(map(str, problems)))
    return settings


def _tell(message: str) -> None:
    print(f"eval: {message}", file=sys.stderr, flush=True)


@contextmanager
def _progress(total: int) -> Generator[Callable[[XFileAnswer], None], None, None]:
    """A bar on stderr where that is a terminal; else a line for each tenth."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    done = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("asking", total=total)

        def on_answer(_: XFileAnswer) -> None:
            nonlocal done
            done += 1
            bar.update(task, completed=done)
            if not console.is_terminal and 10 * done // total > 10 * (done - 1) // total:
                _tell(f"{done} of {total} answers")

        yield on_answer
