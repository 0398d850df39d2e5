"""Names that are nearly right: what a generator does to a name that exists."""

from __future__ import annotations

import random
import re

SYNONYMS = {
    "get": "fetch",
    "add": "insert",
    "remove": "delete",
    "find": "lookup",
    "read": "load",
    "write": "save",
    "to": "as",
    "from": "parse",
    "is": "has",
    "create": "make",
    "start": "begin",
    "max": "maximum",
    "min": "minimum",
    "len": "length",
    "str": "string",
    "num": "number",
    "dict": "mapping",
    "count": "total",
    "by": "with",
    "all": "every",
    "index": "position",
    "name": "title",
    "text": "string",
}
PREFIXES = ("get_", "do_", "make_", "try_")
SUFFIXES = ("_value", "_by_name", "_or_default", "_in_place")


def parts_of(name: str) -> list[str]:
    return [one for one in re.split(r"_|(?<=[a-z0-9])(?=[A-Z])", name) if one]


def made(name: str, rng: random.Random) -> str:
    """A name near `name`: parts swapped, a plural, a synonym, a prefix, another case, a slip of a finger."""
    ways = [_swapped, _plural, _synonym, _prefixed, _other_case, _slip, _suffixed]
    rng.shuffle(ways)
    for way in ways:
        found = way(name, rng)
        if found not in {name, ""} and found.isidentifier():
            return found
    return f"{name}_value"


def _swapped(name: str, rng: random.Random) -> str:
    parts = name.split("_")
    return "_".join(reversed(parts)) if len(parts) > 1 and all(parts) else ""


def _plural(name: str, rng: random.Random) -> str:
    return name[:-1] if name.endswith("s") and len(name) > 4 else f"{name}s"


def _synonym(name: str, rng: random.Random) -> str:
    parts = name.split("_")
    known = [at for at, part in enumerate(parts) if part in SYNONYMS]
    if not known:
        return ""
    at = rng.choice(known)
    return "_".join([*parts[:at], SYNONYMS[parts[at]], *parts[at + 1 :]])


def _prefixed(name: str, rng: random.Random) -> str:
    return rng.choice(PREFIXES) + name if name[0].islower() else f"{rng.choice(('New', 'My'))}{name}"


def _suffixed(name: str, rng: random.Random) -> str:
    return name + rng.choice(SUFFIXES) if name[0].islower() else f"{name}{rng.choice(('Object', 'Type'))}"


def _other_case(name: str, rng: random.Random) -> str:
    parts = parts_of(name)
    if len(parts) < 2:
        return ""
    if "_" in name:
        return parts[0] + "".join(part.capitalize() for part in parts[1:])
    return "_".join(part.lower() for part in parts)


def _slip(name: str, rng: random.Random) -> str:
    if len(name) < 5:
        return ""
    at = rng.randrange(1, len(name) - 2)
    left, right = name[at], name[at + 1]
    kind = rng.randrange(3)
    if kind == 0:
        return name[:at] + right + left + name[at + 2 :]
    if kind == 1:
        return name[:at] + name[at + 1 :]
    return name[:at] + left + name[at:]
