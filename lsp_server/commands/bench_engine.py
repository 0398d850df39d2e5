"""`truepenny bench engine`: prefill, decode, start, memory and quality, beside transformers and peers."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models.catalogue import DEFAULT_MODEL
from ...models.errors import BenchmarkError, ModelsError
from ..progress import meter
from .bench_engine_table import picture, table
from .bench_sources import code_of
from .measuring import alone, rounded, tell

if TYPE_CHECKING:
    from ...models.benchmarks.precisions import Variant
    from ...models.benchmarks.report import EngineReport
    from ...models.benchmarks.run import Wanted

PRECISIONS = ("auto", "fp32", "bf16", "int8", "nf4", "int8-torch", "int8-bnb", "all")

EXAMPLE = """\
examples:
  truepenny bench engine
  truepenny bench engine --no-reference --no-start --prompt-tokens 2000
  truepenny bench engine --code ~/src/web --code ~/src/server/main.go --json --plot speed.svg
  truepenny bench engine --model qwen2.5-coder-1.5b --quality --precision all
  truepenny bench engine --peer http://127.0.0.1:8012 --peer http://127.0.0.1:8013

A peer is a llama-server on this machine with the same model.  tests/benchmarks/README.md says how to
build one, and what each figure means.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "engine",
        help="prefill, decode, start, memory and quality of the local engine",
        description="Measure the local engine, transformers in float32 and other servers by turns, on the "
        "same prompts: code of Python's own library, or yours.  Loads both models, so it needs memory for "
        "both; and starts an engine process of its own, which leaves a running one alone.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="default: %(default)s")
    parser.add_argument(
        "--precision",
        dest="precisions",
        action="append",
        choices=PRECISIONS,
        help="speed is measured with the first (auto), quality with each; may be repeated",
    )
    parser.add_argument(
        "--code",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="a file or folder to cut prompts from, one for each language in it; may be repeated",
    )
    parser.add_argument(
        "--peer",
        dest="peers",
        action="append",
        default=[],
        metavar="URL",
        help="a llama-server that takes turns too; may be repeated",
    )
    parser.add_argument("--prompt-tokens", type=int, default=512, metavar="N", help="default: %(default)s")
    parser.add_argument("--decode-tokens", type=int, default=64, metavar="N", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--kv-budget", type=int, default=256, metavar="MIB", help="of the engine started (%(default)s)"
    )
    parser.add_argument("--no-reference", action="store_true", help="without transformers")
    parser.add_argument("--no-speculation", action="store_true", help="without decoding with drafts")
    parser.add_argument("--no-start", action="store_true", help="without an engine process")
    parser.add_argument(
        "--quality", action="store_true", help="also perplexity and divergence from the float32 reference"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="write the speeds as bars")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: measured, whatever the figures; 2: it could not be measured."""
    # Read by the hub's libraries when they are imported: a benchmark asks nothing of a network.
    os.environ["HF_HUB_OFFLINE"] = "1"
    progress = meter()
    try:
        from ...models.benchmarks.run import run as run_benchmark

        _check_plot(args.plot)
        wanted = _wanted(args)
        with alone():
            report = run_benchmark(wanted, progress, tell)
        if args.plot is not None:
            _plot(args.plot, report)
    except ModelsError as error:
        print(f"truepenny bench: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"truepenny bench: {error.name} is not installed; run: pip install 'truepenny[local]'",
            file=sys.stderr,
        )
        return 2
    finally:
        progress.done()
    print(table(report))
    if args.json:
        print(json.dumps(document(report)))
    return 0


def _wanted(args: argparse.Namespace) -> Wanted:
    from ...models.benchmarks.prompts import library_code
    from ...models.benchmarks.run import Wanted
    from ...models.benchmarks.turns import Plan

    return Wanted(
        args.model,
        _precisions(args.precisions or ["auto"]),
        Plan(args.prompt_tokens, args.decode_tokens, args.rounds),
        code_of(args.code) if args.code else (library_code(),),
        tuple(args.peers),
        compare=not args.no_reference,
        speculate=not args.no_speculation,
        start=not args.no_start,
        quality=args.quality,
        kv_budget_mib=args.kv_budget,
    )


def _precisions(named: list[Any]) -> tuple[Variant, ...]:
    """In the order given, each once; `all` is every one this machine can run, its own first."""
    from ...models.benchmarks.precisions import all_variants
    from ...models.hardware import probe

    found: list[Variant] = []
    for name in named:
        found += all_variants(probe()) if name == "all" else (name,)
    return tuple(dict.fromkeys(found))


def _check_plot(path: Path | None) -> None:
    """Before anything is measured: minutes of work are not lost to a mistyped folder."""
    if path is not None and not path.absolute().parent.is_dir():
        raise BenchmarkError(f"--plot {path}: there is no such folder; give a file in one that exists")


def _plot(path: Path, report: EngineReport) -> None:
    try:
        path.write_text(picture(report), encoding="utf-8")
    except OSError as error:
        raise BenchmarkError(f"--plot {path}: {error.strerror}; give a file that can be written") from error


def document(report: EngineReport) -> dict[str, Any]:
    """The figures as they are, rounded to what they can bear."""
    return rounded(asdict(report))
