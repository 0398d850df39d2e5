"""`truepenny checkers`: the type checkers that say whether what a suggestion names exists."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ...guard.errors import CheckerError
from ...guard.grounding.checkers import clang, go, rust, ty, typescript
from ...models.store import cache_root

EXAMPLE = """\
examples:
  truepenny checkers list                        which languages are checked, and with what
  truepenny checkers add typescript              TypeScript and JavaScript; needs npm and the network, once

Python is checked with ty, which comes with truepenny.  Go, Rust, C and C++ are checked where gopls,
rust-analyzer or clangd is on PATH.  Nothing of a workspace is ever executed: what lies in its
node_modules or its environment is not used.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """One line of `list`."""

    name: str
    languages: str
    path: str
    """Of the program; empty where it is not there."""
    fix: str
    """What to do about that; empty where it is there."""


def checkers_folder() -> Path:
    """Where checkers that were added lie, one folder each."""
    return cache_root() / "checkers"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "checkers",
        help="type checkers that say whether names exist",
        description="Add and list the type checkers that are asked before a suggestion is shown.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="install one into the cache folder, with npm")
    add.add_argument("name", choices=["typescript"])
    add.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    add.set_defaults(run=run_add)
    listing = actions.add_parser("list", help="what is there")
    listing.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    listing.set_defaults(run=run_list)


def run_add(args: argparse.Namespace) -> int:
    """0: it is there; 2: it could not be had."""
    folder = typescript.folder_of(checkers_folder())
    try:
        _install(folder)
        program = typescript.find(checkers_folder(), str(folder / "no workspace"))
    except (CheckerError, OSError) as error:
        print(f"truepenny checkers add: {error}", file=sys.stderr)
        return 2
    print(f"typescript is in {folder}")
    if args.json:
        print(json.dumps({"name": args.name, "path": str(program), "packages": typescript.PACKAGES}))
    return 0


def run_list(args: argparse.Namespace) -> int:
    """0: all are there; 1: some are not."""
    found = list(_found())
    for one in found:
        print(f"{one.name:14} {one.languages:24} {one.path or 'not here: ' + one.fix}")
    if args.json:
        print(json.dumps({"checkers": [asdict(one) for one in found]}))
    return 0 if all(one.path for one in found) else 1


def npm_arguments(npm: str, folder: Path) -> list[str]:
    """Installs what is named and nothing of the place it is called from; no script of a package runs."""
    switches = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--global=false"]
    return [npm, "install", *switches, "--prefix", str(folder), *typescript.PACKAGES]


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise CheckerError("npm is not on PATH: install Node.js, which brings it, and try again")
    folder.mkdir(parents=True, exist_ok=True)
    ran = subprocess.run(
        npm_arguments(npm, folder), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if ran.returncode != 0:
        said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in said if "ERR" in line or "error" in line] or said
        raise CheckerError(
            f"npm could not install {' '.join(typescript.PACKAGES)} into {folder}: "
            f"{'; '.join(errors[:3]) or f'it ended with {ran.returncode}'}; "
            "it needs the registry that `npm config get registry` names"
        )


def _found() -> list[Found]:
    nowhere = str(checkers_folder() / "no workspace")
    finders: list[tuple[str, str, Callable[[], Path | str]]] = [
        ("ty", "Python", ty.binary),
        ("typescript", "TypeScript, JavaScript", lambda: typescript.find(checkers_folder(), nowhere)),
        ("gopls", "Go", lambda: go.find(nowhere)),
        ("rust-analyzer", "Rust", lambda: rust.find(nowhere)),
        ("clangd", "C, C++", lambda: clang.find(nowhere)),
    ]
    found: list[Found] = []
    for name, languages, find in finders:
        try:
            found.append(Found(name, languages, str(find()), ""))
        except CheckerError as error:
            found.append(Found(name, languages, "", str(error)))
    return found
