"""What stands before the cursor's dot, read backwards from the text: `self.rows.find(x)[0]`.

The text need not parse: the line is being written.  Strings are not told apart from code, so a
bracket inside one may end a chain early; then less is known, and nothing is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_CHARS = 4_000
MAX_LINKS = 12

_NAME_BEFORE = re.compile(r"[^\W\d]\w*!?$")
_PAIRS = {")": "(", "]": "[", "}": "{", ">": "<"}
_SEPARATORS = ("?.", "!!.", "!.", "->", "::", ".")
_PREFIXES = re.compile(r"(?:await|yield|new|return|not|in|throw|raise|typeof|&mut|mut|go|defer)\s+|[&*!]+")


@dataclass(frozen=True, slots=True)
class Link:
    """One name of a chain."""

    name: str
    is_called: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    links: tuple[Link, ...]
    """The first is the root."""
    start: int
    """Where it begins in the text."""
    is_path: bool = False
    """Joined by `::` throughout, as modules are."""


def separator_before(text: str, offset: int) -> int | None:
    """Where the separator begins that stands right before `offset`; None: a name on its own begins here."""
    end = len(text[max(0, offset - 200) : offset].rstrip()) + max(0, offset - 200)
    if text.count("\n", end, offset) > 1:
        return None
    for separator in _SEPARATORS:
        if text.endswith(separator, 0, end):
            begin = end - len(separator)
            if separator == "." and (text[begin - 1 : begin] == "." or text[begin - 1 : begin].isdigit()):
                return None  # a range or a number
            return begin
    return None


def chain_before(text: str, end: int) -> Chain | None:
    """The expression that ends at `end`; None where none does."""
    low = max(0, end - MAX_CHARS)
    links: list[Link] = []
    at, is_path = end, True
    while len(links) < MAX_LINKS:
        at = _skip_blanks(text, at, low)
        at, is_called, group = _skip_brackets(text, at, low)
        found = _NAME_BEFORE.search(text, max(low, at - 120), at)
        if found is None or (not found[0] and group is None):
            if group is None:
                break
            inner = chain_before(text, group)
            if inner is None:
                break
            links.extend(reversed(inner.links))
            return Chain(tuple(reversed(links)), inner.start)
        links.append(Link(found[0].rstrip("!"), is_called))
        at = found.start()
        separator = separator_before(text, at)
        if separator is None or separator <= low:
            break
        is_path = is_path and text.startswith("::", separator)
        at = separator
    return Chain(tuple(reversed(links)), at, is_path) if links else None


def chain_of(expression: str) -> Chain | None:
    """Of a callee or another short expression."""
    text = expression.strip()
    while (prefix := _PREFIXES.match(text)) is not None:
        text = text[prefix.end() :]
    return chain_before(text, len(text))


def open_call(text: str, offset: int) -> int | None:
    """Where the bracket stands in whose call `offset` is an argument; None outside of calls."""
    depth = 0
    for at in range(offset - 1, max(-1, offset - MAX_CHARS), -1):
        char = text[at]
        if char in ")]}":
            depth += 1
        elif char in "([{":
            if depth == 0:
                return at if char == "(" and re.search(r"[\w>!]$", text[max(0, at - 1) : at]) else None
            depth -= 1
        elif char == ";":
            return None
    return None


def _skip_blanks(text: str, at: int, low: int) -> int:
    while at > low and text[at - 1] in " \t\r\n":
        at -= 1
    return at


def _skip_brackets(text: str, at: int, low: int) -> tuple[int, bool, int | None]:
    """Behind which name they stand, whether they call, and where the inside of the last group ends."""
    is_called, group = False, None
    while at > low and text[at - 1] in ")]>?!":
        char = text[at - 1]
        if char in "?!":
            at -= 1
            continue
        begin = _opening(text, at - 1, low)
        if begin is None:
            break
        if char == ")":
            is_called, group = True, at - 1
        at = begin
        if text.endswith("::", 0, at):  # Rust's `::<T>`
            at -= 2
    return at, is_called, group


def _opening(text: str, at: int, low: int) -> int | None:
    """Of the bracket that closes at `at`."""
    closes, opens = text[at], _PAIRS[text[at]]
    limit = low if closes != ">" else max(low, at - 120)
    depth = 0
    for place in range(at, limit - 1, -1):
        if text[place] == closes:
            depth += 1
        elif text[place] == opens:
            depth -= 1
            if depth == 0:
                return place
    return None
