"""The chunks of one document's prompt over time: an order that stays, so that a cache of it stays valid.

A pack never changes.  The one that follows it holds the same chunks in the same places, and new ones
behind them; only where those do not fit is it packed anew, and even then what is still wanted keeps
its order.  Chunks stand before the document in a prompt, so whoever uses another pack has everything
behind the first difference to compute again: a pack is followed seldom, and when nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..ranking.question import Candidate
from .chunk import Chunk
from .fill import fill

if TYPE_CHECKING:
    from ..ranking.rank import Ranking  # which asks the index; whoever holds a pack need not

FIRST_SHARE = 0.75
"""Of the budget: what a pack takes that is packed anew.  The rest is for what comes later."""
ENOUGH = 0.6
"""With this share of what is wanted, by score, a pack stays as it is."""


@dataclass(frozen=True)
class Pack:
    """Chunks in the order of the prompt."""

    chunks: tuple[Chunk, ...] = ()

    @cached_property
    def tokens(self) -> int:
        return sum(chunk.tokens for chunk in self.chunks)

    @cached_property
    def names(self) -> frozenset[tuple[str, str]]:
        """Path and qualified name of everything in it."""
        return frozenset((chunk.path, name) for chunk in self.chunks for name in chunk.names)

    def followed_by(self, ranking: Ranking, *, budget_tokens: int, count: Callable[[str], int]) -> Pack:
        """The pack for what is wanted now: this one, this one with more behind it, or one packed anew."""
        first_tokens = int(budget_tokens * FIRST_SHARE)
        fresh, _ = fill(ranking.candidates, ranking.heading, budget_tokens=first_tokens, count=count)
        if not self.chunks:
            return Pack(fresh)
        wanted = Pack(fresh).names
        missing = [one for one in ranking.candidates if _key(one) in wanted and _key(one) not in self.names]
        scores = {_key(one): one.score for one in reversed(ranking.candidates) if _key(one) in wanted}
        lacking = sum(scores[key] for key in {_key(one) for one in missing})
        if not missing or lacking <= (1 - ENOUGH) * sum(scores.values()):
            return self
        room = budget_tokens - self.tokens
        added, left_out = fill(missing, ranking.heading, budget_tokens=room, count=count)
        if added and not left_out:
            return Pack((*self.chunks, *added))
        kept = [chunk for chunk in self.chunks if chunk in fresh]
        return Pack((*kept, *(chunk for chunk in fresh if chunk not in kept)))


def _key(one: Candidate) -> tuple[str, str]:
    return one.path, one.definition.qualified_name
