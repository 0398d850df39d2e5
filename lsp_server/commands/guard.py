"""`truepenny guard batch`: verdicts on many suggestions, for measuring and for pipelines.

One JSON object a line, in and out.  In: `id, language, before, suggestion, after`, and perhaps `path` and
`workspace`.  Out: `id, action, verdicts, text_after, vouched, ms`, in the same order; a verdict's offsets
count code points of the suggestion as it came, or of `text_after` where it is only annotated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from rich.console import Console
from rich.progress import track

from ..evaluation.metrics import percentile

if TYPE_CHECKING:
    from ...guard.pipeline import Guard
    from ...guard.verdict import Judgement, Passage, Verdict
    from ..unopened import UnopenedTexts

EXAMPLE = """\
examples:
  truepenny guard batch suggestions.jsonl verdicts.jsonl --json
  git show HEAD:src/db.py | jq -Rs '{id: "db", language: "python", before: "", suggestion: ., after: ""}' \\
    | truepenny guard batch - -
"""
_TEXTS = ("language", "before", "suggestion", "after")


class BatchError(Exception):
    """A line that cannot be judged; names it, and says what is expected."""


@dataclass(frozen=True, slots=True)
class _Asked:
    id: Any
    passage: Passage
    workspace: str | None


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "guard",
        help="verdicts on suggestions, in bulk",
        description="Judge suggestions as they would be judged before they are shown.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    batch = kinds.add_parser(
        "batch",
        help="one JSON object a line, in and out",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    batch.add_argument("source", metavar="IN.jsonl", help="- for standard input")
    batch.add_argument("target", metavar="OUT.jsonl", help="- for standard output")
    batch.add_argument("--deadline", metavar="MS", type=float, help="for each; what is late is unvouched")
    batch.add_argument(
        "--grounding", choices=("on", "off"), default="on", help="do names exist? (%(default)s)"
    )
    batch.add_argument(
        "--environment",
        type=Path,
        metavar="DIR",
        help="of Python, for workspaces that have none of their own (the active one, else ours)",
    )
    batch.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    batch.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: nothing was withheld or trimmed; 1: something was; 2: the input cannot be used."""
    try:
        lines = _read(args.source)
        with _opened(args.target) as target:
            figures = _judge_all(lines, target, args)
    except (BatchError, OSError, UnicodeDecodeError) as error:
        print(f"truepenny guard: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(figures))
    else:
        actions = ", ".join(f"{num} {name}" for name, num in figures["actions"].items())
        told = f"{figures['n']} judged: {actions}; {figures['ms_p50']} ms (p95 {figures['ms_p95']})"
        print(told, file=sys.stderr)
    return 1 if any(figures["actions"].get(name) for name in ("trim", "withhold")) else 0


def _judge_all(lines: list[str], target: TextIO, args: argparse.Namespace) -> dict[str, Any]:
    from ...guard.pipeline import Guard
    from ..unopened import UnopenedTexts
    from ..vouching import the_guard

    if args.grounding == "off":
        return _judged(lines, target, args.deadline, the_guard(), None)
    with closing(UnopenedTexts(args.environment)) as unopened:
        guard = Guard([*the_guard().checks, *unopened.checks])
        return _judged(lines, target, args.deadline, guard, unopened)


def _judged(
    lines: list[str],
    target: TextIO,
    deadline_ms: float | None,
    guard: Guard,
    unopened: UnopenedTexts | None,
) -> dict[str, Any]:
    console = Console(stderr=True)
    took: list[float] = []
    actions, kinds, unvouched = Counter[str](), Counter[str](), 0
    asked_of = _asked(lines)
    for asked in track(asked_of, "judging", len(lines), console=console, disable=not console.is_terminal):
        passage = asked.passage if unopened is None else unopened.placed(asked.passage, asked.workspace)
        judgement = guard.judge(passage, deadline_ms)
        target.write(json.dumps(document(asked.id, judgement), ensure_ascii=False) + "\n")
        took.append(judgement.ms)
        actions[judgement.action.name.lower()] += 1
        kinds.update({verdict.kind for verdict in judgement.verdicts})
        unvouched += not judgement.vouched
    return {
        "n": len(took),
        "actions": dict(actions.most_common()),
        "kinds": dict(kinds.most_common()),
        "unvouched": unvouched,
        "ms_p50": round(percentile(took, 0.5), 2),
        "ms_p95": round(percentile(took, 0.95), 2),
    }


def document(id_: object, judgement: Judgement) -> dict[str, Any]:
    """The JSON contract of one verdict line."""
    return {
        "id": id_,
        "action": judgement.action.name.lower(),
        "verdicts": [_verdict(verdict) for verdict in judgement.verdicts],
        "text_after": judgement.text,
        "vouched": judgement.vouched,
        "unfinished": list(judgement.unfinished),
        "ms": round(judgement.ms, 3),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {**asdict(verdict), "action": verdict.action.name.lower()}


def _asked(lines: list[str]) -> Iterator[_Asked]:
    from ...guard.verdict import Passage

    for number, line in enumerate(lines, start=1):
        try:
            given = json.loads(line)
        except ValueError as error:
            raise BatchError(f"line {number} is not JSON ({error}): give one object a line") from error
        if not isinstance(given, dict):
            raise BatchError(f"line {number} is {line[:40]!r}: give an object with id, language, suggestion")
        record = cast("dict[str, Any]", given)
        texts = {name: record.get(name, "" if name in ("before", "after") else None) for name in _TEXTS}
        for name, value in texts.items():
            if not isinstance(value, str):
                raise BatchError(f"line {number}: {name!r} is {value!r}: give a text")
        path = record.get("path")
        passage = Passage(
            before=texts["before"],
            suggestion=texts["suggestion"],
            after=texts["after"],
            language=texts["language"],
            path=path if isinstance(path, str) else None,
        )
        workspace = record.get("workspace")
        yield _Asked(record.get("id", number), passage, workspace if isinstance(workspace, str) else None)


def _read(source: str) -> list[str]:
    text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line.strip()]


class _opened:  # noqa: N801  (a context manager that reads as a verb)
    """The target; standard output stays open."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._file: TextIO | None = None

    def __enter__(self) -> TextIO:
        if self._target == "-":
            return sys.stdout
        self._file = Path(self._target).open("w", encoding="utf-8")
        return self._file

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
