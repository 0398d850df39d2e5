"""A real assistant, and an engine that writes what a test says, a few characters at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.prompting.gathering import StoredIndex
from truepenny.lsp_server.settings import ContextSettings, Settings
from truepenny.lsp_server.snapshot import Query, Snapshot, Suggestion, Trigger
from truepenny.models.client import Reply
from truepenny.models.wire import CompletionRequest, Piece, Priority, Started, Usage

_CHARS = 3


@dataclass
class Engine:
    """`writes` maps the prompt, control tokens being bars, to the model's text."""

    writes: Callable[[str], str]
    prompts: list[str] = field(default_factory=list[str])
    written: int = 0
    """Characters that were read of what it would have written."""

    async def complete(self, request: CompletionRequest) -> AsyncGenerator[Reply]:
        prompt = bytes(id_ if id_ < 256 else ord("|") for id_ in request.prompt_ids).decode()
        yield Started(len(prompt), 0, len(prompt), 0.0, 0.0)
        if request.priority is not Priority.PREWARM:
            self.prompts.append(prompt)
            text = request.heal + self.writes(prompt)
            for at in range(0, len(text), _CHARS):
                piece = text[at : at + _CHARS]
                self.written += len(piece)
                yield Piece(piece)
        yield Usage(len(prompt), 0, len(prompt), 0, 0.0, 0.0, 0.0, "stop")

    async def opened(self, documents: Collection[str], workspace: str = "") -> None: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class Answer:
    """`after` is the document once the suggestion is accepted."""

    suggestion: Suggestion
    after: str
    engine: Engine


def ask(
    marked: str,
    writes: str | Callable[[str], str],
    *,
    language: str = "python",
    path: str = "untitled:a",
    trigger: Trigger = Trigger.AUTOMATIC,
    index: StoredIndex | None = None,
) -> Answer:
    """One request of a new assistant, at the mark `¦`."""
    offset = marked.index("¦")
    text = marked.replace("¦", "", 1)
    engine = Engine(writes if callable(writes) else lambda _: writes)

    async def answer() -> Suggestion:
        context = ContextSettings(enabled=index is not None)
        assistant = Assistant(Settings(engine="fake", engine_prewarm=False, context=context), index=index)
        link: Any = assistant._link
        link._client = engine
        try:
            return await assistant.complete(Query(Snapshot(path, language, text), offset, trigger))
        finally:
            await assistant.close()

    suggestion = asyncio.run(answer())
    after = text[: suggestion.start] + suggestion.text + text[suggestion.end :]
    return Answer(suggestion, after if suggestion.shown else text, engine)
