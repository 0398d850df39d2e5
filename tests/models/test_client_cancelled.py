"""Requests are given up all the time, at any moment: nothing of them may stay behind."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from pathlib import Path

import pytest

from truepenny.models.client import EngineClient
from truepenny.models.endpoint import Endpoint
from truepenny.models.wire import CompletionRequest, Piece, Usage

pytestmark = pytest.mark.asyncio

NUM_GIVEN_UP = 150
"""More than the connections that httpx would keep."""
REQUEST = CompletionRequest((1, 2, 3))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
PIECE = b'data: {"choices": [{"index": 0, "text": "x"}]}\n\n'
DONE = b"data: [DONE]\n\n"


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


class Server:
    """Streams pieces, with pauses, as long as somebody listens; `num_pieces` or without end."""

    def __init__(self) -> None:
        self.num_open = 0
        self.num_pieces = 1_000_000
        self._chance = random.Random(5)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.num_open += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(self._chance.choice((0, 0.002)))
            writer.write(HEAD)
            for _ in range(self.num_pieces):
                writer.write(chunk(PIECE))
                await writer.drain()
                await asyncio.sleep(0.001)
            writer.write(chunk(DONE) + chunk(b""))
            await writer.drain()
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            """The other side has left: what is wanted."""
        finally:
            self.num_open -= 1
            writer.close()


async def read(client: EngineClient) -> list[Piece | Usage]:
    async with aclosing(client.complete(REQUEST)) as events:
        return [event async for event in events if isinstance(event, (Piece, Usage))]


@pytest.mark.skipif(not hasattr(asyncio, "start_unix_server"), reason="httpx loses those of Unix sockets")
async def test_requests_given_up_at_any_moment_leave_no_connection(tmp_path: Path) -> None:
    """While connecting, sending, reading or closing; some of them twice."""
    server, chance, seen = Server(), random.Random(7), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(str(context)))
    listening = await asyncio.start_unix_server(server.serve, tmp_path / "s")
    client = EngineClient(Endpoint("http://engine", tmp_path / "s"), "fake")
    for _ in range(NUM_GIVEN_UP):
        asking = asyncio.ensure_future(read(client))
        for _ in range(chance.randrange(30)):
            await asyncio.sleep(0)
        await asyncio.sleep(chance.choice((0, 0, 0.001, 0.004)))
        asking.cancel()
        if chance.random() < 0.3:
            await asyncio.sleep(0)
            asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    server.num_pieces = 3
    events = await asyncio.wait_for(read(client), 60)
    assert len(events) == 4
    await client.aclose()
    async with asyncio.timeout(60):
        while server.num_open:  # noqa: ASYNC110  (the other side notices when it writes)
            await asyncio.sleep(0.01)
    listening.close()
    assert seen == []
