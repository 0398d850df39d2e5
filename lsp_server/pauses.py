"""What an assistant does while nobody asks: it makes the next request cheap, and has a line ready."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from functools import partial

from ..models.errors import EngineLostError, EngineUnavailableError, ModelsError
from .asking import Asking
from .engine_link import EngineLink
from .place.gate import decide, surroundings
from .prompting.anchor import NO_PACK
from .prompting.prewarm import IDLE_S, SETTLE_S, Prewarmer
from .prompting.workspace import Workspace
from .recall.remembering import Remembering
from .settings import CompletionSettings
from .snapshot import Query, Suggestion, Trigger

logger = logging.getLogger(__name__)


class Pauses:
    """Of one assistant.  Belongs to its event loop.  Never starts an engine, and says nothing."""

    def __init__(
        self,
        settings: CompletionSettings,
        link: EngineLink,
        workspace: Workspace,
        asking: Asking,
        remembering: Remembering | None,
        *,
        is_on: bool,
    ) -> None:
        self._settings = settings
        self._link = link
        self._workspace = workspace
        self._asking = asking
        self._remembering = remembering
        self._is_on = is_on
        self._prewarmer = Prewarmer()

    def asked(self, query: Query) -> None:
        """Somebody waits: what is done for the document ends."""
        self._prewarmer.cancel(query.snapshot.path)

    def answered(self, query: Query, suggestion: Suggestion) -> None:
        """It may be accepted, or the person may type on."""
        if self._is_on:
            work = partial(self._after_answer, query, suggestion)
            self._prewarmer.later(query.snapshot.path, IDLE_S, work)

    def settled(self, query: Query) -> None:
        """The text is this, and the cursor probably there."""
        if self._is_on:
            work = partial(self._prewarm, query, is_answered=False)
            self._prewarmer.later(query.snapshot.path, SETTLE_S, work)

    def keep_only(self, paths: Collection[str]) -> None:
        """The other documents were closed."""
        self._prewarmer.keep_only(set(paths))

    async def aclose(self) -> None:
        await self._prewarmer.aclose()

    @property
    def is_busy(self) -> bool:
        """Is anything done, or about to be?"""
        return self._prewarmer.is_busy

    async def _after_answer(self, query: Query, suggestion: Suggestion) -> None:
        is_wanted = suggestion.shown and self._settings.prefetch
        if self._remembering is not None and is_wanted and self._link.connected is not None:
            try:
                gate = partial(decide, settings=self._settings)
                await self._remembering.foresee(query, suggestion, gate)
            except ModelsError as error:
                logger.info("nothing was suggested ahead: %s", error)
        await self._prewarm(query, is_answered=True)

    async def _prewarm(self, query: Query, *, is_answered: bool) -> None:
        """Compute what the next request here will need; then what serves from there on, and use that."""
        place = likely_place(query, self._settings)
        client = self._link.connected
        if place is None or client is None:
            return
        self._workspace.tell(client)
        anchors = self._asking.anchors
        try:
            pack = await self._asking.following_pack(place)
            if not is_answered:
                first = pack if anchors.pack(place) == NO_PACK else None
                if not await self._asking.computed(client, query, anchors.cut(place, first)):
                    return
            following = anchors.next_branch(place, pack) if place is query else None
            if following is not None and await self._asking.computed(client, query, following[1]):
                anchors.adopt(query, following[0])
        except ModelsError as error:
            logger.info("nothing was pre-warmed: %s", error)
            if (
                isinstance(error, (EngineLostError, EngineUnavailableError))
                and self._link.connected is client
            ):
                await self._link.lost()  # so that the next request starts one


def likely_place(query: Query, settings: CompletionSettings) -> Query | None:
    """Where the next request comes from: here, or at the line's end where the cursor is inside it."""
    here = replace(query, trigger=Trigger.AUTOMATIC)
    if decide(here, settings).is_open:
        return query
    rest = surroundings(query.snapshot.text, query.offset).rest
    there = replace(here, offset=query.offset + len(rest))
    return there if rest and decide(there, settings).is_open else None
