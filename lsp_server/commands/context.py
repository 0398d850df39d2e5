"""`truepenny context`: what a prompt at a place tells of other files, piece by piece, and why."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...context.errors import ContextError
from ...models.errors import ModelsError
from ...models.store import cache_root
from ..prompting.gathering import is_project
from ..settings import Settings
from .index import _progress  # pyright: ignore[reportPrivateUsage]  # both commands show the same bar
from .place import Place, PlaceError, open_place

if TYPE_CHECKING:
    from ...context.gather import Gathered
    from ...context.index.location import Location
    from ...context.window import Window

EXAMPLE = """\
examples:
  truepenny context src/app.py:42:9
  truepenny context src/app.py:42:9 --budget 1024 --json
  truepenny context src/app.py --about "why does Session retry?"    what a conversation would be told

Reads what changed in the workspace first.  The workspace is the repository the file is in; outside of
any, the current folder if the file lies below it, else the file's own.
"""
_CHARS_PER_TOKEN = 3.2
"""Where there is no tokenizer."""
_MAX_LISTED = 12
_DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True)
class _Explained:
    location: Location
    path: str
    gathered: Gathered
    window: Window | None
    """None where it is not about a place."""
    ms: float


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "context",
        help="what a prompt tells of other files, and why",
        description="Explain the prompt at a place piece by piece: what is told of other files, and why.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("place", metavar="FILE:LINE:COL", help="lines and columns count from 1")
    parser.add_argument(
        "--about", metavar="WORDS", help="a question about the file, instead of a place in it"
    )
    parser.add_argument("--stdin", action="store_true", help="read the document from standard input")
    parser.add_argument("--budget", metavar="N", type=int, help="tokens; default: the setting context.tokens")
    parser.add_argument("--model", metavar="NAME", help="whose tokens count; default: the default model")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: something is told; 1: nothing is; 2: it could not be asked."""
    budget = Settings().context.tokens if args.budget is None else args.budget
    if not 0 <= budget <= 16_384:
        print(f"truepenny context: --budget {budget}: use a whole number from 0 to 16384", file=sys.stderr)
        return 2
    model = args.model or Settings().completion.model
    try:
        place = open_place(f"{args.place}:1:1" if args.about else args.place, stdin=args.stdin)
        count, is_exact = _counter(model)
        explained = _explain(place, budget, count, args.about)
    except (PlaceError, ContextError, ModelsError, OSError) as error:
        print(f"truepenny context: {error}", file=sys.stderr)
        return 2
    if not is_exact:
        print(f"truepenny context: {model} is not pulled: tokens are estimated", file=sys.stderr)
    _show(explained, budget, count)
    if args.json:
        print(json.dumps(document(explained.gathered, explained.ms), ensure_ascii=False))
    return 0 if explained.gathered.chunks else 1


def workspace_of(path: Path) -> Path:
    """The repository `path` is in; else the current folder, if it is below that, else its own folder."""
    whole = path.resolve()
    for folder in whole.parents:
        if (folder / ".git").exists():
            return folder
    here = Path.cwd().resolve()
    return here if whole.is_relative_to(here) else whole.parent


def document(gathered: Gathered, ms: float) -> dict[str, Any]:
    """The JSON contract of `context`; lines count from 1."""
    return {
        "chunks": [
            {
                "path": chunk.path,
                "lines": [line + 1 for line in chunk.lines],
                "names": list(chunk.names),
                "why": chunk.why,
                "tokens": chunk.tokens,
                "text": chunk.text,
            }
            for chunk in gathered.chunks
        ],
        "left_out": [{"path": one.path, "name": one.name, "why": one.why} for one in gathered.left_out],
        "tokens": sum(chunk.tokens for chunk in gathered.chunks),
        "complete": gathered.is_complete,
        "ms": round(ms, 1),
    }


def _explain(place: Place, budget: int, count: Callable[[str], int], about: str | None) -> _Explained:
    from ...context.gather import Question, gather, gather_about
    from ...context.index.location import locate
    from ...context.index.process import run_build
    from ...context.index.reader import Reader
    from ...context.window import cut
    from ..prompting.anchor import PREFIX_TOKENS, SUFFIX_TOKENS

    file = Path(place.snapshot.path)
    root = workspace_of(file)
    if not is_project(root):
        raise PlaceError(
            f"{file} is in no repository, and {root} is too much to read: "
            "go to the project's folder first, or make it one with `git init`"
        )
    location = locate(root, cache_root())
    with _progress() as on_progress:
        run_build(location, on_progress=on_progress)
    path = file.resolve().relative_to(location.root).as_posix()
    text, offset = place.snapshot.text, place.offset
    reader = Reader(location)
    try:
        begun = time.perf_counter()
        question = about or Question(path, text, offset, place.snapshot.language)
        if isinstance(question, str):
            ask = partial(gather_about, question, [path])
        else:
            ask = partial(gather, question)
        gathered = ask(reader, budget_tokens=budget, count=count, deadline_s=_DEADLINE_S)
        ms = (time.perf_counter() - begun) * 1000
    finally:
        reader.close()
    window = None
    if not about:
        window = cut(text, offset, prefix_tokens=PREFIX_TOKENS, suffix_tokens=SUFFIX_TOKENS, count=count)
    return _Explained(location, path, gathered, window, ms)


def _counter(model: str) -> tuple[Callable[[str], int], bool]:
    """Counts tokens, and whether exactly."""
    from ...models.errors import WeightsMissingError
    from ..engine_link import tokenizer_of

    try:
        tokenizer = tokenizer_of(model)
    except WeightsMissingError:
        return (lambda text: round(len(text) / _CHARS_PER_TOKEN)), False
    return (lambda text: len(tokenizer.encode(text))), True


def _show(explained: _Explained, budget: int, count: Callable[[str], int]) -> None:
    gathered, window = explained.gathered, explained.window
    used = sum(chunk.tokens for chunk in gathered.chunks)
    print(f"workspace {explained.location.root.name}: {used} of {budget} tokens, {explained.ms:.0f} ms")
    for number, chunk in enumerate(gathered.chunks, start=1):
        print(f"\n{number}. {chunk.path} ({chunk.tokens} tokens): {chunk.why}")
        for line in chunk.text.split("\n"):
            print(f"   | {line}")
    if window is not None:
        before = count(window.prefix + window.typed)
        print(f"\n{len(gathered.chunks) + 1}. {explained.path}: {before} tokens before the cursor", end="")
        print(
            f" ({_lines(window.prefix)} lines), {count(window.suffix)} after ({_lines(window.suffix)} lines)"
        )
    if gathered.left_out:
        print("\nleft out, the best first:")
    for one in gathered.left_out[:_MAX_LISTED]:
        print(f"   {one.name} in {one.path}: {one.why}")
    if not gathered.is_complete:
        print("not everything was asked: the time was over")


def _lines(text: str) -> int:
    return text.count("\n")
