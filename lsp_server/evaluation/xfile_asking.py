"""How a cross-file case is put to the model: as a bare prompt, or through the whole pipeline.

The file is cut the same way whatever is told of other files, and its path is told in any case: what
differs between contexts is the chunks alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from ...context.window import cut
from ...models.prompts.fim import FimParts, RepositoryChunk
from ...models.wire import CompletionRequest, Piece
from ..assistant import Assistant
from ..engine_link import EngineLink, fim_renderer_of, tokenizer_of
from ..grounding import Members, Place, grounded
from ..prompting.anchor import PREFIX_TOKENS, SUFFIX_TOKENS
from ..settings import Settings
from ..snapshot import Query, Snapshot, Trigger
from ..status import Status
from .infill import inserted_text
from .xfile_cases import XFileCase
from .xfile_errors import XFileError
from .xfile_scores import first_line

MAX_TOKENS = 48
"""More than the longest line expected."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came back: the rest of the line."""

    text: str
    prompt_tokens: int


class Asking(Protocol):
    """Belongs to one event loop."""

    @property
    def count(self) -> Callable[[str], int]:
        """Tokens of a text, as the model counts."""
        ...

    async def ask(self, case: XFileCase, chunks: Sequence[RepositoryChunk]) -> Written:
        """Raises ModelsError and XFileError: the engine is in trouble."""
        ...

    async def close(self) -> None: ...


class RawAsking:
    """The bare model, greedy, one line, nothing of the pipeline.

    `members_of`: what is known of a case's values; decoding is grounded in it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        max_tokens: int = MAX_TOKENS,
        members_of: Callable[[XFileCase], Members | None] = lambda _: None,
    ) -> None:
        self._members_of = members_of
        self._link = EngineLink(settings, settings.completion.model)
        self._max_tokens = max_tokens
        self._count = counter_of(self._link.model)

    @property
    def count(self) -> Callable[[str], int]:
        return self._count

    async def ask(self, case: XFileCase, chunks: Sequence[RepositoryChunk]) -> Written:
        client = await self._link.client()
        prompt = fim_renderer_of(self._link.model).render(self.parts(case, chunks))
        request = CompletionRequest(
            prompt.ids,
            max_tokens=self._max_tokens,
            stop=("\n",),
            workspace=case.checkout.folder_name,
        )
        text = ""
        members = self._members_of(case)
        stream = client.complete(request)
        if members is not None:
            place = Place(_unix(case.before), _unix(case.after))
            stream = grounded(client.complete, request, place, members)
        async with aclosing(stream) as events:
            async for event in events:
                if isinstance(event, Piece):
                    text += event.text
        return Written(first_line(text), len(prompt.ids))

    def parts(self, case: XFileCase, chunks: Sequence[RepositoryChunk]) -> FimParts:
        """The prompt as text; `prefix` ends at the cursor."""
        window = cut(
            case.text,
            len(case.before),
            prefix_tokens=PREFIX_TOKENS,
            suffix_tokens=SUFFIX_TOKENS,
            count=self._count,
        )
        return FimParts(
            prefix=_unix(window.prefix + window.typed),
            suffix=_unix(window.suffix) if window.suffix.strip() else "",
            path=case.path,
            repo=_name_of(case),
            chunks=tuple(chunks),
        )

    async def close(self) -> None:
        await self._link.aclose()


class PipelineAsking:
    """As an editor asks, with the cursor where it is; one line.  What is withheld is an empty text."""

    def __init__(self, settings: Settings) -> None:
        self._told = FimParts("", "")
        self._trouble = ""
        self._assistant = Assistant(settings, self._on_status, "ours", chunks_for=lambda _: self._told)
        self._count = counter_of(EngineLink(settings, settings.completion.model).model)

    @property
    def count(self) -> Callable[[str], int]:
        return self._count

    async def ask(self, case: XFileCase, chunks: Sequence[RepositoryChunk]) -> Written:
        self._told = FimParts("", "", path=case.path, repo=_name_of(case), chunks=tuple(chunks))
        # A path of its own for each case: nothing may be remembered from one to the next.
        snapshot = Snapshot(f"untitled:{case.id}/{case.path}", case.language, case.text)
        query = Query(snapshot, len(case.before), Trigger.INVOKED, "single")
        suggestion = await self._assistant.complete(query)
        if self._trouble:  # a figure over a broken engine would mislead
            raise XFileError(self._trouble)
        return Written(first_line(inserted_text(query, suggestion)), suggestion.cost.prompt_tokens)

    async def close(self) -> None:
        await self._assistant.close()

    def _on_status(self, status: Status) -> None:
        if status.kind == "error":
            self._trouble = status.message


def counter_of(model: str) -> Callable[[str], int]:
    """Remembers: the same texts are asked for again and again."""
    tokenizer = tokenizer_of(model)

    @lru_cache(maxsize=8192)
    def count(text: str) -> int:
        return len(tokenizer.encode(text))

    return count


def _name_of(case: XFileCase) -> str:
    """Of the repository, without its owner."""
    return case.checkout.repository.partition("/")[2]


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
