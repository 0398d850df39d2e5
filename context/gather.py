"""What a model should know of the rest of the workspace: ranked, then packed into a budget.

`gather` answers one question; `follow` keeps up with a document being written, without moving what a
model has read already; `gather_about` is for a conversation.  `WorkspaceIndex.reader` is what all ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .index.reader import Reader
from .packing.chunk import Chunk, LeftOut
from .packing.fill import fill
from .packing.pack import Pack
from .ranking.about import rank_about
from .ranking.question import Question, Visit
from .ranking.rank import rank

__all__ = ["Chunk", "Gathered", "LeftOut", "Pack", "Question", "Visit", "follow", "gather", "gather_about"]


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
    the deadline cuts in.  Raises `IndexDamagedError`, `IndexUnavailableError`, `GrammarError`;
    `ValueError` for an offset outside the text.
    """
    ranking = rank(question, reader, deadline_s=deadline_s)
    chunks, left_out = fill(ranking.candidates, ranking.heading, budget_tokens=budget_tokens, count=count)
    return Gathered(chunks, left_out, ranking.is_complete)


def follow(
    pack: Pack,
    question: Question,
    reader: Reader,
    *,
    budget_tokens: int,
    count: Callable[[str], int],
    deadline_s: float,
) -> Pack:
    """The pack that should follow `pack` now: often the same.  Raises what `gather` raises."""
    ranking = rank(question, reader, deadline_s=deadline_s)
    return pack.followed_by(ranking, budget_tokens=budget_tokens, count=count)


def gather_about(
    words: str,
    paths: Iterable[str],
    reader: Reader,
    *,
    budget_tokens: int,
    count: Callable[[str], int],
    deadline_s: float,
) -> Gathered:
    """At most `budget_tokens` of files that bear on `words`, said about the files `paths` (not told again).

    Raises `IndexDamagedError` and `IndexUnavailableError`.
    """
    ranking = rank_about(words, paths, reader, deadline_s=deadline_s)
    chunks, left_out = fill(ranking.candidates, ranking.heading, budget_tokens=budget_tokens, count=count)
    return Gathered(chunks, left_out, ranking.is_complete)
