"""What a model should know of the rest of the workspace: ranked, then packed into a budget.

The one function completion, the command line and the measurements call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .index.reader import Reader
from .ranking.question import Question, Visit

__all__ = ["Chunk", "Gathered", "LeftOut", "Question", "Visit", "gather"]


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
    """The definitions in it, by qualified name, in order of the text."""
    lines: tuple[int, ...] = ()
    """Where they are in their file, from 0."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was found and did not fit."""

    path: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Gathered:
    chunks: tuple[Chunk, ...]
    """In the order of the prompt: the best stands last, nearest to the document."""
    left_out: tuple[LeftOut, ...] = ()
    """Best first."""
    is_complete: bool = True
    """False: the deadline came first."""


def gather(
    question: Question,
    reader: Reader,
    *,
    budget_tokens: int,
    count: Callable[[str], int],
    deadline_s: float,
) -> Gathered:
    """At most `budget_tokens` of other files that bear on `question`; `count` gives the tokens of a text.

    After `deadline_s` seconds it answers with what is ready.  The same facts give the same bytes, unless
    the deadline cuts in.  Raises `IndexDamagedError` and `IndexUnavailableError`.
    """
    _ = (question, reader, budget_tokens, count, deadline_s)
    return Gathered(())
