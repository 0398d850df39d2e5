"""The answer to an import, and who gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..facts import Import

MAX_TARGETS = 200
"""Files of one import: a Go package, a Java wildcard."""


@dataclass(frozen=True, slots=True)
class Target:
    """One file an import means."""

    path: str
    name: str = ""
    """The imported name that is this whole file, as in `from package import module`; empty where the
    import's names are defined in the file."""


class Rules(Protocol):
    """How one language finds what is imported.  May keep what it has read of configuration files."""

    def targets(self, one: Import, importer: str) -> list[Target]:
        """The files, the likeliest first; empty where nothing is known."""
        ...


def each(paths: tuple[str, ...] | list[str]) -> list[Target]:
    return [Target(path) for path in paths[:MAX_TARGETS]]
