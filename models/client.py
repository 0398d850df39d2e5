"""One client for every engine: ours over its socket, or any OpenAI-compatible server over HTTP.

Requests are always streamed, because closing the stream is how they are cancelled.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from .endpoint import Endpoint
from .errors import EngineLostError, EngineUnavailableError, RequestRefusedError
from .wire import ChatRequest, CompletionRequest, EngineStatus, FinishReason, Piece, Started, Usage
from .wire_json import (
    chat_to_json,
    completion_to_json,
    logprob_from_json,
    started_from_json,
    status_from_json,
    usage_from_json,
)

Reply = Started | Piece | Usage

logger = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S = 3.0
_LEAVE_S = 1.0
"""How long requests that were given up may take to end when the client is closed."""


class EngineClient:
    """Talks to one engine.  Close it when done."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self.endpoint = endpoint
        self._model = model
        self._http = _http(endpoint)
        self._leaving: set[asyncio.Task[None]] = set()

    def complete(self, request: CompletionRequest) -> AsyncGenerator[Reply]:
        """`Started`, pieces of text, then one `Usage`.  Closing the generator cancels the request.

        Raises:
            EngineUnavailableError: cannot be reached.
            EngineLostError: went away before the end.
            RequestRefusedError: it said no, and why.
        """
        # The generator itself, not one around it: closing an outer one would leave this to be closed
        # whenever it is collected.
        body = completion_to_json(request, self._model, is_ours=self.endpoint.is_ours)
        return self._stream("/v1/completions", body)

    def chat(self, request: ChatRequest) -> AsyncGenerator[Reply]:
        """As `complete`, for a conversation."""
        body = chat_to_json(request, self._model, is_ours=self.endpoint.is_ours)
        return self._stream("/v1/chat/completions", body)

    async def status(self) -> EngineStatus:
        """Of our own engine; other servers have no such page (RequestRefusedError)."""
        response = await self._plain("GET", "/truepenny/status")
        try:
            return status_from_json(response.json())
        except (ValueError, TypeError, AttributeError) as error:
            raise RequestRefusedError(
                f"{self._where()} is not an engine of ours: it has no status"
            ) from error

    async def opened(self, documents: Collection[str], workspace: str = "") -> None:
        """Tell our own engine which documents of a workspace are open; of others nothing is asked."""
        if self.endpoint.is_ours:
            body = {"workspace": workspace, "open": list(documents)}
            await self._plain("POST", "/truepenny/documents", body)

    async def shutdown(self) -> None:
        await self._plain("POST", "/truepenny/shutdown")

    async def aclose(self) -> None:
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=_LEAVE_S)
        for task in self._leaving:
            task.cancel()
        await self._http.aclose()

    async def _plain(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        try:
            response = await self._http.request(method, path, json=body, timeout=_CONNECT_TIMEOUT_S)
        except httpx.TransportError as error:
            raise EngineUnavailableError(f"no engine answers at {self._where()}: {error}") from error
        if response.is_error:
            message = _message(response.content, response.status_code)
            raise RequestRefusedError(f"{self._where()}{path}: {message}")
        return response

    async def _stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[Reply]:
        try:
            async with self._exchange(path, body) as response:
                if response.is_error:
                    raise RequestRefusedError(_message(await response.aread(), response.status_code))
                finish_reason: FinishReason | None = None
                cost: dict[str, Any] = {}
                async for line in self._lines(response):
                    if not line.startswith("data:"):
                        continue
                    data = line.removeprefix("data:").strip()
                    if data == "[DONE]":
                        yield usage_from_json(cost, finish_reason)
                        return
                    record = self._record(data)
                    if started := started_from_json(record):
                        yield started
                        continue
                    cost = record if record.get("usage") else cost
                    for piece in _pieces(record):
                        if piece.choice == 0:
                            finish_reason = piece.finish_reason or finish_reason
                        if body.get("n", 1) > 1 and (piece.text or piece.finish_reason):
                            yield piece
                        elif piece.text:
                            yield Piece(piece.text, logprob=piece.logprob)
                if finish_reason:  # some servers end without saying so
                    yield usage_from_json(cost, finish_reason)
                    return
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise EngineUnavailableError(f"no engine answers at {self._where()}: {error}") from error
        except httpx.TransportError as error:
            raise EngineLostError(f"the engine at {self._where()} went away: {error!r}") from error
        raise EngineLostError(f"the engine at {self._where()} ended the stream without finishing")

    @asynccontextmanager
    async def _exchange(self, path: str, body: dict[str, Any]) -> AsyncGenerator[httpx.Response]:
        """The answer to a request, as it begins; closed in the end.

        httpx loses a connection when the task that sends on it, or closes it, is cancelled meanwhile;
        it stays open, and the hundredth makes everybody wait for ever.  So whatever uses a connection
        is done by tasks of their own: a request that is given up is closed as soon as it has been sent.
        """
        sending = asyncio.ensure_future(
            self._http.send(self._http.build_request("POST", path, json=body), stream=True)
        )
        try:
            response = await asyncio.shield(sending)
        except asyncio.CancelledError:
            self._leave(_close_once_sent(sending))
            raise
        try:
            yield response
        finally:
            await asyncio.shield(self._leave(response.aclose()))

    async def _lines(self, response: httpx.Response) -> AsyncGenerator[str]:
        lines = response.aiter_lines()
        while True:
            reading = asyncio.ensure_future(_next(lines))
            try:
                line = await asyncio.shield(reading)
            except asyncio.CancelledError:
                await asyncio.shield(self._leave(_give_up(reading)))
                raise
            if line is None:
                return
            yield line

    def _leave(self, closing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(closing)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task

    def _record(self, data: str) -> dict[str, Any]:
        """One event of a stream; raises RequestRefusedError when it says that the request failed."""
        try:
            record: Any = json.loads(data)
        except ValueError as error:
            raise EngineLostError(f"the engine at {self._where()} sent {data[:80]!r}, not JSON") from error
        if not isinstance(record, dict):
            raise EngineLostError(f"the engine at {self._where()} sent {data[:80]!r}, not an object")
        found = cast("dict[str, Any]", record)
        if found.get("error"):
            raise RequestRefusedError(_error_text(found) or "the engine failed, and does not say why")
        return found

    def _where(self) -> str:
        return str(self.endpoint.socket or self.endpoint.url)


async def is_alive(endpoint: Endpoint) -> bool:
    """Does something answer there?"""
    async with _http(endpoint) as http:
        try:
            response = await http.get("/v1/models", timeout=_CONNECT_TIMEOUT_S)
        except httpx.TransportError:
            return False
    return response.is_success


async def _next(lines: AsyncIterator[str]) -> str | None:
    return await anext(lines, None)


async def _give_up(reading: asyncio.Future[str | None]) -> None:
    """Cancelled once, and left to close what it must."""
    # As a timer it comes after what the socket has just said, which would find its listener gone.
    asyncio.get_running_loop().call_later(0, reading.cancel)
    await asyncio.gather(reading, return_exceptions=True)  # nobody wants to know any more


async def _close_once_sent(sending: asyncio.Future[httpx.Response]) -> None:
    try:
        response = await sending
    except httpx.HTTPError as error:
        logger.info("a request that had been given up failed: %s", error)
        return
    await response.aclose()


def _http(endpoint: Endpoint) -> httpx.AsyncClient:
    # Reading the system's certificates takes tens of milliseconds; only https needs them.
    verify: ssl.SSLContext | bool = endpoint.url.startswith("https:") or ssl.SSLContext(
        ssl.PROTOCOL_TLS_CLIENT
    )
    transport = httpx.AsyncHTTPTransport(verify=verify, uds=str(endpoint.socket)) if endpoint.socket else None
    headers = {"authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}
    # Generation may take long; only connecting is impatient.  Proxies from the environment apply to
    # a URL the user named, never to the private socket.
    return httpx.AsyncClient(
        transport=transport,
        verify=verify,
        base_url=endpoint.url,
        headers=headers,
        timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),
        trust_env=endpoint.socket is None and not endpoint.url.startswith("http://127.0.0.1"),
    )


def _pieces(record: dict[str, Any]) -> list[Piece]:
    """Of every choice that a record has something of."""
    pieces: list[Piece] = []
    for choice in cast("list[dict[str, Any]]", record.get("choices") or []):
        delta = cast("dict[str, Any]", choice.get("delta") or {})
        text = str(choice.get("text") or delta.get("content") or "")
        reason = _known(choice.get("finish_reason"))
        pieces.append(Piece(text, int(choice.get("index") or 0), reason, logprob_from_json(choice)))
    return pieces


def _known(reason: str | None) -> FinishReason | None:
    if reason is None:
        return None
    return "length" if reason == "length" else "cancelled" if reason == "cancelled" else "stop"


def _message(body: bytes, status: int) -> str:
    try:
        record: Any = json.loads(body)
    except ValueError:
        record = None
    said = _error_text(cast("dict[str, Any]", record)) if isinstance(record, dict) else ""
    return said or f"the engine answered {status}: {body[:200].decode(errors='replace')}"


def _error_text(record: dict[str, Any]) -> str:
    """`{"error": {"message": …}}` as in the OpenAI API, or `{"error": …}` as some servers have it."""
    error: Any = record.get("error")
    if isinstance(error, dict):
        error = cast("dict[str, Any]", error).get("message")
    return str(error or "")
