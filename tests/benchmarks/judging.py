"""What judging costs in a long document, and whether anything else waits for it.

    python tests/benchmarks/judging.py [--lines 3000] [--places 60] [--seed 5]

A line of a document made of the standard library is taken out and judged in its place: at once, as what
is typed through is, and on a thread, as what is new is, while a clock on the event loop says how long
nothing else could run.  The last line is one JSON document, in milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sysconfig
import time
from pathlib import Path
from typing import Any

from truepenny.guard.verdict import Passage
from truepenny.lsp_server.evaluation.metrics import percentile
from truepenny.lsp_server.settings import GuardSettings
from truepenny.lsp_server.vouching import Vouching

TICK_S = 0.001


def document(num_lines: int) -> list[str]:
    """Whole files, one after another, about as many lines: half a string would be half a program."""
    lines: list[str] = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"), key=lambda path: path.name):
        if len(lines) >= num_lines:
            break
        text = path.read_text("utf-8", errors="replace")
        if "from __future__" not in text and len(text) < 60_000:
            lines += text.splitlines(keepends=True)
    return lines


def passages(args: argparse.Namespace) -> list[Passage]:
    lines, rng = document(args.lines), random.Random(args.seed)
    places = [at for at in range(10, len(lines)) if len(lines[at].strip()) > 12]
    found: list[Passage] = []
    for at in rng.sample(places, args.places):
        indent = len(lines[at]) - len(lines[at].lstrip())
        before = "".join(lines[:at]) + lines[at][:indent]
        found.append(Passage(before, lines[at][indent:-1], "\n" + "".join(lines[at + 1 :]), "python", "a.py"))
    return found


async def measured(asked: list[Passage]) -> dict[str, Any]:
    vouching = Vouching(GuardSettings(deadline_ms=0))
    vouching.judge(asked[0])
    at_once: list[float] = []
    for passage in asked:
        begun_s = time.perf_counter()
        vouching.judge(passage)
        at_once.append((time.perf_counter() - begun_s) * 1000)
    on_thread: list[float] = []
    stalls: list[float] = []
    for passage in asked:
        clock = asyncio.ensure_future(_longest_stall())
        await asyncio.sleep(0)
        begun_s = time.perf_counter()
        await vouching.judged(passage)
        on_thread.append((time.perf_counter() - begun_s) * 1000)
        clock.cancel()
        stalls.append(max((await clock) - TICK_S * 1000, 0.0))
    await vouching.aclose()
    return {"at_once": _spread(at_once), "on_thread": _spread(on_thread), "stalled": _spread(stalls)}


async def _longest_stall() -> float:
    """Milliseconds between two turns of this loop, until it is cancelled."""
    longest_s, last_s = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(TICK_S)
            now_s = time.perf_counter()
            longest_s, last_s = max(longest_s, now_s - last_s), now_s
    except asyncio.CancelledError:
        return max(longest_s, time.perf_counter() - last_s) * 1000


def _spread(values: list[float]) -> dict[str, float]:
    return {"p50": round(percentile(values, 0.5), 2), "p95": round(percentile(values, 0.95), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=3_000)
    parser.add_argument("--places", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    asked = passages(args)
    figures = asyncio.run(measured(asked))
    print(json.dumps({"lines": len(document(args.lines)), "places": len(asked), **figures}))


if __name__ == "__main__":
    main()
