"""`truepenny bench engine`: prefill, decode and quality beside transformers as it comes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from itertools import repeat
from typing import TYPE_CHECKING, Any

from ...models.catalogue import DEFAULT_MODEL
from ...models.errors import ModelsError
from ...models.wire import PRECISIONS
from ..progress import meter
from .measuring import alone, rounded, tell

if TYPE_CHECKING:
    from ...models.benchmark import Ratios, Spread
    from ...models.benchmark_quality import Quality
    from ...models.benchmark_run import EngineReport, Measured

EXAMPLE = """\
examples:
  truepenny bench engine
  truepenny bench engine --no-reference --prompt-tokens 2000
  truepenny bench engine --model qwen2.5-coder-1.5b --quality --json
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "engine",
        help="prefill, decode and quality of the local engine",
        description="Measure the local engine and transformers in float32 by turns, on the same prompt: code "
        "of Python's own library.  Loads both models, so it needs memory for both.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="default: %(default)s")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="default: %(default)s")
    parser.add_argument("--prompt-tokens", type=int, default=512, metavar="N", help="default: %(default)s")
    parser.add_argument("--decode-tokens", type=int, default=64, metavar="N", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: %(default)s")
    parser.add_argument("--no-reference", action="store_true", help="only the engine, no comparison")
    parser.add_argument(
        "--quality", action="store_true", help="also perplexity and divergence from the float32 reference"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: measured, whatever the figures; 2: it could not be measured."""
    # Read by the hub's libraries when they are imported: a benchmark asks nothing of a network.
    os.environ["HF_HUB_OFFLINE"] = "1"
    progress = meter()
    try:
        from ...models.benchmark import Plan
        from ...models.benchmark_run import Wanted
        from ...models.benchmark_run import run as run_benchmark

        wanted = Wanted(
            args.model,
            args.precision,
            Plan(args.prompt_tokens, args.decode_tokens, args.rounds),
            compare=not args.no_reference,
            quality=args.quality,
        )
        with alone():
            report = run_benchmark(wanted, progress, tell)
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


def document(report: EngineReport) -> dict[str, Any]:
    """The figures as they are, rounded to what they can bear."""
    return rounded(asdict(report))


def table(report: EngineReport) -> str:
    """The same for people: median (best – p95) of each, and how many times faster."""
    machine, ours, reference = report.machine, report.ours, report.reference
    size = f"{report.prompt_tokens} tokens ({report.prompt_characters} characters, {report.prompt_source})"
    steps = [f"step of {step.tokens}, ms" for step in ours.speed.steps]
    columns = zip(
        ["", *_ROWS, *steps],
        [f"ours ({ours.precision})", *_column(ours)],
        [f"transformers ({reference.precision})", *_column(reference)] if reference else repeat(""),
        ["faster", *_ratio_column(report.ratios)] if report.ratios else repeat(""),
        ["at best", *_ratio_column(report.ratios_best)] if report.ratios_best else repeat(""),
        strict=False,  # without a reference the other columns are empty for ever
    )
    lines = [
        f"{report.model} on {machine.processor}: {machine.threads} threads, {machine.capability}",
        f"prompt of {size}, {report.decode_tokens} tokens decoded, {report.rounds} rounds",
        f"{ours.precision}: {ours.why_precision}",
        "",
        *(f"  {name:<26}{a:>26}{b:>26}{mid:>9}{top:>9}".rstrip() for name, a, b, mid, top in columns),
    ]
    return "\n".join([*lines, *_quality(report.quality), *_disturbance(report.disturbance)])


_ROWS = (
    "load, s",
    "weights, MB",
    "memory of the process, MB",
    "prefill, tokens/s",
    "prefill, characters/s",
    "time to first token, ms",
    "decode, tokens/s",
    "decode, characters/s",
    "decode, ms per token",
)


def _column(measured: Measured) -> list[str]:
    """One model's figures, in the order of `_ROWS` and then of the steps."""
    speed = measured.speed
    return [
        f"{measured.load_s:.1f}",
        f"{measured.weights_bytes / 1e6:.0f}",
        f"{measured.rss_bytes / 1e6:.0f}" if measured.rss_bytes else "",
        f"{speed.prefill_tokens_per_s:.0f}",
        f"{speed.prefill_characters_per_s:.0f}",
        _spread(speed.ttft_ms),
        f"{speed.decode_tokens_per_s:.1f}",
        f"{speed.decode_characters_per_s:.0f}",
        _spread(speed.decode_ms),
        *(_spread(step.ms) for step in speed.steps),
    ]


def _ratio_column(ratios: Ratios) -> list[str]:
    prefill, ttft, decode = (f"{ratio:.2f}×" for ratio in (ratios.prefill, ratios.ttft, ratios.decode))
    return ["", "", "", prefill, "", ttft, decode, "", "", *(f"{r:.2f}×" for r in ratios.steps.values())]


def _spread(spread: Spread) -> str:
    return f"{spread.median:.1f} ({spread.best:.1f} – {spread.p95:.1f})"


def _disturbance(cores: float | None) -> list[str]:
    """A tenth of a core is what an idle desktop takes."""
    if cores is None or cores < 0.1:
        return []
    return ["", f"  other programs used {cores:.1f} cores meanwhile: measure again when they are quiet"]


def _quality(quality: Quality | None) -> list[str]:
    if quality is None:
        return []
    worse = f"{quality.perplexity_ratio - 1:+.2%} ± {quality.perplexity_ratio_error:.2%}"
    return [
        "",
        f"  quality at {quality.positions} positions of {quality.tokens} tokens",
        f"    perplexity {quality.perplexity:.4f}, fp32 {quality.reference_perplexity:.4f} ({worse})",
        f"    divergence {quality.kl_mean_nats:.4f} nats, p95 {quality.kl_p95_nats:.4f}",
        f"    same first choice {quality.same_choice:.1%}",
    ]
