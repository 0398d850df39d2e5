"""The words that names are made of, and how far two of them are apart.

A word may be written in another way (`colour`, `color`; `number`, `no`), stand in another form
(`sorted`, `sort`; `values`, `value`), or mean the same (`remove`, `delete`); see `data/meanings.txt`.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

_DATA = Path(__file__).with_name("data")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
SPELT, SAID = 0.08, 0.22
"""How far a word is from the same one spelt otherwise, and from one of the same meaning."""

FILLERS = frozenset(
    {
        *("get", "to", "as", "is", "the", "of", "from", "by", "all", "do", "my", "current", "value", "data"),
        *("object", "name", "fn", "in", "with", "or", "and", "for", "try", "make", "list", "it", "self"),
        *("new", "set", "text", "string", "obj", "type", "info", "using", "a", "an", "this", "on", "at"),
        *("compute", "calc", "calculate", "values", "default", "item", "items", "val", "func", "function"),
        *("any", "named", "has", "given"),
    }
)
"""Words that a name can have or lack without meaning something else."""
ADDED = frozenset({"get", "do", "make", "try", "my", "value", "place", "now", "new", "object", "type", "the"})
"""Of those, the ones that are added to a name without a thought: `_value`, `_now`, `_in_place`."""
REFUSING = frozenset({"no", "not", "non", "un", "without", "async", "reverse", "r"})
"""Words that turn a name into another."""
_GLUE = ("set", "get", "is", "to", "as", "do", "from", "find", "on", "in")
_FORMS = (
    (re.compile(r"(?<=[a-z]{2})isation$"), "ization"),
    (re.compile(r"(?<=[a-z]{2})is(e|ed|er|es|ing)$"), r"iz\1"),
    (re.compile(r"(?<=[a-z]{2})ys(e|ed|er|es|ing)$"), r"yz\1"),
    (re.compile(r"(?<=[lbnpmvi])our(?=s|$)"), "or"),
    (re.compile(r"(cent|met|lit|fib|theat)re(?=s|d|$)"), r"\1er"),
    (re.compile(r"(licen|defen|offen)ce"), r"\1se"),
    (re.compile(r"ogue(?=s|$)"), "og"),
    (re.compile(r"(?<=[aeiou])ll(?=ed|ing|er)"), "l"),
    (re.compile(r"ies$"), "y"),
    (re.compile(r"(?<=[a-z]{3})(?:ing|ed|er|ers|or|es|e)$"), ""),
    (re.compile(r"(?<=[a-z]{2})(?<!s)s$"), ""),
    (re.compile(r"(?<=[a-z]{3})(?:e|y)$"), ""),
    (re.compile(r"([b-df-hj-np-tv-z])\1$"), r"\1"),
)


@lru_cache(maxsize=20_000)
def parts_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: `to_JSONString` is `to`, `json`, `string`."""
    return tuple(part.lower() for part in _PART.findall(name))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """What forms and spellings of one word have in common; not a word itself."""
    for pattern, right in _FORMS:
        word = pattern.sub(right, word)
    return word


@cache
def _lines() -> tuple[dict[str, frozenset[int]], dict[str, frozenset[int]], dict[int, tuple[str, ...]]]:
    """The lines of `data/meanings.txt` that a word stands on: spellings, meanings; and all of them."""
    spellings: dict[str, frozenset[int]] = {}
    meanings: dict[str, frozenset[int]] = {}
    lines: dict[int, tuple[str, ...]] = {}
    for number, line in enumerate((_DATA / "meanings.txt").read_text("utf-8").splitlines()):
        if line.startswith("#"):
            continue
        found = spellings if line.startswith("=") else meanings
        lines[number] = tuple(line.removeprefix("=").split())
        for word in lines[number]:
            for key in {word, stem(word)} if len(word) > 3 else {word}:
                found[key] = found.get(key, frozenset()) | {number}
    return spellings, meanings, lines


