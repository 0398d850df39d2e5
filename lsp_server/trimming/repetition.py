"""Loops, and lines of above written again.  A model that repeats itself has nothing more to say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .following import is_weak
from .likeness import is_alike
from .place import Place

_TOKEN = re.compile(r"\w+|([=\-#/*_~.])\1{3,}|[^\w\s]|\s+")
_PERIODS = ((1, 10), (10, 30), (20, 45), (30, 60))
"""(longest period, over how many of the last tokens): Copilot's thresholds."""
_MAX_BLOCK = 8


def cut_loop(text: str, place: Place) -> str:  # noqa: ARG001  (the shape of a rule)
    """Stop where the last tokens begin to repeat with a period; keep the first round."""
    while True:
        shorter = _cut_once(text, is_blank_counted=True)
        shorter = _cut_once(shorter, is_blank_counted=False)
        if shorter == text:
            return text
        text = shorter


def cut_repeated_lines(text: str, place: Place) -> str:
    """Keep one of three or more equal lines in a row, and one of two equal blocks of lines in a row."""
    lines = text.split("\n")
    for number in range(2, len(lines)):
        three = [line.strip() for line in lines[number - 2 : number + 1]]
        if three[0] and three[0] == three[1] == three[2] and not is_weak(three[0]):
            return cut_repeated_lines("\n".join(lines[: number - 1]), place)
    for number in range(len(lines)):
        for size in range(2, _MAX_BLOCK + 1):
            rounds = 2 if size > 2 else 3
            blocks = [lines[number + size * i : number + size * (i + 1)] for i in range(rounds)]
            if len(blocks[-1]) == size and _says_something(blocks[0]) and all(b == blocks[0] for b in blocks):
                return cut_repeated_lines("\n".join(lines[: number + size]), place)
    return text


def drop_line_above(text: str, place: Place) -> str:
    """The line above written again is not a beginning."""
    above = place.here.previous
    if not place.starts_line or not above.strip() or is_weak(above):
        return text
    lines = text.split("\n")
    while lines and is_alike(place.here.typed + lines[0], above):
        lines = lines[1:]
    return "\n".join(lines)


def period(tokens: Sequence[str]) -> int:
    """The smallest p with `tokens[i] == tokens[i - p]` throughout (Knuth, Morris, Pratt)."""
    border = [0] * len(tokens)
    for i in range(1, len(tokens)):
        length = border[i - 1]
        while length and tokens[i] != tokens[length]:
            length = border[length - 1]
        border[i] = length + (tokens[i] == tokens[length])
    return len(tokens) - border[-1] if tokens else 0


def _cut_once(text: str, *, is_blank_counted: bool) -> str:
    found = [match for match in _TOKEN.finditer(text) if is_blank_counted or not match[0].isspace()]
    tokens = [match[0] for match in found]
    for longest, length in _PERIODS:
        if len(tokens) < length:
            break
        size = period(tokens[-length:])
        if size > longest or all(token.isspace() for token in tokens[-size:]):
            continue
        first = len(tokens) - length
        while first > 0 and tokens[first - 1] == tokens[first - 1 + size]:
            first -= 1
        return text[: found[first + size - 1].end()]
    return text


def _says_something(block: Sequence[str]) -> bool:
    return sum(bool(line.strip()) and not is_weak(line) for line in block) * 2 > len(block)
