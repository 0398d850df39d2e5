"""The engine process: load a model, listen, serve until idle.  `python -I -m truepenny.models.process`.

Started by the first client (`launch`), shared by all.  The address appears only when the model is
ready to serve, so that whoever finds it can use it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from filelock import BaseFileLock, FileLock, Timeout

from .endpoint import ALREADY_RUNNING, FAKE_MODEL, EngineFiles, engine_files, uses_sockets
from .engine import Engine, LoadedModel
from .errors import EngineUnavailableError, ModelsError
from .hardware import give_back_memory
from .language_model import feed
from .serving import EngineApi
from .testing import ByteTokenizer, FakeModel, Script, fake_cache, fake_chat
from .tidying import Tidying
from .wire import PRECISIONS, Precision

_log = logging.getLogger(__name__)

DEFAULT_IDLE_EXIT_S = 15 * 60.0
DEFAULT_KV_BUDGET_MIB = 256
_OWNER_POLL_S = 0.2


def main(argv: list[str] | None = None) -> int:
    """Exit 0 after an orderly end, 2 when the model cannot be loaded or the address not be used.

    3 (`ALREADY_RUNNING`) when another process serves this model here.
    """
    args = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Serving never goes to a hub, whatever a library thinks it might find there.
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        files = engine_files(args.model, args.precision)
        owner = _sole_owner(files)
        if owner is None:
            print(f"truepenny engine: {args.model} is served already at {files.address}", file=sys.stderr)
            return ALREADY_RUNNING
        with owner:
            _load_and_serve(args, files, owner)
    except ModelsError as error:
        print(f"truepenny engine: {error}", file=sys.stderr)
        return 2
    return 0


def _load_and_serve(args: argparse.Namespace, files: EngineFiles, owner: BaseFileLock) -> None:
    loaded = _load(args.model, args.precision)
    _warm_up(loaded)
    engine = Engine(loaded.model, loaded.tokenizer, loaded.new_cache(args.kv_budget_mib << 20))
    try:
        asyncio.run(_serve(engine, loaded, files, owner, args.idle_exit_s))
    finally:
        engine.close()


def _sole_owner(files: EngineFiles) -> BaseFileLock | None:
    """The engine's lock, held until it leaves; None when another engine has it and can be reached.

    A client that gave up during a start, or a person, may have asked for a second one.  It waits until
    the first can be reached, or is gone.
    """
    owner = FileLock(files.owner)
    while True:
        try:
            return owner.acquire(blocking=False).lock
        except Timeout:
            if _is_listening(files):
                return None
            _log.info("another engine holds %s: waiting until it can be reached", files.owner)
            time.sleep(_OWNER_POLL_S)


def _is_listening(files: EngineFiles) -> bool:
    endpoint = files.endpoint()
    if endpoint is None:
        return False
    url = urlsplit(endpoint.url)
    family = socket.AF_UNIX if endpoint.socket else socket.AF_INET
    where = str(endpoint.socket) if endpoint.socket else (url.hostname, url.port)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(where) == 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="truepenny engine run", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--idle-exit-s", type=float, default=DEFAULT_IDLE_EXIT_S)
    parser.add_argument("--kv-budget-mib", type=int, default=DEFAULT_KV_BUDGET_MIB)
    return parser


def _load(model: str, precision: Precision) -> LoadedModel:
    if model == FAKE_MODEL:
        fake = FakeModel(Script.from_environment())
        return LoadedModel(fake, ByteTokenizer(), fake_chat(), lambda budget: fake_cache(fake, budget))
    from .loading import load  # imports torch

    started = time.perf_counter()
    loaded = load(model, precision)
    spec = loaded.model.spec
    _log.info(
        "%s (%s): %.0f M parameters, %s because %s, %.0f MiB of weights, vocabulary %d, %d tokens of "
        "context, %.1f KiB of KV per token, tokenizer %s; loaded in %.1f s",
        spec.name,
        spec.architecture,
        spec.parameters / 1e6,
        spec.precision,
        spec.why_precision,
        spec.weights_bytes / 2**20,
        spec.vocabulary,
        spec.context_length,
        spec.kv_bytes_per_token / 1024,
        type(loaded.tokenizer).__name__,
        time.perf_counter() - started,
    )
    return loaded


def _warm_up(loaded: LoadedModel) -> None:
    """First-touch costs (page faults, thread pools, the token table) are paid before anyone waits."""
    kv = loaded.model.new_kv(64)
    feed(loaded.model, [0] * 48, kv)
    feed(loaded.model, [0], kv)
    loaded.tokenizer.vocabulary.beginning_with(b"a")
    give_back_memory()


async def _serve(
    engine: Engine[Any], loaded: LoadedModel, files: EngineFiles, owner: BaseFileLock, idle_exit_s: float
) -> None:
    token = None if uses_sockets() else secrets.token_urlsafe(32)
    listener = _listen(files, token)
    address = _identity(files.address)
    stopping = asyncio.Event()
    api = EngineApi(engine, loaded.chat, idle_exit_s=idle_exit_s, token=token, stop=stopping.set)
    config = uvicorn.Config(
        api.app(),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        # Longer than a client keeps a connection: it never sends into one that is being closed.
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)

    def is_reachable() -> bool:
        return _identity(files.address) == address

    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows: the default handlers end the process
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stopping.set)
    serving = asyncio.create_task(server._serve([listener]))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # serve() would replace our signal handlers
    try:
        await _until_idle(engine, stopping, serving, is_reachable, idle_exit_s)
    finally:
        if is_reachable():  # else something else stands there now
            files.address.unlink(missing_ok=True)
        owner.release()
        server.should_exit = True
        await serving


async def _until_idle(
    engine: Engine[Any],
    stopping: asyncio.Event,
    serving: asyncio.Task[None],
    is_reachable: Callable[[], bool],
    idle_exit_s: float,
) -> None:
    tidying = Tidying(time.monotonic())
    while not stopping.is_set() and not serving.done():
        busy = engine.num_running or engine.num_waiting
        idle_s = 0.0 if busy else time.monotonic() - engine.last_active_s
        if idle_exit_s > 0 and idle_s >= idle_exit_s:
            _log.info("idle for %.0f s: leaving", idle_s)
            return
        if not busy and not is_reachable():
            _log.warning("the address was removed: leaving")
            return
        tidying.look(time.monotonic(), engine.last_active_s, idle_s)
        wait_s = min(2.0, max(0.05, idle_exit_s - idle_s)) if idle_exit_s > 0 else 2.0
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), wait_s)


def _listen(files: EngineFiles, token: str | None) -> socket.socket:
    """Bind under a temporary name and rename: the address is never there without a listener.

    The caller holds `files.owner`; what is left from a crash is replaced.
    """
    try:
        if not uses_sockets():
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            record = json.dumps({"port": listener.getsockname()[1], "token": token})
            _write_private(files.address, record)
            return listener
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fresh = files.address.with_suffix(f".{os.getpid()}")
        fresh.unlink(missing_ok=True)
        listener.bind(str(fresh))
        fresh.chmod(0o600)
        listener.listen(128)
        fresh.replace(files.address)
    except OSError as error:
        raise EngineUnavailableError(f"cannot listen at {files.address}: {error}") from error
    return listener


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file this is, whatever its name; None when it is gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
