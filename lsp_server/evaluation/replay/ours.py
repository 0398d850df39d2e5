"""Our side: `truepenny serve` in a process of its own, with an engine of its own, over its pipes.

It is spoken to as an editor does: incremental changes, an automatic request after every keystroke,
and a cancellation for the request before if that is still open.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from ....models.endpoint import FAKE_MODEL, RUNTIME_VARIABLE
from ....models.errors import BenchmarkError
from ...editor.convert import Position, Range
from ...settings import Settings
from .play import PATIENCE_S
from .record import Answer, AnswerKind, Cost
from .rpc import Response, RpcClient
from .session import ENCODING, Session, Step

_AUTOMATIC, _INVOKED = 2, 1
_PROGRAM = "from truepenny.lsp_server.cli import main; raise SystemExit(main())"
_STOP_PATIENCE_S = 20.0
_WARM_UPS = 3
"""Requests after which an engine that does not answer is given up."""


@dataclass(slots=True)
class _Flight:
    """A request under way."""

    step: int
    id: int
    sent_s: float
    future: asyncio.Future[Response]


@dataclass(slots=True)
class _Open:
    uri: str
    version: int = 1


@dataclass(slots=True)
class OurSide:
    """A `Side`.  Made by `our_side`."""

    rpc: RpcClient
    folder: Path
    engine_words: tuple[str, ...]
    """What tells `truepenny engine` which engine."""
    environment: Mapping[str, str]
    name: str = "truepenny"
    _files: list[_Open] = field(default_factory=list[_Open])
    _flights: list[_Flight] = field(default_factory=list[_Flight])

    async def open(self, session: Session) -> None:
        self._files.clear()
        for file in session.files:
            opened = _Open((self.folder / session.name / file.path).as_uri())
            self._files.append(opened)
            item = {
                "uri": opened.uri,
                "languageId": file.language,
                "version": opened.version,
                "text": file.text,
            }
            self.rpc.notify("textDocument/didOpen", {"textDocument": item})
        await self._warm_up(session)

    def edit(self, step: Step) -> None:
        file = self._files[step.document]
        file.version += 1
        changes = [{"range": asdict(change.range), "text": change.text} for change in step.changes]
        name = {"uri": file.uri, "version": file.version}
        self.rpc.notify("textDocument/didChange", {"textDocument": name, "contentChanges": changes})

    def ask(self, step: Step) -> None:
        if self._flights and not self._flights[-1].future.done():
            self.rpc.notify("$/cancelRequest", {"id": self._flights[-1].id})
        sent_s = time.perf_counter()
        id_, future = self._request(step.document, step.position, _AUTOMATIC)
        self._flights.append(_Flight(step.number, id_, sent_s, future))

    async def idle(self, pause_s: float) -> None:
        """Nothing that has to be asked for."""

    async def settle(self) -> None:
        futures = [flight.future for flight in self._flights if not flight.future.done()]
        if futures:
            await asyncio.wait(futures, timeout=PATIENCE_S)

    def take_answers(self) -> list[Answer]:
        flights, self._flights = self._flights, []
        return [_answer(flight) for flight in flights]

    async def work(self) -> dict[str, float]:
        """What the engine has done since it started, superseded requests included."""
        told = await _engine_command("status", (*self.engine_words, "--json"), self.environment)
        try:
            details = json.loads(told).get("details", {})
        except ValueError:  # not an engine of ours
            return {}
        return {name: float(value) for name, value in details.items()}

    async def close(self) -> None:
        for file in self._files:
            self.rpc.notify("textDocument/didClose", {"textDocument": {"uri": file.uri}})

    def _request(
        self, document: int, position: Position, trigger: int
    ) -> tuple[int, asyncio.Future[Response]]:
        params = {
            "textDocument": {"uri": self._files[document].uri},
            "position": asdict(position),
            "context": {"triggerKind": trigger},
        }
        return self.rpc.request("textDocument/inlineCompletion", params)

    async def _warm_up(self, session: Session) -> None:
        """Ask where the first step will begin, until the model has answered once."""
        first = session.steps[0]
        position = first.changes[0].range.start
        reason = ""
        for _ in range(_WARM_UPS):
            sent_s = time.perf_counter()
            id_, future = self._request(first.document, position, _INVOKED)
            await asyncio.wait([future], timeout=PATIENCE_S)
            answer = _answer(_Flight(-1, id_, sent_s, future))
            if answer.kind == "model":
                return
            reason = reason or answer.reason  # later ones only say that the first has happened
        raise BenchmarkError(f"{session.name}: the model did not answer: {reason}")


@asynccontextmanager
async def our_side(settings: Settings, options: Mapping[str, Any]) -> AsyncGenerator[OurSide]:
    """A server started for the purpose and an engine only it uses; both end with the block.

    `options` is what an editor would send as `initializationOptions`; `settings` the same, read.
    """
    # Short: a socket's path may have 100 bytes.
    with tempfile.TemporaryDirectory(prefix="tp") as scratch:
        folder, runtime = Path(scratch) / "w", Path(scratch) / "r"
        folder.mkdir()
        environment = {**os.environ, RUNTIME_VARIABLE: str(runtime)}
        model = FAKE_MODEL if settings.engine == "fake" else settings.completion.model
        words = ("--model", model, "--precision", settings.completion.precision)
        rpc = await RpcClient.start(
            [sys.executable, "-I", "-c", _PROGRAM, "serve"],
            environment,
            folder,
            Path(scratch) / "serve.log",
        )
        try:
            await _initialize(rpc, folder, options)
            yield OurSide(rpc, folder, words, environment)
        finally:
            await rpc.stop(_STOP_PATIENCE_S)
            # It would leave by itself, but only after its idle time.
            if settings.engine in ("local", "fake"):
                await _engine_command("stop", words, environment)


async def engine_pid(side: OurSide) -> int:
    """Of the engine that a side has started.  Raises BenchmarkError when it is none of ours."""
    told = await _engine_command("status", (*side.engine_words, "--json"), side.environment)
    try:
        return int(json.loads(told)["pid"])
    except (ValueError, KeyError) as error:
        raise BenchmarkError(f"the engine does not tell its process: {told[:80]!r}") from error


async def _initialize(rpc: RpcClient, folder: Path, options: Mapping[str, Any]) -> None:
    params = {
        "processId": os.getpid(),
        "rootUri": folder.as_uri(),
        "workspaceFolders": [{"uri": folder.as_uri(), "name": "replay"}],
        "capabilities": {"general": {"positionEncodings": [ENCODING]}},
        "initializationOptions": dict(options),
    }
    response = await rpc.request("initialize", params)[1]
    if response.error is not None:
        raise BenchmarkError(f"the language server refused to start: {response.error.get('message')}")
    rpc.notify("initialized", {})


async def _engine_command(verb: str, words: Sequence[str], environment: Mapping[str, str]) -> bytes:
    """What `truepenny engine` prints."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-I", "-c", _PROGRAM, "engine", verb, *words],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(environment),
    )
    return (await process.communicate())[0]


