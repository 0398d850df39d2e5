"""`truepenny licences build` and `seed`: an index made from a list of packages."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...guard.errors import GuardError
from ..progress import meter

if TYPE_CHECKING:
    from ...guard.licence.sources.shelf import Shelf

_NICE = 10


def add_parsers(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    build = actions.add_parser(
        "build",
        help="index 3 million lines of copyleft code from your package sources",
        description="Fetch a list of copyleft packages with your own pip and apt, run nothing of them, and "
        "index them (at most 40 MB).  An interrupted build goes on where it stopped.",
    )
    build.add_argument("--list", metavar="FILE", help="another list of packages (JSON, as data/build.json)")
    build.add_argument(
        "--background", action="store_true", help="return at once; `licences list` tells how far it is"
    )
    build.add_argument("--keep", action="store_true", help="keep what was fetched")
    build.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    build.set_defaults(run=run_build)
    seed = actions.add_parser("seed", help="make the index that ships, from its list (for developers)")
    seed.add_argument("--out", required=True, metavar="FILE")
    seed.add_argument("--list", metavar="FILE", help="another list (default: the one that ships)")
    seed.add_argument(
        "--fetched", metavar="FOLDER", help="where fetched packages are kept (default: the cache)"
    )
    seed.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    seed.set_defaults(run=run_seed)


def run_build(args: argparse.Namespace) -> int:
    """0: built, or begun in the background; 1: built, and some packages could not be had; 2: not built."""
    from filelock import FileLock, Timeout

    from ...guard.licence.sources.building import build
    from ...guard.licence.sources.fetch import Fetcher
    from ...guard.licence.sources.packages import BUILD_LIST, load
    from ...guard.licence.sources.shelf import BUILT
    from .licences import shelf

    where = shelf()
    folder = where.root / "build"
    folder.mkdir(parents=True, exist_ok=True)
    if args.background:
        return _in_background(args, folder)
    progress = meter()
    try:
        packages = load(Path(args.list) if args.list else BUILD_LIST)
        with FileLock(folder / ".lock", timeout=0):
            if hasattr(os, "nice"):
                os.nice(max(0, _NICE - os.nice(0)))
            fetcher = Fetcher(folder / "fetched", strict=False)
            built = build(packages, fetcher, where.path_of(BUILT), progress)
            if not args.keep:
                shutil.rmtree(folder / "fetched", ignore_errors=True)
    except Timeout:
        print(
            "truepenny licences build: another one is under way: see `truepenny licences list`",
            file=sys.stderr,
        )
        return 2
    except (GuardError, OSError) as error:
        print(f"truepenny licences build: {error}", file=sys.stderr)
        return 2
    finally:
        progress.done()
    stats = built.stats
    for name, reason in built.missing:
        print(f"truepenny licences build: {name} is left out: {reason}", file=sys.stderr)
    size = f"{stats.files:,} files, {stats.lines:,} lines, {stats.size_bytes / 1e6:.1f} MB"
    print(f"{stats.projects} projects, {size}")
    if args.json:
        document = {
            "path": str(where.path_of(BUILT)),
            "projects": stats.projects,
            "files": stats.files,
            "lines": stats.lines,
            "bytes": stats.size_bytes,
            "missing": dict(built.missing),
        }
        print(json.dumps(document))
    return 1 if built.missing else 0


def _in_background(args: argparse.Namespace, folder: Path) -> int:
    command = [sys.executable, "-I", "-m", "truepenny.lsp_server.cli", "licences", "build"]
    command += ["--list", str(Path(args.list).resolve())] if args.list else []
    command += ["--keep"] if args.keep else []
    with (folder / "log").open("wb") as log:
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    print("building in the background: `truepenny licences list` tells how far it is")
    if args.json:
        print(json.dumps({"log": str(folder / "log")}))
    return 0


def status(where: Shelf) -> str:
    """How far a build is, in its own last words; empty where none is under way."""
    from filelock import FileLock, Timeout

    folder = where.root / "build"
    if not (folder / "log").is_file() or not (folder / ".lock").is_file():
        return ""
    try:
        with FileLock(folder / ".lock", timeout=0):
            return ""
    except Timeout:
        lines = (folder / "log").read_text("utf-8", "replace").splitlines()
        return f"a build is under way: {lines[-1] if lines else 'just begun'}"


def run_seed(args: argparse.Namespace) -> int:
    """0: made; 2: not made, and what was there stays."""
    from ...guard.licence.sources.building import MAX_SEED_BYTES, build
    from ...guard.licence.sources.fetch import Fetcher
    from ...guard.licence.sources.packages import SEED_LIST, load
    from .licences import shelf

    target = Path(args.out)
    folder = Path(args.fetched) if args.fetched else shelf().root / "build" / "fetched"
    made = target.with_name(target.name + ".new")
    progress = meter()
    try:
        packages = load(Path(args.list) if args.list else SEED_LIST)
        stats = build(packages, Fetcher(folder), made, progress, strict=True).stats
        if stats.size_bytes > MAX_SEED_BYTES:
            made.unlink()
            over = f"{stats.size_bytes:,} bytes, and at most {MAX_SEED_BYTES:,} ship: choose fewer files"
            print(f"truepenny licences seed: the index has {over}", file=sys.stderr)
            return 2
        made.replace(target)
    except (GuardError, OSError) as error:
        print(f"truepenny licences seed: {error}", file=sys.stderr)
        return 2
    finally:
        progress.done()
    print(
        f"{stats.projects} projects, {stats.files:,} files, {stats.lines:,} lines, {stats.size_bytes:,} bytes"
    )
    if args.json:
        print(
            json.dumps(
                {"path": str(target), "lines": stats.lines, "files": stats.files, "bytes": stats.size_bytes}
            )
        )
    return 0
