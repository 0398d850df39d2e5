"""Imports from frames.

Three shapes, by the parts a query captures: `module` with `name`s and `item`s; several `module`s, each
an import of its own; and a `path`, which names module and name in one and may hold braces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..facts import Import, ImportedName
from ..records import Language
from .definitions import Reading
from .frames import Frame

MAX_PATHS = 500
"""Of one statement with braces."""

_BLANKS = re.compile(r"\s+")
_ALIAS = re.compile(r"^(.*?)(?:\s+as\s+|\s*=>\s*)([\w$]+)$")
_KEYWORDS = re.compile(r"^(?:(?:import|export|use|using|static|function|const|pub(?:\([^)]*\))?) )+")
_QUOTES = "\"'`<> "
_WILDCARDS = frozenset({"*", "_", "given"})


def imports_of(reading: Reading, frames: list[Frame]) -> list[Import]:
    """All imports, in order of the text."""
    items: dict[int, list[Frame]] = {}
    for frame in frames:
        if frame.tag == "item":
            for above in frame.above():
                if above.tag == "import":
                    items.setdefault(id(above), []).append(frame)
                    break
    found: list[Import] = []
    for frame in frames:
        if frame.tag == "import":
            found += _imports(reading, frame, items.get(id(frame), []))
    return found


def _imports(reading: Reading, frame: Frame, items: list[Frame]) -> list[Import]:
    at, language = reading.at, reading.language
    function = at(frame.first("function"))
    if function and function not in language.importers:
        return []
    base = Import(
        module="",
        system="system" in frame.parts,
        exported="exported" in frame.parts,
        wildcard="wildcard" in frame.parts,
        start=frame.start,
        end=frame.end,
        line=reading.line_of(frame.start),
    )
    submodule = at(frame.first("submodule"))
    if submodule:
        return [replace(base, module=f"self{language.path_separator}{submodule}")]
    path = frame.first("path")
    if path:
        return _from_path(at(path), base, at(frame.first("alias")), language)
    modules = [at(one).strip(_QUOTES) for one in frame.all("module")]
    level = 0
    relative = at(frame.first("relative"))
    if relative:
        bare = relative.lstrip(". \t")
        level, modules = relative.count(".", 0, len(relative) - len(bare)), [bare]
    placed = [(one[0], ImportedName(at(one))) for one in frame.all("name")]
    placed += [(one[0], ImportedName("default", at(one))) for one in frame.all("default")]
    for item in items:
        if "name" in item.parts:
            placed.append((item.start, ImportedName(at(item.first("name")), at(item.first("alias")))))
    names = tuple(name for _, name in sorted(placed, key=lambda one: one[0]))
    if function in language.relative_importers:
        modules = ["./" + one.removeprefix("./") for one in modules]
    alias = at(frame.first("alias"))
    if function and frame.up and frame.up.tag == "definition.variable":  # const a = require("b")
        bound = frame.up.all("name")
        if bound and "{" in reading.text[frame.up.start : bound[0][0]]:
            names = tuple(ImportedName(at(one)) for one in bound)
        else:
            alias = at(bound[0]) if bound else ""
    if names or relative or base.wildcard:
        return [replace(base, module=one, names=names, level=level, alias=alias) for one in modules[:1]]
    whole = [
        (span[0], replace(base, module=module, alias=alias))
        for span, module in zip(frame.all("module"), modules, strict=True)
    ]
    for item in items:
        if "module" in item.parts:
            own = replace(base, module=at(item.first("module")), alias=at(item.first("alias")))
            whole.append((item.start, own))
    return [one for _, one in sorted(whole, key=lambda one: one[0]) if one.module]


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: str
    alias: str


def _from_path(text: str, base: Import, alias: str, language: Language) -> list[Import]:
    """One import per module: `a::{b, c::d as e}` takes `b` from `a` and `d` from `a::c`."""
    separator = language.path_separator
    found: dict[str, Import] = {}
    text = _KEYWORDS.sub("", _BLANKS.sub(" ", text.strip().rstrip(";")))
    for leaf in leaves(text, separator):
        module, _, name = leaf.path.rpartition(separator)
        if base.wildcard:
            module, name = leaf.path, "*"
        elif name == "self" and module:
            module, _, name = module.rpartition(separator)
        one = found.get(module) or replace(base, module=module)
        if name in _WILDCARDS:
            one = replace(one, wildcard=True)
        else:
            one = replace(one, names=(*one.names, ImportedName(name, leaf.alias or alias)))
        found[module] = one
    return list(found.values())


def leaves(text: str, separator: str) -> list[_Leaf]:
    """The paths a use with braces stands for; not recursive."""
    prefixes = [""]
    found: list[_Leaf] = []
    piece = ""

    def finish() -> None:
        nonlocal piece
        word = piece.strip()
        piece = ""
        if word and len(found) < MAX_PATHS:
            renamed = _ALIAS.match(word)
            path, alias = (renamed[1], renamed[2]) if renamed else (word, "")
            found.append(_Leaf((prefixes[-1] + path.strip()).removeprefix(separator), alias))

    for character in text:
        if character == "{":
            prefixes.append((prefixes[-1] + piece.strip())[:500])
            piece = ""
        elif character == "}":
            finish()
            if len(prefixes) > 1:
                prefixes.pop()
        elif character == ",":
            finish()
        else:
            piece += character
    finish()
    return found
