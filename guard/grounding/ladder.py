"""How sure a finding is.  Sure ones are repaired or cut away, unsure ones noted, the rest is silence.

The rungs were measured on working code: what a checker says there is wrong, whatever it says.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

from .finding import Fault, Finding
from .knowledge import Source, Standing

if TYPE_CHECKING:
    from .draft import Draft


OPEN = "taken by **"
"""The message of a finding on a keyword that the function takes as one of any."""


class Rung(IntEnum):
    """Higher is surer."""

    SILENT = 0
    UNSURE = 1
    SURE = 2


_COUNT = re.compile(r"Too many positional|Expected \d+(?:-\d+)? arguments?, but got|Expected \d+ argument")
_LACKS = re.compile(r"No arguments? provided")
_NOT_CALLABLE = re.compile(r"not callable|no call signatures")
_PLAIN = re.compile(r"(?:int|str|bool|bytes|float|list|dict|set|tuple|Literal)\b")
# Receivers of which a type checker knows less than it says.
_VAGUE = re.compile(
    r"\bUnknown\b|\bAny\b|\bTodo\b|@Todo|^object$|^\{\}$|^~| & |@|^super\(|<super:|\bProtocol\b"
)
_DJANGO = re.compile(
    r"objects$|^pk$|^id$|_set$|_id$|^_?meta$|_display$|^DoesNotExist$|^MultipleObjectsReturned$"
)
"""What its classes of models have without its being written."""
_NARROWED = re.compile(r" & ~\w+|~\w+ & ")
"""What a condition has ruled out."""
_NOTHING = frozenset(
    {"None", "Never", "never", "undefined", "null", "unknown", "NoneType", "null | undefined"}
)


def rung(finding: Finding, draft: Draft, standing: Standing | None) -> Rung:
    """`standing` is that of the module, where the finding is about one and it is known."""
    match finding.fault:
        case Fault.MISSING_MODULE:
            return _module(finding, standing)
        case Fault.MISSING_MEMBER:
            return _member(finding, draft)
        case Fault.UNKNOWN_ARGUMENT:
            # Who does not know a decorator takes the class it makes for one without a constructor.
            is_vague = finding.message == OPEN or finding.receiver.startswith("object.")
            return Rung.UNSURE if is_vague else Rung.SURE
        case Fault.MISSING_NAME:
            return Rung.SURE
        case Fault.WRONG_CALL:
            return _call(finding)
        case Fault.POSSIBLY_MISSING:
            return Rung.SILENT


def _module(finding: Finding, standing: Standing | None) -> Rung:
    if standing is None:
        return Rung.SURE
    match standing.source:
        case Source.STANDARD | Source.INSTALLED | Source.WORKSPACE:
            # The package is there, and this part of it is not: `json.decodr`.
            return Rung.SURE if "." in finding.name.strip(".") else Rung.SILENT
        case Source.DECLARED:
            return Rung.SILENT
        case Source.WELL_KNOWN | Source.PUBLISHED:
            return Rung.UNSURE
        case Source.UNKNOWN | Source.LOOK_ALIKE:
            return Rung.SURE


def _member(finding: Finding, draft: Draft) -> Rung:
    receiver = finding.receiver
    if receiver in _NOTHING:
        return Rung.SILENT
    if receiver.startswith(("Self@", "type[Self@")):
        return _own(finding, draft)
    if "Function `" in finding.message or finding.message.startswith("Function"):
        return Rung.UNSURE
    if draft.language.startswith("javascript") and receiver.startswith(("{", "typeof", "Window")):
        return Rung.UNSURE
    if _DJANGO.search(finding.name) and "django" in draft.text:
        return Rung.SILENT
    if _VAGUE.search(_outside_brackets(receiver)):
        return Rung.UNSURE
    if _is_target(finding, draft):
        return Rung.UNSURE
    return Rung.SURE


def _outside_brackets(receiver: str) -> str:
    """The type without what it is of: `list[Unknown]` has the members of a list."""
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", receiver)) != receiver:
        receiver = shorter
    return _NARROWED.sub("", receiver)


def _own(finding: Finding, draft: Draft) -> Rung:
    """Of `self`: a method may be written next, and a subclass may have what this class lacks."""
    is_called = draft.text[finding.end : finding.end + 1] == "("
    return Rung.UNSURE if is_called or draft.tree is None else Rung.SURE


def _call(finding: Finding) -> Rung:
    if _COUNT.search(finding.message):
        return Rung.SURE
    if _NOT_CALLABLE.search(finding.message):
        if finding.receiver.startswith(("Literal[True]", "Literal[False]")):
            return Rung.SILENT  # what `getattr(it, name, False)` gives is called where it is true
        return Rung.SURE if _PLAIN.match(finding.receiver) and " | " not in finding.receiver else Rung.SILENT
    if _LACKS.search(finding.message):
        return Rung.UNSURE
    return Rung.SILENT


def _is_target(finding: Finding, draft: Draft) -> bool:
    """Whether it is assigned to: many objects take any member."""
    return re.match(r"[ \t]*(?::[^=\n]+)?=(?!=)", draft.text[finding.end : finding.end + 80]) is not None
