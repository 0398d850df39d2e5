"""The way from the assistant to an engine: found, started, lost and found again.

A crash of the engine costs one suggestion.  The next request starts it anew; if it keeps dying, it
is tried ever more rarely, and the reason says so.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import lru_cache

from ..models.catalogue import find
from ..models.client import EngineClient
from ..models.endpoint import FAKE_MODEL, Endpoint
from ..models.errors import EngineUnavailableError
from ..models.hardware import give_back_memory
from ..models.launch import EngineChoice, ensure
from ..models.prompts.fim import QWEN_CODER, FimRenderer, fim_renderer
from ..models.prompts.untrained import why_untrained
from ..models.store import require
from ..models.tokens import Tokenizer, load_tokenizer
from .settings import Settings

_FIRST_BACKOFF_S = 1.0
_LONGEST_BACKOFF_S = 60.0


class EngineLink:
    """Belongs to one event loop.  `model` is a catalogue name, an alias, or `fake`."""

    def __init__(self, settings: Settings, model: str) -> None:
        self._settings = settings
        self.model = FAKE_MODEL if settings.engine == "fake" else model
        self._client: EngineClient | None = None
        self._lock = asyncio.Lock()
        self._failures = 0
        self._retry_at_s = 0.0

    async def client(self) -> EngineClient:
        """A client of a running engine, starting one if need be.

        Raises:
            ModelsError: not pulled, does not start, or died too recently to be tried again.
        """
        async with self._lock:
            if self._client is None:
                self._client = EngineClient(await self._endpoint(), self._served_name())
            return self._client

    async def lost(self) -> None:
        """The engine went away: forget it.  Repeated losses are spaced out."""
        client, self._client = self._client, None
        if client is not None:  # else it never came up, which `client` has counted
            self._back_off()
            await client.aclose()

    def answered(self) -> None:
        """A request came through: past failures no longer count."""
        self._failures = 0

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def connected(self) -> EngineClient | None:
        """The client, if there is one already: nothing is started for it."""
        return self._client

    @property
    def is_remote(self) -> bool:
        return self._settings.engine not in ("local", "fake")

    @property
    def concern(self) -> str:
        """Why what this model suggests may be rubbish; empty where there is no reason to think so."""
        return why_untrained(self.model)

    async def _endpoint(self) -> Endpoint:
        if self.is_remote:
            variable = self._settings.engine_api_key_env
            key = os.environ.get(variable) if variable else None
            return Endpoint(self._settings.engine.rstrip("/").removesuffix("/v1"), token=key)
        wait_s = self._retry_at_s - time.monotonic()
        if wait_s > 0:
            raise EngineUnavailableError(
                f"the engine failed {self._failures} times; it is tried again in {wait_s:.0f} s"
            )
        try:
            return await ensure(EngineChoice(self._served_name(), self._settings.completion.precision))
        except EngineUnavailableError:
            self._back_off()
            raise

    def _served_name(self) -> str:
        """Aliases share one engine; a remote engine is told the name the user wrote."""
        return self.model if self.is_remote or self.model == FAKE_MODEL else find(self.model).name

    def _back_off(self) -> None:
        """The first failure is free: an engine that was killed comes back at once."""
        self._failures += 1
        if self._failures > 1:
            pause_s = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2 ** (self._failures - 2))
            self._retry_at_s = time.monotonic() + pause_s


@lru_cache(maxsize=4)
def tokenizer_of(model: str) -> Tokenizer:
    """The tokenizer of a pulled model.  Raises WeightsMissingError, also for a remote engine's model."""
    if model == FAKE_MODEL:
        from ..models.testing import ByteTokenizer

        return ByteTokenizer()
    tokenizer = load_tokenizer(require(model).tokenizer, frozenset())
    give_back_memory()  # reading one frees sixty megabytes or more
    return tokenizer


@lru_cache(maxsize=4)
def fim_renderer_of(model: str) -> FimRenderer:
    """By the family the catalogue names, else by the one its tokens tell.

    Raises:
        PromptError: the model cannot fill in the middle.  It says what to do, and chat goes on.
    """
    family = QWEN_CODER.name if model == FAKE_MODEL else find(model).fim_family
    return fim_renderer(model, tokenizer_of(model), family)
