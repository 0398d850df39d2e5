"""`truepenny licences`: whose code suggestions are compared with."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...guard.errors import GuardError
from ...models.store import cache_root
from ..progress import Meter, meter
from . import licences_build

if TYPE_CHECKING:
    from ...guard.licence.sources.shelf import Entry, Shelf

EXAMPLE = """\
examples:
  truepenny licences list                        what suggestions are compared with
  truepenny licences add ~/src/theirs            a folder of somebody's code
  truepenny licences add ansible-core            an installed package
  truepenny licences add theirs-1.2.tar.gz a.whl archives; a Debian .dsc with its tarballs too
  truepenny licences remove theirs
  truepenny licences build                       3 million lines of copyleft code, from your package sources

A small index of much-copied copyleft code comes with truepenny.  Others lie in the cache folder
($TRUEPENNY_CACHE), one file each, and hold no text: fingerprints, file names and licences.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "licences",
        help="whose code suggestions are compared with",
        description="Add, list and remove the code that suggestions are compared with before they are shown.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="index a folder, an installed package or an archive")
    add.add_argument("sources", nargs="+", metavar="PATH|PACKAGE|ARCHIVE")
    add.add_argument("--name", help="what to call it (default: as it calls itself); for one source")
    add.add_argument("--tests", action="store_true", help="tests too; they are left out as a rule")
    add.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    add.set_defaults(run=run_add)
    listing = actions.add_parser("list", help="what is there")
    listing.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    listing.set_defaults(run=run_list)
    remove = actions.add_parser("remove", help="compare with a source no more")
    remove.add_argument("names", nargs="+", metavar="NAME")
    remove.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    remove.set_defaults(run=run_remove)
    licences_build.add_parsers(actions)


def shelf() -> Shelf:
    """Where the indexes of this machine are."""
    from ...guard.licence.sources.shelf import Shelf

    return Shelf(cache_root() / "licences")


def run_add(args: argparse.Namespace) -> int:
    """0: all are indexed; 2: one or more could not be, and the others are."""
    if args.name and len(args.sources) > 1:
        print("truepenny licences add: --name is for one source: add them one by one", file=sys.stderr)
        return 2
    failed = 0
    added: list[dict[str, Any]] = []
    for source in args.sources:
        progress = meter()
        try:
            added.append(_add(shelf(), source, args, progress))
        except (GuardError, OSError) as error:
            failed += 1
            print(f"truepenny licences add: {error}", file=sys.stderr)
        finally:
            progress.done()
    if args.json:
        print(json.dumps({"added": added, "failed": failed}))
    return 2 if failed else 0


def _add(where: Shelf, source: str, args: argparse.Namespace, progress: Meter) -> dict[str, Any]:
    from ...guard.licence.sources.collect import Choice
    from ...guard.licence.sources.locate import open_source

    project = open_source(source, choice=Choice(with_tests=args.tests), on_read=progress.advance)
    name = args.name or project.name
    progress.start(project.num_bytes, f"indexing {name}")
    stats = where.add(name, project.version, project.url, project.files)
    entry = where.entry(where.path_of(name))
    print(_line(entry))
    out = ", ".join(f"{count:,} {reason}" for reason, count in project.left_out.most_common())
    print(f"  left out: {out or 'nothing'}")
    return _document(entry) | {"left_out": dict(project.left_out), "skipped": stats.skipped}


def run_list(args: argparse.Namespace) -> int:
    """0: listed; 1: listed, and an index file is damaged."""
    from ...guard.licence.sources.packages import SEED_INDEX
    from ...guard.licence.sources.shelf import entry_of

    entries: list[Entry] = []
    damaged: list[str] = []
    for path in [SEED_INDEX, *shelf().paths()]:
        try:
            entries.append(entry_of(path))
        except GuardError as error:
            damaged.append(str(error))
            print(f"truepenny licences list: {error}", file=sys.stderr)
    for entry in entries:
        print(_line(entry) + ("  (comes with truepenny)" if entry.path == SEED_INDEX else ""))
    building = licences_build.status(shelf())
    if building:
        print(building)
    if args.json:
        print(json.dumps({"sources": [_document(one) for one in entries], "damaged": damaged}))
    return 1 if damaged else 0


def run_remove(args: argparse.Namespace) -> int:
    """0: all are gone; 2: one is not there."""
    removed: dict[str, int] = {}
    failed = 0
    for name in args.names:
        try:
            removed[name] = shelf().remove(name)
        except (GuardError, OSError) as error:
            failed += 1
            print(f"truepenny licences remove: {error}", file=sys.stderr)
        else:
            print(f"removed {name} ({removed[name] / 1e6:.1f} MB)")
    if args.json:
        print(json.dumps({"removed": removed, "failed": failed}))
    return 2 if failed else 0


_MAX_LICENCES = 3


def _line(entry: Entry) -> str:
    one = (
        " ".join(entry.projects[0]).strip() if len(entry.projects) == 1 else f"{len(entry.projects)} projects"
    )
    licences = ", ".join(licence for licence, _ in entry.licences[:_MAX_LICENCES])
    more = len(entry.licences) - _MAX_LICENCES
    licences += f" and {more} more" if more > 0 else ""
    size = f"{entry.num_files:,} files, {entry.num_lines:,} lines, {entry.num_bytes / 1e6:.1f} MB"
    return f"{entry.name}: {one}, {licences}, {size}"


def _document(entry: Entry) -> dict[str, Any]:
    shown = asdict(entry)
    return {
        "name": entry.name,
        "path": str(Path(shown["path"])),
        "projects": [{"name": name, "version": version} for name, version in entry.projects],
        "licences": dict(entry.licences),
        "files": entry.num_files,
        "lines": entry.num_lines,
        "bytes": entry.num_bytes,
    }
