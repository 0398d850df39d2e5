"""The query of a language: which nodes of its grammar are which facts.

A file `queries/NAME.scm`, where NAME is the language's.  A first line `; inherits: OTHER` takes all of
OTHER's patterns too.  The names a query may capture are those below and no others; how they are put
together is told in `frames`.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import GrammarError
from ..facts import REFERENCE_KINDS
from ..languages import grammar_of
from ..records import Language

if TYPE_CHECKING:
    import tree_sitter

FRAMES = (
    "outer",  # holds a definition that begins where this begins: decorators, `export`, `template <…>`
    "import",
    "item",  # one name or module of an import, where it has an alias
    "scope",  # members without a definition: Rust's `impl`; its `parent` names the type
    "definition.function",  # of several on one node the first of this order is meant
    "definition.macro",
    "definition.enum",
    "definition.interface",
    "definition.class",
    "definition.module",
    "definition.type",
    "definition.field",
    "definition.variant",
    "definition.variable",  # outside functions; inside, a binding
    "binding",
    "closure",  # a function without a name: what is in it is local
)
PARTS = (
    "name",
    "body",
    "type",
    "returns",
    "base",
    "qualified",  # parent and name in one: C++'s `Row::find`
    "parent",  # the type something is a member of, where that does not enclose it
    "self",  # what stands before the dot of a field that is assigned: kept where it is the object
    "decorator",
    "callee",
    "promoted",  # makes a parameter a field too: TypeScript's and PHP's constructors
    "value",  # a plain name that is assigned
    "doc",
    "module",
    "submodule",  # a module that this one declares: Rust's `mod rows;`
    "relative",  # a module with leading dots that count levels
    "path",  # module and name in one, maybe several in braces: `a::{b, c::d as e}`
    "default",  # JavaScript's default import
    "alias",
    "wildcard",
    "system",
    "exported",
    "function",  # the name of a function that imports or declares: see `Language.importers`
    "package",
)
USES = tuple(f"reference.{kind}" for kind in REFERENCE_KINDS)  # of several on one node the last is meant
OTHERS = (
    "access",  # a whole `receiver.name`; ends where the name ends
    "receiver",  # what stands before the joint, where the name does not end the access: `x` of `x.f(…)`
    "ignore",  # a name that is not a use: a parameter, a keyword of a call
    "prelude",  # stands between a doc comment and what it documents: Rust's attributes
    "comment",  # documents what follows it
    "remark",  # does not
    "after",  # documents what stands before it
)
KNOWN = frozenset(FRAMES + PARTS + USES + OTHERS)

_FOLDER = Path(__file__).parents[1] / "queries"
_INHERITS = re.compile(r"; inherits: (\w+)\n")
_CAPTURE = re.compile(r"@([\w.]+)")

_compiled: dict[str, tree_sitter.Query] = {}
_compiling = threading.Lock()


def query_of(language: Language) -> tree_sitter.Query:
    """Compiled on first use and kept; raises `GrammarError` when it does not fit the grammar."""
    found = _compiled.get(language.name)
    if found is None:
        with _compiling:
            found = _compiled.get(language.name) or _compile(language)
            _compiled[language.name] = found
    return found


def query_text(name: str) -> str:
    """The patterns of `queries/NAME.scm` and of what it inherits."""
    text = (_FOLDER / f"{name}.scm").read_text(encoding="utf-8")
    inherits = _INHERITS.match(text)
    return query_text(inherits[1]) + "\n" + text if inherits else text


def _compile(language: Language) -> tree_sitter.Query:
    import tree_sitter

    grammar = grammar_of(language)
    try:
        text = query_text(language.name)
        query = tree_sitter.Query(grammar, text)
    except (tree_sitter.QueryError, OSError) as error:
        raise GrammarError(
            f"queries/{language.name}.scm does not fit the grammar installed ({error}): reinstall "
            "truepenny, or install the versions named in its pyproject.toml"
        ) from error
    unknown = sorted({query.capture_name(one) for one in range(query.capture_count)} - KNOWN)
    if unknown:
        raise GrammarError(f"queries/{language.name}.scm captures {unknown}: use {sorted(KNOWN)}")
    return query
