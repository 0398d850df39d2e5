"""`truepenny packages`: which packages suggestions may name."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...guard.errors import GuardError
from ...models.store import cache_root
from ..progress import meter

if TYPE_CHECKING:
    from ...guard.grounding.packages.known import Registry
    from ...guard.grounding.packages.standing import KnownPackages

EXAMPLE = """\
examples:
  truepenny packages check requests reqeusts       are they there, or a slip away from something?
  truepenny packages check --npm react             the same for npm
  truepenny packages list                          what is known, and since when
  truepenny packages refresh                       all names of the package index that pip is set to
  truepenny packages refresh --index URL           of another one (its /simple/ address)
  truepenny packages refresh --npm FILE|URL        names of npm, one per line or JSON

Nothing is fetched but by `refresh`, and of what it fetches a filter is kept that holds no names.
Without it, "published" cannot be told from "nobody's": what is neither installed, declared nor well
known is then called unknown.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "packages",
        help="which packages suggestions may name",
        description="Look packages up, and fetch the names that an index publishes.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser("check", help="where packages stand, by the names that installers take")
    check.add_argument("names", nargs="+", metavar="NAME")
    check.add_argument("--npm", action="store_true", help="of npm, not of Python")
    check.add_argument(
        "--workspace", default=".", metavar="FOLDER", help="whose environment and manifests count"
    )
    check.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    check.set_defaults(run=run_check)
    listing = actions.add_parser("list", help="what is known, and since when")
    listing.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    listing.set_defaults(run=run_list)
    refresh = actions.add_parser("refresh", help="fetch the names that an index publishes")
    source = refresh.add_mutually_exclusive_group()
    source.add_argument("--index", metavar="URL", help="a Python index (default: the one pip is set to)")
    source.add_argument("--npm", metavar="FILE|URL", help="names of npm")
    refresh.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    refresh.set_defaults(run=run_refresh)


def filters() -> Path:
    """Where the fetched names of this machine are."""
    return cache_root() / "packages"


def run_check(args: argparse.Namespace) -> int:
    """0: all are there; 1: one is unknown, or a slip away from a well-known one."""
    from ...guard.grounding.knowledge import Source

    registry: Registry = "npm" if args.npm else "pypi"
    packages = _packages(Path(args.workspace).resolve())
    rows: list[dict[str, Any]] = []
    for name in args.names:
        standing = packages.standing_of_package(name, registry)
        rows.append({"name": name, **asdict(standing), "source": standing.source.value})
        meant = f": did you mean {standing.look_alike_of}?" if standing.look_alike_of else ""
        print(f"{name}: {standing.source.value}{meant}")
    if args.json:
        print(json.dumps({"registry": registry, "packages": rows}))
    bad = {Source.UNKNOWN.value, Source.LOOK_ALIKE.value}
    return 1 if any(row["source"] in bad for row in rows) else 0


def _packages(root: Path) -> KnownPackages:
    from ...guard.grounding.environment import find_environment
    from ...guard.grounding.packages.standing import Installation, KnownPackages

    found = find_environment(str(root / "x.py"), root)
    return KnownPackages(root, Installation(python=found.site_packages), filters())


def run_list(args: argparse.Namespace) -> int:
    """0: listed; 1: listed, and what was fetched is damaged."""
    from ...guard.grounding.packages.filter import NameFilter
    from ...guard.grounding.packages.known import ranks
    from ...guard.grounding.packages.standing import FILTERS

    rows: dict[str, Any] = {}
    damaged: list[str] = []
    for registry in FILTERS:
        row: dict[str, Any] = {"well_known": len(ranks(registry)), "published": None}
        path = filters() / FILTERS[registry]
        if path.exists():
            try:
                facts = NameFilter.open(path).facts
            except GuardError as error:
                damaged.append(str(error))
                print(f"truepenny packages list: {error}", file=sys.stderr)
            else:
                row["published"] = {"names": facts.num_names, "from": facts.origin, "date": facts.date}
        rows[registry] = row
        told = row["published"]
        fetched = f"{told['names']:,} published ({told['from']}, {told['date']})" if told else "none fetched"
        print(f"{registry}: {row['well_known']:,} well known, {fetched}")
    if args.json:
        print(json.dumps({"registries": rows, "damaged": damaged}))
    return 1 if damaged else 0


def run_refresh(args: argparse.Namespace) -> int:
    """0: the names are there; 2: they are not, and what was there stays."""
    from ...guard.grounding.packages.refresh import configured_index, refresh
    from ...guard.grounding.packages.standing import FILTERS

    registry: Registry = "npm" if args.npm else "pypi"
    source = args.npm or args.index or configured_index(os.environ)
    if not source:
        print(
            "truepenny packages refresh: pip is set to no index of your own: name one with --index URL",
            file=sys.stderr,
        )
        return 2
    progress = meter()
    path = filters() / FILTERS[registry]
    try:
        made = refresh(registry, source, path, progress)
    except GuardError as error:
        print(f"truepenny packages refresh: {error}", file=sys.stderr)
        return 2
    finally:
        progress.done()
    size = path.stat().st_size
    print(f"{made.facts.num_names:,} names from {made.facts.origin}, {size / 1e6:.1f} MB")
    if args.json:
        document = {
            "registry": registry,
            "names": made.facts.num_names,
            "bytes": size,
            "from": made.facts.origin,
        }
        print(json.dumps(document))
    return 0
