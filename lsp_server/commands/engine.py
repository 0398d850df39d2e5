"""`truepenny engine`: the shared engine process, looked at and handled by a person."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from ...models.catalogue import DEFAULT_MODEL, find
from ...models.client import EngineClient
from ...models.endpoint import FAKE_MODEL, engine_files
from ...models.errors import EngineUnavailableError, ModelsError
from ...models.launch import EngineChoice, ensure, running
from ...models.wire import PRECISIONS, EngineStatus

EXAMPLE = """\
examples:
  truepenny engine start            load the default model and leave it running until idle
  truepenny engine status --json
  truepenny engine run --idle-exit-s 0     in the foreground, for ever
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "engine",
        help="start, stop or look at the engine that holds the model",
        description="The process that holds the model.  Editors start it by themselves and share it.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=("start", "status", "stop", "run"))
    parser.add_argument("--model", metavar="NAME", default=DEFAULT_MODEL, help="default: %(default)s")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--idle-exit-s", type=float, default=15 * 60.0, help="0: never; default: %(default)s")
    parser.add_argument("--kv-budget-mib", type=int, default=256, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: done, or running; 1: not running; 2: it could not be done."""
    try:
        model = args.model if args.model == FAKE_MODEL else find(args.model).name
        choice = EngineChoice(model, args.precision, args.idle_exit_s, args.kv_budget_mib)
        if args.action == "run":
            return _run_here(choice)
        return asyncio.run(_act(choice, args.action, as_json=args.json))
    except ModelsError as error:
        print(f"truepenny engine: {error}", file=sys.stderr)
        return 2


def _run_here(choice: EngineChoice) -> int:
    from ...models.process import main

    arguments = ["--model", choice.model, "--precision", choice.precision]
    arguments += ["--idle-exit-s", str(choice.idle_exit_s), "--kv-budget-mib", str(choice.kv_budget_mib)]
    return main(arguments)


async def _act(choice: EngineChoice, action: str, *, as_json: bool) -> int:
    endpoint = await (ensure(choice) if action == "start" else running(choice))
    if endpoint is None:
        log = engine_files(choice.model, choice.precision).log
        if as_json:
            print(json.dumps({"is_running": False, "model": choice.model, "log": str(log)}))
        else:
            print(f"no engine is running for {choice.model}")
        return 0 if action == "stop" else 1
    client = EngineClient(endpoint, choice.model)
    try:
        status = await client.status()
        if action == "stop":
            await client.shutdown()
    finally:
        await client.aclose()
    if action == "stop":
        await _gone(choice)
    if as_json:
        print(json.dumps({"is_running": action != "stop", **asdict(status)}))
    else:
        print("stopped" if action == "stop" else _table(status))
    return 0


async def _gone(choice: EngineChoice) -> None:
    """Wait until it has let go of its address, so that what comes next does not meet it."""
    for _ in range(100):
        if await running(choice) is None:
            return
        await asyncio.sleep(0.05)
    raise EngineUnavailableError(f"the engine for {choice.model} was told to stop and still answers")


def _table(status: EngineStatus) -> str:
    mib = 1 << 20
    rows = {
        "model": f"{status.model}, {status.parameters / 1e6:.0f} M parameters",
        "precision": f"{status.precision} ({status.why_precision})",
        "memory": f"{status.rss_bytes / mib:.0f} MiB resident, weights {status.weights_bytes / mib:.0f} MiB",
        "cache": f"{status.kv_bytes / mib:.0f} of {status.kv_budget_bytes / mib:.0f} MiB of keys and values",
        "context": f"{status.context_length} tokens, vocabulary {status.vocabulary}",
        "queue": f"{status.running} running, {status.waiting} waiting, {status.requests} served",
        "process": f"{status.pid}, up {status.uptime_s:.0f} s, {status.threads} threads",
    }
    return "\n".join(f"{name:<10} {value}" for name, value in rows.items())
