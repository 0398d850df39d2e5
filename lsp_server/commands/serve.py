"""`truepenny serve`: the language server."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from ..settings import read_settings

_LEVELS = ("debug", "info", "warning", "error")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "serve",
        help="the language server, for editors",
        description="Serve one editor over standard input and output.  Logs go to standard error.",
        epilog="example: truepenny serve --engine fake",
    )
    add_arguments(parser)
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tcp", metavar="HOST:PORT", help="serve one loopback connection instead, for debugging"
    )
    parser.add_argument(
        "--engine", metavar="ENGINE", help="local, fake or a URL; stands above the editor's setting"
    )
    parser.add_argument("--log-level", choices=_LEVELS, default="warning", help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Serve until the editor is done.  2 when an argument cannot be used."""
    engine: str | None = args.engine
    if engine is not None:
        _, problems = read_settings({"engine": engine})
        for problem in problems:
            print(f"truepenny serve: --engine {problem.value}: {problem.fix}", file=sys.stderr)
        if problems:
            return 2
    _log_to_stderr(args.log_level)
    # Only now, so that `--help` and a mistake are answered without loading the protocol.
    from ..editor.server import TruepennyServer
    from ..editor.transport import AddressError, loopback_address, serve_stdio, serve_tcp
    from ..ledger.journal import journal_folder

    server = TruepennyServer(engine=engine, state=journal_folder())
    try:
        if args.tcp is None:
            serve_stdio(server)
        else:
            serve_tcp(server, *loopback_address(args.tcp))
    except AddressError as error:
        print(f"truepenny serve: --tcp {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        # The thread that waits for standard input cannot be woken, and Python would wait for it.
        sys.stderr.flush()
        os._exit(130)
    return 0


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname).1s %(name)s: %(message)s",
    )
    if level != "debug":
        logging.getLogger("pygls").setLevel(logging.WARNING)  # at `info` it logs whole documents
