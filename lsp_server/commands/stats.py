"""`truepenny stats`: how suggestions fare on this machine.  Nothing of it is sent anywhere."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..ledger.journal import journal_folder, read_journal
from ..ledger.stats import Stats, as_json, summed_up
from .bench_plot import Bar, Group, bars

NUM_SILENCES = 8


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "stats",
        help="how suggestions fare: shown, accepted, kept, silent, how fast",
        description="Shown, seen, accepted and kept suggestions, reasons for silence, and time by stage, by "
        "language; from the journal of this machine.  Nothing is sent anywhere.",
        epilog="example: truepenny stats --plot stats.svg",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: there are figures; 1: nothing has been asked yet; 2: the journal or the picture cannot be had."""
    folder = journal_folder()
    try:
        stats = summed_up(read_journal(folder))
        if args.plot is not None:
            Path(args.plot).write_text(plotted(stats), encoding="utf-8")
    except OSError as error:
        print(f"truepenny stats: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(as_json(stats)))
    elif stats.num_asked:
        print("\n\n".join(_told(part) for part in (stats, *stats.languages) if part.num_asked))
    if not stats.num_asked:
        print(f"truepenny stats: no editor has asked for anything yet ({folder} was read)", file=sys.stderr)
    return 0 if stats.num_asked else 1


def _told(stats: Stats) -> str:
    """A paragraph; the one about everything has the reasons and the times too."""
    taken = f"{stats.num_accepted}, and {stats.num_partially_accepted} in part ({stats.acceptance:.0%})"
    lines = [
        f"{stats.language or 'all languages'}: {stats.num_asked} requests, {stats.num_shown} suggestions",
        f"  seen for 750 ms   {stats.num_seen}",
        f"  accepted          {taken}",
        f"  characters        {stats.num_chars_accepted}",
        *(
            f"  there after {_duration(kept.after_s):<6}{kept.num_kept} of {kept.num_known}"
            for kept in stats.kept
            if kept.num_known
        ),
        f"  prompt reused     {stats.reused_share:.0%}",
    ]
    if not stats.language:
        lines += ["  time, ms          p50     p95"]
        lines += [f"    {one.stage:<14}{one.p50_ms:>7.0f} {one.p95_ms:>7.0f}" for one in stats.latencies]
        lines += ["  silent because"] if stats.silences else []
        lines += [f"    {one.num:>5}  {one.reason}" for one in stats.silences[:NUM_SILENCES]]
    return "\n".join(lines)


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"


def plotted(stats: Stats) -> str:
    """As one SVG: what became of suggestions, time by stage, reasons for silence, languages."""
    fates = [
        ("asked", stats.num_asked),
        ("shown", stats.num_shown),
        ("seen for 750 ms", stats.num_seen),
        ("accepted in part", stats.num_partially_accepted),
        ("accepted", stats.num_accepted),
        *((f"there after {_duration(kept.after_s)}", kept.num_kept) for kept in stats.kept),
    ]
    groups = [
        Group("what became of them", [Bar(name, num, is_ours=True) for name, num in fates]),
        Group("ms, median", [Bar(one.stage, one.p50_ms, is_ours=True) for one in stats.latencies]),
        Group("ms, 95 of 100", [Bar(one.stage, one.p95_ms, is_ours=False) for one in stats.latencies]),
        Group(
            "silent because",
            [Bar(_short(one.reason), one.num, is_ours=False) for one in stats.silences[:NUM_SILENCES]],
        ),
        Group(
            "accepted, per cent of shown",
            [
                Bar(one.language, 100 * one.acceptance, is_ours=True)
                for one in stats.languages
                if one.num_shown
            ],
        ),
    ]
    return bars("Truepenny on this machine", groups)


def _short(reason: str) -> str:
    return reason if len(reason) <= 32 else reason[:31] + "…"
