"""Where a block has been opened and nothing stands in it, the suggestion must stand inside.

Small models left at column 0 after a docstring like to write tests for the function instead of the
function.  The indentation the place demands is made part of what the model must continue.
"""

from __future__ import annotations

import re
from collections import Counter

from .gate import Surroundings, opens_block

_DOCSTRING = re.compile(r"[rRuUbB]?(\"\"\"|''')")
_LOOK_BACK_CHARS = 8_000
_LOOK_BACK_LINES = 400


def missing_indent(text: str, offset: int, here: Surroundings) -> str:
    """White space that must come first at the cursor; empty where the model is free to choose.

    Only on a line that is blank up to the cursor: below a block's header, or below the docstring
    that is all of its body so far.
    """
    if here.typed.strip() or here.rest.strip():
        return ""
    before = text[max(0, offset - _LOOK_BACK_CHARS) : offset]
    demanded = _demanded(before.splitlines()[-_LOOK_BACK_LINES:], here, text)
    return demanded.removeprefix(here.typed) if demanded.startswith(here.typed) else ""


def indent_unit(text: str) -> str:
    """One step of indentation in this file: a tab, or the commonest small step; by default four spaces."""
    return _known_unit(text) or " " * 4


def _known_unit(text: str) -> str:
    """Empty where nothing in the file tells."""
    steps: Counter[int] = Counter()
    previous = 0
    for line in text[:20_000].splitlines():
        if line.startswith("\t"):
            return "\t"
        if not line.strip():
            continue
        width = len(line) - len(line.lstrip(" "))
        if 1 < width - previous <= 8:
            steps[width - previous] += 1
        previous = width
    return " " * steps.most_common(1)[0][0] if steps else ""


def _demanded(lines: list[str], here: Surroundings, text: str) -> str:
    previous = here.previous
    if not previous.strip():
        return ""
    if opens_block(previous) and not previous.strip().startswith(("#", "//", "*")):
        if len(here.typed) > len(_margin(previous)) and not _known_unit(text):
            return ""  # the editor knows the step, and has made it
        return _margin(previous) + indent_unit(text)
    header = _header_of_docstring(lines)
    return "" if header is None else header


def _header_of_docstring(lines: list[str]) -> str | None:
    """The margin of the docstring that ends just above, if only a block's header stands before it."""
    last = len(lines) - 1
    while last >= 0 and not lines[last].strip():
        last -= 1
    if last < 1 or not lines[last].rstrip().endswith(('"""', "'''")):
        return None
    quote = lines[last].rstrip()[-3:]
    first = last
    while first >= 0:
        opening = _DOCSTRING.match(lines[first].lstrip())
        # A quote that opens and closes on the last line, or opens on an earlier one.
        if opening and opening[1] == quote and (first < last or lines[first].count(quote) >= 2):
            break
        first -= 1
    if first < 1:
        return None
    above = next((line for line in reversed(lines[:first]) if line.strip()), "")
    return _margin(lines[first]) if opens_block(above) else None


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
