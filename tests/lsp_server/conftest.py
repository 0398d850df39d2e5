"""A client that speaks bytes, for what well-behaved client libraries cannot send or do not show."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTED_SERVER = Path(__file__).parent.parent / "fixtures" / "scripted_server.py"
PATIENCE_S = 60
"""How long a broken server is waited for; a working one answers at once."""


class RawClient:
    """JSON-RPC over a subprocess's pipes, message by message."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        self.notifications: list[dict[str, Any]] = []
        self._received: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._answers: dict[Any, dict[str, Any]] = {}
        self._last_id = 0
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, message: object) -> None:
        """A message, or bytes that are none."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: object) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object) -> int:
        """Send without waiting; the id, for `answer`."""
        self._last_id += 1
        self.send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        return self._last_id

    def answer(self, id_: object) -> dict[str, Any]:
        """The whole response to `id_`."""
        while id_ not in self._answers:
            self._take()
        return self._answers.pop(id_)

    def ask(self, method: str, params: object) -> Any:
        """The result of a request that must succeed."""
        answer = self.answer(self.request(method, params))
        assert "error" not in answer, answer
        return answer["result"]

    def wait_for(self, method: str, matches: Callable[[Any], bool] = lambda _: True) -> Any:
        """The parameters of the first notification, past or to come, that matches."""
        seen = 0
        while True:
            for notification in self.notifications[seen:]:
                if notification["method"] == method and matches(notification["params"]):
                    return notification["params"]
            seen = len(self.notifications)
            self._take()

    def initialize(self, options: object = None, encodings: tuple[str, ...] = ("utf-8",)) -> Any:
        capabilities = {"general": {"positionEncodings": list(encodings)}}
        params = {"processId": None, "rootUri": None, "capabilities": capabilities}
        result = self.ask("initialize", params | {"initializationOptions": options})
        self.notify("initialized", {})
        return result

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def ask_inline(self, uri: str, line: int, character: int, **name: object) -> int:
        """Send an inline completion request; its id."""
        return self.request(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": uri, **name},
                "position": {"line": line, "character": character},
                "context": {"triggerKind": 2},
            },
        )

    def inline(self, uri: str, line: int, character: int, **name: object) -> Any:
        return self.answer(self.ask_inline(uri, line, character, **name))["result"]

    def stop(self) -> int:
        """The exit code after a proper end."""
        self.ask("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(PATIENCE_S)

    def _take(self) -> None:
        message = self._received.get(timeout=PATIENCE_S)
        assert message is not None, "the server closed its output"
        if "id" in message:
            assert message["id"] not in self._answers, f"answered twice: {message}"
            self._answers[message["id"]] = message
        else:
            self.notifications.append(message)

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            assert header.startswith(b"Content-Length: "), f"not the protocol: {header!r}"
            length = int(header.split(b":")[1])
            while stream.readline() != b"\r\n":
                pass
            self._received.put(json.loads(stream.read(length)))
        self._received.put(None)


def scripted(command: list[str] | None = None, **options: Any) -> RawClient:
    """A client with a scripted server of its own, unless told otherwise."""
    return RawClient(command or [sys.executable, "-I", str(SCRIPTED_SERVER)], **options)


def end(client: RawClient) -> None:
    """Leave nothing running, whatever state it is in."""
    client.process.kill()
    client.process.wait()
    for stream in (client.process.stdin, client.process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@pytest.fixture
def start_client() -> Iterator[Callable[..., RawClient]]:
    """Starts clients, as many as the test needs."""
    clients: list[RawClient] = []

    def start(command: list[str] | None = None, **options: Any) -> RawClient:
        clients.append(scripted(command, **options))
        return clients[-1]

    yield start
    for client in clients:
        end(client)


@pytest.fixture
def client(start_client: Callable[..., RawClient]) -> RawClient:
    """An initialised client of a scripted server, counting columns in UTF-8."""
    client = start_client()
    client.initialize()
    return client


@pytest.fixture(scope="module")
def hardened_client() -> Iterator[RawClient]:
    """One server for a whole row of bad messages: it must outlive them all."""
    client = scripted()
    client.initialize()
    yield client
    end(client)