def _on(found: dict[str, frozenset[int]], word: str) -> frozenset[int]:
    return found.get(word) or found.get(stem(word), frozenset())


@lru_cache(maxsize=100_000)
def between(one: str, other: str) -> float:
    """How far two words are apart; 1 where they have nothing to do with each other."""
    if one == other:
        return 0.0
    if len(one) > 2 and len(other) > 2 and stem(one) == stem(other):
        return 0.12 if one.endswith(("ed", "ing")) != other.endswith(("ed", "ing")) else 0.05
    spellings, meanings, _ = _lines()
    if _on(spellings, one) & _on(spellings, other):
        return SPELT
    found = SAID if _on(meanings, one) & _on(meanings, other) else 1.0
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 3 and longer.startswith(stem(shorter)):
        return min(found, 0.12 + 0.25 * (1 - len(shorter) / len(longer)))
    if len(shorter) >= 2 and _is_short_for(shorter, longer):
        return min(found, 0.2)
    allowed = 1 if len(longer) <= 5 else 2
    if len(shorter) > 3 and edits(one, other, allowed) <= allowed:
        return min(found, 0.15 * edits(one, other, allowed))
    return found


def _is_short_for(short: str, word: str) -> bool:
    """`ctrl` for `control`: its consonants, from the first."""
    consonants = word[:1] + re.sub(r"[aeiou]", "", word[1:])
    return (consonants.startswith(short) and len(short) > 2) or short == consonants


@lru_cache(maxsize=4_000)
def _written(part: str) -> tuple[tuple[str, float], ...]:
    """What may stand for a word in a name that is written in one: `number` in `lineno`."""
    spellings, meanings, lines = _lines()
    found = {part: 0.0}
    if len(part) > 4:
        found.setdefault(stem(part), 0.05)
    if len(part) > 3 and part.endswith("s"):
        found.setdefault(part[:-1], 0.05)
    for table, cost, least in ((spellings, SPELT, 2), (meanings, SAID, 3)):
        for number in sorted(_on(table, part)):
            for word in lines[number]:
                if len(word) >= least:
                    found.setdefault(word, cost)
    return tuple(found.items())


def fused(parts: tuple[str, ...], flat: str) -> float:
    """How far `parts` are from a name that is written in one word: `names`, `list` from `namelist`."""
    if not 1 < len(parts) <= 4 or len(flat) < 4:
        return 1.0
    rest, cost, num_missing, places = flat, 0.0, 0, list[int]()
    missing: list[str] = []
    for part in parts:
        options = [(price, -len(word), word) for word, price in _written(part) if word in rest]
        if not options:
            missing.append(part)
            continue
        price, _, word = min(options)
        cost += price
        places.append(flat.find(word))
        rest = rest.replace(word, "\0" * len(word), 1)
    left = rest.replace("\0", "")
    if len(left) > len(flat) * 0.6:
        return 1.0
    for part in missing:
        if left and (left[0] == part[0]) and len(left) <= 2 and rest[0] != "\0":
            left = left.removeprefix(part[0])  # the initial alone: `b` in `bgcolor`
            cost += 0.25
        else:
            num_missing += 1
            cost += 0.3 if part in FILLERS else 0.7
    if num_missing == len(parts):
        return 1.0
    if left in _GLUE:
        cost += 0.2
    elif left:
        cost += 0.3 + 1.2 * len(left) / len(flat)
    return 0.05 + cost / len(parts) + (0.0 if places == sorted(places) else 0.04)


def edits(one: str, other: str, most: int) -> int:
    """Letters put in, left out, changed or swapped with a neighbour; `most + 1` where it is more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, target in enumerate(other, 1):
            value = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != target))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == target:
                value = min(value, before_last[column - 2] + 1)
            current.append(value)
        if min(current) > most and (not before_last or min(last) > most):
            return most + 1
        before_last, last = last, current
    return min(last[-1], most + 1)
