"""`truepenny index`: build or refresh the index of a workspace, and say what is in it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...context.errors import ContextError, IndexUnavailableError
from ...models.store import cache_root

if TYPE_CHECKING:
    from ...context.index.answers import Counts, RefusedFile
    from ...context.index.build import Progress
    from ...context.index.location import Location

EXAMPLE = """\
examples:
  truepenny index                      build or refresh the index of this folder
  truepenny index ~/src/app --status   what is in it, and which files stay out and why
  truepenny index --rebuild --json

The index lies in the cache folder ($TRUEPENNY_CACHE), never in the repository.  The language server
keeps it up to date by itself.
"""
_MAX_LISTED = 40


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "index",
        help="build or refresh the index of a workspace",
        description="Read the facts of every source file of a folder, or what changed since the last time.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="a folder; default: this one")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="change nothing; say what is in it")
    what.add_argument("--clear", action="store_true", help="remove the index of this repository")
    what.add_argument("--rebuild", action="store_true", help="remove it and build it anew")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: done; 1: `--status`, and there is no complete index; 2: it could not be done."""
    from ...context.index.location import locate

    if not Path(args.path).is_dir():
        print(f"truepenny index: {args.path} is not a folder: name one", file=sys.stderr)
        return 2
    try:
        location = locate(args.path, cache_root())
        if args.clear or args.rebuild:
            removed_bytes = _clear(location)
            if args.clear:
                return _say_cleared(location, removed_bytes, as_json=args.json)
        return _status(location, args) if args.status else _build(location, args)
    except (ContextError, OSError) as error:
        print(f"truepenny index: {error}", file=sys.stderr)
        return 2


def _build(location: Location, args: argparse.Namespace) -> int:
    from ...context.index.process import run_build

    begun = time.monotonic()
    with _progress() as on_progress:
        report = run_build(location, on_progress=on_progress)
    seconds = time.monotonic() - begun
    if report.note:
        print(f"truepenny index: {report.note}", file=sys.stderr)
    counts, refused = _ask(location)
    print(_summary(location, counts))
    print(f"{report.num_read:,} files read, {report.num_gone:,} gone, in {seconds:.1f} s")
    if args.json:
        extra = {
            "seconds": round(seconds, 3),
            "read": report.num_read,
            "gone": report.num_gone,
            "peak_bytes": report.peak_bytes,
            "note": report.note,
        }
        print(json.dumps(_document(location, counts, refused) | extra))
    return 0


def _status(location: Location, args: argparse.Namespace) -> int:
    if not location.database.exists():
        print(f"there is no index of {location.root} yet: run `truepenny index {location.root}`")
        if args.json:
            print(json.dumps({"root": _shown(location.root), "complete": False, "files": 0}))
        return 1
    counts, refused = _ask(location)
    print(_summary(location, counts))
    for one in refused[:_MAX_LISTED]:
        print(f"  {one.reason:<10} {_shown(one.path)}")
    if len(refused) > _MAX_LISTED:
        print(f"  and {len(refused) - _MAX_LISTED:,} more: --json lists all")
    if args.json:
        print(json.dumps(_document(location, counts, refused)))
    return 0 if counts.complete else 1


def _ask(location: Location) -> tuple[Counts, tuple[RefusedFile, ...]]:
    from ...context.index.reader import Reader

    reader = Reader(location)
    try:
        return reader.counts(), reader.refused()
    finally:
        reader.close()


def _clear(location: Location) -> int:
    """Bytes removed.  Waits for nobody: a build under way is an error."""
    from filelock import FileLock, Timeout

    if not location.folder.is_dir():
        return 0
    try:
        with FileLock(location.build_lock, timeout=0), FileLock(location.repair_lock, timeout=5):
            num_bytes = sum(path.stat().st_size for path in location.folder.iterdir())
            for path in location.folder.glob("facts-*"):
                path.unlink(missing_ok=True)
    except Timeout as error:
        raise IndexUnavailableError(
            f"another process is building {location.folder}: wait for it, or close that editor"
        ) from error
    return num_bytes


def _say_cleared(location: Location, removed_bytes: int, *, as_json: bool) -> int:
    print(f"removed {removed_bytes / 1e6:.1f} MB: {location.folder}")
    if as_json:
        print(json.dumps({"root": _shown(location.root), "removed_bytes": removed_bytes}))
    return 0


def _summary(location: Location, counts: Counts) -> str:
    languages = ", ".join(f"{one.language} {one.lines:,}" for one in counts.languages) or "none"
    found = f"{counts.definitions:,} definitions, {counts.references:,} references"
    lines = [
        f"{_shown(location.root)}: {counts.files:,} files, {counts.lines:,} lines, {found}",
        f"lines by language: {languages}",
        f"kept out: {counts.refused:,}; in no language known: {counts.other:,}"
        + (f"; beyond the limit: {counts.left_out:,}" if counts.left_out else ""),
        f"stored in {location.database} ({_size_of(location) / 1e6:.1f} MB)",
    ]
    if not counts.complete:
        lines.append("not complete: the last build did not come to its end")
    return "\n".join(lines)


def _document(location: Location, counts: Counts, refused: tuple[RefusedFile, ...]) -> dict[str, Any]:
    return {
        "root": _shown(location.root),
        "database": _shown(location.database),
        "files": counts.files,
        "lines": counts.lines,
        "symbols": counts.definitions,
        "references": counts.references,
        "bytes": counts.bytes,
        "index_bytes": _size_of(location),
        "complete": counts.complete,
        "languages": {one.language: {"files": one.files, "lines": one.lines} for one in counts.languages},
        "refused": [asdict(one) | {"path": _shown(one.path)} for one in refused],
        "other": counts.other,
        "left_out": counts.left_out,
    }


def _size_of(location: Location) -> int:
    return sum(path.stat().st_size for path in location.folder.glob(location.database.name + "*"))


def _shown(path: str | Path) -> str:
    """Names that are not UTF-8 are printed with a mark in place of what is not."""
    return str(path).encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _progress() -> Generator[Callable[[Progress], None], None, None]:
    """A bar of files, on stderr and only on a terminal; else a line for each tenth."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tenths = 0
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("scanning", total=None)

        def on_progress(progress: Progress) -> None:
            nonlocal tenths
            total = progress.num_total
            bar.update(task, description=progress.phase, completed=progress.num_done, total=total or None)
            if not console.is_terminal and total and 10 * progress.num_done // total > tenths:
                tenths = 10 * progress.num_done // total
                print(f"index: {progress.num_done} of {total} files", file=sys.stderr, flush=True)

        yield on_progress
