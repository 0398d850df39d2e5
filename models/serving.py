"""The engine's HTTP face: the OpenAI API over a private socket; closing the connection cancels.

| POST | /v1/completions       | prompt as token ids (or plain text), our additions under `truepenny` |
| POST | /v1/chat/completions  | messages                                                              |
| GET  | /v1/models            |                                                                       |
| GET  | /truepenny/status     | what is loaded and what it costs                                      |
| POST | /truepenny/documents  | which documents of a workspace are open: `workspace`, `open`          |
| POST | /truepenny/shutdown   |                                                                       |
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .engine import Engine, Event, Failure, Ticket
from .errors import ModelsError, RequestRefusedError
from .hardware import resident_bytes
from .prompts.chat import ChatTemplate
from .serving_shapes import ChatShape, TextShape
from .wire import CompletionRequest, EngineStatus, Piece, Priority, Started, Usage
from .wire_json import completion_from_json, messages_from_json, object_of, opened_from_json, wants_stream


class EngineApi:
    """Routes requests to one engine.  `stop` asks the process to end."""

    def __init__(
        self,
        engine: Engine[Any],
        chat: ChatTemplate | None,
        *,
        idle_exit_s: float,
        token: str | None,
        stop: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._chat = chat
        self._idle_exit_s = idle_exit_s
        self._token = token
        self._stop = stop
        self._started_s = time.monotonic()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/completions", self._guarded(self._complete), methods=["POST"]),
                Route("/v1/chat/completions", self._guarded(self._chat_complete), methods=["POST"]),
                Route("/v1/models", self._guarded(self._models)),
                Route("/truepenny/status", self._guarded(self._status)),
                Route("/truepenny/documents", self._guarded(self._documents), methods=["POST"]),
                Route("/truepenny/shutdown", self._guarded(self._shutdown), methods=["POST"]),
            ]
        )

    def _guarded(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Check the token, if there is one, and turn our errors into answers."""

        async def answer(request: Request) -> Response:
            if self._token is not None:
                given = request.headers.get("authorization", "")
                if not secrets.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                    return _refusal("wrong or missing bearer token", 401)
            try:
                return await handler(request)
            except ModelsError as error:
                return _refusal(str(error), 400)

        return answer

    async def _complete(self, request: Request) -> Response:
        body = object_of(await request.body())
        wanted = completion_from_json(body, self._engine.tokenizer.encode)
        shape = TextShape(self._engine.model.spec.name)
        return await self._answer(request, wanted, shape, is_streamed=wants_stream(body))

    async def _chat_complete(self, request: Request) -> Response:
        if self._chat is None:
            raise RequestRefusedError("this model has no chat template: choose an instruct model for chat")
        body = object_of(await request.body())
        prompt = self._chat.render(messages_from_json(body), self._engine.tokenizer)
        body["prompt"] = list(prompt)
        wanted = completion_from_json(body, self._engine.tokenizer.encode, Priority.CHAT)
        shape = ChatShape(self._engine.model.spec.name)
        return await self._answer(request, wanted, shape, is_streamed=wants_stream(body))

    async def _answer(
        self, request: Request, wanted: CompletionRequest, shape: TextShape, *, is_streamed: bool
    ) -> Response:
        stream = _EventStream(self._engine, wanted)
        if is_streamed:
            return _Streamed(stream, shape)
        watcher = asyncio.create_task(_cancel_on_disconnect(request.receive, stream))
        pieces: list[Piece] = []
        try:
            async for event in stream:
                if isinstance(event, Piece):
                    pieces.append(event)
                elif isinstance(event, Failure):
                    return _refusal(event.message, 500)
                elif isinstance(event, Usage):
                    return JSONResponse(shape.whole(pieces, event))
        finally:
            watcher.cancel()
            stream.cancel()
        raise AssertionError("an event stream ends with a usage or a failure")

    async def _models(self, _request: Request) -> Response:
        entry = {"id": self._engine.model.spec.name, "object": "model", "owned_by": "truepenny"}
        return JSONResponse({"object": "list", "data": [entry]})

    async def _status(self, _request: Request) -> Response:
        return JSONResponse(asdict(self.status()))

    def status(self) -> EngineStatus:
        spec, engine = self._engine.model.spec, self._engine
        return EngineStatus(
            model=spec.name,
            precision=spec.precision,
            why_precision=spec.why_precision,
            pid=os.getpid(),
            uptime_s=time.monotonic() - self._started_s,
            parameters=spec.parameters,
            weights_bytes=spec.weights_bytes,
            kv_bytes=engine.cache.nbytes,
            kv_budget_bytes=engine.cache.budget_bytes,
            rss_bytes=resident_bytes(),
            context_length=spec.context_length,
            vocabulary=spec.vocabulary,
            threads=spec.num_threads or _num_threads(),
            running=engine.num_running,
            waiting=engine.num_waiting,
            requests=engine.num_requests,
            idle_exit_s=self._idle_exit_s,
            details={
                f"{priority.name.lower()}.{name}": f"{value:g}"
                for priority, work in engine.work.items()
                for name, value in asdict(work).items()
                if work.requests
            },
        )

    async def _documents(self, request: Request) -> Response:
        documents, workspace = opened_from_json(object_of(await request.body()))
        self._engine.opened(documents, workspace)
        return JSONResponse({"open": len(documents)})

    async def _shutdown(self, _request: Request) -> Response:
        self._stop()
        return JSONResponse({"stopping": True})


class _EventStream:
    """The events of one request, crossing from the worker thread to the event loop."""

    def __init__(self, engine: Engine[Any], wanted: CompletionRequest) -> None:
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def put(event: Event) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._queue.put_nowait, event)

        self._ticket: Ticket = engine.submit(wanted, put)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            event = await self._queue.get()
            yield event
            if isinstance(event, Usage | Failure):
                return

    def cancel(self) -> None:
        """The end of its reader is the end of a request; nothing happens if it is over."""
        self._ticket.cancel()


async def _cancel_on_disconnect(receive: Receive, stream: _EventStream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.cancel()


class _Streamed(Response):
    """Server-sent events.  The client going away cancels the request within one token."""

    def __init__(self, stream: _EventStream, shape: TextShape) -> None:
        super().__init__(media_type="text/event-stream")
        self._stream = stream
        self._shape = shape

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (the shape of an ASGI application)
        watcher = asyncio.create_task(_cancel_on_disconnect(receive, self._stream))
        try:
            headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for event in self._stream:
                body = b"".join(_sse(record) for record in self._records(event))
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
        finally:
            watcher.cancel()
            self._stream.cancel()

    def _records(self, event: Event) -> list[dict[str, Any]]:
        if isinstance(event, Started):
            return [self._shape.started(event)]
        if isinstance(event, Piece):
            return [self._shape.piece(event)]
        if isinstance(event, Failure):
            return [{"error": {"message": event.message, "type": "engine"}}]
        return [self._shape.end(event)]


def _sse(record: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _refusal(message: str, status: int) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": "invalid_request"}}, status)


def _num_threads() -> int:
    import sys

    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch else 0
