"""What one file says: its definitions, the names it uses, what it imports.

Plain frozen data, made by `extraction.extract(text, language)` and kept by the index.  Offsets are
code points of the text, half open; lines count from 0 and end at a line feed.  Texts (signatures,
types, bases, receivers) are as the author wrote them, with runs of blanks and line ends made one
space.  What was not written is empty (`""`, `()`): nothing here is guessed, except where a docstring
says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

DefinitionKind = Literal[
    "module",  # namespace, package block, Rust `mod`, Ruby module
    "class",  # class, struct, record, union, Rust `impl`'s type, Kotlin object
    "interface",  # interface, trait, protocol, annotation type
    "enum",
    "type",  # alias
    "function",
    "method",  # constructors too, by the name the language gives them
    "field",  # attribute, property
    "variant",  # one value of an enum
    "variable",  # constants too; only those outside functions
    "macro",
]
TYPE_KINDS: frozenset[DefinitionKind] = frozenset({"class", "interface", "enum", "type"})
"""Definitions that can have members."""

ReferenceKind = Literal["name", "member", "type", "call"]
REFERENCE_KINDS: tuple[ReferenceKind, ...] = ("name", "member", "type", "call")


@dataclass(frozen=True, slots=True)
class Definition:
    """One thing a person would jump to."""

    name: str
    kind: DefinitionKind
    start: int
    """Of the whole definition, decorators and modifiers included, doc comment not."""
    end: int
    line: int
    """The first line of `[start, end)`."""
    end_line: int
    """The last one, inclusive."""
    name_start: int
    """Where `name` stands; what an editor's cursor would point at."""
    signature: str
    """On one line as written, without the body: `def find(self, key: str) -> Row | None`."""
    parent: str = ""
    """The qualified name, within the file, of what it is a member of: `Outer.Inner`.  A Go method's
    receiver type; a Rust method's `impl` type, which may be defined in another file."""
    doc: str = ""
    """The first paragraph of its docstring or doc comment, on one line, without the marks."""
    bases: tuple[str, ...] = ()
    """Of a type: superclasses, interfaces, traits, Go's embedded types, Rust's `impl … for`."""
    type: str = ""
    """Of a field, variant, variable or alias: the type written; of `self.x = x`, the parameter's."""
    returns: str = ""
    """Of a function or method: the return type written."""
    callee: str = ""
    """Of a field or variable without a written type: what is called to make it, `Rows` of
    `self.rows = Rows(path)`.  May be a function, whose return type then counts."""
    decorators: tuple[str, ...] = ()
    """Decorators, annotations, attributes, as written: `@dataclass(frozen=True)`."""

    @property
    def qualified_name(self) -> str:
        return f"{self.parent}.{self.name}" if self.parent else self.name


@dataclass(frozen=True, slots=True)
class Binding:
    """A name inside a function whose type the file tells: a parameter or a local variable."""

    name: str
    type: str
    """Written (`x: Row`), or the callee of what is assigned (`x = Row(…)`, `new Row(…)`)."""
    written: bool
    """False where `type` is a callee: it may as well be a function, whose return type then counts."""
    start: int
    line: int
    scope: str
    """The qualified name of the function it is in; empty at the top of the file."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One use of a name."""

    name: str
    kind: ReferenceKind
    """`call` for `name(` and `x.name(` alike; `member` is `x.name` without a call."""
    receiver: str
    """What stands before the dot (or `->`, `::`), as written: `self.rows` of `self.rows.append`."""
    start: int
    line: int


@dataclass(frozen=True, slots=True)
class References(Sequence[Reference]):
    """All uses of names in a file, in order of the text, kept as columns: there are many.

    Reads like a tuple of `Reference`.  Names that are being defined are not uses.
    """

    names: tuple[str, ...] = ()
    kinds: bytes = b""
    """Places in `REFERENCE_KINDS`."""
    receivers: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    lines: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Reference: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Reference, ...]: ...
    def __getitem__(self, index: int | slice) -> Reference | tuple[Reference, ...]:
        if isinstance(index, slice):
            return tuple(self[one] for one in range(*index.indices(len(self))))
        return Reference(
            self.names[index],
            REFERENCE_KINDS[self.kinds[index]],
            self.receivers[index],
            self.starts[index],
            self.lines[index],
        )

    def __iter__(self) -> Iterator[Reference]:
        return (self[index] for index in range(len(self)))


@dataclass(frozen=True, slots=True)
class ImportedName:
    """One name taken out of a module."""

    name: str
    alias: str = ""
    """What it is called here, where that differs."""

    @property
    def local_name(self) -> str:
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class Import:
    """One module a file names, with what it takes from it."""

    module: str
    """As written, without quotes and without Python's leading dots: `os.path`, `./rows`,
    `crate::store`, `stdio.h`, `example.com/tide/store`.  Where a language names module and name in
    one (`use crate::store::Row`, `import java.util.List`), what stands before the last separator."""
    names: tuple[ImportedName, ...] = ()
    """Of `from m import a, b as c`, `import {a} from "m"`, `use m::{a, b}`, `import m.a`.  A default
    import of JavaScript is the name `default`.  Empty where the module as a whole is bound, or nothing is."""
    alias: str = ""
    """What the whole module is called here: `np` of `import numpy as np`, `* as ns`, Go's alias."""
    level: int = 0
    """Python's leading dots."""
    wildcard: bool = False
    """`from m import *`, `use m::*`, `import java.util.*;`, `export * from`, C#'s `using`."""
    system: bool = False
    """C's `#include <…>`, not `"…"`."""
    exported: bool = False
    """What is taken is passed on: `export … from`, `pub use`."""
    start: int = 0
    end: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Everything said above of one text."""

    language: str
    """`Language.name`."""
    definitions: tuple[Definition, ...] = ()
    """In order of `start`, parents before their members."""
    references: References = field(default_factory=References)
    imports: tuple[Import, ...] = ()
    bindings: tuple[Binding, ...] = ()
    """Of use at the cursor; the index need not keep them."""
    package: str = ""
    """What the file says it belongs to: Java's and Go's `package`, C#'s and PHP's `namespace`."""
    doc: str = ""
    """The first paragraph of the file's own docstring or leading doc comment."""
    skipped: str = ""
    """Why nothing was read, in words; empty where it was."""
    truncated: str = ""
    """Why not everything was read, in words: a cap was reached."""
