"""The façade: a query in, a vouched suggestion out.  Server, command line and measurements call it.

    gate → remembered? → context → prompt → engine (streamed) → complete? → what follows → guard → suggestion

Never raises but for cancellation: trouble is a suggestion that is not shown, with its reason.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import lru_cache, partial

from ..context.packing.pack import Pack
from ..context.window import Window, cut
from ..guard.verdict import Judgement, Passage
from ..models.client import EngineClient, Reply
from ..models.errors import EngineLostError, EngineUnavailableError, ModelsError
from ..models.prompts.fim import FimParts, RepositoryChunk
from ..models.store import cache_root
from ..models.wire import ChatRequest, CompletionRequest, Message, Piece, Priority, Sampling, Usage
from .choices import facts_of, ranked
from .confidence.history import History
from .confidence.showing import Judge
from .draft import Draft, read_choices
from .engine_link import EngineLink, fim_renderer_of, tokenizer_of
from .ledger.timing import note, span
from .place.gate import Decision, Surroundings, decide, surroundings
from .place.indentation import missing_indent
from .prompting.anchor import NO_PACK, Cut, Layout, anchors_for
from .prompting.gathering import Gathering, Source
from .prompting.prewarm import IDLE_S, SETTLE_S, Prewarmer
from .prompting.workspace import Workspace
from .recall.proposal import Rest
from .recall.remembering import Maker, Remembering
from .recall.underway import Generation
from .settings import Settings
from .snapshot import Cost, Query, Suggestion, Trigger
from .status import Status
from .stopping import watch
from .trimming import Place, like_document, trim
from .vouching import Vouching, the_guard

logger = logging.getLogger(__name__)


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
        self._chunks_for = chunks_for
        self._on_status = on_status
        self._link = EngineLink(settings, settings.completion.model)
        self._chat_link = (
            self._link
            if settings.chat.model == settings.completion.model
            else EngineLink(settings, settings.chat.model)
        )
        # Another's engine may cost money, and has no such thing as a request for nothing but its prompt.
        self._prewarms = settings.engine_prewarm and not self._link.is_remote and layout is None
        is_prewarmed = self._prewarms or layout is not None
        self._anchors = anchors_for(layout or "ours", self._window, is_prewarmed=is_prewarmed)
        self._prewarmer = Prewarmer()
        maker = Maker(
            suggest=self._suggest,
            foresee=partial(self._suggest, priority=Priority.PREWARM),
            show=self._still_shown,
            told=self._anchors.pack,
            is_cheap=self._is_cheap,
        )
        self._remembering = Remembering(maker) if layout is None else None
        self._workspace = Workspace()
        self._gathering = Gathering(settings.context, on_status, index)
        self._vouching = Vouching(is_on=settings.guard.enabled)
        # A measurement neither learns nor depends on what was learned, and a fake model teaches nothing.
        learns = layout is None and settings.engine != "fake"
        history = History(cache_root() / "acceptance.json" if learns else None)
        self._judge = Judge(settings.completion.min_confidence, history)

    async def warm_up(self) -> None:
        """Start the engine and load the tokenizer, so that the first keystroke finds both ready."""
        self._on_status(Status("normal", busy=True, message="starting the engine"))
        try:
            # First what is quick: a model of the wrong kind is told before its weights are loaded.
            await asyncio.to_thread(fim_renderer_of, self._link.model)
            if self._link.concern:
                self._on_status(replace(_ready(self._link), busy=True))
            if self._vouching.is_on:
                await asyncio.gather(self._link.client(), asyncio.to_thread(the_guard))
            else:
                await self._link.client()
        except ModelsError as error:
            self._on_status(_status_of(error))
            return
        self._on_status(_ready(self._link))

    async def complete(self, query: Query) -> Suggestion:
        """At most one suggestion; `shown` is false when there is none fit to show, and `reason` says why."""
        started = time.perf_counter()
        with span("gate"):
            decision = decide(query, self._settings.completion)
        if not decision.is_open:
            seen = self._remembering.seen(query) if decision.may_recall and self._remembering else None
            seen = seen or _silent(query, decision.reason, Cost())
            return replace(seen, cost=_total(seen.cost, started))
        self._prewarmer.cancel(query.snapshot.path)
        try:
            if self._remembering is None:
                suggestion = await self._suggest(query, decision)
            else:
                suggestion = await self._remembering.complete(query, decision)
        except (EngineLostError, EngineUnavailableError) as error:
            await self._link.lost()
            self._on_status(_status_of(error))
            reason = f"{error}; it is started again for the next request"
            return _silent(query, reason, _total(Cost(), started))
        except ModelsError as error:
            self._on_status(_status_of(error))
            return _silent(query, str(error), _total(Cost(), started))
        self._link.answered()
        self._on_status(_ready(self._link))
        if self._prewarms:
            work = partial(self._in_a_pause, query, suggestion)
            self._prewarmer.later(query.snapshot.path, IDLE_S, work)
        return replace(suggestion, cost=_total(suggestion.cost, started))

    def settled(self, query: Query) -> None:
        """The text is this, and the cursor probably there: make the next request cheap, in a moment's rest.

        Never starts an engine, and says nothing.
        """
        if self._remembering is not None:
            self._remembering.changed(query)
        if self._prewarms:
            work = partial(self._prewarm, query, is_answered=False)
            self._prewarmer.later(query.snapshot.path, SETTLE_S, work)

    def opened(self, paths: Collection[str], folder: str) -> None:
        """These documents are open, in the workspace of `folder` (empty: none): keep what they need."""
        self._workspace.opened(paths, folder)
        self._gathering.opened(paths, folder)
        self._vouching.opened(paths)
        self._prewarmer.keep_only(set(paths))
        if self._remembering is not None:
            self._remembering.keep_only(set(paths))
        if self._link.connected is not None:
            self._workspace.tell(self._link.connected)

    def learn(self, suggestion: Suggestion, *, accepted: bool) -> None:
        """It was on the screen long enough to be read, and then accepted or not."""
        if suggestion.facts is not None:
            self._judge.learn(suggestion.facts, accepted=accepted)

    def anchor(self, query: Query) -> None:
        """Cut the prompt as for a request made now, without making it: a measurement's typing begins here."""
        self._anchors.cut(query)

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 512) -> AsyncGenerator[Reply]:
        """Stream an answer.  Raises ModelsError; closing the iterator cancels."""
        client = await self._chat_link.client()
        request = ChatRequest(
            tuple(messages), max_tokens=max_tokens, sampling=Sampling(), workspace=self._workspace.id
        )
        async with aclosing(client.chat(request)) as events:
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

    async def close(self) -> None:
        await self._prewarmer.aclose()
        if self._remembering is not None:
            await self._remembering.aclose()
        await self._gathering.aclose()
        await self._vouching.aclose()
        await self._workspace.aclose()
        await self._link.aclose()
        if self._chat_link is not self._link:
            await self._chat_link.aclose()

    async def _suggest(
        self,
        query: Query,
        decision: Decision,
        generation: Generation | None = None,
        *,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Suggestion:
        with span("connect"):
            renderer = fim_renderer_of(self._link.model)
            client = await self._link.client()
            self._workspace.tell(client)
        gathering = time.perf_counter()
        here = surroundings(query.snapshot.text, query.offset)
        with span("context"):
            place = self._anchors.cut(query, await self._pack_to_wait_for(query))
            prompt = renderer.render(self._parts(query, place))
        stage_ms = {"context": _ms_since(gathering)}
        # What the place demands is spelled like what was typed, but belongs to the suggestion.
        demanded = missing_indent(query.snapshot.text, query.offset, here)
        following = _lines_below(place)
        request = CompletionRequest(
            prompt.ids,
            max_tokens=self._settings.completion.max_tokens,
            speculate=self._settings.completion.drafts,
            heal=prompt.heal + demanded,
            priority=priority,
            document=self._workspace.name(query.snapshot.path),
            workspace=self._workspace.id,
            n=self._num_choices(query),
            logprobs=True,
        )
        with span("engine"):
            stream = client.complete(request)
            if generation is not None:
                stream = generation.watched(stream, prompt.heal)
            async with aclosing(stream) as events:
                ends = [watch(query, here, following, is_multi=decision.is_multi) for _ in range(request.n)]
                cap_s = self._settings.completion.time_cap_ms / 1000
                drafts = await read_choices(events, prompt.heal, ends, cap_s=cap_s)
            cost = drafts[0].meter.cost(stage_ms)
            for name in ("queue", "prefill", "decode"):
                note(name, cost.stage_ms.get(name, 0.0))
        trimming = _trimming_place(query, here, following)
        return self._withheld(
            query, ranked([self._made_of(draft, query, trimming, cost) for draft in drafts])
        )

    def _made_of(self, draft: Draft, query: Query, trimming: Place, cost: Cost) -> Suggestion:
        """The suggestion that a draft becomes, if it is fit to be shown."""
        if draft.silence:
            return replace(_silent(query, draft.silence, cost), is_passing=True)
        with span("trim"):
            trimmed = trim(draft.text, trimming)
        if trimmed.silence:
            return _silent(query, trimmed.silence, cost)
        text = like_document(trimmed.text, query.snapshot.text)
        suggestion = self._still_shown(query, Rest(text, query.offset, query.offset), cost)
        kept, num_findings = _unix(suggestion.text), len(suggestion.verdicts)
        facts = facts_of(draft, kept, query.snapshot.language, num_findings) if suggestion.shown else None
        if facts is None:
            return suggestion
        return replace(suggestion, facts=facts, confidence=self._judge.of(facts).probability)

    def _withheld(self, query: Query, suggestion: Suggestion) -> Suggestion:
        """Whoever asks is shown it; others only what is likely enough to be right."""
        if query.trigger is not Trigger.AUTOMATIC or not suggestion.shown or suggestion.facts is None:
            return suggestion
        with span("confidence"):
            silence = self._judge.silence(self._judge.of(suggestion.facts))
        return replace(suggestion, text="", shown=False, reason=silence) if silence else suggestion

    def _num_choices(self, query: Query) -> int:
        """Others' engines would write the same text several times, and may want money for it."""
        is_asked = query.trigger is Trigger.INVOKED and not self._link.is_remote
        return self._settings.completion.choices if is_asked else 1

    def _still_shown(self, query: Query, rest: Rest, cost: Cost) -> Suggestion:
        """`rest`, if it passes the guard where it stands now."""
        with span("guard"):
            judgement = self._judged(query, rest)
        cost = replace(cost, stage_ms={**cost.stage_ms, "guard": judgement.ms})
        return self._decided(rest, judgement, cost)

    def _is_cheap(self, query: Query) -> bool:
        """Need no prompt be computed anew for it?"""
        return not self._anchors.waits(replace(query, trigger=Trigger.INVOKED))

    async def _in_a_pause(self, query: Query, suggestion: Suggestion) -> None:
        """The suggestion may be accepted, or the person may type on."""
        is_wanted = suggestion.shown and self._settings.completion.prefetch
        if self._remembering is not None and is_wanted and self._link.connected is not None:
            try:
                gate = partial(decide, settings=self._settings.completion)
                await self._remembering.foresee(query, suggestion, gate)
            except ModelsError as error:
                logger.info("nothing was suggested ahead: %s", error)
        await self._prewarm(query, is_answered=True)

    async def _prewarm(self, query: Query, *, is_answered: bool) -> None:
        """Compute what the next request here will need; then what serves from there on, and use that."""
        place = _likely_place(query, self._settings)
        client = self._link.connected
        if place is None or client is None:
            return
        self._workspace.tell(client)
        try:
            pack = await self._following_pack(place)
            if not is_answered:
                first = pack if self._anchors.pack(place) == NO_PACK else None
                if not await self._compute(client, query, self._anchors.cut(place, first)):
                    return
            following = self._anchors.next_branch(place, pack) if place is query else None
            if following is not None and await self._compute(client, query, following[1]):
                self._anchors.adopt(query, following[0])
        except ModelsError as error:
            logger.info("nothing was pre-warmed: %s", error)
            if (
                isinstance(error, (EngineLostError, EngineUnavailableError))
                and self._link.connected is client
            ):
                await self._link.lost()  # so that the next request starts one

    async def _compute(self, client: EngineClient, query: Query, place: Cut) -> bool:
        """Have the engine compute a prompt and nothing else.  False when it was stopped before the end."""
        prompt = fim_renderer_of(self._link.model).render(self._parts(query, place))
        request = CompletionRequest(
            prompt.ids,
            max_tokens=0,
            priority=Priority.PREWARM,
            document=self._workspace.name(query.snapshot.path),
            workspace=self._workspace.id,
        )
        async with aclosing(client.complete(request)) as events:
            async for event in events:
                if isinstance(event, Usage):
                    return event.finish_reason != "cancelled"
        return False

    async def _pack_to_wait_for(self, query: Query) -> Pack | None:
        """Worked out now where a new branch is made for somebody who waits for all of it; None: as it is."""
        if not self._tells_other_files or not self._anchors.waits(query):
            return None
        count = _counter_of(self._link.model)
        return await self._gathering.follow(self._anchors.pack(query), query, count, is_waiting=True)

    async def _following_pack(self, query: Query) -> Pack | None:
        if not self._tells_other_files:
            return None
        return await self._gathering.follow(self._anchors.pack(query), query, _counter_of(self._link.model))

    @property
    def _tells_other_files(self) -> bool:
        return self._gathering.is_on and fim_renderer_of(self._link.model).tells_other_files

    def _parts(self, query: Query, place: Cut) -> FimParts:
        parts = _parts(place)
        if self._chunks_for is not None:
            told = self._chunks_for(query)
            return replace(parts, path=told.path, repo=told.repo, chunks=told.chunks)
        if not place.pack.chunks:
            return parts
        path, repo = self._gathering.place(query)
        chunks = tuple(RepositoryChunk(chunk.path, chunk.text) for chunk in place.pack.chunks)
        return replace(parts, path=path, repo=repo, chunks=chunks)

    def _window(self, query: Query, prefix_tokens: int, suffix_tokens: int, starts: Sequence[int]) -> Window:
        return cut(
            query.snapshot.text,
            query.offset,
            prefix_tokens=prefix_tokens,
            suffix_tokens=suffix_tokens,
            count=_counter_of(self._link.model),
            starts=starts,
        )

    def _judged(self, query: Query, rest: Rest) -> Judgement:
        snapshot = query.snapshot
        passage = Passage(
            before=snapshot.text[: rest.start],
            suggestion=rest.text,
            after=snapshot.text[rest.end :],
            language=snapshot.language,
            path=snapshot.path,
        )
        return self._vouching.judge(passage)

    def _decided(self, rest: Rest, judgement: Judgement, cost: Cost) -> Suggestion:
        silence = ""
        if not judgement.text.strip():
            silence = judgement.reason or "the guard left nothing to show"
        elif not judgement.vouched and self._vouching.is_on and self._settings.guard.unvouched == "withhold":
            silence = "the checks did not finish, and unvouched text is withheld (setting guard.unvouched)"
        return Suggestion(
            text="" if silence else judgement.text,
            start=rest.start,
            end=rest.end,
            shown=not silence,
            reason=silence,
            verdicts=judgement.verdicts,
            vouched=judgement.vouched,
            cost=cost,
            is_passing=bool(silence) and not judgement.vouched,
        )


@lru_cache(maxsize=4)
def _counter_of(model: str) -> Callable[[str], int]:
    """Tokens of a text; remembered, since the same blocks of lines are asked for at every keystroke."""
    tokenizer = tokenizer_of(model)

    @lru_cache(maxsize=4096)
    def count(text: str) -> int:
        return len(tokenizer.encode(text))

    return count


def _likely_place(query: Query, settings: Settings) -> Query | None:
    """Where the next request comes from: here, or at the line's end where the cursor is inside it."""
    here = replace(query, trigger=Trigger.AUTOMATIC)
    if decide(here, settings.completion).is_open:
        return query
    rest = surroundings(query.snapshot.text, query.offset).rest
    there = replace(here, offset=query.offset + len(rest))
    return there if rest and decide(there, settings.completion).is_open else None


def _parts(place: Cut) -> FimParts:
    """With Unix line ends, and nothing for a suffix of white space: what models are trained on."""
    suffix = _unix(place.suffix) if place.suffix.strip() else ""
    return FimParts(_unix(place.prefix), suffix, _unix(place.middle))


def _silent(query: Query, reason: str, cost: Cost) -> Suggestion:
    return Suggestion("", query.offset, query.offset, shown=False, reason=reason, cost=cost)


def _total(cost: Cost, started: float) -> Cost:
    return replace(cost, stage_ms={**cost.stage_ms, "total": _ms_since(started)})


def _ready(link: EngineLink) -> Status:
    return Status("warning" if link.concern else "normal", busy=False, message=link.concern)


def _status_of(error: ModelsError) -> Status:
    return Status("error", busy=False, message=str(error))


def _ms_since(started_s: float) -> float:
    return (time.perf_counter() - started_s) * 1000


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _trimming_place(query: Query, here: Surroundings, following: Sequence[str]) -> Place:
    snapshot = query.snapshot
    is_asked = query.trigger is Trigger.INVOKED
    return Place(here, tuple(following), snapshot.language, _unix(snapshot.text), is_asked=is_asked)


def _lines_below(place: Cut) -> list[str]:
    return _unix(place.suffix).split("\n")[1:]
