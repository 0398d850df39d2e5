"""`truepenny bench guard`: what judging costs per suggestion, check by check, on blocks of real files.

Blocks of so many lines are taken out of files of the folders given and judged in their own place.  They
are working code: what is flagged in them is a false alarm, or a fault of its author.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.metrics import percentile
from .measuring import alone, tell

if TYPE_CHECKING:
    from ...guard.verdict import Check, Passage

EXAMPLE = """\
examples:
  truepenny bench guard ~/src/app
  truepenny bench guard /usr/lib/python3.12 --blocks 500 --lines 12 --json
"""
_MAX_FILES = 2_000


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "guard",
        help="what judging a suggestion costs, and how often working code is flagged",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="where sources are")
    parser.add_argument("--blocks", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--lines", type=int, default=20, metavar="N", help="of a block (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: measured; 2: there are no sources."""
    blocks = list(_blocks(args.folders, args.blocks, args.lines))
    if not blocks:
        print("truepenny bench guard: there are no source files in these folders", file=sys.stderr)
        return 2
    with alone():
        report = measure(blocks)
    for name, took in report["checks"].items():
        share = f"{took['flagged']} flagged ({took['flagged_share']:.2%})"
        print(f"{name:>12}: {took['ms_p50']} ms (p95 {took['ms_p95']}), {share}")
    whole = report["judgement"]
    print(f"{'all':>12}: {whole['ms_p50']} ms (p95 {whole['ms_p95']})")
    flagged = ", ".join(f"{num} {kind}" for kind, num in report["flagged"].items()) or "none"
    print(f"of {report['blocks']} blocks of {args.lines} lines flagged: {flagged}")
    if args.json:
        print(json.dumps({**report, "lines": args.lines}))
    return 0


def measure(blocks: list[Passage]) -> dict[str, Any]:
    """Milliseconds per check and in all, and of which blocks more is said than a remark.

    A check that fails on a block has flagged nothing, and is counted as unvouched.
    """
    from ...guard.verdict import Action
    from ..vouching import the_guard

    guard = the_guard()
    tell(f"{len(blocks)} blocks")
    for language, path in {(one.language, one.path) for one in blocks}:  # rules and indexes are read once
        guard.warm(language, path)
    for check in guard.checks:
        _timed(check, blocks[0])
    checks: dict[str, dict[str, float]] = {}
    for check in guard.checks:
        judged = [_timed(check, one) for one in blocks]
        num_flagged = sum(is_flagged for _, is_flagged in judged)
        checks[check.name] = {
            **_spread([ms for ms, _ in judged]),
            "flagged": num_flagged,
            "flagged_share": round(num_flagged / len(blocks), 5),
        }
    whole: list[float] = []
    flagged: Counter[str] = Counter()
    num_unvouched = 0
    for one in blocks:
        judgement = guard.judge(one)
        whole.append(judgement.ms)
        num_unvouched += not judgement.vouched
        flagged.update({verdict.kind for verdict in judgement.verdicts if verdict.action > Action.ANNOTATE})
    return {
        "blocks": len(blocks),
        "checks": checks,
        "judgement": _spread(whole),
        "unvouched": num_unvouched,
        "flagged": dict(flagged.most_common()),
        "flagged_share": round(sum(flagged.values()) / len(blocks), 5),
    }


def _blocks(folders: list[Path], num: int, num_lines: int) -> list[Passage]:
    from ...context.files import read_file
    from ...context.index.scanner import Scanner
    from ...guard.verdict import Passage

    found = [(folder.resolve(), one) for folder in folders for one in Scanner(folder.resolve()).scan().found]
    chooser = random.Random(5)  # noqa: S311  (the same blocks every time, not a secret)
    chooser.shuffle(found)
    blocks: list[Passage] = []
    for root, one in found[:_MAX_FILES]:
        lines = read_file(root / one.path).text.splitlines(keepends=True)
        if len(lines) <= num_lines + 2:
            continue
        at = chooser.randrange(1, len(lines) - num_lines)
        blocks.append(
            Passage(
                before="".join(lines[:at]),
                suggestion="".join(lines[at : at + num_lines]).rstrip("\n"),
                after="\n" + "".join(lines[at + num_lines :]),
                language=one.language.name,
                path=str(root / one.path),
            )
        )
        if len(blocks) >= num:
            break
    return blocks


def _timed(check: Check, passage: Passage) -> tuple[float, bool]:
    """Milliseconds, and whether it finds more than a remark."""
    from ...guard.errors import GuardError
    from ...guard.verdict import Action

    begun = time.perf_counter()
    try:
        found = check.judge(passage)
    except GuardError:
        found = ()
    return (time.perf_counter() - begun) * 1000, any(one.action > Action.ANNOTATE for one in found)


def _spread(values: list[float]) -> dict[str, float]:
    return {"ms_p50": round(percentile(values, 0.5), 3), "ms_p95": round(percentile(values, 0.95), 3)}
