"""The façade: a query in, a vouched suggestion out.  Server, command line and measurements call it.

    gate → remembered? → context → prompt → engine (streamed) → complete? → what follows → guard → suggestion

`asking` is all up to the model's text, `making` what becomes of that, `pauses` what is done while nobody
asks.  Never raises but for cancellation: trouble is a suggestion that is not shown, with its reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..guard.verdict import Verdict
from ..models.client import Reply
from ..models.errors import EngineLostError, EngineUnavailableError, ModelsError
from ..models.prompts.fim import FimParts
from ..models.store import cache_root
from ..models.wire import ChatRequest, CompletionRequest, Message, Piece, Priority, Sampling
from .asking import Asking
from .engine_link import EngineLink, fim_renderer_of
from .grounds import Grounds
from .ledger.timing import span
from .making import Making, silent
from .own_code import WorkspaceCode
from .pauses import Pauses
from .place.gate import Decision, decide
from .prompting.anchor import Layout
from .prompting.gathering import Gathering, Source
from .prompting.workspace import Workspace
from .recall.remembering import Maker, Remembering
from .recall.underway import Generation
from .settings import Settings
from .snapshot import Cost, Query, Suggestion
from .status import Status
from .vouched_chat import NOT_IN_ANSWERS, VouchedChat
from .vouching import Vouching

if TYPE_CHECKING:
    from ..context.index.watcher import Changes


class Assistant:
    """One per editor session or command.  Belongs to one event loop."""

    def __init__(
        self,
        settings: Settings,
        on_status: Callable[[Status], None] = lambda _: None,
        layout: Layout | None = None,
        chunks_for: Callable[[Query], FimParts] | None = None,
        index: Source | None = None,
    ) -> None:
        """`layout` is for measurements: nothing is computed ahead then, or remembered.

        `index`: of the workspace, else that of the folder that is opened.
        `chunks_for` says what else is told for a request: of its answer path, repository and chunks count.
        """
        self._settings = settings
        self._on_status = on_status
        self._link = EngineLink(settings, settings.completion.model)
        self._chat_link = (
            self._link
            if settings.chat.model == settings.completion.model
            else EngineLink(settings, settings.chat.model)
        )
        # Another's engine may cost money, and has no such thing as a request for nothing but its prompt.
        prewarms = settings.engine_prewarm and not self._link.is_remote and layout is None
        self._workspace = Workspace()
        self._gathering = Gathering(settings.context, on_status, index, self._changed)
        self._vouching = Vouching(
            settings.guard,
            WorkspaceCode(lambda: self._gathering.source),
            Grounds(settings.grounding, lambda: self._gathering.source),
        )
        # A measurement neither learns nor depends on what was learned, and a fake model teaches nothing.
        learns = layout is None and settings.engine != "fake"
        self._making = Making(settings, self._vouching, cache_root() / "acceptance.json" if learns else None)
        self._asking = Asking(
            settings.completion,
            self._link,
            self._workspace,
            self._gathering,
            layout=layout or "ours",
            is_prewarmed=prewarms or layout is not None,
            chunks_for=chunks_for,
            members_for=self._vouching.members,
        )
        maker = Maker(
            suggest=self._suggest,
            foresee=partial(self._suggest, priority=Priority.PREWARM),
            show=self._making.still_shown,
            told=self._asking.anchors.pack,
            is_cheap=self._asking.is_cheap,
        )
        self._remembering = Remembering(maker) if layout is None else None
        self._pauses = Pauses(
            settings.completion,
            self._link,
            self._workspace,
            self._asking,
            self._remembering,
            is_on=prewarms,
        )

    async def warm_up(self) -> None:
        """Start the engine and load the tokenizer, so that the first keystroke finds both ready."""
        self._on_status(Status("normal", busy=True, message="starting the engine"))
        try:
            # First what is quick: a model of the wrong kind is told before its weights are loaded.
            await asyncio.to_thread(fim_renderer_of, self._link.model)
            if self._link.concern:
                self._on_status(replace(_ready(self._link), busy=True))
            await asyncio.gather(self._link.client(), self._vouching.warm_up())
        except ModelsError as error:
            self._on_status(_status_of(error))
            return
        self._on_status(_ready(self._link))

    async def looked_at(self, query: Query) -> None:
        """The checkers of the document are up and have seen it, or have failed: for who asks only once."""
        await self._vouching.looked_at(query.snapshot.path, query.snapshot.language, query.snapshot.text)

    async def complete(self, query: Query) -> Suggestion:
        """At most one suggestion; `shown` is false when there is none fit to show, and `reason` says why."""
        started = time.perf_counter()
        with span("gate"):
            decision = decide(query, self._settings.completion)
        if not decision.is_open:
            seen = self._remembering.seen(query) if decision.may_recall and self._remembering else None
            seen = seen or silent(query, decision.reason, Cost())
            return replace(seen, cost=_total(seen.cost, started))
        self._pauses.asked(query)
        try:
            if self._remembering is None:
                suggestion = await self._suggest(query, decision)
            else:
                suggestion = await self._remembering.complete(query, decision)
        except (EngineLostError, EngineUnavailableError) as error:
            await self._link.lost()
            self._on_status(_status_of(error))
            reason = f"{error}; it is started again for the next request"
            return silent(query, reason, _total(Cost(), started))
        except ModelsError as error:
            self._on_status(_status_of(error))
            return silent(query, str(error), _total(Cost(), started))
        self._link.answered()
        self._on_status(_ready(self._link))
        self._pauses.answered(query, suggestion)
        return replace(suggestion, cost=_total(suggestion.cost, started))

    def settled(self, query: Query) -> None:
        """The text is this, and the cursor probably there: make the next request cheap, in a moment's rest.

        Never starts an engine, and says nothing.
        """
        if self._remembering is not None:
            self._remembering.changed(query)
        self._vouching.settled(query.snapshot.path, query.snapshot.language, query.snapshot.text)
        self._pauses.settled(query)

    def opened(self, paths: Collection[str], folder: str) -> None:
        """These documents are open, in the workspace of `folder` (empty: none): keep what they need."""
        self._workspace.opened(paths, folder)
        self._gathering.opened(paths, folder)
        self._vouching.opened(paths)
        self._pauses.keep_only(paths)
        if self._remembering is not None:
            self._remembering.keep_only(set(paths))
        if self._link.connected is not None:
            self._workspace.tell(self._link.connected)

    def learn(self, suggestion: Suggestion, *, accepted: bool) -> None:
        """It was on the screen long enough to be read, and then accepted or not."""
        self._making.learn(suggestion, accepted=accepted)

    def anchor(self, query: Query) -> None:
        """Cut the prompt as for a request made now, without making it: a measurement's typing begins here."""
        self._asking.anchors.cut(query)

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 512,
        on_verdict: Callable[[Verdict], None] = lambda _: None,
    ) -> AsyncGenerator[Reply]:
        """Stream an answer, vouched for as `VouchedChat` says.  Raises ModelsError; closing it cancels."""
        client = await self._chat_link.client()
        request = ChatRequest(
            tuple(messages), max_tokens=max_tokens, sampling=Sampling(), workspace=self._workspace.id
        )
        events = client.chat(request)
        if self._vouching.is_on:
            judge = partial(self._vouching.judged, without=NOT_IN_ANSWERS)
            events = VouchedChat(judge, on_verdict, self._settings.guard.unvouched).stream(events)
        async with aclosing(events):
            async for event in events:
                yield event

    async def raw_infill(self, before: str, after: str, max_tokens: int, stop: tuple[str, ...] = ()) -> str:
        """The bare model between two texts, greedy, with nothing of the pipeline: a baseline."""
        client = await self._link.client()
        prompt = fim_renderer_of(self._link.model).render(FimParts(prefix=before, suffix=after))
        text = ""
        request = CompletionRequest(prompt.ids, max_tokens=max_tokens, stop=stop)
        async with aclosing(client.complete(request)) as events:
            async for event in events:
                if isinstance(event, Piece):
                    text += event.text
        return text

    @property
    def is_idle(self) -> bool:
        """Is nothing being done, or about to be, for the next request?"""
        return not self._pauses.is_busy

    async def close(self) -> None:
        await self._pauses.aclose()
        if self._remembering is not None:
            await self._remembering.aclose()
        await self._gathering.aclose()
        await self._vouching.aclose()
        await self._workspace.aclose()
        await self._link.aclose()
        if self._chat_link is not self._link:
            await self._chat_link.aclose()

    def _changed(self, root: Path, changes: Changes) -> None:
        """Files of the workspace are not what they were.  On a thread of the index."""
        self._vouching.changed(root, changes)

    async def _suggest(
        self,
        query: Query,
        decision: Decision,
        generation: Generation | None = None,
        *,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Suggestion:
        written = await self._asking.written(query, decision, generation, priority=priority)
        return await self._making.made(query, written)


def _total(cost: Cost, started: float) -> Cost:
    total_ms = (time.perf_counter() - started) * 1000
    return replace(cost, stage_ms={**cost.stage_ms, "total": total_ms})


def _ready(link: EngineLink) -> Status:
    return Status("warning" if link.concern else "normal", busy=False, message=link.concern)


def _status_of(error: ModelsError) -> Status:
    return Status("error", busy=False, message=str(error))
