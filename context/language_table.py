"""Every language we know, one row each; their records are in `records`."""

from __future__ import annotations

from .records import Language
from .records.managed import CSHARP, JAVA, KOTLIN, SCALA
from .records.native import CPP, GO, RUST, SWIFT, C
from .records.scripts import BASH, LUA, PHP, PYTHON, RUBY
from .records.web import JAVASCRIPT, TSX, TYPESCRIPT

__all__ = ["LANGUAGES", "PYTHON", "Language"]

LANGUAGES: tuple[Language, ...] = (
    PYTHON,
    JAVASCRIPT,
    TYPESCRIPT,
    TSX,
    GO,
    RUST,
    JAVA,
    C,
    CPP,
    CSHARP,
    RUBY,
    PHP,
    BASH,
    LUA,
    KOTLIN,
    SWIFT,
    SCALA,
)
