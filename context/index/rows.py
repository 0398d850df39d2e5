"""Facts as rows and rows as facts: the only place that knows both shapes."""

from __future__ import annotations

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from ..facts import Definition, FileFacts, Import, ImportedName
from .words import MAX_NAME_CHARS, words_of

UNNAMED = "."
"""Stands for a module without a word in it: `from . import x`, `require("..")`."""
_WORD = re.compile(r"[^\W\d]\w*")
_LAST = re.compile(r"\w+(?=\W*$)")

DEFINITION_COLUMNS = "n.name, d.fields"
"""Of `definitions d` joined with `names n`, in the order `definition_of` takes them."""

_FIELDS = tuple(field.name for field in fields(Definition))
_fields_of = attrgetter(*_FIELDS[1:])  # all but the name, which is a row of its own
_fields_of_import = attrgetter(*(field.name for field in fields(Import)))
_to_text = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_from_text = json.JSONDecoder().decode


def uses_of(facts: FileFacts) -> dict[str, int]:
    """How often each name is used; what is longer than a name is left out."""
    return with_short_names(Counter(facts.references.names))


def with_short_names(uses: Mapping[str, int]) -> dict[str, int]:
    return {name: num for name, num in uses.items() if len(name) <= MAX_NAME_CHARS}


def names_in(facts: FileFacts) -> set[str]:
    """Every name that gets an id on behalf of these facts, but for the uses."""
    found = {one.name for one in facts.definitions}
    found.update(last_part(one.parent) for one in facts.definitions if one.parent)
    found.update(import_words(facts.imports))
    return found


def last_part(qualified: str) -> str:
    """`Inner` of `Outer.Inner`, `store::Inner` or `*Inner`; the whole where it holds no word."""
    own = qualified.rpartition(".")[2]
    if own.isidentifier() and own.isascii():
        return own
    found = _LAST.search(qualified)
    return found[0] if found else qualified


def import_words(imports: Iterable[Import]) -> set[str]:
    """What an import may be found by: the words of its module and the names it takes."""
    words: set[str] = set()
    for one in imports:
        words.update(_WORD.findall(one.module) or (UNNAMED,))
        words.update(name.name for name in one.names)
    return words


def definition_rows(
    content_id: int, definitions: Iterable[Definition], ids: dict[str, int]
) -> Iterator[tuple[int, int, int, int, str]]:
    """Content, place in the file, name, the parent's own name (0: none), everything else."""
    for nth, one in enumerate(definitions):
        parent_id = ids[last_part(one.parent)] if one.parent else 0
        yield content_id, nth, ids[one.name], parent_id, _to_text(_fields_of(one))


def definition_of(row: Sequence[Any]) -> Definition:
    """From `DEFINITION_COLUMNS`.  Remembered: from one keystroke to the next the same ones are asked for."""
    return _definition_of(row[0], row[1])


@lru_cache(maxsize=8_192)
def _definition_of(name: str, text: str) -> Definition:
    return Definition(name, *map(_frozen, _from_text(text)))


def imports_text(imports: Sequence[Import]) -> str:
    return _to_text([_import_fields(one) for one in imports]) if imports else ""


def _import_fields(one: Import) -> tuple[Any, ...]:
    module, names, *rest = _fields_of_import(one)
    return (module, [(name.name, name.alias) for name in names], *rest)


def imports_of(text: str) -> tuple[Import, ...]:
    return tuple(
        Import(module, tuple(ImportedName(*name) for name in names), *rest)
        for module, names, *rest in (_from_text(text) if text else ())
    )


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of JSON


def packed(uses: dict[str, int], ids: dict[str, int]) -> bytes:
    """Pairs of name and count, 32 bits each, in order of the name's id."""
    pairs = sorted((ids[name], num) for name, num in uses.items())
    return array("I", [number for pair in pairs for number in pair]).tobytes()


def unpacked(uses: bytes) -> list[tuple[int, int]]:
    numbers = array("I")
    numbers.frombytes(uses)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def document_of(names: Iterable[str]) -> str:
    """What is searched: each name of a file once, whole and in parts.  In one order, so that it can be
    made again to be taken out of the search index.
    """
    return " ".join(filter(None, map(words_of, sorted(set(names)))))
