"""JSON-RPC over the pipes of a child process, as language servers speak it.

Three threads per connection: one writes, one reads, one drains what the child says to stderr.  So
nobody who asks is ever held up by a full pipe, only by the deadline named.  The other side is not
trusted: a frame that is no frame, one that is too large, or more than anybody asked for ends the
connection with a reason.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from ...errors import CheckerError

MAX_HEADER_BYTES = 4_096
MAX_FRAME_BYTES = 32_000_000
MAX_UNASKED = 20_000
"""Messages between two answers; a server that reports a whole workspace sends some thousand."""
MAX_UNWRITTEN = 256
"""Messages that wait to be read by the child."""
_STDERR_CHARS = 2_000
_LAST_WORDS_S = 0.2
"""What a process that ends says about it may come a moment later."""
_METHOD_NOT_FOUND = -32601

Message = dict[str, Any]
Answerer = Callable[[str, Any], Any]
"""Takes a method and its params; what it returns is the answer.  `NotImplementedError`: no such method."""
Listener = Callable[[str, Any], None]


class FrameError(ValueError):
    """What came is not a frame."""


class ResponseError(Exception):
    """The server answered with an error: it is alive, and does not want to say."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data


def frame(message: Message) -> bytes:
    """Half a surrogate pair, which no server can read, becomes a question mark: one character as well."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Frames:
    """Cuts a stream of bytes into messages, however it was split on the way."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size: int | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Raises FrameError; the stream is then out of step for good."""
        self._buffer += data
        found: list[Message] = []
        while (body := self._next()) is not None:
            found.append(_message(body))
        return found

    def _next(self) -> bytes | None:
        if self._size is None:
            end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEADER_BYTES)
            if end == -1:
                if len(self._buffer) >= MAX_HEADER_BYTES:
                    raise FrameError(f"no end of header in {MAX_HEADER_BYTES} bytes")
                return None
            self._size = _content_length(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
        if len(self._buffer) < self._size:
            return None
        body = bytes(self._buffer[: self._size])
        del self._buffer[: self._size]
        self._size = None
        return body


def _content_length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon:
            raise FrameError(f"header line without a colon: {line[:40]!r}")
        if name.strip().lower() == b"content-length":
            text = value.strip()
            if not text.isdigit() or len(text) > len(str(MAX_FRAME_BYTES)) or int(text) > MAX_FRAME_BYTES:
                raise FrameError(f"Content-Length is {text[:40]!r}, at most {MAX_FRAME_BYTES} is read")
            return int(text)
    raise FrameError("header without Content-Length")


def _message(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a frame that is not JSON ({type(error).__name__})") from error
    if not isinstance(message, dict):
        raise FrameError("a frame that is not an object")
    return message  # pyright: ignore[reportUnknownVariableType]  # JSON objects have string keys


@dataclass(eq=False, slots=True)
class _Pending:
    sent_s: float
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: Message | None = None


class Connection:
    """Belongs to one child process.  Safe to call from several threads.

    `answer` and `hear` are called on the reading thread, and must return soon.
    """

    def __init__(
        self,
        name: str,
        pipes: tuple[IO[bytes], IO[bytes], IO[bytes]],
        answer: Answerer,
        hear: Listener,
    ) -> None:
        self._name = name
        self._stdin, self._stdout, self._stderr = pipes
        self._answer, self._hear = answer, hear
        self._lock = threading.Lock()
        self._pending: dict[int, _Pending] = {}
        self._last_id = 0
        self._unasked = 0
        self._said = ""
        self._outgoing: queue.Queue[bytes | None] = queue.Queue(MAX_UNWRITTEN)
        self._drained = threading.Event()
        self.ended = threading.Event()
        self.reason = ""
        """Why it ended; empty while it lives."""
        for task in (self._write, self._read, self._drain):
            threading.Thread(target=task, name=f"{name} {task.__name__}", daemon=True).start()

    def request(self, method: str, params: Any, deadline_s: float) -> Any:
        """The result.  Raises `CheckerError` when late or ended, `ResponseError` when refused.

        One that is late is cancelled, but stays on the list until the server says something about it:
        see `unanswered_s`.
        """
        pending = _Pending(time.monotonic())
        with self._lock:
            self._last_id += 1
            number = self._last_id
            self._pending[number] = pending
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        if self.ended.is_set():
            pending.done.set()
        if not pending.done.wait(max(deadline_s, 0.0)):
            self.notify("$/cancelRequest", {"id": number})
            raise CheckerError(f"{self._name} did not answer {method} within {deadline_s * 1000:.0f} ms")
        if pending.error is not None:
            raise ResponseError(
                _int(pending.error.get("code")), str(pending.error.get("message")), pending.error.get("data")
            )
        if self.ended.is_set() and number in self._pending:
            raise CheckerError(f"{self._name} has ended: {self.reason}")
        return pending.result

    def notify(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    @property
    def unanswered_s(self) -> float:
        """How long the oldest request has been waiting for an answer of any kind; 0 where none is."""
        with self._lock:
            oldest = min((one.sent_s for one in self._pending.values()), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def end(self, reason: str) -> None:
        """Wakes everybody who waits.  The process is the caller's business."""
        with self._lock:
            if self.ended.is_set():
                return
            self.reason = f"{reason}; it last said: {self._said.strip()}" if self._said.strip() else reason
            self.ended.set()
            waiting = list(self._pending.values())
        for one in waiting:
            one.done.set()
        with contextlib.suppress(queue.Full):  # stuck on a full pipe, it goes when the process does
            self._outgoing.put_nowait(None)

    def _send(self, message: Message) -> None:
        if self.ended.is_set():
            return
        try:
            self._outgoing.put_nowait(frame(message))
        except queue.Full:
            self.end(f"it has left {MAX_UNWRITTEN} messages unread")

    def _write(self) -> None:
        try:
            while (data := self._outgoing.get()) is not None and not self.ended.is_set():
                self._stdin.write(data)
                self._stdin.flush()
        except (OSError, ValueError) as error:
            if not self.ended.is_set():  # it may be gone, and have said why
                self._drained.wait(_LAST_WORDS_S)
            self.end(f"it reads no more ({error})")
        finally:
            _close(self._stdin)

    def _read(self) -> None:
        frames = Frames()
        try:
            while data := _read_some(self._stdout):
                for message in frames.feed(data):
                    self._take(message)
                if self.ended.is_set():
                    return
            self._drained.wait(_LAST_WORDS_S)
            self.end("it closed its output")
        except FrameError as error:
            self.end(f"it sent {error}")
        except (OSError, ValueError) as error:
            self.end(f"it cannot be read ({error})")
        finally:
            _close(self._stdout)

    def _drain(self) -> None:
        try:
            while data := _read_some(self._stderr):
                self._said = (self._said + data.decode("utf-8", "replace"))[-_STDERR_CHARS:]
        except (OSError, ValueError):
            pass  # the reading thread says why it ended
        finally:
            self._drained.set()
            _close(self._stderr)

    def _take(self, message: Message) -> None:
        method, number = message.get("method"), message.get("id")
        if not isinstance(method, str):
            self._settle(number, message)
            return
        self._unasked += 1
        if self._unasked > MAX_UNASKED:
            raise FrameError(f"more than {MAX_UNASKED} messages that nobody asked for")
        if number is None:
            self._hear(method, message.get("params"))
            return
        reply: Message = {"jsonrpc": "2.0", "id": number}
        try:
            reply["result"] = self._answer(method, message.get("params"))
        except NotImplementedError:
            reply["error"] = {"code": _METHOD_NOT_FOUND, "message": f"{method} is not offered"}
        self._send(reply)

    def _settle(self, number: Any, message: Message) -> None:
        """Answers to what nobody asked, or asked for no longer, are dropped."""
        with self._lock:
            pending = self._pending.pop(number, None) if type(number) is int else None
        if pending is None:
            self._unasked += 1
            return
        self._unasked = 0
        error = message.get("error")
        if isinstance(error, dict):
            pending.error = error  # pyright: ignore[reportUnknownMemberType]  # read field by field
        else:
            pending.result = message.get("result")
        pending.done.set()


def _read_some(pipe: IO[bytes]) -> bytes:
    """What is there, at least one byte; nothing at the end."""
    return pipe.read1(65_536)  # type: ignore[attr-defined]  # a BufferedReader, which IO does not say


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(OSError):  # the other end is gone, which is what closing is for
        pipe.close()


def _int(value: Any) -> int:
    return value if isinstance(value, int) else 0
