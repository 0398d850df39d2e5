"""The peer: a llama-server, driven as ggml-org/llama.vim drives it with its default settings.

What that means (commit a1c8e6e): one request at a time.  While one runs, a newer keystroke does not
stop it; a timer of 100 ms, started anew at each keystroke, asks again for what then stands at the
cursor.  No request where more than 8 bytes follow the cursor on its line.  256 lines before, 64 after,
128 tokens, and the pieces of `ring`.

Two things the plug-in does are left out: it keeps answers by their text and shows the rest of one
when a person types along it, and it asks ahead for what follows a suggestion on the screen.  Our
side has neither.  It starts a process for every request, and here one connection is kept.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx

from ....models.errors import BenchmarkError
from ...editor.convert import LineIndex
from .play import IDLE_S, PATIENCE_S
from .record import Answer, Cost
from .ring import PREFIX_LINES, SUFFIX_LINES, Chunk, Ring
from .session import ENCODING, Session, Step

N_PREDICT = 128
T_MAX_PROMPT_MS = 500
T_MAX_PREDICT_MS = 250
"""Of a request that is not one ahead of time."""
MAX_LINE_SUFFIX = 8
RETRY_S = 0.1
UPDATE_S = 1.0
"""Between two updates of the ring."""

_FIELDS = (
    "content",
    "timings/prompt_n",
    "timings/prompt_ms",
    "timings/predicted_n",
    "timings/predicted_ms",
    "timings/draft_n",
    "timings/draft_n_accepted",
    "tokens_cached",
    "tokens_evaluated",
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """What stands where, after the step `step` or before the first one (-1)."""

    step: int
    file: str
    lines: tuple[str, ...]
    at: int
    """The cursor's line, from 0."""
    before: str
    """Its text up to the cursor."""
    after: str

    @classmethod
    def of(cls, step: int, file: str, text: str, offset: int) -> Cursor:
        lines = text.replace("\r\n", "\n").split("\n")
        head = text[:offset].replace("\r\n", "\n").split("\n")
        at, before = len(head) - 1, head[-1]
        if not lines[-1] and at < len(lines) - 1:
            lines.pop()  # a line end at the end of a file begins no line
        return cls(step, file, tuple(lines), at, before, lines[at][len(before) :])


class PeerSide:
    """A `Side`.  Made by `peer_side`."""

    name = "llama-server"

    def __init__(self, http: httpx.AsyncClient, seed: int = 0) -> None:
        self._http = http
        self._seed = seed
        self._ring = Ring(random.Random(seed))  # noqa: S311  (gathering, not secrets)
        self._files: list[str] = []
        self._cursor: Cursor | None = None
        self._asked = -1
        """The last step a request was sent for."""
        self._job: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._answers: list[Answer] = []

    async def open(self, session: Session) -> None:
        """As a person who opens a file, looks at it, and begins to type."""
        self._ring = Ring(random.Random(self._seed))  # noqa: S311  (gathering, not secrets)
        self._files = [file.path for file in session.files]
        self._asked = -1
        first = session.steps[0]
        text = session.files[first.document].text
        offset = LineIndex(text).offset(first.changes[0].range.start, ENCODING)
        cursor = self._cursor = Cursor.of(-1, self._files[first.document], text, offset)
        self._ring.enter(cursor.file, cursor.lines, cursor.at)
        await self._update_ring(1)
        answer = await self._infill(cursor)
        if answer.kind != "model":
            raise BenchmarkError(f"{session.name}: the peer did not answer: {answer.reason}")

    def edit(self, step: Step) -> None:
        self._cursor = Cursor.of(step.number, self._files[step.document], step.text, step.cursor)

    def ask(self, step: Step) -> None:  # noqa: ARG002  (the shape of a side; the cursor is there already)
        self._ask()

    async def idle(self, pause_s: float) -> None:
        await self.settle()
        await self._update_ring(int((pause_s - IDLE_S) / UPDATE_S) + 1)

    async def settle(self) -> None:
        while self._job is not None or self._timer is not None:
            if self._job is not None:
                await self._job
            else:
                await asyncio.sleep(RETRY_S / 10)

    def take_answers(self) -> list[Answer]:
        answers, self._answers = self._answers, []
        return answers

    async def close(self) -> None:
        """The server keeps nothing that must be closed."""

    def _ask(self) -> None:
        if self._job is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(RETRY_S, self._ask_again)
            return
        cursor = self._cursor
        assert cursor is not None, "asked before a file was opened"
        self._asked = cursor.step
        if len(cursor.after.encode()) > MAX_LINE_SUFFIX:
            now_s = time.perf_counter()
            reason = f"more than {MAX_LINE_SUFFIX} bytes after the cursor on its line"
            self._answers.append(Answer(cursor.step, now_s, now_s, "silent", reason))
            return
        self._job = asyncio.create_task(self._run(cursor))

    def _ask_again(self) -> None:
        self._timer = None
        if self._cursor is not None and self._cursor.step != self._asked:
            self._ask()

    async def _run(self, cursor: Cursor) -> None:
        try:
            self._answers.append(await self._infill(cursor))
        finally:
            self._job = None

    async def _infill(self, cursor: Cursor) -> Answer:
        self._ring.make_room(cursor.lines, cursor.at)
        sent_s = time.perf_counter()
        answering = asyncio.create_task(self._post(infill_request(cursor, self._ring.chunks)))
        self._ring.moved(cursor.file, cursor.lines, cursor.at)  # while the server is busy
        try:
            found = await answering
        except httpx.TimeoutException:
            reason = f"no answer within {PATIENCE_S:.0f} s"
            return Answer(cursor.step, sent_s, time.perf_counter(), "unanswered", reason)
        except (httpx.HTTPError, ValueError) as error:
            return Answer(cursor.step, sent_s, time.perf_counter(), "failed", _told(error))
        arrived_s = time.perf_counter()
        text = str(found.get("content", ""))
        return Answer(cursor.step, sent_s, arrived_s, "model", "", text, _cost(found))

    async def _update_ring(self, most: int) -> None:
        for chunks in self._ring.updates(most):
            try:
                await self._post(ring_request(chunks))
            except (httpx.HTTPError, ValueError) as error:
                raise BenchmarkError(f"the peer refused to take up context: {_told(error)}") from error

    async def _post(self, body: Mapping[str, object]) -> dict[str, Any]:
        response = await self._http.post("/infill", json=body)
        response.raise_for_status()
        return cast("dict[str, Any]", response.json())


