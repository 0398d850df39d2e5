"""Which of the names that exist was meant?  A distance that knows the parts words are made of.

Letters alone are a poor guide: `fetchAll` and `fetchall` differ by one edit and so do `min` and `mid`.
Names are compared as they are, as words (`to_list`, `toList`, `tolist`), in another order
(`is_file`, `file_is`) and by what the words mean (`words`), and the best comparison counts.  What is
left decides by the company: a name that alone holds the wrong one whole, or a rare word of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from .words import ADDED, FILLERS, REFUSING, between, edits, fused, parts_of, stem

__all__ = ["LIMIT", "Near", "distance", "edits", "nearest", "parts_of"]

LIMIT = 0.42
"""Names further apart than this have nothing to do with each other."""
MANY, MANY_LIMIT = 80, 0.34
"""Among so many names, some are this near by chance."""
ONLY_ONE = 0.21
"""How far the only name is that holds the wrong one whole."""
BY_RARE_WORD = 0.4
"""How far the only name is that has a rare word of the wrong one.  Never near: there is no more to it."""
_ENOUGH = 0.34
"""The share of the two names that such a word has to make up."""
_ENOUGH_ALONE = 0.14
"""The same where no other name shares anything."""
_LITTLE = frozenset(map(stem, FILLERS))
_FAULTS = frozenset({"error", "exception", "warning"})


class Near(NamedTuple):
    """A name that exists, and how far it is from the one that does not."""

    name: str
    apart: float


def nearest(name: str, candidates: Iterable[str], count: int = 5, *, owner: str = "") -> tuple[Near, ...]:
    """The candidates that `name` may have meant, best first; nothing where none is near.

    Names with a leading underscore count only where `name` has one.  Words of `owner`, the receiver or
    its type, say nothing in a member: `random.random_seed`.  Among many names a far one is chance.
    """
    names = [
        one
        for one in dict.fromkeys(candidates)
        if one != name and len(one) > 1 and one.startswith("_") == name.startswith("_")
    ]
    limit = LIMIT if len(names) <= MANY else MANY_LIMIT
    shorter = _without(name, owner)
    holding = _holding(name, names)
    found: list[tuple[float, int, str]] = []
    for candidate in names:
        apart = distance(name, candidate)
        if shorter:
            apart = min(apart, distance(shorter, _without(candidate, owner) or candidate) + 0.05)
        if candidate in holding and len(holding) == 1:
            apart = min(apart, ONLY_ONE)
        apart += _by_kind(name, candidate)
        if apart <= limit:
            found.append((apart, abs(len(candidate) - len(name)), candidate))
    ranked = [Near(candidate, apart) for apart, _, candidate in sorted(found)[:count]]
    rare = _by_rare_word(shorter or name, names)
    if rare and all(one.name != rare for one in ranked):
        ranked.append(Near(rare, BY_RARE_WORD))
    return tuple(ranked[:count])


def _without(name: str, owner: str) -> str:
    """`name` without the words of `owner`; empty if that leaves it as it is, or leaves nothing."""
    of_owner = {stem(part) for part in parts_of(owner)}
    left = [part for part in parts_of(name) if stem(part) not in of_owner]
    return "_".join(left) if 0 < len(left) < len(parts_of(name)) else ""


def _holding(name: str, names: Sequence[str]) -> frozenset[str]:
    """The names that hold all the words of `name`, or its letters at an end."""
    flat, mine = name.replace("_", "").lower(), {stem(part) for part in parts_of(name)}
    if len(flat) < 3 or not mine:
        return frozenset()
    found: set[str] = set()
    for one in names:
        letters = one.replace("_", "").lower()
        is_at_end = letters.endswith(flat) or (len(flat) > 3 and letters.startswith(flat))
        if mine <= {stem(part) for part in parts_of(one)} or is_at_end:
            found.add(one)
    return frozenset(found)


def _by_rare_word(name: str, names: Sequence[str]) -> str:
    """The one name that stands out for sharing words that few of the others have; else nothing."""
    mine = {stem(part) for part in parts_of(name)}
    if not mine:
        return ""
    others = {one: {stem(part) for part in parts_of(one)} for one in names if not _by_kind(name, one)}
    num_with = Counter(part for parts in others.values() for part in parts)

    def weight(part: str) -> float:
        rarity = math.log(1 + (len(names) + 1) / (1 + num_with[part]))
        return rarity * (0.4 if part in _LITTLE else 1.0)

    ranked: list[tuple[float, str]] = []
    for one, parts in others.items():
        shared = mine & parts
        if any(len(part) > 1 and part not in _LITTLE for part in shared):
            whole = sum(map(weight, mine | parts)) or 1.0
            ranked.append((sum(map(weight, shared)) / whole, one))
    ranked.sort(reverse=True)
    if not ranked or ranked[0][0] < (_ENOUGH if len(ranked) > 1 else _ENOUGH_ALONE):
        return ""
    return ranked[0][1] if len(ranked) == 1 or ranked[0][0] > 1.25 * ranked[1][0] else ""


@lru_cache(maxsize=50_000)
def distance(one: str, other: str) -> float:
    """0: the same but for case and underscores.  1: nothing in common."""
    flat, flat_other = one.replace("_", "").lower(), other.replace("_", "").lower()
    if flat == flat_other:
        return 0.0 if one.lower() == other.lower() else 0.02
    mine, theirs = parts_of(one), parts_of(other)
    return min(
        _by_letters(flat, flat_other),
        _by_words(mine, theirs, flat, flat_other),
        fused(mine, flat_other) if len(theirs) <= 2 else 1.0,
        fused(theirs, flat) + 0.03 if len(mine) == 1 else 1.0,
    )


def _by_kind(one: str, other: str) -> float:
    """Classes, constants and the rest are seldom taken for each other, nor an error for what is none."""
    apart = 0.0
    if (one[:1].isupper(), one.isupper()) != (other[:1].isupper(), other.isupper()):
        same = one.replace("_", "").lower() == other.replace("_", "").lower()
        apart = 0.06 if same or one[:1].isupper() == other[:1].isupper() else 0.2
    if one[:1].isupper() and other[:1].isupper():
        ends = [parts[-1] in _FAULTS for parts in (parts_of(one), parts_of(other)) if parts]
        apart += 0.2 if len(set(ends)) > 1 else 0.0
    return apart


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
    left, matched, unmatched, cost, worst = list(other), dict[str, str](), list[str](), 0.0, 0.0
    for part in one:
        best_cost, best = min(
            ((between(part, candidate), candidate) for candidate in left), default=(1.0, "")
        )
        if best_cost > 0.4:
            unmatched.append(part)
            continue
        left.remove(best)
        matched[part] = best
        cost += best_cost
        worst = max(worst, best_cost)
    if not matched:
        return _by_containment(flat, flat_other)
    in_order = [part for part in other if part in matched.values()] == list(matched.values())
    cost_of_order = 0.0 if in_order else 0.06
    if not left and unmatched:
        return _with_more(one, unmatched, other, cost) + cost_of_order
    if not unmatched and left:
        extra = sum(
            0.0 if part in ("is", "has") else 0.04 if part in FILLERS else 0.16 if part in REFUSING else 0.08
            for part in left
        )
        lone = 0.06 if len(one) == 1 and one[0] in FILLERS else 0.0
        apart = 0.1 + extra + lone + cost / len(one) + cost_of_order
        return min(apart, _by_containment(flat, flat_other))
    apart = cost + sum(0.35 if part in FILLERS else 0.8 for part in unmatched)
    apart += sum(0.35 if part in FILLERS else 0.7 for part in left)
    apart = apart / max(len(one), len(other)) + cost_of_order
    # One part that differs makes another name of a long one too.
    worst = max(worst, 0.35 if unmatched else 0.0)
    apart = max(apart, worst * 0.8 if len(one) > 1 else 0.0)
    return max(min(apart, _by_containment(flat, flat_other)), 0.03)


def _with_more(one: tuple[str, ...], more: Sequence[str], other: tuple[str, ...], cost: float) -> float:
    """`one` has all the words of `other`, and `more`: `sort_in_place`, `do_sort`, `ship_not_found`."""
    apart = 0.06 + cost / len(other) if cost else 0.1
    for part in more:
        if part in ADDED:
            apart += 0.03
        elif part in FILLERS:
            apart += 0.05
        elif any(between(part, word) <= 0.3 for word in other):
            apart += 0.07
        else:
            apart += 0.26 if part in REFUSING else 0.12
    if all(part in FILLERS for part in other) and not all(part in FILLERS for part in one):
        apart += 0.1
    return apart + (0.02 if one[-1] in more and one[-1] not in ADDED else 0.0)


def _by_containment(one: str, other: str) -> float:
    """`uppercase` and `upper`, `json_data` and `json`."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 4 or shorter not in longer:
        return 1.0
    at_an_end = longer.startswith(shorter) or longer.endswith(shorter)
    return 0.15 + 0.55 * (1 - len(shorter) / len(longer)) + (0.0 if at_an_end else 0.15)
