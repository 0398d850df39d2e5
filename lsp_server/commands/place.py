"""`FILE:LINE:COL` on a command line: lines count from 1, columns from 1 in characters."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from ...context.errors import ContextError
from ...context.files import read_file
from ...context.languages import language_of_path
from ..settings import Settings, read_settings
from ..snapshot import Snapshot

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+):(?P<column>\d+)")


class PlaceError(Exception):
    """An argument that names no place; the message says what is wrong and what is expected."""


@dataclass(frozen=True, slots=True)
class Place:
    snapshot: Snapshot
    offset: int


def open_place(argument: str, *, stdin: bool = False) -> Place:
    """The document and the offset meant.  With `stdin` the text comes from there, and the path only names it.

    A column past the end of the line is the end of the line, as in editors; a line past the end of
    the document is refused.

    Raises:
        PlaceError: not of this form, a file that cannot be read, or no such line.
    """
    match = _PLACE.fullmatch(argument)
    if match is None:
        raise PlaceError(f"{argument!r} is not FILE:LINE:COL; for example src/app.py:42:9")
    path = Path(match["path"])
    try:
        text = sys.stdin.read() if stdin else read_file(path).text
    except ContextError as error:
        raise PlaceError(str(error)) from error
    language = language_of_path(str(path))
    snapshot = Snapshot(str(path), language.name if language else "plaintext", text)
    return Place(snapshot, offset_of(text, int(match["line"]), int(match["column"])))


def offset_of(text: str, line: int, column: int) -> int:
    """Code-point offset of a 1-based line and column.  Raises PlaceError for a line that is not there."""
    lines = re.split(r"\r\n|\r|\n", text)
    if not 1 <= line <= len(lines) or column < 1:
        raise PlaceError(f"there is no line {line}, column {column}: the document has {len(lines)} lines")
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    return starts[line - 1] + min(column - 1, len(lines[line - 1]))


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """What every command that asks an engine understands."""
    parser.add_argument("--engine", metavar="ENGINE", default="local", help="local (default), fake or a URL")
    parser.add_argument("--model", metavar="NAME", help="a model that has been pulled")
    parser.add_argument("--precision", metavar="P", help="auto (default), int8, fp32, bf16 or nf4")


def settings_of(args: argparse.Namespace, **completion: object) -> Settings:
    """Settings from the command line.  Raises PlaceError naming the argument that cannot be used."""
    given: dict[str, object] = {"model": args.model, "precision": args.precision, **completion}
    wanted = {key: value for key, value in given.items() if value is not None}
    raw = {"engine": args.engine, "completion": wanted, "chat": {"model": args.model} if args.model else {}}
    settings, problems = read_settings(raw)
    if problems:
        raise PlaceError(str(problems[0]))
    return settings
