"""`truepenny bench`: speed, measured on this machine."""

from __future__ import annotations

import argparse

from . import bench_engine, bench_guard, bench_index, bench_replay

EXAMPLE = """\
examples:
  truepenny bench engine                   beside stock transformers, a minute or two
  truepenny bench engine --quality --json  and what quantisation costs in quality
  truepenny bench replay typing.json.gz    how long a person who types waits for suggestions
  truepenny bench index ~/src/app          how long the index takes, beside parsing alone
  truepenny bench guard ~/src/app          what judging a suggestion costs
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "bench",
        help="measure speed on this machine",
        description="Measure speed on this machine.  Close what else is running: a busy machine gives "
        "figures of its own.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    bench_engine.add_parser(kinds)
    bench_replay.add_parser(kinds)
    bench_index.add_parser(kinds)
    bench_guard.add_parser(kinds)
