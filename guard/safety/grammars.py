"""Which grammar a language has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .compiled_grammars import CSHARP, GO, JAVA, ONLY_C, C
from .script_grammars import BASH, JAVASCRIPT, PHP, PYTHON, RUBY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .grammar import Grammar

GRAMMARS: Mapping[str, Grammar] = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "typescript": JAVASCRIPT,
    "tsx": JAVASCRIPT,
    "java": JAVA,
    "go": GO,
    "c": ONLY_C,
    "cpp": C,
    "csharp": CSHARP,
    "php": PHP,
    "ruby": RUBY,
    "bash": BASH,
}
"""By the name ast-grep and `context` know a language by."""
