"""What a record of a language says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BlockStyle = Literal["indent", "brace", "keyword"]


@dataclass(frozen=True, slots=True)
class Language:
    """One language.  `name` is its id in LSP and the only name used inside the product."""

    name: str
    ids: tuple[str, ...]
    """Every id an editor may send for it, lower case; includes `name`."""
    suffixes: tuple[str, ...]
    """With the dot, lower case.  `.h` is C: nothing in the name says otherwise."""
    file_names: tuple[str, ...]
    """Whole names of files without a telling suffix."""
    wheel: str
    loader: str
    """The function in `wheel` that returns the grammar."""
    line_comment: str
    block_comment: tuple[str, str] | None
    quotes: tuple[str, ...]
    """What opens a string, longest first; the same text closes it."""
    block_style: BlockStyle
    """`indent` Python; `brace` `{ }`; `keyword` blocks that end in a word (`end`, `fi`, `done`)."""
    statement_nodes: frozenset[str]
    """Nodes that stand on their own in a block, declarations and definitions included."""
    block_nodes: frozenset[str]
    """Nodes whose children are statements, members or cases; the whole file included."""
    definition_nodes: frozenset[str]
    """Functions, methods, classes and other types: what a person would jump to."""
    comment_nodes: frozenset[str]
    string_nodes: frozenset[str]
    path_separator: str = "."
    """Between the parts of what an import names."""
    importers: frozenset[str] = frozenset()
    """Functions whose call with a string is an import: `require`."""
    relative_importers: frozenset[str] = frozenset()
    """Those of them that look from the file itself: Ruby's `require_relative`."""
    field_makers: frozenset[str] = frozenset()
    """Functions whose call with a symbol declares a field: Ruby's `attr_reader`."""
    self_names: frozenset[str] = frozenset({"self", "this"})
    """What a method calls its object, where the language leaves it to a name."""


def names(text: str) -> frozenset[str]:
    """A set of words, written as one text."""
    return frozenset(text.split())


C_COMMENT = ("/*", "*/")
