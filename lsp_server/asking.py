"""What the model is asked for a query: the prompt, its cut and what it tells of other files."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import lru_cache

from ..context.packing.pack import Pack
from ..context.window import Window, cut
from ..models.client import EngineClient, Reply
from ..models.prompts.fim import FimParts, RepositoryChunk
from ..models.wire import CompletionRequest, Priority, Usage
from . import grounding
from .draft import Draft, read_choices
from .engine_link import EngineLink, fim_renderer_of, tokenizer_of
from .grounding import Members
from .ledger.timing import note, span
from .place.gate import Decision, Surroundings, surroundings
from .place.indentation import missing_indent
from .prompting.anchor import Cut, Layout, anchors_for
from .prompting.gathering import Gathering
from .prompting.workspace import Workspace
from .recall.underway import Generation
from .settings import CompletionSettings
from .snapshot import Cost, Query, Trigger
from .stopping import watch
from .trimming import Place


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote for a query: the first draft, and further ones where they were asked for."""

    drafts: tuple[Draft, ...]
    place: Place
    """What trimming has to know of the place."""
    cost: Cost


class Asking:
    """Of one assistant.  Belongs to its event loop."""

    def __init__(
        self,
        settings: CompletionSettings,
        link: EngineLink,
        workspace: Workspace,
        gathering: Gathering,
        *,
        layout: Layout,
        is_prewarmed: bool,
        chunks_for: Callable[[Query], FimParts] | None = None,
        members_for: Callable[[str, str], Members | None] = lambda _path, _language: None,
    ) -> None:
        """`chunks_for`: as `Assistant` says.

        `members_for`: what decoding is grounded in, by path and language.
        """
        self._settings = settings
        self._link = link
        self._workspace = workspace
        self._gathering = gathering
        self._chunks_for = chunks_for
        self._members_for = members_for
        self.anchors = anchors_for(layout, self.window, is_prewarmed=is_prewarmed)

    async def written(
        self,
        query: Query,
        decision: Decision,
        generation: Generation | None = None,
        *,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Written:
        """Raises ModelsError.  A `generation` is told what is written."""
        with span("connect"):
            renderer = fim_renderer_of(self._link.model)
            client = await self._link.client()
            self._workspace.tell(client)
        gathering = time.perf_counter()
        here = surroundings(query.snapshot.text, query.offset)
        with span("context"):
            place = self.anchors.cut(query, await self._pack_to_wait_for(query))
            prompt = renderer.render(self._parts(query, place))
        stage_ms = {"context": (time.perf_counter() - gathering) * 1000}
        # What the place demands is spelled like what was typed, but belongs to the suggestion.
        demanded = missing_indent(query.snapshot.text, query.offset, here)
        following = _lines_below(place)
        request = CompletionRequest(
            prompt.ids,
            max_tokens=self._settings.max_tokens,
            speculate=self._settings.drafts,
            heal=prompt.heal + demanded,
            priority=priority,
            document=self._workspace.name(query.snapshot.path),
            workspace=self._workspace.id,
            n=self._num_choices(query),
            logprobs=True,
        )
        with span("engine"):
            stream = self._stream(client, request, query, prompt.heal)
            if generation is not None:
                stream = generation.watched(stream, prompt.heal)
            async with aclosing(stream) as events:
                ends = [watch(query, here, following, is_multi=decision.is_multi) for _ in range(request.n)]
                cap_s = self._settings.time_cap_ms / 1000
                drafts = await read_choices(events, prompt.heal, ends, cap_s=cap_s)
            cost = drafts[0].meter.cost(stage_ms)
            for name in ("queue", "prefill", "decode"):
                note(name, cost.stage_ms.get(name, 0.0))
        return Written(tuple(drafts), _trimming_place(query, here, following), cost)

    async def computed(self, client: EngineClient, query: Query, place: Cut) -> bool:
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

    def is_cheap(self, query: Query) -> bool:
        """Need no prompt be computed anew for it?"""
        return not self.anchors.waits(replace(query, trigger=Trigger.INVOKED))

    def window(self, query: Query, prefix_tokens: int, suffix_tokens: int, starts: Sequence[int]) -> Window:
        """What of the file goes into a prompt made now."""
        return cut(
            query.snapshot.text,
            query.offset,
            prefix_tokens=prefix_tokens,
            suffix_tokens=suffix_tokens,
            count=_counter_of(self._link.model),
            starts=starts,
        )

    async def following_pack(self, query: Query) -> Pack | None:
        """What is to be told of other files from here on; None: as it is."""
        if not self._tells_other_files:
            return None
        return await self._gathering.follow(self.anchors.pack(query), query, _counter_of(self._link.model))

    async def _pack_to_wait_for(self, query: Query) -> Pack | None:
        """Worked out now where a new branch is made for somebody who waits for all of it; None: as it is."""
        if not self._tells_other_files or not self.anchors.waits(query):
            return None
        count = _counter_of(self._link.model)
        return await self._gathering.follow(self.anchors.pack(query), query, count, is_waiting=True)

    @property
    def _tells_other_files(self) -> bool:
        return self._gathering.is_on and fim_renderer_of(self._link.model).tells_other_files

    def _stream(
        self, client: EngineClient, request: CompletionRequest, query: Query, typed: str
    ) -> AsyncGenerator[Reply]:
        """`typed`: what of the document the request heals."""
        text, offset = query.snapshot.text, query.offset
        members = self._members_for(query.snapshot.path, query.snapshot.language) if request.n == 1 else None
        if members is None or not text[:offset].endswith(typed):
            return client.complete(request)
        place = grounding.Place(unix(text[: offset - len(typed)]), unix(text[offset:]))
        return grounding.grounded(client.complete, request, place, members)

    def _num_choices(self, query: Query) -> int:
        """Others' engines would write the same text several times, and may want money for it."""
        is_asked = query.trigger is Trigger.INVOKED and not self._link.is_remote
        return self._settings.choices if is_asked else 1

    def _parts(self, query: Query, place: Cut) -> FimParts:
        parts = parts_of(place)
        if self._chunks_for is not None:
            told = self._chunks_for(query)
            return replace(parts, path=told.path, repo=told.repo, chunks=told.chunks)
        if not place.pack.chunks:
            return parts
        path, repo = self._gathering.place(query)
        chunks = tuple(RepositoryChunk(chunk.path, chunk.text) for chunk in place.pack.chunks)
        return replace(parts, path=path, repo=repo, chunks=chunks)


def parts_of(place: Cut) -> FimParts:
    """With Unix line ends, and nothing for a suffix of white space: what models are trained on."""
    suffix = unix(place.suffix) if place.suffix.strip() else ""
    return FimParts(unix(place.prefix), suffix, unix(place.middle))


def unix(text: str) -> str:
    """With Unix line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@lru_cache(maxsize=4)
def _counter_of(model: str) -> Callable[[str], int]:
    """Tokens of a text; remembered, since the same blocks of lines are asked for at every keystroke."""
    tokenizer = tokenizer_of(model)

    @lru_cache(maxsize=4096)
    def count(text: str) -> int:
        return len(tokenizer.encode(text))

    return count


def _trimming_place(query: Query, here: Surroundings, following: Sequence[str]) -> Place:
    snapshot = query.snapshot
    is_asked = query.trigger is Trigger.INVOKED
    return Place(here, tuple(following), snapshot.language, unix(snapshot.text), is_asked=is_asked)


def _lines_below(place: Cut) -> list[str]:
    return unix(place.suffix).split("\n")[1:]
