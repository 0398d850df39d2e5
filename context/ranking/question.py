"""What is asked of the ranking, and what it answers with."""

from __future__ import annotations

from dataclasses import dataclass

from ..facts import Definition, FileFacts


@dataclass(frozen=True, slots=True)
class Visit:
    """A place where the person has been of late."""

    path: str
    """Relative to the workspace, with `/`."""
    line: int
    """From 0."""
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A document and a place in it."""

    path: str
    """Relative to the workspace, with `/`; what the index says of this path does not count."""
    text: str
    offset: int
    """In code points."""
    language: str
    """A `Language.name` or an editor's id."""
    recent: tuple[Visit, ...] = ()
    """The latest first."""
    facts: FileFacts | None = None
    """Of `text`, or of a text that was it a moment ago; made anew where there are none."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A definition in another file that may be worth showing."""

    path: str
    definition: Definition
    score: float
    """Higher is better; comparable within one answer."""
    why: str
    """The strongest reason, in words: `member of the type of ctx`."""
