"""The client against servers that are not ours: what they send, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from truepenny.models.client import EngineClient, Reply
from truepenny.models.endpoint import Endpoint
from truepenny.models.errors import EngineLostError, EngineUnavailableError, RequestRefusedError
from truepenny.models.wire import ChatRequest, CompletionRequest, Message, Piece, Usage

pytestmark = pytest.mark.asyncio

Handler = Callable[[httpx.Request], httpx.Response]


def client_of(handler: Handler) -> EngineClient:
    client = EngineClient(Endpoint("http://server", token="secret"), "m")
    client._http = httpx.AsyncClient(
        transport=httpx.MockTransport(handler), base_url="http://server", headers=client._http.headers
    )
    return client


def events(*records: object) -> Handler:
    """A stream of these records; `...` stands for the end mark."""
    lines = ["[DONE]" if record is ... else json.dumps(record) for record in records]
    body = ": a comment\n\n" + "".join(f"data: {line}\n\n" for line in lines)
    return lambda _request: httpx.Response(200, text=body, headers={"content-type": "text/event-stream"})


async def read(handler: Handler) -> list[Reply]:
    client = client_of(handler)
    try:
        return [event async for event in client.complete(CompletionRequest((1, 2)))]
    finally:
        await client.aclose()


def text(piece: str, reason: str | None = None) -> dict:
    return {"choices": [{"index": 0, "text": piece, "finish_reason": reason}]}


USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}


@pytest.mark.parametrize(
    "records",
    [
        (text("a"), text("b", "length"), {"choices": [], "usage": USAGE}, ...),
        (text("a"), {**text("b", "length"), "usage": USAGE}, ...),
        (text("a"), text("b", "length") | {"usage": USAGE}, text(""), ...),  # told before the end
        (text("a"), text("b", "length") | {"usage": USAGE}),  # ends without saying so
        ({**text("a"), "error": None, "usage": None}, {**text("b", "length"), "usage": USAGE}, ...),
    ],
)
async def test_the_ways_servers_end_a_stream(records):
    """Each of them is somebody's; all mean the same."""
    *pieces, usage = await read(events(*records))
    assert pieces == [Piece("a"), Piece("b")]
    assert usage == Usage(9, 4, 5, 2, 0.0, 0.0, 0.0, "length")


async def test_a_conversation_comes_as_deltas():
    """As in the chat API; an empty first delta is no piece."""
    handler = events(
        {"choices": [{"delta": {"role": "assistant", "content": None}}]},
        {"choices": [{"delta": {"content": "hi"}}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        ...,
    )
    client = client_of(handler)
    replies = [event async for event in client.chat(ChatRequest((Message("user", "x"),)))]
    assert replies[0] == Piece("hi")
    assert isinstance(replies[1], Usage)
    await client.aclose()


async def test_several_choices_come_with_their_numbers_and_ends():
    """Whoever shows the first need not wait for the others; the usage has the reason of the first."""
    handler = events(
        {"choices": [text("a")["choices"][0] | {"index": 1}, text("b")["choices"][0]]},
        {"choices": [text("", "length")["choices"][0] | {"index": 1}]},
        text("c", "stop"),
        ...,
    )
    client = client_of(handler)
    *pieces, usage = [event async for event in client.complete(CompletionRequest((1,), n=2))]
    assert pieces == [Piece("a", 1), Piece("b"), Piece("", 1, "length"), Piece("c", 0, "stop")]
    assert isinstance(usage, Usage)
    assert usage.finish_reason == "stop"
    await client.aclose()


async def test_open_documents_are_told_to_our_own_engine_only():
    """Their names are nobody else's business."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    client = client_of(handler)
    await client.opened(["a.py"], "w")
    assert not seen
    client.endpoint = Endpoint("http://server", socket=Path("/x.sock"))
    await client.opened(["a.py"], "w")
    assert json.loads(seen[0].content) == {"workspace": "w", "open": ["a.py"]}
    await client.aclose()


@pytest.mark.parametrize(
    ("record", "error", "said"),
    [
        ({"error": {"message": "out of memory"}}, RequestRefusedError, "out of memory"),
        ({"error": "out of memory"}, RequestRefusedError, "out of memory"),
        ({"error": {"code": 7}}, RequestRefusedError, "does not say why"),
        ([1], EngineLostError, "not an object"),
    ],
)
async def test_an_error_in_the_stream_is_told(record, error, said):
    """In the server's words."""
    with pytest.raises(error, match=said):
        await read(events(text("a"), record, ...))


async def test_a_stream_that_breaks_off_is_a_lost_engine():
    """Half an answer must not pass for one."""
    with pytest.raises(EngineLostError, match="http://server ended the stream without finishing"):
        await read(events(text("a")))
    with pytest.raises(EngineLostError, match="'<html>', not JSON"):
        await read(lambda _request: httpx.Response(200, text="data: <html>\n\n"))


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (httpx.Response(400, json={"error": {"message": "prompt too long"}}), "prompt too long"),
        (httpx.Response(404, json={"error": "model 'm' not found"}), "model 'm' not found"),
        (httpx.Response(401, json={"detail": "no key"}), "answered 401.*no key"),
        (httpx.Response(502, text="<html>bad gateway"), "answered 502: <html>bad gateway"),
        (httpx.Response(500, json=[1]), "answered 500"),
    ],
)
async def test_a_refusal_carries_the_servers_words(response, said):
    """Whatever shape they have."""
    with pytest.raises(RequestRefusedError, match=said):
        await read(lambda _request: response)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (httpx.ConnectError, EngineUnavailableError),
        (httpx.ConnectTimeout, EngineUnavailableError),
        (httpx.RemoteProtocolError, EngineLostError),
        (httpx.ReadError, EngineLostError),
    ],
)
async def test_broken_connections_are_our_errors(raised, error):
    """A caller knows one family of exceptions."""

    def handler(_request: httpx.Request) -> httpx.Response:
        raise raised("broken")

    with pytest.raises(error, match="http://server"):
        await read(handler)


@pytest.mark.parametrize(
    "response",
    [httpx.Response(200, text="<html>"), httpx.Response(200, json={"ok": True}), httpx.Response(404)],
)
async def test_other_servers_have_no_status(response):
    """Asking is no accident, but no traceback either."""
    client = client_of(lambda _request: response)
    with pytest.raises(RequestRefusedError):
        await client.status()
    await client.aclose()


async def test_the_key_goes_along():
    """As every server expects it."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return events(text("a", "stop"), ...)(request)

    await read(handler)
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert json.loads(seen[0].content)["stream"] is True


async def test_the_environments_proxies_never_see_the_private_socket(monkeypatch):
    """They are for URLs the user named."""
    monkeypatch.setenv("ALL_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    for endpoint in (Endpoint("http://engine", socket=Path("/x.sock")), Endpoint("http://127.0.0.1:8")):
        client = EngineClient(endpoint, "m")
        assert not client._http._mounts
        await client.aclose()
