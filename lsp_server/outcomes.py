"""What became of the last requests of each document: the answer to "why is it quiet?".

Kept in memory only, and never sent anywhere but to the editor that asks.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import Literal

from ..guard.verdict import Verdict
from .snapshot import Suggestion

Fate = Literal["answered", "displayed", "accepted"]

OUTCOMES_PER_DOCUMENT = 20
NUM_DOCUMENTS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answered request.  `reason` is never empty when `shown` is false."""

    id: str
    version: int | None
    """Of the document, or None when it is not open."""
    shown: bool
    reason: str
    fate: Fate = "answered"
    """How far the editor says it got with it."""
    vouched: bool = True
    verdicts: tuple[Verdict, ...] = ()
    prompt_tokens: int = 0
    reused_tokens: int = 0
    computed_tokens: int = 0
    completion_tokens: int = 0
    stage_ms: dict[str, float] = field(default_factory=dict[str, float])


def outcome_of(id_: str, version: int | None, suggestion: Suggestion, withheld: str = "") -> Outcome:
    """The outcome of a suggestion, unless it was `withheld` after it was made, for that reason."""
    return Outcome(
        id=id_,
        version=version,
        shown=suggestion.shown and not withheld,
        reason=withheld or suggestion.reason,
        vouched=suggestion.vouched,
        verdicts=suggestion.verdicts,
        prompt_tokens=suggestion.cost.prompt_tokens,
        reused_tokens=suggestion.cost.reused_tokens,
        computed_tokens=suggestion.cost.computed_tokens,
        completion_tokens=suggestion.cost.completion_tokens,
        stage_ms=dict(suggestion.cost.stage_ms),
    )


class Outcomes:
    """The last outcomes of the documents last asked about; both are bounded."""

    def __init__(self) -> None:
        self._by_document: OrderedDict[str, deque[Outcome]] = OrderedDict()

    def add(self, uri: str, outcome: Outcome) -> None:
        self._by_document.setdefault(uri, deque(maxlen=OUTCOMES_PER_DOCUMENT)).appendleft(outcome)
        self._by_document.move_to_end(uri)
        while len(self._by_document) > NUM_DOCUMENTS:
            self._by_document.popitem(last=False)

    def of(self, uri: str) -> tuple[Outcome, ...]:
        """Newest first."""
        return tuple(self._by_document.get(uri, ()))

    def mark(self, id_: str, fate: Fate) -> bool:
        """Note how far the suggestion `id_` got; False if it is not known (any more)."""
        for outcomes in self._by_document.values():
            for at, outcome in enumerate(outcomes):
                if outcome.id == id_:
                    outcomes[at] = replace(outcome, fate=fate)
                    return True
        return False
