"""The packages that a text imports, from its syntax tree: never from expressions over the text."""

from __future__ import annotations

from dataclasses import dataclass

from ....context.extraction import extract
from ....context.facts import Import
from ....context.languages import find_language
from .naming import is_web_name
from .standing import registry_of


@dataclass(frozen=True, slots=True)
class Imported:
    """One module that is named, `[start, end)` of the text."""

    module: str
    """Dotted or with slashes, as written; relative ones are left out."""
    start: int
    end: int


def imports_in(text: str, path: str) -> tuple[Imported, ...]:
    """In order of the text; of Python, JavaScript and TypeScript, and empty for others.

    Raises `GrammarError`, when the installation is incomplete.
    """
    language = find_language("", path)
    registry = registry_of(path)
    if language is None or registry is None:
        return ()
    found: list[Imported] = []
    for one in extract(text, language).imports:
        is_name = _is_dotted(one) if registry == "pypi" else _is_package(one)
        at = text.find(one.module, one.start, one.end) if is_name else -1
        end = at + len(one.module)
        before, after = text[at - 1 : at], text[end : end + 1]
        is_whole = before.isspace() or before in ",;\\(" if registry == "pypi" else before == after
        if at >= 0 and is_whole:  # else the parser has left something out, to make sense of the rest
            found.append(Imported(one.module, at, end))
    return tuple(found)


def _is_dotted(one: Import) -> bool:
    return one.level == 0 and all(part.isidentifier() for part in one.module.split("."))


def _is_package(one: Import) -> bool:
    bare = one.module.removeprefix("node:")
    parts = bare.split("/")
    name = "/".join(parts[: 2 if bare.startswith("@") else 1])
    return not bare.startswith(".") and is_web_name(name)
