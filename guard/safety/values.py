"""What is known of an expression's value: where it comes from, and its text as far as that is literal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HOLE = "\0"
CONSTANT = frozenset({"constant"})
_MAX_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of an expression."""

    labels: frozenset[str] = frozenset()
    text: str = HOLE
    """Literal pieces, with `HOLE` for what is not known."""
    built: bool = False
    """Put together from literal text and something with a label."""
    names: frozenset[str] = frozenset()
    """The variables it came through, as they are written."""
    steps: tuple[tuple[int, int], ...] = ()
    """Spans on the way."""

    @property
    def is_constant(self) -> bool:
        return self.labels == CONSTANT


CLEAN = Value()


def union(values: Iterable[Value]) -> Value:
    """One of several."""
    kept = [one for one in values if one.labels or one.text != HOLE]
    if not kept:
        return CLEAN
    if len(kept) == 1:
        return kept[0]
    labels = frozenset(label for one in kept for label in one.labels)
    if labels != CONSTANT:
        labels -= CONSTANT
    # The text of the piece that matters most: a built one, then a labelled one.
    main = max(kept, key=lambda one: (one.built, bool(one.labels - CONSTANT)))
    return Value(
        labels=labels,
        text=main.text,
        built=main.built,
        names=frozenset(name for one in kept for name in one.names),
        steps=tuple(step for one in kept for step in one.steps)[-12:],
    )


def joined(values: list[Value], *, fills: bool = False, keep: bool = False) -> Value:
    """Several put together into one text.  `fills`: the first is a format, with places of its own."""
    labels = frozenset(label for one in values for label in one.labels)
    text = "".join(one.text for one in values)[:_MAX_TEXT]
    if fills and values and values[0].is_constant:
        text = re.sub(r"%[-+ #0-9.]*[sdrifxu]|%\(\w+\)[sd]|\{[^{}\n]*\}", HOLE, values[0].text)
        text += "".join(one.text for one in values[1:] if one.text != HOLE)[:_MAX_TEXT]
    unknown = labels - CONSTANT
    all_constant = bool(values) and all(one.is_constant for one in values)
    literal = any(piece.strip() for piece in text.split(HOLE))
    built = any(one.built for one in values) or (bool(unknown) and literal and not keep)
    return Value(
        labels=CONSTANT if all_constant else unknown,
        text=text,
        built=built and bool(unknown),
        names=frozenset(name for one in values for name in one.names),
        steps=tuple(step for one in values for step in one.steps)[-12:],
    )


def labels_of(label: str) -> frozenset[str]:
    """What comes with a request is remote too."""
    return frozenset({"request", "remote"}) if label == "request" else frozenset({label})
