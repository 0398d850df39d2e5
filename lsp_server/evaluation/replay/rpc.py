"""JSON-RPC over a child process's pipes, as an editor speaks it; with the moment of every answer."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ....models.errors import BenchmarkError

_LAST_WORDS = 3
"""Lines of a dead server's log that are shown."""


@dataclass(frozen=True, slots=True)
class Response:
    """`error` is None for a success."""

    result: Any
    error: Mapping[str, Any] | None
    arrived_s: float


class RpcClient:
    """One server process.  Belongs to one event loop; start it with `start`."""

    def __init__(self, process: Process, log: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout
        self._log = log
        self._waiting: dict[int, asyncio.Future[Response]] = {}
        self._last_id = 0
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
    ) -> RpcClient:
        """Start the server in `folder`; what it logs goes to the file `log`."""
        with log.open("ab") as stderr:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=stderr, cwd=folder, env=dict(environment)
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def notify(self, method: str, params: object) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object) -> tuple[int, asyncio.Future[Response]]:
        """The request's id, for cancelling, and its answer to come.

        The future raises BenchmarkError when the server ends without answering.
        """
        self._last_id += 1
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[self._last_id] = future
        if self._reader.done():
            self._fail_all()
        else:
            self._send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        return self._last_id, future

    async def stop(self, patience_s: float) -> None:
        """A proper end, or after `patience_s` a hard one."""
        try:
            async with asyncio.timeout(patience_s):
                if self._process.returncode is None and not self._reader.done():
                    await self.request("shutdown", None)[1]
                    self.notify("exit", None)
                await self._process.wait()
        except (TimeoutError, BenchmarkError):
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)  # cancelled by us

    def _send(self, message: Mapping[str, object]) -> None:
        if self._stdin.is_closing():
            return  # the reader tells why
        body = json.dumps(message, separators=(",", ":")).encode()
        self._stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def _read(self) -> None:
        try:
            while header := await self._stdout.readline():
                length = int(header.removeprefix(b"Content-Length:"))
                while (await self._stdout.readline()).strip():
                    pass
                body = await self._stdout.readexactly(length)
                self._take(cast("dict[str, Any]", json.loads(body)), time.perf_counter())
        finally:
            self._fail_all()

    def _take(self, message: dict[str, Any], arrived_s: float) -> None:
        if "method" not in message:
            future = self._waiting.pop(message["id"], None)
            if future is not None and not future.done():
                future.set_result(Response(message.get("result"), message.get("error"), arrived_s))
        elif "id" in message:  # the server asks: an editor that knows nothing says so
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": None})

    def _fail_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(BenchmarkError(f"the language server has ended: {self._last_words()}"))
                future.exception()  # whoever still waits gets it; if nobody does, it was told already

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return " / ".join(said[-_LAST_WORDS:]) or "it said nothing"