def infill_request(cursor: Cursor, chunks: Sequence[Chunk]) -> dict[str, object]:
    """What is asked at a cursor.  On a blank line, from the line's beginning."""
    is_blank = not (cursor.before + cursor.after).strip(" \t")
    line = cursor.before + cursor.after
    indent = 0 if is_blank else len(line) - len(line.lstrip(" \t"))
    above = cursor.lines[max(0, cursor.at - PREFIX_LINES) : cursor.at]
    below = cursor.lines[cursor.at + 1 : cursor.at + 1 + SUFFIX_LINES]
    return {
        "id_slot": 0,
        "input_prefix": "\n".join(above) + "\n",
        "input_suffix": ("" if is_blank else cursor.after) + "\n" + "\n".join(below) + "\n",
        "input_extra": _extra(chunks),
        "prompt": "" if is_blank else cursor.before,
        "n_predict": N_PREDICT,
        "stop": [],
        "n_indent": indent,
        "top_k": 40,
        "top_p": 0.90,
        "samplers": ["top_k", "top_p", "infill"],
        "stream": False,
        "cache_prompt": True,
        "t_max_prompt_ms": T_MAX_PROMPT_MS,
        "t_max_predict_ms": T_MAX_PREDICT_MS,
        "response_fields": list(_FIELDS),
    }


def ring_request(chunks: Sequence[Chunk]) -> dict[str, object]:
    """What is sent so that the server has the ring's keys and values before they are needed."""
    return {
        "id_slot": 0,
        "input_prefix": "",
        "input_suffix": "",
        "input_extra": _extra(chunks),
        "prompt": "",
        "n_predict": 0,
        "temperature": 0.0,
        "samplers": [],
        "stream": False,
        "cache_prompt": True,
        "t_max_prompt_ms": 1,
        "t_max_predict_ms": 1,
        "response_fields": [""],
    }


@asynccontextmanager
async def peer_side(url: str, seed: int = 0) -> AsyncGenerator[PeerSide]:
    """The llama-server at `url`.  Raises BenchmarkError when none answers there."""
    address = url.rstrip("/").removesuffix("/infill")
    timeout = httpx.Timeout(PATIENCE_S, connect=10.0)
    # A benchmark against this machine has no use for a proxy from the environment.
    async with httpx.AsyncClient(base_url=address, timeout=timeout, trust_env=False) as http:
        try:
            (await http.get("/health")).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise BenchmarkError(
                f"--peer {url}: no llama-server is ready there ({_told(error)}); start one, and give its "
                "address, such as http://127.0.0.1:8012"
            ) from error
        yield PeerSide(http, seed)


def _extra(chunks: Sequence[Chunk]) -> list[dict[str, str]]:
    return [{"text": "\n".join(chunk.lines) + "\n", "filename": chunk.file} for chunk in chunks]


def _cost(found: Mapping[str, Any]) -> Cost:
    """From the response's flat fields, `timings/…` and all."""
    computed = int(found.get("timings/prompt_n") or 0)
    prompt = int(found.get("tokens_evaluated") or computed)
    return Cost(
        prompt_tokens=prompt,
        reused_tokens=max(0, prompt - computed),
        computed_tokens=computed,
        completion_tokens=int(found.get("timings/predicted_n") or 0),
        drafted_tokens=found.get("timings/draft_n"),
        accepted_tokens=found.get("timings/draft_n_accepted"),
        stage_ms={
            "prefill": float(found.get("timings/prompt_ms") or 0.0),
            "decode": float(found.get("timings/predicted_ms") or 0.0),
        },
    )


def _told(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.response.status_code} {error.response.text[:200]}"
    return str(error) or repr(error)
