"""A picture of speed: groups of bars, one bar for each model.  Plain SVG, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LEFT, _RIGHT = 720, 210, 90
_TITLE, _HEAD, _BAR, _GAP = 44, 26, 20, 14
_OURS, _OTHERS = "#0b6e4f", "#8d99ae"
_STYLE = "font-family:system-ui,sans-serif;font-size:12px"


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    value: float
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Bars of one unit; the longest fills the width."""

    title: str
    bars: Sequence[Bar]


def bars(title: str, groups: Sequence[Group]) -> str:
    """All `groups`, one below the other, as one SVG document.  Groups without bars are left out."""
    drawn = [group for group in groups if group.bars]
    height = _TITLE + sum(_HEAD + _BAR * len(group.bars) + _GAP for group in drawn)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" style="{_STYLE}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        _text(16, 26, title, size=14),
    ]
    top = _TITLE
    for group in drawn:
        parts.append(_text(16, top + 16, group.title))
        top += _HEAD
        most = max((bar.value for bar in group.bars), default=0.0) or 1.0
        for bar in group.bars:
            parts += _bar(bar, top, (_WIDTH - _LEFT - _RIGHT) * max(0.0, bar.value) / most)
            top += _BAR
        top += _GAP
    return "\n".join([*parts, "</svg>", ""])


def _bar(bar: Bar, top: int, width: float) -> list[str]:
    colour = _OURS if bar.is_ours else _OTHERS
    shown = f"{bar.value:.0f}" if bar.value >= 100 else f"{bar.value:.3g}"
    return [
        _text(_LEFT - 8, top + 14, bar.name, anchor="end"),
        f'<rect x="{_LEFT}" y="{top + 3}" width="{width:.1f}" height="{_BAR - 6}" fill="{colour}"/>',
        _text(_LEFT + width + 6, top + 14, shown),
    ]


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="#222">{escape(text)}</text>'