def _answer(flight: _Flight) -> Answer:
    if not flight.future.done():
        flight.future.cancel()
        reason = f"no answer within {PATIENCE_S:.0f} s"
        return Answer(flight.step, flight.sent_s, time.perf_counter(), "unanswered", reason)
    response = flight.future.result()
    if response.error is not None:
        message = str(response.error.get("message", ""))
        kind: AnswerKind = "superseded" if response.error.get("code") == -32800 else "failed"
        return Answer(flight.step, flight.sent_s, response.arrived_s, kind, message)
    result = cast("dict[str, Any]", response.result or {})
    items = cast("Sequence[dict[str, Any]]", result.get("items") or ())
    note = cast("dict[str, Any]", (items[0] if items else result).get("truepenny") or {})
    return Answer(
        step=flight.step,
        sent_s=flight.sent_s,
        arrived_s=response.arrived_s,
        kind=_kind(note, is_shown=bool(items)),
        reason=str(note.get("reason", "")),
        text=str(items[0]["insertText"]) if items else "",
        range=_range(items[0]["range"]) if items else None,
        cost=_cost(note),
    )


def _range(raw: Mapping[str, Mapping[str, int]]) -> Range:
    start, end = raw["start"], raw["end"]
    return Range(Position(start["line"], start["character"]), Position(end["line"], end["character"]))


def _kind(note: Mapping[str, Any], *, is_shown: bool) -> AnswerKind:
    if str(note.get("reason", "")).startswith("superseded"):
        return "superseded"
    stages = cast("Mapping[str, float]", note.get("stage_ms") or {})
    if "prefill" in stages:
        return "model"
    return "recalled" if is_shown and "recall" in stages else "silent"


def _cost(note: Mapping[str, Any]) -> Cost:
    """Figures that a version of the server does not tell are zero, or None where zero would say something."""
    reused, computed = int(note.get("reused_tokens", 0)), int(note.get("computed_tokens", 0))
    stages = cast("Mapping[str, float]", note.get("stage_ms") or {})
    return Cost(
        prompt_tokens=int(note.get("prompt_tokens", reused + computed)),
        reused_tokens=reused,
        computed_tokens=computed,
        completion_tokens=int(note.get("completion_tokens", 0)),
        drafted_tokens=note.get("drafted_tokens"),
        accepted_tokens=note.get("accepted_tokens"),
        stage_ms=dict(stages),
    )
