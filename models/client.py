"""One client for every engine: ours over its socket, or any OpenAI-compatible server over HTTP.

    Requests are always streamed, because closing the stream is how they are cancelled.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx

from .endpoint import Endpoint
from .errors import EngineLostError, EngineUnavailableError, RequestRefusedError
from .wire import ChatRequest, CompletionRequest, EngineStatus, Piece, Started, Usage
from .wire_json import (
    chat_to_json,
    completion_to_json,
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

    async def complete(self, request: CompletionRequest) -> AsyncGenerator[Reply]:
        """`Started`, pieces of text, then one `Usage`.  Closing the generator cancels the request.

        Raises:
            EngineUnavailableError: cannot be reached.
            EngineLostError: went away before the end.
            RequestRefusedError: it said no, and why.
        """
        async for event in self._stream("/v1/completions", completion_to_json(request, self._model)):
            yield event

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Reply]:
        """As `complete`, for a conversation."""
        async for event in self._stream("/v1/chat/completions", chat_to_json(request, self._model)):
            yield event

    async def status(self) -> EngineStatus:
        """Of our own engine; other servers have no such page (RequestRefusedError)."""
        response = await self._plain("GET", "/truepenny/status")
        return status_from_json(response.json())

    async def shutdown(self) -> None:
        await self._plain("POST", "/truepenny/shutdown")

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _plain(self, method: str, path: str) -> httpx.Response:
        try:
            response = await self._http.request(method, path, timeout=_CONNECT_TIMEOUT_S)
        except httpx.TransportError as error:
            raise EngineUnavailableError(f"no engine answers at {self._where()}: {error}") from error
        if response.is_error:
            raise RequestRefusedError(f"{self._where()}{path} answered {response.status_code}")
        return response

    async def _stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[Reply]:
        try:
            async with self._http.stream("POST", path, json=body) as response:
                if response.is_error:
                    raise RequestRefusedError(_message(await response.aread(), response.status_code))
                finish_reason: str | None = None
                last: dict[str, Any] = {}
                async for line in response.aiter_lines():
                    if not line.startswith("data:"):
                        continue
                    data = line.removeprefix("data:").strip()
                    if data == "[DONE]":
                        yield usage_from_json(last, finish_reason)
                        return
                    last = json.loads(data)
                    if "error" in last:
                        raise RequestRefusedError(str(last["error"].get("message", "the engine failed")))
                    if started := started_from_json(last):
                        yield started
                        continue
                    text, reason = _choice(last)
                    finish_reason = reason or finish_reason
                    if text:
                        yield Piece(text)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise EngineUnavailableError(f"no engine answers at {self._where()}: {error}") from error
        except httpx.TransportError as error:
            raise EngineLostError(f"the engine at {self._where()} went away: {error!r}") from error
        raise EngineLostError(f"the engine at {self._where()} ended the stream without finishing")

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
    transport = httpx.AsyncHTTPTransport(uds=str(endpoint.socket)) if endpoint.socket else None
    headers = {"authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}
    # Generation may take long; only connecting is impatient.  Proxies from the environment apply to
    # a URL the user named, never to the private socket.
    return httpx.AsyncClient(
        transport=transport,
        base_url=endpoint.url,
        headers=headers,
        timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),
        trust_env=endpoint.socket is None and not endpoint.url.startswith("http://127.0.0.1"),
    )


def _choice(record: dict[str, Any]) -> tuple[str, str | None]:
    choices = record.get("choices") or [{}]
    choice: dict[str, Any] = choices[0]
    text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
    return str(text), choice.get("finish_reason")


def _message(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the engine answered {status}: {body[:200].decode(errors='replace')}"
