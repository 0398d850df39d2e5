"""How a server is connected: standard input and output, or one loopback connection.

Standard output belongs to the protocol.  Before serving, file descriptor 1 is pointed at standard
error and 0 at nothing, so that a stray `print`, a C library or a child process cannot break a
message or eat one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from threading import Event
from typing import BinaryIO

from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async

from .server import TruepennyServer

logger = logging.getLogger(__name__)


class AddressError(ValueError):
    """An address we do not listen on."""


def loopback_address(text: str) -> tuple[str, int]:
    """`HOST:PORT` on this machine only; port 0 lets the system choose."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise AddressError(f"{text!r} is not HOST:PORT; try 127.0.0.1:7777")
    host = "127.0.0.1" if host == "localhost" else host
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise AddressError(f"{text!r} can be reached from other machines; use 127.0.0.1:{port}")
    return host, int(port)


def serve_stdio(server: TruepennyServer) -> None:
    """Serve the editor that started us, until it says `exit` or closes our input.

    Raises `SystemExit` on `exit`: 0 after `shutdown`, 1 without it.
    """
    stdin, stdout = _take_stdio()
    asyncio.run(_serve_stdio(server, stdin, stdout))


def serve_tcp(server: TruepennyServer, host: str, port: int) -> None:
    """Serve one client on `host:port`, for debugging."""
    asyncio.run(_serve_tcp(server, host, port))


async def _serve_stdio(server: TruepennyServer, stdin: BinaryIO, stdout: BinaryIO) -> None:
    # A pool of its own: the reader must never wait behind other work.
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stdin")
    server.protocol.set_writer(StdoutWriter(stdout))
    try:
        await run_async(
            stop_event=Event(),
            reader=StdinAsyncReader(stdin, pool),
            protocol=server.protocol,
            logger=logger,
            error_handler=server.report_server_error,
        )
    except BrokenPipeError:
        logger.warning("the editor went away")
    finally:
        await server.session.close()
        pool.shutdown(wait=False)


async def _serve_tcp(server: TruepennyServer, host: str, port: int) -> None:
    done = asyncio.Event()
    is_taken = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal is_taken
        if is_taken:
            logger.warning("a second client was turned away: one server serves one editor")
            writer.close()
            return
        is_taken = True
        server.protocol.set_writer(writer)  # pyright: ignore[reportArgumentType]  # pygls declares close() async
        try:
            await run_async(
                stop_event=Event(),
                reader=reader,
                protocol=server.protocol,
                logger=logger,
                error_handler=server.report_server_error,
            )
        finally:
            await server.session.close()
            writer.close()
            done.set()

    listener = await asyncio.start_server(serve, host, port)
    async with listener:
        print(f"listening on {host}:{listener.sockets[0].getsockname()[1]}", file=sys.stderr, flush=True)
        await done.wait()


def _take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Our own handles on the protocol's streams, and harmless ones in their usual places."""
    sys.stdout.flush()
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stdin, stdout
