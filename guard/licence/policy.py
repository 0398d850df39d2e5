"""What a licence asks of who copies: its category by `license-expression`, and what we do about it.

Of `A OR B` the milder counts, of `A AND B` the stricter.  An exception makes strong copyleft as weak
as the exception's own category says, and never freer than weak.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Literal

from ..verdict import Action

Grade = Literal["copy", "near copy", "similar"]


class Terms(IntEnum):
    """Mildest first."""

    PUBLIC_DOMAIN = 0
    PERMISSIVE = 1
    WEAK_COPYLEFT = 2
    STRONG_COPYLEFT = 3
    UNKNOWN = 4
    PROPRIETARY = 5


_OF_CATEGORY = {
    "Public Domain": Terms.PUBLIC_DOMAIN,
    "Permissive": Terms.PERMISSIVE,
    "Copyleft Limited": Terms.WEAK_COPYLEFT,
    "Copyleft": Terms.STRONG_COPYLEFT,
    "Unstated License": Terms.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class LicencePolicy:
    """What happens to copies, by the terms they are under.  `Action.TRIM`: cut, or withheld."""

    weak_copyleft: Action = Action.TRIM
    permissive: Action = Action.ANNOTATE
    unknown: Action = Action.TRIM

    def action(self, terms: Terms, grade: Grade) -> Action:
        """Few shared lines are only ever pointed out."""
        if terms == Terms.PUBLIC_DOMAIN:
            return Action.PASS
        action = {
            Terms.PERMISSIVE: self.permissive,
            Terms.WEAK_COPYLEFT: self.weak_copyleft,
            Terms.UNKNOWN: self.unknown,
        }.get(terms, Action.TRIM)
        return min(action, Action.ANNOTATE) if grade == "similar" else action


@cache
def terms_of(expression: str) -> Terms:
    """The terms of an SPDX expression; what cannot be read or is not known is `UNKNOWN`."""
    library = _library()
    try:
        parsed = library.Licensing().parse(expression)
    except library.ExpressionError:
        return Terms.UNKNOWN
    return Terms.UNKNOWN if parsed is None else _terms(parsed)


def _terms(node: Any) -> Terms:
    library = _library()
    if isinstance(node, library.AND):
        return max(map(_terms, node.args))
    if isinstance(node, library.OR):
        return min(map(_terms, node.args))
    if isinstance(node, library.LicenseWithExceptionSymbol):
        base = _of_key(str(node.license_symbol.key))
        eased = max(Terms.WEAK_COPYLEFT, _of_key(str(node.exception_symbol.key)))
        return min(base, eased) if base == Terms.STRONG_COPYLEFT else base
    return _of_key(str(node.key))


def _of_key(key: str) -> Terms:
    table = _table()
    found = table.get(key.lower())
    return found if found is not None else table.get(key.lower().removesuffix("+"), Terms.UNKNOWN)


@cache
def _table() -> dict[str, Terms]:
    """By every name a licence has, in lower case."""
    table: dict[str, Terms] = {}
    for entry in _library().get_license_index():
        terms = _OF_CATEGORY.get(entry["category"], Terms.PROPRIETARY)
        for name in (entry["license_key"], entry["spdx_license_key"], *entry["other_spdx_license_keys"]):
            if name:
                table.setdefault(name.lower(), terms)
    return table


def _library() -> Any:
    """It has no types, and is imported when the first match is judged."""
    return importlib.import_module("license_expression")
