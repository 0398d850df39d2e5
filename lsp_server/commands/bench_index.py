"""`truepenny bench index`: how long the index takes, beside parsing alone, by number of lines."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ...context.errors import ContextError
from .measuring import alone, rounded, tell

if TYPE_CHECKING:
    from ..evaluation.index_speed import IndexFigures

EXAMPLE = """\
examples:
  truepenny bench index ~/src/app
  truepenny bench index /usr/lib/python3.12 --json --plot index.svg
  truepenny bench index ~/src/app --sizes 10000,100000 --rounds 5
"""
SIZES = "10000,25000,50000,100000,200000,400000"
_WIDTH, _HEIGHT = 640, 360
_STYLE = "font-family:system-ui,sans-serif;font-size:12px"
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 20, 40, 48


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "index",
        help="how long the index takes, beside parsing alone",
        description="Copy source files of these folders until there are enough lines, and measure at each "
        "size: a build from nothing, parsing alone by turns with it, a build that finds nothing changed; at "
        "the last size also a save and each kind of question.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="where sources are")
    parser.add_argument("--sizes", default=SIZES, metavar="N,…", help="numbers of lines (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: %(default)s")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=2, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="write seconds by lines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: measured, whatever the figures; 2: it could not be measured."""
    from ..evaluation.index_speed import measure

    sizes = [int(size) for size in args.sizes.split(",") if size.strip().isdigit() and int(size) > 0]
    if not sizes or args.rounds < 1:
        print("truepenny bench: give --sizes as 10000,100000 and at least 1 round", file=sys.stderr)
        return 2
    try:
        with alone():
            figures = measure(
                args.folders, sorted(sizes), rounds=args.rounds, workers=args.workers, tell=tell
            )
        if args.plot is not None:
            args.plot.write_text(plot(figures), encoding="utf-8")
    except (ContextError, OSError) as error:
        print(f"truepenny bench: {error}", file=sys.stderr)
        return 2
    print(table(figures))
    if args.json:
        print(json.dumps(rounded(asdict(figures))))
    return 0


def table(figures: IndexFigures) -> str:
    """For people."""
    header = (
        f"{'lines':>9} {'cold':>8} {'bare':>8} {'vs bare':>8} {'vs 1 core':>9} {'cpu':>8} "
        f"{'bare cpu':>8} {'unchanged':>10} {'memory':>8} {'on disk':>8}"
    )
    lines = [header]
    lines += [
        f"{one.lines:>9,} {one.cold_s:>6.2f} s {one.bare_s:>6.2f} s {one.speed_vs_bare:>7.2f}x "
        f"{one.speed_vs_bare_one_core:>8.2f}x {one.cold_cpu_s:>6.2f} s {one.bare_cpu_s:>6.2f} s "
        f"{one.unchanged_s:>8.2f} s {one.peak_bytes / 1e6:>5.0f} MB {one.index_bytes / 1e6:>5.1f} MB"
        for one in figures.sizes
    ]
    lines.append(
        f"bare: tree-sitter alone in {figures.workers} processes; "
        f"cost grows with lines ^ {figures.exponent:.2f}"
    )
    lines.append(f"a save: {figures.save.p50_ms:.1f} ms (p95 {figures.save.p95_ms:.1f})")
    lines += [
        f"{kind}: {one.p50_ms:.2f} ms (p95 {one.p95_ms:.2f})" for kind, one in figures.questions.items()
    ]
    return "\n".join(lines)


def plot(figures: IndexFigures) -> str:
    """Seconds by lines, both axes linear, as one SVG document."""
    most_lines = max(one.lines for one in figures.sizes)
    most_s = max(max(one.cold_s, one.bare_s) for one in figures.sizes) * 1.1

    def x_of(lines: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * lines / most_lines

    def y_of(seconds: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * seconds / most_s

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" style="{_STYLE}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14" fill="#222">Seconds to index a workspace, by lines</text>',
    ]
    for nth in range(5):
        seconds, lines = most_s * nth / 4, most_lines * nth / 4
        y, x = y_of(seconds), x_of(lines)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#444">{seconds:.1f} s</text>'
        )
        anchor = "end" if nth == 4 else "middle"
        place = f'x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="{anchor}"'
        parts.append(f'<text {place} fill="#444">{lines:,.0f}</text>')
    curves = (
        ("index, from nothing", "#0b6e4f", [one.cold_s for one in figures.sizes]),
        ("tree-sitter alone", "#b23a48", [one.bare_s for one in figures.sizes]),
        ("index, nothing changed", "#3d5a80", [one.unchanged_s for one in figures.sizes]),
    )
    for nth, (name, colour, values) in enumerate(curves):
        points = [(x_of(one.lines), y_of(value)) for one, value in zip(figures.sizes, values, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        y = _TOP + 14 + 18 * nth
        parts.append(f'<rect x="{_LEFT + 12}" y="{y - 7}" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{_LEFT + 32}" y="{y}" fill="#222">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
