"""`truepenny`: one command line for people, CI and measurement.

Results go to stdout, progress and logs to stderr; `--json` makes the last line of stdout one JSON
document.  Exit 0: done; 1: done, and the answer is no; 2: could not be done, and the message says
what to do.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version

from .commands import bench as bench_command
from .commands import chat, complete, context, doctor, engine, index, licences, pull, serve, stats, why
from .commands import checkers as checkers_command
from .commands import eval as eval_command
from .commands import guard as guard_command
from .commands import packages as packages_command


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="truepenny",
        description="A local code assistant that checks every suggestion before you see it.",
        epilog="example: truepenny complete src/app.py:42:9",
    )
    parser.add_argument("--version", action="version", version=f"truepenny {version('truepenny')}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    everyday = (pull, serve, complete, chat, why, stats, doctor)
    known = (context, index, licences, packages_command, checkers_command)
    for command in (*everyday, engine, *known, guard_command, eval_command, bench_command):
        command.add_parser(subparsers)
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("truepenny: interrupted", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing more can be said, and that is no error.
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
