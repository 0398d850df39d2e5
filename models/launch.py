"""Find the engine of this user, or start it.  The first client starts it, the others share it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock, Timeout

from .client import is_alive
from .endpoint import ALREADY_RUNNING, FAKE_MODEL, Endpoint, EngineFiles, engine_files
from .errors import EngineUnavailableError

START_TIMEOUT_S = 120.0
_POLL_S = 0.05

_starts: set[asyncio.Task[Endpoint]] = set()
"""Engines being started by this process, which must not be forgotten by the garbage collector."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine is wanted.  `idle_exit_s` and `kv_budget_mib` apply only if it has to be started."""

    model: str
    precision: str = "auto"
    idle_exit_s: float = 15 * 60.0
    kv_budget_mib: int = 256


async def running(choice: EngineChoice) -> Endpoint | None:
    """The engine, if it is there and answers; a stale address from a crash counts as not there."""
    endpoint = engine_files(choice.model, choice.precision).endpoint()
    return endpoint if endpoint is not None and await is_alive(endpoint) else None


async def ensure(choice: EngineChoice) -> Endpoint:
    """The engine, started if need be.  Two clients at once start one engine.

    Cancelling this does not stop a start under way: the next caller finds the engine up, or nearly.

    Raises:
        EngineUnavailableError: it did not come up; the message carries its own last words.
        WeightsMissingError: the model has not been pulled.
    """
    if endpoint := await running(choice):
        return endpoint
    _check_possible(choice)
    files = engine_files(choice.model, choice.precision)
    deadline = time.monotonic() + START_TIMEOUT_S
    lock = FileLock(files.lock)
    while not _acquired(lock):  # another client is starting it
        if endpoint := await running(choice):
            return endpoint
        if time.monotonic() > deadline:
            raise EngineUnavailableError(
                f"another process has held {files.lock} for {START_TIMEOUT_S:.0f} s without an engine "
                "coming up: see `truepenny doctor`"
            )
        await asyncio.sleep(_POLL_S)
    start = asyncio.create_task(_start_locked(choice, files, lock, deadline))
    _starts.add(start)
    start.add_done_callback(_started)
    return await asyncio.shield(start)


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


def _started(start: asyncio.Task[Endpoint]) -> None:
    _starts.discard(start)
    if not start.cancelled():
        start.exception()  # whoever still waits gets it; if nobody does, it is not worth a warning


async def _start_locked(
    choice: EngineChoice, files: EngineFiles, lock: FileLock, deadline: float
) -> Endpoint:
    try:
        return await running(choice) or await _start(choice, files, deadline)
    finally:
        lock.release()


async def _start(choice: EngineChoice, files: EngineFiles, deadline: float) -> Endpoint:
    process = _spawn(choice, files.log)
    while time.monotonic() < deadline:
        code = process.poll()  # before looking for the engine, or one that came up in between is missed
        endpoint = files.endpoint()
        if endpoint is not None and await is_alive(endpoint):
            return endpoint
        if code == ALREADY_RUNNING and files.endpoint() is None:
            process = _spawn(choice, files.log)  # the other one has left meanwhile
        elif code is not None:
            raise EngineUnavailableError(
                f"the engine for {choice.model} ended with exit code {code} while starting: "
                f"{last_words(files.log)} (log: {files.log})"
            )
        await asyncio.sleep(_POLL_S)
    process.terminate()
    raise EngineUnavailableError(
        f"the engine for {choice.model} was not ready after {START_TIMEOUT_S:.0f} s: "
        f"{last_words(files.log)} (log: {files.log})"
    )


def _spawn(choice: EngineChoice, log: Path) -> subprocess.Popen[bytes]:
    """Detached: it outlives the client that happened to be first."""
    log.write_bytes(b"")
    with log.open("ab") as output:  # should two processes write, each writes at the end
        return subprocess.Popen(
            engine_command(choice),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            start_new_session=os.name == "posix",
            # Windows: no console window, and Ctrl+C in the client's is not for the engine.
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            | getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )


def engine_command(choice: EngineChoice) -> list[str]:
    """What an engine process is started with.  -I: nothing of a workspace is imported."""
    command = [sys.executable, "-I", "-m", "truepenny.models.process"]
    command += ["--model", choice.model, "--precision", choice.precision]
    return [*command, "--idle-exit-s", str(choice.idle_exit_s), "--kv-budget-mib", str(choice.kv_budget_mib)]


def _check_possible(choice: EngineChoice) -> None:
    """Say at once what an engine process would only say in its log."""
    if choice.model != FAKE_MODEL:
        from .store import require

        require(choice.model)
    if find_spec("torch") is None and choice.model != FAKE_MODEL:
        raise EngineUnavailableError(
            "this installation has no local engine (torch is missing): "
            'install it with `pip install "truepenny[local]"`, or name a remote engine by its URL'
        )


def last_words(log: Path) -> str:
    """Of an engine that did not come up."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
