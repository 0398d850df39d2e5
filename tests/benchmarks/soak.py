"""Does a day of typing make the server or the engine grow?  Typing for some minutes, and their sizes.

    python tests/benchmarks/soak.py [TRACE …] [--minutes 20] [--set engine=fake] [--plot sizes.svg]

Types into the real server with the real engine, without a rest: traces as of `truepenny bench replay`,
each time another part of them, or without any the modules of Python's own library, letter by letter.
Documents are opened and closed as it goes on.  Every few seconds resident memory, threads and file
descriptors of both processes are read (Linux only).

Asked for: after the first quarter of the time, memory grows by no more than 3 % and threads and
descriptors not at all, median of the last quarter against that of the second.  The last line is one JSON
document; its exit code is 1 when something falls short, or a request is left unanswered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from truepenny.lsp_server.commands.bench_replay import read_options
from truepenny.lsp_server.evaluation.replay.ours import OurSide, engine_pid, our_side
from truepenny.lsp_server.evaluation.replay.play import play_segment
from truepenny.lsp_server.evaluation.replay.session import Pacing, Session, make_session
from truepenny.lsp_server.evaluation.replay.traces import Change, Edit, Trace, TracedFile, read_trace
from truepenny.models.catalogue import DEFAULT_MODEL

MAX_DRIFT = 0.03
SAMPLE_S = 2.0
_KEYSTROKES = 120
"""Of one session; then documents are closed and others opened."""
_STYLE = "font-family:system-ui,sans-serif;font-size:12px"
_PROCESSES = ("server", "engine")


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: float
    rss_bytes: int
    threads: int
    descriptors: int


def sample(pid: int, at_s: float) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    rss_bytes = int(fields["VmRSS"].split()[0]) * 1024
    return Sample(at_s, rss_bytes, int(fields["Threads"]), len(list(Path(f"/proc/{pid}/fd").iterdir())))


def typed_module(path: Path, chance: random.Random) -> Trace:
    """A part of a module, typed letter by letter, with slips that are taken back."""
    lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
    first = chance.randrange(max(1, len(lines) - 40))
    start, to_type = "".join(lines[:first]), "".join(lines[first : first + 30])
    edits: list[Edit] = []
    at, now_s = len(start), 0.0
    for key in to_type:
        now_s += chance.choice((0.06, 0.09, 0.12, 0.2)) + (1.0 if key == "\n" else 0.0)
        if chance.random() < 0.03:
            edits += [Edit(0, now_s, (Change(at, 0, "#"),)), Edit(0, now_s + 0.1, (Change(at, 1, ""),))]
            now_s += 0.2
        edits.append(Edit(0, now_s, (Change(at, 0, key),)))
        at += 1
    below = "".join(lines[first + 30 :])
    return Trace(path.stem, (TracedFile(path.name, start + "\n" + below),), tuple(edits))


def sessions(traces: Sequence[Path], chance: random.Random, pacing: Pacing) -> Iterator[Session]:
    """One after another, without end."""
    library = Path(sysconfig.get_paths()["stdlib"])
    modules = [path for path in sorted(library.glob("*.py")) if 4_000 < path.stat().st_size < 120_000]
    read = [read_trace(path) for path in traces]
    while True:
        if read:
            trace = chance.choice(read)
            whole = make_session(trace, 1, 0, pacing).num_traced
            yield make_session(trace, _KEYSTROKES, chance.randrange(max(1, whole - _KEYSTROKES)), pacing)
        else:
            yield make_session(typed_module(chance.choice(modules), chance), _KEYSTROKES, 0, pacing)


async def watch(side: OurSide, samples: dict[str, list[Sample]], began_s: float) -> None:
    """Until cancelled."""
    pids = {"server": side.rpc.pid, "engine": await engine_pid(side)}
    while True:
        for name in _PROCESSES:
            samples[name].append(sample(pids[name], time.perf_counter() - began_s))
        await asyncio.sleep(SAMPLE_S)


async def soak(args: argparse.Namespace) -> tuple[dict[str, list[Sample]], dict[str, int]]:
    """Samples of each process, and how many requests became of which kind."""
    options, settings = read_options(args.model, args.assignments)
    samples: dict[str, list[Sample]] = {name: [] for name in _PROCESSES}
    kinds: dict[str, int] = {"unanswered": 0, "failed": 0}
    chance = random.Random(args.seed)
    async with our_side(settings, options) as side:
        began_s, watching = time.perf_counter(), None
        try:
            for session in sessions(args.traces, chance, Pacing(args.max_gap, args.pace)):
                await side.open(session)
                watching = watching or asyncio.ensure_future(watch(side, samples, began_s))
                side.take_answers()
                for steps in session.segments(40):
                    run = await play_segment(side, steps)
                    for answer in run.answers:
                        kinds[answer.kind] = kinds.get(answer.kind, 0) + 1
                    if time.perf_counter() - began_s > args.minutes * 60:
                        return samples, kinds
                await side.close()
                minutes = (time.perf_counter() - began_s) / 60
                print(f"soak: {minutes:.1f} of {args.minutes} minutes", file=sys.stderr, flush=True)
        finally:
            if watching is not None:
                watching.cancel()
                (ended,) = await asyncio.gather(watching, return_exceptions=True)
                if not isinstance(ended, asyncio.CancelledError):
                    raise RuntimeError(f"a process could not be watched to the end: {ended!r}")
    return samples, kinds


def growth(samples: Sequence[Sample]) -> dict[str, Any]:
    """The last quarter against the second."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter] or samples[:1], samples[-quarter:]

    def medians(name: str) -> tuple[float, float]:
        of = [statistics.median(getattr(one, name) for one in part) for part in (early, late)]
        return of[0], of[1]

    rss, threads, descriptors = medians("rss_bytes"), medians("threads"), medians("descriptors")
    return {
        "rss_bytes": rss[1],
        "rss_peak_bytes": max(one.rss_bytes for one in samples),
        "drift": round(rss[1] / rss[0] - 1, 4),
        "threads": threads[1],
        "thread_growth": threads[1] - threads[0],
        "descriptors": descriptors[1],
        "descriptor_growth": descriptors[1] - descriptors[0],
    }


