"""Which of the names that exist was meant?  A distance that knows the parts words are made of.

Letters alone are a poor guide: `fetchAll` and `fetchall` differ by one edit and so do `min` and `mid`.
Names are compared as they are, as words (`to_list`, `toList`, `tolist`), in another order
(`is_file`, `file_is`) and by what the words mean (`remove`, `delete`), and the best comparison counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

LIMIT = 0.42
"""Names further apart than this have nothing to do with each other."""
MANY, MANY_LIMIT = 80, 0.34
"""Among so many names, some are this near by chance."""

_DATA = Path(__file__).with_name("data")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_FILLERS = frozenset(
    {
        *("get", "to", "as", "is", "the", "of", "from", "by", "all", "do", "my", "current", "value", "data"),
        *("object", "name", "fn", "in", "with", "or", "and", "for", "try", "make", "list", "it", "self"),
    }
)
"""Words that a name can have or lack without meaning something else."""


@cache
def _meanings() -> dict[str, frozenset[int]]:
    """The lines of `data/meanings.txt` that a word stands on."""
    found: dict[str, frozenset[int]] = {}
    for number, line in enumerate((_DATA / "meanings.txt").read_text("utf-8").splitlines()):
        for word in () if line.startswith("#") else line.split():
            found[word] = found.get(word, frozenset()) | {number}
    return found


@lru_cache(maxsize=20_000)
def parts_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: `to_JSONString` is `to`, `json`, `string`."""
    return tuple(part.lower() for part in _PART.findall(name))


class Near(NamedTuple):
    """A name that exists, and how far it is from the one that does not."""

    name: str
    apart: float


def nearest(name: str, candidates: Iterable[str], count: int = 5, *, owner: str = "") -> tuple[Near, ...]:
    """The candidates that `name` may have meant, best first; nothing where none is near.

    Names with a leading underscore count only where `name` has one.  Words of `owner`, the receiver or
    its type, say nothing in a member: `random.random_seed`.  Among many names a far one is chance.
    """
    names = [one for one in dict.fromkeys(candidates) if one != name and len(one) > 1]
    limit = LIMIT if len(names) <= MANY else MANY_LIMIT
    shorter = _without(name, owner)
    found: list[tuple[float, int, str]] = []
    for candidate in names:
        if candidate.startswith("_") != name.startswith("_"):
            continue
        apart = distance(name, candidate)
        if shorter:
            apart = min(apart, distance(shorter, _without(candidate, owner) or candidate) + 0.05)
        apart += _by_case(name, candidate)
        if apart <= limit:
            found.append((apart, abs(len(candidate) - len(name)), candidate))
    return tuple(Near(candidate, apart) for apart, _, candidate in sorted(found)[:count])


def _without(name: str, owner: str) -> str:
    """`name` without the words of `owner`; empty if that leaves it as it is, or leaves nothing."""
    of_owner = {part.rstrip("s") for part in parts_of(owner)} - {""}
    left = [part for part in parts_of(name) if part.rstrip("s") not in of_owner]
    return "_".join(left) if 0 < len(left) < len(parts_of(name)) else ""


@lru_cache(maxsize=50_000)
def distance(one: str, other: str) -> float:
    """0: the same but for case and underscores.  1: nothing in common."""
    flat, flat_other = one.replace("_", "").lower(), other.replace("_", "").lower()
    if flat == flat_other:
        return 0.0 if one.lower() == other.lower() else 0.02
    return min(_by_letters(flat, flat_other), _by_words(parts_of(one), parts_of(other), flat, flat_other))


def _by_case(one: str, other: str) -> float:
    """Classes, constants and the rest are seldom taken for each other."""
    return 0.06 if (one[:1].isupper(), one.isupper()) != (other[:1].isupper(), other.isupper()) else 0.0


def _by_letters(one: str, other: str) -> float:
    longer = max(len(one), len(other))
    # One edit in a short word makes another word as often as not.
    allowed = 1 if longer <= 5 else 2 if longer <= 8 else 3 if longer <= 14 else 4
    if abs(len(one) - len(other)) > allowed or longer < 3:
        return 1.0
    found = edits(one, other, allowed)
    if found > allowed:
        return 1.0
    same_start = one[0] == other[0]
    return found / longer * 1.2 + (0.0 if same_start else 0.08) + (0.05 if longer <= 4 else 0.0)


def _by_words(one: tuple[str, ...], other: tuple[str, ...], flat: str, flat_other: str) -> float:
    if not one or not other:
        return 1.0
    left, cost, matched, worst = list(other), 0.0, 0, 0.0
    for part in one:
        best, best_cost = None, 1.0
        for candidate in left:
            apart = _between_words(part, candidate)
            if apart < best_cost:
                best, best_cost = candidate, apart
        if best is None or best_cost > 0.4:
            cost += 0.35 if part in _FILLERS else 0.8
            worst = 0.35
        else:
            left.remove(best)
            matched += 1
            cost += best_cost
            worst = max(worst, best_cost)
    if not matched:
        return _by_containment(flat, flat_other)
    cost += sum(0.35 if part in _FILLERS else 0.7 for part in left)
    if other in (one[: len(other)], one[-len(other) :]):
        return 0.16 + 0.04 * (len(one) - len(other))  # `sort_in_place`, `do_sort`
    if len(one) > 1 and one in (other[: len(one)], other[-len(one) :]):
        return 0.2 + 0.05 * (len(other) - len(one))
    in_order = [part for part in one if part in other] == [part for part in other if part in one]
    # One part that differs makes another name of a long one too.
    apart = cost / max(len(one), len(other)) + (0.0 if in_order else 0.08)
    apart = max(apart, worst * 0.8 if len(one) > 1 else 0.0)
    return max(min(apart, _by_containment(flat, flat_other)), 0.03)


def _between_words(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if one.rstrip("s") == other.rstrip("s") and min(len(one), len(other)) > 2:
        return 0.06
    if _mean_the_same(one, other):
        return 0.25
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 3 and longer.startswith(shorter):
        return 0.2
    allowed = 1 if len(longer) <= 5 else 2
    if len(shorter) > 3 and edits(one, other, allowed) <= allowed:
        return 0.15 * edits(one, other, allowed)
    return 1.0


def _mean_the_same(one: str, other: str) -> bool:
    meanings = _meanings()
    mine = meanings.get(one) or meanings.get(one.rstrip("s"), frozenset())
    theirs = meanings.get(other) or meanings.get(other.rstrip("s"), frozenset())
    return bool(mine & theirs)


def _by_containment(one: str, other: str) -> float:
    """`uppercase` and `upper`, `json_data` and `json`."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 4 or shorter not in longer:
        return 1.0
    at_an_end = longer.startswith(shorter) or longer.endswith(shorter)
    return 0.15 + 0.55 * (1 - len(shorter) / len(longer)) + (0.0 if at_an_end else 0.15)


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
