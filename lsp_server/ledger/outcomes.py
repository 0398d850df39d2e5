"""What became of the last requests of each document: the answer to "why is it quiet?".

Kept in memory only, and never sent anywhere but to the editor that asks.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from ...guard.verdict import Verdict
from ..snapshot import Suggestion
from .timing import Span

Fate = Literal["answered", "displayed", "partially_accepted", "accepted"]
Way = Literal["inline", "popup"]
Stage = Literal[
    "", "session", "gate", "recall", "connect", "context", "engine", "trim", "guard", "confidence", "place"
]
"""Who silenced a request; empty for one that was not.  `session`: before or after all the others."""

STAGES: tuple[Stage, ...] = get_args(Stage)

_SETTING = re.compile(r"\bsetting '?([a-z_]+(?:\.[a-z_]+)*)")
_FATES: tuple[Fate, ...] = ("answered", "displayed", "partially_accepted", "accepted")

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
    confidence: float | None = None
    """How likely it was to be right, 0 to 1; None where nobody can tell."""
    at_s: float = 0.0
    """When it was answered: seconds since 1970."""
    way: Way = "inline"
    language: str = ""
    stage: Stage = ""
    timing: Span | None = None
    num_chars: int = 0
    """Of what was suggested."""
    accepted_length: int = 0
    """UTF-16 units from the start of the item's text, as far as the editor says it was accepted."""
    setting: str = ""
    """The setting that would have changed this, by name; empty where there is none."""


def setting_in(reason: str) -> str:
    """The setting a reason names, as all do that have one: `… (setting completion.mode)`."""
    named = _SETTING.search(reason)
    return named[1] if named else ""


def stage_of(timing: Span) -> Stage:
    """Where a request ended that came to nothing: its last stage."""
    last = timing.parts[-1].name if timing.parts else ""
    for stage in STAGES:
        if stage and stage == last:
            return stage
    return "session"


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
        confidence=None if suggestion.confidence is None else round(suggestion.confidence, 4),
        num_chars=len(suggestion.text) if suggestion.shown and not withheld else 0,
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

    def find(self, id_: str) -> Outcome | None:
        """One answer by its id; None where it is not known (any more)."""
        every = (outcome for outcomes in self._by_document.values() for outcome in outcomes)
        return next((outcome for outcome in every if outcome.id == id_), None)

    def mark(self, id_: str, fate: Fate, accepted_length: int = 0) -> bool:
        """Note how far the suggestion `id_` got; False if it is not known (any more).

        Nothing goes back: what has been accepted stays so, and its length only grows.
        """
        for outcomes in self._by_document.values():
            for at, outcome in enumerate(outcomes):
                if outcome.id == id_:
                    further = max(fate, outcome.fate, key=_FATES.index)
                    length = max(accepted_length, outcome.accepted_length)
                    outcomes[at] = replace(outcome, fate=further, accepted_length=length)
                    return True
        return False
