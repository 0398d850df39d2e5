"""Between a request and the model: what was suggested before, and what is being written, comes first.

    remembered? → being written? → the model → remembered

A remembered suggestion is judged anew where it is shown, since what stands before it has changed.
An explicit request goes to the model: somebody who asks wants to see more than he saw.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..place.gate import Decision
from ..snapshot import Cost, Query, Suggestion, Trigger
from .ahead import Ahead, places_ahead
from .memory import Recall
from .proposal import Proposal, Rest, Spot
from .silences import Silences
from .underway import Generation, Underway

logger = logging.getLogger(__name__)

TYPED_OVER = "it was suggested here before, and something else was typed"
SUPERSEDED = "superseded by a newer request"


@dataclass(frozen=True, slots=True)
class Maker:
    """What makes suggestions, and judges them."""

    suggest: Callable[[Query, Decision, Generation], Coroutine[Any, Any, Suggestion]]
    """By the model.  The generation is told what is written."""
    foresee: Callable[[Query, Decision], Coroutine[Any, Any, Suggestion]]
    """The same, while nobody waits."""
    show: Callable[[Query, Rest, Cost], Suggestion]
    """The rest of a proposal as a suggestion, if it is still fit to be shown."""
    told: Callable[[Query], object]
    """What the model is told besides the document; equal while that is the same."""
    is_cheap: Callable[[Query], bool]
    """Has nearly all that a prompt for this would say been computed?"""


class Remembering:
    """Belongs to one event loop.  `clock` counts seconds."""

    def __init__(self, maker: Maker, clock: Callable[[], float] = time.monotonic) -> None:
        self._maker = maker
        self._recall = Recall(clock)
        self._silences = Silences(clock)
        self._underway = Underway()

    async def complete(self, query: Query, decision: Decision) -> Suggestion:
        """Raises what the maker raises."""
        if query.trigger is Trigger.INVOKED:
            return await self._made(query, decision)
        return self._remembered(query) or await self._made(query, decision)

    def seen(self, query: Query) -> Suggestion | None:
        """What was suggested here before, where the model is not asked: `gate.Decision.may_recall`."""
        found = self._remembered(query)
        return found if found is not None and found.shown else None

    def changed(self, query: Query) -> None:
        """The document has this text now, and the cursor is probably there."""
        self._underway.changed(query)
        self._recall.changed(query)

    def cancel(self, path: str) -> None:
        """Nothing is wanted for this document any more."""
        self._underway.cancel(path)

    def keep_only(self, paths: Collection[str]) -> None:
        """The other documents were closed.  What is remembered of them stays, they may be opened again."""
        self._underway.keep_only(paths)

    async def foresee(
        self, query: Query, suggestion: Suggestion, decide: Callable[[Query], Decision]
    ) -> None:
        """Have a line ready for when the suggestion has been accepted: right behind it, or else below it."""
        for place in places_ahead(query, suggestion):
            if self._recall.leads_on(place.query) or not self._maker.is_cheap(place.query):
                return
            if not decide(place.query).is_open or self._silences.find(place.query):
                continue
            found = await self._maker.foresee(place.query, Decision(is_open=True))
            if found.shown:
                self._recall.keep_behind(place.query, self._proposal_ahead(place, found))
                return
            if found.is_passing:
                return
            self._silences.keep(place.query, found.reason)

    async def aclose(self) -> None:
        await self._underway.aclose()

    def _remembered(self, query: Query) -> Suggestion | None:
        """None: nothing is known about this text.  Silence may be what is known."""
        began_s = time.perf_counter()
        found = self._recall.find(query, self._maker.told(query))
        if found is None:
            reason = self._silences.find(query)
            return _silent(query, reason) if reason else None
        proposal, rest = found
        recall_ms = (time.perf_counter() - began_s) * 1000
        shown = self._maker.show(query, rest, Cost(stage_ms={"recall": recall_ms}))
        made = proposal.made
        if isinstance(made, Suggestion):
            shown = replace(shown, confidence=made.confidence, facts=made.facts)
        return shown

    async def _made(self, query: Query, decision: Decision) -> Suggestion:
        """By what the model is writing already, if that leads here, else by what it is asked now."""
        is_asked_for = query.trigger is Trigger.INVOKED
        joined = None if is_asked_for else self._underway.serving(query)
        work = partial(self._written, query, decision)
        generation = joined or self._underway.start(query, work)
        suggestion = await generation.result()
        if suggestion is None and not (generation.is_astray and generation.serves is query):
            return _silent(query, SUPERSEDED)
        if joined is None and suggestion is not None:
            return self._as_shown(query, suggestion)
        if suggestion is not None:
            found = self._remembered(query)
            if found is not None and found.shown:
                return replace(found, cost=suggestion.cost)
        return await self._made(query, decision)  # what was being written leads elsewhere, or no farther

    def _as_shown(self, query: Query, suggestion: Suggestion) -> Suggestion:
        """The suggestion, unless another was there first and stays."""
        found = self._recall.find(query, self._maker.told(query)) if suggestion.shown else None
        if found is None or found[1].text == suggestion.text:
            return suggestion
        return self._maker.show(query, found[1], suggestion.cost)

    async def _written(self, query: Query, decision: Decision, generation: Generation) -> Suggestion:
        """A suggestion by the model; remembered even if nobody waits for it any more."""
        suggestion = await self._maker.suggest(query, decision, generation)
        if not suggestion.shown:
            if not suggestion.is_passing:
                self._silences.keep(query, suggestion.reason)
            return suggestion
        is_asked_for = query.trigger is Trigger.INVOKED
        proposal = self._proposal(query, suggestion)
        if not is_asked_for and self._recall.is_rejected(query, proposal):
            self._silences.keep(query, TYPED_OVER)
            return _silent(query, TYPED_OVER, suggestion.cost)
        self._recall.keep(query, proposal, replaces=is_asked_for)
        for other in suggestion.others:
            self._recall.keep_behind(query, self._proposal(query, other))
        return suggestion

    def _proposal(self, query: Query, suggestion: Suggestion) -> Proposal:
        snapshot = query.snapshot
        spot = Spot.of(snapshot.text, suggestion.start, suggestion.end)
        return Proposal(spot, suggestion.text, snapshot.language, self._maker.told(query), suggestion)

    def _proposal_ahead(self, place: Ahead, found: Suggestion) -> Proposal:
        """As made where the suggestion ends, a line end first if need be."""
        end, text = place.query.offset, place.query.snapshot.text
        at = end - len(place.lead)
        return Proposal(
            Spot.of(text[:at] + text[end:], at, at),
            place.lead + found.text,
            place.query.snapshot.language,
            self._maker.told(place.query),
            found,
            is_ahead=bool(place.lead),
        )


def _silent(query: Query, reason: str, cost: Cost | None = None) -> Suggestion:
    return Suggestion(
        "", query.offset, query.offset, shown=False, reason=reason, cost=cost or Cost(), is_passing=True
    )
