"""The proposals of each document, and which of two that lead here is the one to show.

A suggestion on the screen stays while the text leads to it: another takes its place only by saying the
same and more, or when a person asks for others.  So there are never two for one text.

Everything is bounded: documents, proposals of each, and their bytes; what was used longest ago goes.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import accumulate

from ..snapshot import Query
from .proposal import Proposal, Rest, Spot
from .silences import Rejections

MAX_DOCUMENTS = 32
MAX_PROPOSALS = 64
MAX_BYTES = 256 << 10
"""Of one document's proposals."""

DISPLAYED_S = 1.0
"""What was on the screen for less has not been looked at, and was not rejected."""
SLIP_CHARS = 2
"""Fewer typed than this, and deleted again, are a slip of the finger; more are another mind."""


@dataclass(slots=True)
class _Document:
    proposals: list[Proposal] = field(default_factory=list[Proposal])
    """The one used last comes first."""
    shown: Proposal | None = None
    """What was answered last."""
    shown_s: float = 0.0
    left_s: float | None = None
    """When the text ceased to lead to it."""


class Recall:
    """Belongs to one event loop.  `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._documents: OrderedDict[str, _Document] = OrderedDict()
        self._rejections = Rejections()

    def find(self, query: Query, told: object = None) -> tuple[Proposal, Rest] | None:
        """What is remembered for this text and place.

        `told` is what a model asked now would be told of other files: what was proposed knowing
        something else counts only while it is what is shown.
        """
        document = self._documents.get(query.snapshot.path)
        if document is None:
            return None
        for proposal in document.proposals:
            is_current = proposal is document.shown or proposal.told == told
            if is_current and (rest := _rest(proposal, query)) is not None:
                self._show(document, proposal)
                self._documents.move_to_end(query.snapshot.path)
                return proposal, rest
        return None

    def leads_on(self, query: Query) -> bool:
        """Is something remembered for this place, or for the line that may be begun from it?"""
        document = self._documents.get(query.snapshot.path)
        spot = Spot.of(query.snapshot.text, query.offset, query.offset)
        return document is not None and any(
            proposal.spot == spot or _rest(proposal, query) is not None for proposal in document.proposals
        )

    def keep(self, query: Query, proposal: Proposal, *, replaces: bool = False) -> None:
        """Remember what was proposed for `query`.

        Where something else is shown for it, or was proposed by a model that was told the same, that
        stays, unless the new one says the same and more, or `replaces` it.  And where the new one leads
        through a text that something was proposed for, it goes on with that.  `find` then tells which.
        """
        document = self._document(query.snapshot.path)
        new = _rest(proposal, query)
        if new is None:
            return
        rivals = {id(other): rest for other in document.proposals if (rest := _rest(other, query))}
        for other in document.proposals:
            is_current = other is document.shown or other.told == proposal.told
            rest = rivals.get(id(other))
            if rest is not None and is_current and not replaces and not _extends(new, rest):
                return
        others = [other for other in document.proposals if id(other) not in rivals]
        if not replaces:
            proposal = _led_on(proposal, [other for other in others if other.told == proposal.told])
        document.proposals = _bounded([proposal, *others])

    def keep_behind(self, query: Query, proposal: Proposal) -> None:
        """Remember what nobody has asked for yet: it comes after everything else that leads there."""
        document = self._document(query.snapshot.path)
        if proposal not in document.proposals:
            document.proposals = _bounded([*document.proposals[: MAX_PROPOSALS - 1], proposal])

    def is_rejected(self, query: Query, proposal: Proposal) -> bool:
        """Did a person look at this before, and type something else?"""
        return self._rejections.holds(query.snapshot.path, proposal)

    def changed(self, query: Query) -> None:
        """The document now has this text, and the cursor is there: was what is shown typed over?"""
        document = self._documents.get(query.snapshot.path)
        if document is None or document.shown is None:
            return
        departed = document.shown.departed(query.snapshot.text, query.offset)
        if not departed:
            document.left_s = None
            return
        now = self._clock()
        document.left_s = document.left_s or now
        was_displayed = document.left_s - document.shown_s >= DISPLAYED_S
        if "\n" in departed or len(departed) > SLIP_CHARS:
            if was_displayed:
                self._rejections.add(query.snapshot.path, document.shown)
                document.proposals = [one for one in document.proposals if one is not document.shown]
            document.shown = None

    def _document(self, path: str) -> _Document:
        document = self._documents.setdefault(path, _Document())
        self._documents.move_to_end(path)
        while len(self._documents) > MAX_DOCUMENTS:
            self._documents.popitem(last=False)
        return document

    def _show(self, document: _Document, proposal: Proposal) -> None:
        if document.shown is not proposal:
            document.shown, document.shown_s, document.left_s = proposal, self._clock(), None
        if document.proposals[0] is not proposal:
            document.proposals = [proposal, *(one for one in document.proposals if one is not proposal)]


def _rest(proposal: Proposal, query: Query) -> Rest | None:
    if proposal.language != query.snapshot.language:
        return None
    return proposal.rest(query.snapshot.text, query.offset)


def _extends(new: Rest, old: Rest) -> bool:
    return (new.start, new.end) == (old.start, old.end) and new.text.startswith(old.text)


def _led_on(proposal: Proposal, others: list[Proposal]) -> Proposal:
    for other in others:
        length = None if other.is_ahead else proposal.length_to(other.spot)
        if length is not None:
            return replace(proposal, text=proposal.text[:length] + other.text)
    return proposal


def _bounded(proposals: list[Proposal]) -> list[Proposal]:
    """The first of them, at least one."""
    num_bytes = list(accumulate(proposal.num_bytes for proposal in proposals))
    return proposals[: min(MAX_PROPOSALS, max(1, bisect_right(num_bytes, MAX_BYTES)))]
