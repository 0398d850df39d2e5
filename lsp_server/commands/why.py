"""`truepenny why`: what became of the last requests, and what would change it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..ledger.journal import Record, journal_folder, read_journal

DEFAULT_NUM = 10
_STAGES = {
    "session": "before the model was asked",
    "gate": "the place",
    "recall": "memory",
    "connect": "the engine could not be reached",
    "context": "context",
    "engine": "the model",
    "trim": "what the model wrote",
    "guard": "the checks",
    "confidence": "confidence",
    "place": "the place",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "why",
        help="why there was no suggestion, or this one",
        description="What became of the last requests, newest first: shown or silent, the reason, the stage "
        "that decided, the time it took, and the setting that would change it.",
        epilog="example: truepenny why src/app.py -n 3",
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="of this file only")
    parser.add_argument(
        "-n", dest="num", type=int, default=DEFAULT_NUM, help="how many; default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: there is something to tell; 1: nothing is known, and how to come to know; 2: it cannot be read."""
    folder = journal_folder()
    try:
        records = read_journal(folder)
    except OSError as error:
        print(f"truepenny why: the journal in {folder} cannot be read: {error}", file=sys.stderr)
        return 2
    if args.file is not None:
        names = _names_of(Path(args.file))
        records = [record for record in records if record.document in names]
    last = records[::-1][: max(0, args.num)]
    if args.json:
        print(json.dumps({"requests": [asdict(record) for record in last]}))
    elif last:
        print("\n".join(map(_line, last)))
    if not last:
        about = f" about {args.file}" if args.file is not None else ""
        print(
            f"truepenny why: nothing is known{about}: no editor has asked yet, its server writes elsewhere "
            f"({folder} was read), or the setting 'journal' is off",
            file=sys.stderr,
        )
    return 0 if last else 1


def _names_of(path: Path) -> Sequence[str]:
    """As an editor may have called it: with links, or where they lead."""
    from ..prompting.workspace import Workspace

    workspace = Workspace()
    return [workspace.name(str(path.absolute())), workspace.name(str(path.resolve()))]


def _line(record: Record) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(record.at_s))
    slowest = sorted(record.stage_ms.items(), key=lambda item: -item[1])[:3]
    times = ", ".join(f"{name} {ms:.0f}" for name, ms in slowest if ms >= 1)
    took = f"{record.total_ms:.0f} ms" + (f" ({times})" if times else "")
    language = record.language or "?"
    if record.shown:
        fate = "" if record.fate == "answered" else f", {record.fate.replace('_', ' ')}"
        reused = (
            f", {record.reused_tokens} of {record.prompt_tokens} tokens reused"
            if record.prompt_tokens
            else ""
        )
        remark = f"\n          {record.reason}" if record.reason else ""
        return f"{when}  shown   {language}: {record.num_chars} characters{fate}; {took}{reused}{remark}"
    stage = _STAGES.get(record.stage, record.stage)
    change = f"\n          change: {record.setting}" if record.setting else ""
    return f"{when}  silent  {language}: {record.reason} [{stage}]; {took}{change}"
