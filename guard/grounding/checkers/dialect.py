"""What differs between one language server and the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..finding import Finding


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One of a server's, on `[start, end)` in code points of the text it was given."""

    code: str
    message: str
    start: int
    end: int


Reader = Callable[[Diagnostic, str, str], Finding | None]
"""Makes a finding of a diagnostic, the text and its path; None for what is not about names."""


def nothing_to_remove() -> None:
    """For a dialect that left nothing on the disk."""


def unchanged(text: str) -> str:
    return text


def all_of_them(found: Sequence[Finding]) -> Sequence[Finding]:
    return found


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server is started, spoken to and understood."""

    name: str
    argv: tuple[str, ...]
    root: str
    """The folder of the workspace, absolute."""
    language_ids: Mapping[str, str]
    """By suffix of the file, with its dot; the first is for all others."""
    read: Reader
    sift: Callable[[Sequence[Finding]], Sequence[Finding]] = all_of_them
    """What is left of the findings of a text, seen together."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`initializationOptions`."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Answers to `workspace/configuration`, by section."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to the few variables that are passed on."""
    probe: str = ""
    """A text with exactly one fault.  It is shown first for each file: a server that has nothing to say
    of it does not check that file, and its silence would mean nothing.  Empty: no probe."""
    prefixes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Whole lines that stand before every text, by suffix of the file."""
    prepare: Callable[[str], str] = unchanged
    """Applied to every text; keeps its length."""
    patience_s: float = 2.0
    """How long a request may stay without any answer before the server counts as hung."""
    num_open: int = 1
    """Documents kept open.  With one, a file that is left is as on the disk for those that import it;
    more is for servers for which opening a file is dear."""
    max_memory_bytes: int = 400_000_000
    remove: Callable[[], None] = nothing_to_remove
    """Called once, when the checker is closed."""

    def language_id(self, suffix: str) -> str:
        return self.language_ids.get(suffix, next(iter(self.language_ids.values())))
