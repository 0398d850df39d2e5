"""The way from a path or an editor's id to a language, and from a language to its grammar.

An unknown language is `None`, never an exception: a suggestion in it is simply not parsed.  The
grammar wheels are imported on first use, so that importing this module costs nothing.
"""

from __future__ import annotations

import importlib
import threading
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from .errors import GrammarError
from .language_table import LANGUAGES, Language

if TYPE_CHECKING:
    import tree_sitter

_BY_ID = {name: language for language in LANGUAGES for name in language.ids}
_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}
_BY_FILE_NAME = {name: language for language in LANGUAGES for name in language.file_names}


def language_of_id(language_id: str) -> Language | None:
    """The language an editor calls `language_id`, any case; `None` when we do not know it."""
    return _BY_ID.get(language_id.strip().lower())


def language_of_path(path: str) -> Language | None:
    """The language of a file by its name alone: a path or a URI, any separator."""
    name = PurePath(path.replace("\\", "/")).name
    return _BY_FILE_NAME.get(name) or _BY_SUFFIX.get(PurePath(name).suffix.lower())


def find_language(language_id: str, path: str | None = None) -> Language | None:
    """By id, and by path where the editor's id says nothing to us."""
    return language_of_id(language_id) or (language_of_path(path) if path else None)


_grammars: dict[str, tree_sitter.Language] = {}
_loading = threading.Lock()


def grammar_of(language: Language) -> tree_sitter.Language:
    """The grammar, loaded on first use and kept; raises `GrammarError` when its wheel is missing."""
    found = _grammars.get(language.name)
    if found is None:
        with _loading:
            found = _grammars.get(language.name) or _load(language)
            _grammars[language.name] = found
    return found


def keywords_of(language: Language) -> frozenset[str]:
    """The words the grammar reserves, at least in some place: `else`, `await`, `func`, …"""
    grammar = grammar_of(language)
    kinds = (grammar.node_kind_for_id(one) for one in range(grammar.node_kind_count))
    return frozenset(kind for kind in kinds if kind is not None and kind.isalpha() and len(kind) > 1)


def _load(language: Language) -> tree_sitter.Language:
    import tree_sitter

    wheel = language.wheel.replace("_", "-")
    try:
        module: Any = importlib.import_module(language.wheel)
        capsule: object = getattr(module, language.loader)()
        return tree_sitter.Language(capsule)
    except ImportError as error:
        raise GrammarError(
            f"the grammar for {language.name} is not installed: `pip install {wheel}`"
        ) from error
    except (AttributeError, ValueError) as error:
        raise GrammarError(
            f"the grammar for {language.name} in {wheel} does not fit the tree-sitter installed "
            f"({error}): reinstall truepenny, or install the versions named in its pyproject.toml"
        ) from error