def is_good(found: dict[str, Any]) -> bool:
    return found["drift"] <= MAX_DRIFT and found["thread_growth"] <= 0 and found["descriptor_growth"] <= 0


def plot(samples: dict[str, list[Sample]]) -> str:
    """Resident memory over time, one curve for each process, as SVG."""
    width, height, left, bottom = 640, 300, 64, 36
    end_s = max(one.at_s for many in samples.values() for one in many) or 1.0
    most = max(one.rss_bytes for many in samples.values() for one in many) * 1.1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" style="{_STYLE}">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for nth in range(5):
        y = (height - bottom) - (height - bottom - 20) * nth / 4
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{width - 12}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{most * nth / 4 / 2**20:.0f} MiB</text>'
        )
    for colour, (name, many) in zip(("#0b6e4f", "#b23a48"), samples.items(), strict=True):
        points = " ".join(
            f"{left + (width - left - 12) * one.at_s / end_s:.1f},"
            f"{(height - bottom) - (height - bottom - 20) * one.rss_bytes / most:.1f}"
            for one in many
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = (height - bottom) - (height - bottom - 20) * many[-1].rss_bytes / most
        parts.append(f'<text x="{width - 16}" y="{y - 6:.1f}" text-anchor="end">{escape(name)}</text>')
    parts.append(
        f'<text x="{width / 2:.0f}" y="{height - 10}" text-anchor="middle">{end_s / 60:.1f} minutes</text>'
    )
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("traces", nargs="*", type=Path, metavar="TRACE")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--max-gap", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    args = parser.parse_args()
    samples, kinds = asyncio.run(soak(args))
    found = {name: growth(many) for name, many in samples.items()}
    if args.plot is not None:
        args.plot.write_text(plot(samples), encoding="utf-8")
    good = all(is_good(one) for one in found.values()) and not kinds["unanswered"]
    for name, one in found.items():
        print(
            f"{name}: {one['rss_bytes'] / 2**20:.0f} MiB ({one['drift']:+.1%}), {one['threads']:.0f} threads"
        )
    document = {
        "minutes": args.minutes,
        "requests": kinds,
        **found,
        "cores": os.cpu_count(),
        "asked": {"drift": MAX_DRIFT, "thread_growth": 0, "descriptor_growth": 0, "unanswered": 0},
        "is_good": good,
        "samples": {
            name: [asdict(one) for one in many[:: max(1, len(many) // 60)]] for name, many in samples.items()
        },
    }
    print(json.dumps(document))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
