"""What the evaluation of values has to know of a grammar: names of nodes and fields, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Grammar:
    """Node kinds by role.  A kind in no role is worth what its children are worth."""

    functions: frozenset[str]
    parameters: frozenset[str]
    """Kinds that hold the parameters of a function."""
    identifiers: frozenset[str]
    strings: frozenset[str]
    string_text: frozenset[str]
    """Kinds inside a string that are its text; everything else named in it is a hole."""
    literals: frozenset[str]
    calls: Mapping[str, tuple[str, str]]
    """Kind to the fields of callee and arguments."""
    members: Mapping[str, tuple[str, str]]
    """`a.b`: kind to the fields of object and name."""
    subscripts: Mapping[str, str]
    """`a[b]`: kind to the field of the object; empty for the first child."""
    assignments: Mapping[str, tuple[str, str]]
    """Kind to the fields of target and value; also loops and `with`, whose target takes a part of it."""
    augmented: frozenset[str]
    binary: Mapping[str, tuple[str, str]]
    """Kind to the fields of the two sides."""
    joining: frozenset[str]
    """Operators that put text together."""
    choosing: frozenset[str]
    """Operators whose value is one of the sides."""
    conditionals: Mapping[str, tuple[str, str]]
    """`c ? a : b`: kind to the fields of the two branches; empty: first and last named child."""
    containers: frozenset[str]
    blocks: frozenset[str]
    skipped: frozenset[str]
    """Kinds that are never a value: types, keywords, function bodies."""
    comment: str = "comment"
    field_of: re.Pattern[str] = re.compile(r"(?:self|cls|this)\b")
    format_calls: re.Pattern[str] = re.compile(r"(?:\.|^)(?:format|sprintf|Sprintf|Format|formatted)$")


CURLY_STRINGS = frozenset({"string_fragment", "escape_sequence", "string_content"})
"""What the text in a string is called where braces make the blocks."""
