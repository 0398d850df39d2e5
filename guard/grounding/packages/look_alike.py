"""Names that are a slip away from a well-known one: what squatters register and models invent.

A slip: one letter changed, left out, put in or swapped with its neighbour; a doubled letter; separators
moved; letters of another script; a prefix or suffix that says nothing (`python-`, `-py`, `3`).  Short
names have too many real neighbours: below five letters only letters of another script count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from .known import Registry, ranks
from .naming import normalized, plain

MIN_CHARS = 5
FAR_CHARS = 9
"""From this length on two slips count."""
FAR_RANK = 700
"""Two slips count only from a name among so many of the best known."""
_AFFIXES = ("python-", "python3-", "py-", "py", "node-", "js-", "lib")
_ENDINGS = ("-python3", "-python", "-py3", "-py", "-js", "-node", "-lib", "-sdk-python", "py", "js", "3", "2")


@lru_cache(maxsize=4_096)
def look_alike_of(name: str, registry: Registry) -> str:
    """The well-known name that `name` seems to be meant as; empty for a well-known one, or for none."""
    known = ranks(registry)
    asked = normalized(name) if registry == "pypi" else name.lower()
    if asked in known:
        return ""
    seen = _comparable(plain(name), registry)
    if seen in known and seen != asked:
        return seen  # letters of another script
    if not seen or len(seen) < MIN_CHARS:
        return ""
    bare = _squeezed(seen)
    found = _by_squeezed(registry).get(bare)
    if found is not None:
        return found
    candidates = [*_without_affix(seen, known), *_near(bare, registry)]
    return min(candidates, key=known.__getitem__, default="")


def distance(one: str, other: str, limit: int) -> int:
    """Slips between two names (neighbours swapped are one), or `limit + 1` where there are more."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        older, before, row = before, row, [place]
        for at, wanted in enumerate(other, 1):
            cost = min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (letter != wanted))
            if older and at > 1 and letter == other[at - 2] and one[place - 2] == wanted:
                cost = min(cost, older[at - 2] + 1)
            row.append(cost)
        if min(row) > limit and min(before) >= limit:  # two that are swapped go on from there
            return limit + 1
    return min(row[-1], limit + 1)


def _near(bare: str, registry: Registry) -> Iterator[str]:
    """Well-known names one slip away, and for long ones two."""
    known = ranks(registry)
    for length in range(len(bare) - 2, len(bare) + 3):
        for other in _by_length(registry).get(length, ()):
            short = min(len(bare), length)
            limit = 2 if short >= FAR_CHARS and known[other[1]] < FAR_RANK else 1
            if short < MIN_CHARS or (limit == 1 and abs(length - len(bare)) > 1):
                continue
            if _share_enough(bare, other[0]) and distance(bare, other[0], limit) <= limit:
                yield other[1]


def _share_enough(one: str, other: str) -> bool:
    """Cheap and never wrong: two slips leave a beginning or an end, or most of the letters."""
    return one[:2] == other[:2] or one[-2:] == other[-2:] or len(set(one) ^ set(other)) <= 4


def _without_affix(name: str, known: Mapping[str, int]) -> Iterator[str]:
    """`python-requests`, `requests3`: of names that are well known without it."""
    for affix in _AFFIXES:
        rest = name.removeprefix(affix)
        if rest != name and len(rest) >= MIN_CHARS and known.get(rest, FAR_RANK) < FAR_RANK:
            yield rest
    for ending in _ENDINGS:
        rest = name.removesuffix(ending)
        if rest != name and len(rest) >= MIN_CHARS and known.get(rest, FAR_RANK) < FAR_RANK:
            yield rest


def _comparable(name: str, registry: Registry) -> str:
    if registry == "pypi":
        return normalized(name)
    return "" if name.startswith("@") and "/" not in name else name


def _squeezed(name: str) -> str:
    return "".join(letter for letter in name if letter not in "-_.")


@cache
def _by_squeezed(registry: Registry) -> dict[str, str]:
    """Well-known names by their letters alone; of two the better known."""
    found: dict[str, str] = {}
    for name in ranks(registry):
        found.setdefault(_squeezed(name), name)
    return found


@cache
def _by_length(registry: Registry) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for bare, name in _by_squeezed(registry).items():
        found.setdefault(len(bare), []).append((bare, name))
    return found
