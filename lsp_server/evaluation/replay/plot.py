"""A picture of waiting: which share of the keystrokes had their answer within how many milliseconds.

Plain SVG, written by hand: two step curves over a logarithmic axis of time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 40, 44
_COLOURS = ("#0b6e4f", "#b23a48", "#3d5a80")
_STYLE = "font-family:system-ui,sans-serif;font-size:12px"


@dataclass(frozen=True, slots=True)
class Curve:
    name: str
    values_ms: Sequence[float]


def distributions(title: str, curves: Sequence[Curve]) -> str:
    """The cumulative distributions of `curves`, as one SVG document.  Curves without values are left out."""
    drawn = [curve for curve in curves if curve.values_ms]
    values = [max(value, 0.1) for curve in drawn for value in curve.values_ms]
    low = math.floor(math.log10(min(values, default=1.0)))
    high = max(low + 1, math.ceil(math.log10(max(values, default=1000.0))))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" style="{_STYLE}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14" fill="#222">{escape(title)}</text>',
        *_grid(low, high),
    ]
    for nth, curve in enumerate(drawn):
        colour = _COLOURS[nth % len(_COLOURS)]
        parts.append(_curve(curve, colour, low, high))
        y = _TOP + 18 + 18 * nth
        parts.append(f'<rect x="{_LEFT + 12}" y="{y - 9}" width="14" height="4" fill="{colour}"/>')
        label = f"{curve.name}, {len(curve.values_ms)} keystrokes"
        parts.append(f'<text x="{_LEFT + 32}" y="{y}" fill="#222">{escape(label)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _grid(low: int, high: int) -> list[str]:
    lines: list[str] = []
    bottom = _HEIGHT - _BOTTOM
    for exponent in range(low, high + 1):
        x = _x(10.0**exponent, low, high)
        lines.append(_line(x, _TOP, x, bottom))
        name = f"{10.0**exponent:g} ms" if exponent < 3 else f"{10.0 ** (exponent - 3):g} s"
        lines.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#444">{name}</text>')
    for percent in (0, 25, 50, 75, 95, 100):
        y = _y(percent / 100)
        lines.append(_line(_LEFT, y, _WIDTH - _RIGHT, y))
        lines.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#444">{percent} %</text>'
        )
    lines.append(
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{_HEIGHT - 8}" text-anchor="middle" fill="#444">'
        "time to suggestion</text>"
    )
    return lines


def _curve(curve: Curve, colour: str, low: int, high: int) -> str:
    ordered = sorted(max(value, 0.1) for value in curve.values_ms)
    points = [f"M{_x(ordered[0], low, high):.1f},{_y(0):.1f}"]
    for rank, value in enumerate(ordered, start=1):
        points.append(f"H{_x(value, low, high):.1f}V{_y(rank / len(ordered)):.1f}")
    points.append(f"H{_WIDTH - _RIGHT}")
    return f'<path d="{"".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def _x(ms: float, low: int, high: int) -> float:
    share = (math.log10(ms) - low) / (high - low)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)
