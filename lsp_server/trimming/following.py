"""What stands after the cursor already: lines below, closers, the rest of the line."""

from __future__ import annotations

import re

from ..stopping.lines import indent, only_closes
from .likeness import is_alike
from .place import Place

_PAIRS = {")": "(", "]": "[", "}": "{"}
_CLOSING_WORDS = frozenset({"end", "fi", "done", "esac", "else", "end)", "end,"})


def cut_repeats_below(text: str, place: Place) -> str:
    """Stop where the text begins to write what stands below.

    One line is enough when it is more than closers; lines of closers must be followed by more
    equality, or be the end of the text and close more than was opened.  A line inside the text that
    stands at another level than the one below is another line: `return x` in a branch.
    """
    below = place.below
    if not below:
        return text
    lines = text.split("\n")
    seen = False
    for number, line in enumerate(lines):
        whole = place.here.typed + line if number == 0 else line
        if not whole.strip():
            continue
        if _is_same(whole, below[0], is_first=not seen):
            rest = [other.strip() for other in lines[number + 1 :] if other.strip()]
            is_again = rest[:1] == [other.strip() for other in below[1:2]] if rest else False
            if not is_weak(whole) or (is_again if rest else closes_too_much(lines[: number + 1])):
                return "\n".join(lines[:number])
        seen = True
    return text


def drop_rest(text: str, place: Place) -> str:
    """The model went on over the rest of the line: `a, b)` before `, b)`."""
    rest = place.here.rest.strip()
    if not re.search(r"\w", rest) or "\n" in text:
        return text
    kept = text.rstrip()
    while kept.endswith(rest):
        kept = kept[: -len(rest)].rstrip()
        text = kept
    return text


def drop_closers(text: str, place: Place) -> str:
    """Drop from the end of a line what stands after the cursor already.

    Only where its brackets fit better without: `f(` `)` with `a, g(b))` becomes `a, g(b)`.
    """
    rest = place.here.rest.strip()
    if not rest or "\n" in text:
        return text
    while True:
        kept = text.rstrip()
        for length in range(min(len(kept), len(rest)), 0, -1):
            shorter = kept[:-length].rstrip()
            if rest.startswith(kept[-length:]) and num_unmatched(shorter) < num_unmatched(kept):
                text = shorter
                break
        else:
            return text


def num_unmatched(text: str) -> int:
    """Brackets without a partner, and kinds of quotes that occur an odd number of times."""
    unmatched = sum(text.count(quote) % 2 for quote in "\"'`")
    open_brackets: list[str] = []
    for char in text:
        if char in _PAIRS.values():
            open_brackets.append(char)
        elif char in _PAIRS:
            if open_brackets and open_brackets[-1] == _PAIRS[char]:
                open_brackets.pop()
            else:
                unmatched += 1
    return unmatched + len(open_brackets)


def is_weak(line: str) -> bool:
    """So common that its equal below says nothing."""
    return only_closes(line) or line.strip() in _CLOSING_WORDS


def closes_too_much(lines: list[str]) -> bool:
    joined = "\n".join(lines)
    words = [line.strip() for line in lines]
    return any(joined.count(closer) > joined.count(opener) for closer, opener in _PAIRS.items()) or (
        words[-1] in _CLOSING_WORDS and len(words) > 0
    )


def _is_same(line: str, other: str, *, is_first: bool) -> bool:
    return is_alike(line, other) and (is_first or indent(line) == indent(other))
