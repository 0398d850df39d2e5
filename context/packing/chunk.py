"""What packing gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one other file, as the model is shown it."""

    path: str
    text: str
    """Ends without a line end."""
    why: str
    """The reasons of what is in it, in words, the strongest first."""
    tokens: int
    """Of text and path, by the counter given."""
    names: tuple[str, ...]
    """The definitions in it, by qualified name, in the order of `text`."""
    lines: tuple[int, ...] = ()
    """Where they are in their file, from 0."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was found and did not fit."""

    path: str
    name: str
    why: str
