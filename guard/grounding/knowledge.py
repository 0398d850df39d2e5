"""What is known without a type checker: names that are defined anywhere, modules that may be imported."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Source(StrEnum):
    """How far a module that is imported can be trusted to be there, best first."""

    STANDARD = "standard"
    """Part of the language."""
    INSTALLED = "installed"
    """In the environment of the workspace."""
    DECLARED = "declared"
    """Named in a manifest or lock file of the workspace, but not installed."""
    WORKSPACE = "workspace"
    """A module of the workspace itself, or in a folder that it puts on the path."""
    WELL_KNOWN = "well-known"
    """Published and widely used, but neither installed nor declared."""
    PUBLISHED = "published"
    """Somebody has published something of that name."""
    UNKNOWN = "unknown"
    """Nobody has, as far as we know."""
    LOOK_ALIKE = "look-alike"
    """One or two letters from a well-known name, and not that: the usual trap."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a module stands, and what it was probably meant to be."""

    source: Source
    distribution: str = ""
    """What has to be installed for it (`cv2`: `opencv-python`); empty if not known."""
    look_alike_of: str = ""
    """The well-known name; only with `Source.LOOK_ALIKE`."""
    nearest: str = ""
    """An importable module of this environment with nearly this name; empty where there is none."""


class Vocabulary(Protocol):
    """Every name that the workspace, its installed dependencies and the standard library define.

    Built in the background.  Safe to call from several threads; an answer takes microseconds.
    """

    def knows(self, name: str, path: str) -> bool | None:
        """Whether `name` is defined anywhere that the file `path` could mean.  None: not built yet."""
        ...

    def is_complete(self, path: str) -> bool:
        """Whether all that the workspace declares was installed and read: only then a no proves something."""
        ...


class Packages(Protocol):
    """Which modules there are.  Safe to call from several threads; reads metadata and executes nothing."""

    def standing(self, module: str, path: str) -> Standing:
        """Of `module` (dotted, or `@scope/name`; only its package counts) as the file `path` imports it."""
        ...


class Modules(Protocol):
    """The files of modules, as they lie there.  Safe to call from several threads."""

    def has(self, module: str, name: str, path: str) -> bool:
        """Whether the text of `module`, as the file `path` imports it, binds or quotes `name`."""
        ...

    def is_dynamic(self, module: str, path: str) -> bool:
        """Whether its text makes names at run time."""
        ...

    def exists(self, module: str, path: str) -> bool:
        """Whether there is a file of it, a compiled one too."""
        ...

    def derived_has(self, kind: str, name: str, text: str, path: str, *, by_itself: bool = True) -> bool:
        """Whether a class derived from `kind` has `name`: in the workspace, or in what `text`, that of the
        file `path`, imports.  Or, `by_itself`, class `kind`, which a stub may show less of.
        """
        ...


@runtime_checkable
class Signatures(Protocol):
    """A checker that can say how a function is called, besides what `Checker` asks of it."""

    def arguments(self, path: str, text: str, offset: int, deadline_s: float) -> tuple[str, ...]:
        """Names of all parameters, of every overload, of the call in whose brackets `offset` stands.

        One that takes all other keywords keeps its stars.  Empty where the function is not known.
        Raises `CheckError` as `Checker.findings` does.
        """
        ...
