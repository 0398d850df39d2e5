"""How long an engine process takes to be there, and how much memory it takes then and later.

A process of its own, in a runtime folder of its own: an engine that a person is using is left alone.
It is started twice; the second time the weights are in the system's file cache, as they are for a
person who restarts an editor.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..client import EngineClient
from ..endpoint import RUNTIME_VARIABLE, EngineFiles, engine_files, runtime_folder
from ..errors import BenchmarkError, EngineUnavailableError
from ..launch import EngineChoice, engine_command, last_words
from ..wire import CompletionRequest, EngineStatus, Piece

READY_WITHIN_S = 300.0
_POLL_S = 0.005
_LEAVE_S = 10.0
_TINY_TOKENS = 8
_FULL = 0.9
"""Of the budget; from then on prompts push each other out."""
_MORE_PROMPTS = 3
_MOST_PROMPTS = 400
_USES, _USE_TOKENS = 8, 48


@dataclass(frozen=True, slots=True)
class StartTime:
    """From the start of the process to its first answer about itself, and to the first token."""

    ready_s: float
    first_token_s: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the engine process; 0 where the system does not say.

    `fresh`: ready, nothing asked.  `filled`: after prompts until three have left the budget for keys and
    values full.  `used`: after eight texts were written then.  `peak`: the most at any time.
    """

    kv_budget_bytes: int
    kv_bytes: int
    """When filled."""
    prompts: int
    fresh_bytes: int
    filled_bytes: int
    used_bytes: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Start:
    first: StartTime
    """Whatever the file cache held."""
    warm: StartTime
    memory: Memory


def measure_start(
    model: str,
    precision: str,
    kv_budget_mib: int,
    prompts: Iterator[tuple[int, ...]],
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Start:
    """`prompts`: any number of them, no two with the same beginning.

    Raises:
        EngineUnavailableError: the process did not come up.
        BenchmarkError: the budget could not be filled.
    """
    choice = EngineChoice(model, precision, idle_exit_s=600.0, kv_budget_mib=kv_budget_mib)
    return asyncio.run(_measure(choice, prompts, tell))


async def _measure(
    choice: EngineChoice, prompts: Iterator[tuple[int, ...]], tell: Callable[[str], None]
) -> Start:
    with _own_runtime():
        tell("starting an engine process")
        async with _started(choice) as (_, _, first):
            pass
        tell("starting it again, with a warm file cache")
        async with _started(choice) as (client, fresh, warm):
            tell("filling its cache")
            memory = await _memory(client, fresh, prompts)
    return Start(first, warm, memory)


@contextmanager
def _own_runtime() -> Generator[None, None, None]:
    """A folder inside the usual one, which is private and whose name is short enough for sockets."""
    before = os.environ.get(RUNTIME_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="b", dir=runtime_folder(), ignore_cleanup_errors=True) as folder:
        os.environ[RUNTIME_VARIABLE] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[RUNTIME_VARIABLE]
            else:
                os.environ[RUNTIME_VARIABLE] = before


@asynccontextmanager
async def _started(
    choice: EngineChoice,
) -> AsyncGenerator[tuple[EngineClient, EngineStatus, StartTime]]:
    """A process that is ready and has written one token; it ends with the block."""
    files = engine_files(choice.model, choice.precision)
    began_s = time.perf_counter()
    process = _spawn(choice, files.log)
    client: EngineClient | None = None
    try:
        client = await _reachable(choice, files, process, began_s)
        status = await client.status()
        ready_s = time.perf_counter() - began_s
        await _write(client, tuple(range(1, 1 + _TINY_TOKENS)), 1)
        yield client, status, StartTime(ready_s, time.perf_counter() - began_s)
        await client.shutdown()
    finally:
        if client is not None:
            await client.aclose()
        await asyncio.to_thread(_end, process)


def _spawn(choice: EngineChoice, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            engine_command(choice), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent
        )


async def _reachable(
    choice: EngineChoice, files: EngineFiles, process: subprocess.Popen[bytes], began_s: float
) -> EngineClient:
    while time.perf_counter() - began_s < READY_WITHIN_S:
        endpoint = files.endpoint()
        if endpoint is not None:
            return EngineClient(endpoint, choice.model)
        if process.poll() is not None:
            raise EngineUnavailableError(
                f"the engine for {choice.model} ended with exit code {process.returncode} while starting: "
                f"{last_words(files.log)}"
            )
        await asyncio.sleep(_POLL_S)
    raise EngineUnavailableError(f"the engine for {choice.model} was not ready after {READY_WITHIN_S:.0f} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_LEAVE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _memory(client: EngineClient, fresh: EngineStatus, prompts: Iterator[tuple[int, ...]]) -> Memory:
    sent: list[tuple[int, ...]] = []
    after_full = 0
    status = fresh
    while after_full < _MORE_PROMPTS:
        if len(sent) == _MOST_PROMPTS:
            raise BenchmarkError(
                f"{len(sent)} prompts fill {status.kv_bytes >> 20} MiB of {fresh.kv_budget_bytes >> 20} MiB "
                "for keys and values: give a smaller --kv-budget"
            )
        sent.append(next(prompts))
        await _write(client, sent[-1], 0)
        status = await client.status()
        after_full += status.kv_bytes >= _FULL * status.kv_budget_bytes
    for ids in sent[-_USES:]:
        await _write(client, ids, _USE_TOKENS)
    used = await client.status()
    return Memory(
        kv_budget_bytes=fresh.kv_budget_bytes,
        kv_bytes=status.kv_bytes,
        prompts=len(sent),
        fresh_bytes=fresh.rss_bytes,
        filled_bytes=status.rss_bytes,
        used_bytes=used.rss_bytes,
        peak_bytes=_peak_bytes(fresh.pid),
    )


async def _write(client: EngineClient, ids: tuple[int, ...], max_tokens: int) -> None:
    """To the end; of one token, to its arrival."""
    async for reply in (replies := client.complete(CompletionRequest(ids, max_tokens=max_tokens))):
        if isinstance(reply, Piece) and max_tokens == 1:
            await replies.aclose()
            return


def _peak_bytes(pid: int) -> int:
    """0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return 1024 * int(sizes[0]) if sizes else 0
