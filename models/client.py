"""One client for every engine: ours over its socket, or any OpenAI-compatible server over HTTP.

Requests are always streamed, because closing the stream is how they are cancelled.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, Collection
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

_CONNECT_TIMEOUT_S = 3.0


class EngineClient:
    """Talks to one engine.  Close it when done."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self.endpoint = endpoint
        self._model = model
        self._http = _http(endpoint)

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
            async with self._http.stream("POST", path, json=body) as response:
                if response.is_error:
                    raise RequestRefusedError(_message(await response.aread(), response.status_code))
                finish_reason: FinishReason | None = None
                cost: dict[str, Any] = {}
                async for line in response.aiter_lines():
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
