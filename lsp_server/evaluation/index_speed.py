"""How fast the index is, beside parsing alone, by turns in one run on copies of the same files.

The folders given are copied file by file until there are enough lines, in an order that mixes them,
so that each size is a sample of the same code.
"""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ...context.errors import IndexUnavailableError
from ...context.index.exclusion import text_or_reason
from ...context.index.location import Location, locate
from ...context.index.process import run_build
from ...context.index.reader import Reader
from ...context.index.scanner import Scanner
from ...context.index.workspace import WorkspaceIndex

_NUM_SAVES = 30
_NUM_QUESTIONS = 40


@dataclass(frozen=True, slots=True)
class SizeFigures:
    """One size; seconds are medians over the rounds."""

    lines: int
    files: int
    source_bytes: int
    cold_s: float
    cold_best_s: float
    cold_cpu_s: float
    """Of all processes."""
    bare_s: float
    """Parsing alone, in as many processes as the index uses, without their start."""
    bare_cpu_s: float
    speed_vs_bare: float
    """`bare_s / cold_s`: 1 would be as fast as parsing alone on as many cores."""
    speed_vs_bare_one_core: float
    """`bare_cpu_s / cold_s`: against parsing alone in one process."""
    unchanged_s: float
    """A build that finds nothing to do, the start of its process included."""
    peak_bytes: int
    """Of all processes of the build, each at its highest."""
    index_bytes: int


@dataclass(frozen=True, slots=True)
class Timing:
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class IndexFigures:
    sizes: tuple[SizeFigures, ...]
    exponent: float
    """Of cost by lines, by least squares on the logarithms: 1 is linear."""
    save: Timing
    """From a changed file to its facts in the index, in the process that asks, at the largest size."""
    questions: dict[str, Timing]
    workers: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Sample:
    root: Path
    lines: int
    paths: tuple[str, ...]


def measure(
    folders: Sequence[Path],
    sizes: Sequence[int],
    *,
    rounds: int,
    workers: int,
    tell: Callable[[str], None],
) -> IndexFigures:
    """Raises `IndexUnavailableError` where there are no sources, or the index cannot be built."""
    with tempfile.TemporaryDirectory(prefix="truepenny-bench-") as scratch:
        sources = _sources(folders)
        figures: list[SizeFigures] = []
        last: tuple[_Sample, Location] | None = None
        for size in sizes:
            sample = _copied(sources, size, Path(scratch) / f"code-{size}")
            location = locate(sample.root, Path(scratch) / "cache")
            tell(f"{sample.lines:,} lines in {len(sample.paths):,} files")
            figures.append(_measure_one(sample, location, rounds, workers))
            last = (sample, location)
            if len(sample.paths) == len(sources):
                tell(f"the folders hold {sample.lines:,} lines: larger sizes are left out")
                break
        assert last is not None
        return IndexFigures(
            sizes=tuple(figures),
            exponent=_exponent(figures),
            save=_saves(*last),
            questions=_questions(last[1]),
            workers=workers,
            rounds=rounds,
        )


def _sources(folders: Sequence[Path]) -> list[tuple[Path, str, int]]:
    """Root, path and number of lines of every file worth indexing, mixed."""
    found: list[tuple[Path, str, int]] = []
    for folder in folders:
        root = folder.resolve()
        for one in Scanner(root).scan().found:
            try:
                data = (root / one.path).read_bytes()
            except OSError:
                continue
            if text_or_reason(one.path, data)[1] is None:  # what the index refuses is no work for it
                found.append((root, one.path, data.count(b"\n")))
    if not found:
        raise IndexUnavailableError("there are no source files in these folders: name others")
    random.Random(1).shuffle(found)  # noqa: S311  (the same order every time, not a secret)
    return found


def _copied(sources: list[tuple[Path, str, int]], size: int, target: Path) -> _Sample:
    lines, paths = 0, list[str]()
    for nth, (root, path, num_lines) in enumerate(sources):
        if lines + num_lines > size and lines > size * 0.9:
            break
        copy = f"{nth % 40:02}/{nth:05}_{path.rpartition('/')[2]}"
        (target / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target / copy)
        lines += num_lines
        paths.append(copy)
    return _Sample(target, lines, tuple(paths))


def _measure_one(sample: _Sample, location: Location, rounds: int, workers: int) -> SizeFigures:
    cold: list[float] = []
    cold_cpu: list[float] = []
    bare: list[tuple[float, float]] = []
    unchanged: list[float] = []
    peak = 0
    for _ in range(rounds):
        shutil.rmtree(location.folder, ignore_errors=True)
        bare.append(_bare(sample, workers))
        begun = time.perf_counter()
        report = run_build(location, num_workers=workers)
        cold.append(time.perf_counter() - begun)
        cold_cpu.append(report.cpu_s)
        peak = max(peak, report.peak_bytes)
        begun = time.perf_counter()
        run_build(location, num_workers=workers)
        unchanged.append(time.perf_counter() - begun)
    bare_s, bare_cpu_s = median(one[0] for one in bare), median(one[1] for one in bare)
    cold_s = median(cold)
    return SizeFigures(
        lines=sample.lines,
        files=len(sample.paths),
        source_bytes=sum((sample.root / path).stat().st_size for path in sample.paths),
        cold_s=cold_s,
        cold_best_s=min(cold),
        cold_cpu_s=median(cold_cpu),
        bare_s=bare_s,
        bare_cpu_s=bare_cpu_s,
        speed_vs_bare=bare_s / cold_s,
        speed_vs_bare_one_core=bare_cpu_s / cold_s,
        unchanged_s=median(unchanged),
        peak_bytes=peak,
        index_bytes=sum(path.stat().st_size for path in location.folder.glob("facts-*")),
    )


def _bare(sample: _Sample, workers: int) -> tuple[float, float]:
    """The slowest share's seconds, and the processor's of all."""
    command = [sys.executable, "-I", "-m", "truepenny.context.index.bare", str(sample.root)]
    shares = [sample.paths[nth::workers] for nth in range(workers)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in shares
    ]
    for process, share in zip(running, shares, strict=True):
        assert process.stdin is not None
        process.stdin.write(json.dumps(share))
        process.stdin.close()
        process.stdin = None  # written: `communicate` must not do it again
    told = [json.loads(process.communicate()[0]) for process in running]
    return max(one["seconds"] for one in told), sum(one["cpu_s"] for one in told)


def _saves(sample: _Sample, location: Location) -> Timing:
    index = WorkspaceIndex(location.root, location.folder.parent.parent)  # not started: no watcher
    chosen = random.Random(2).sample(sample.paths, min(_NUM_SAVES, len(sample.paths)))  # noqa: S311  (not a secret)
    taken: list[float] = []
    try:
        index.update(chosen[:1])  # opens the database and the grammar
        for nth, path in enumerate(chosen):
            whole = sample.root / path
            whole.write_bytes(whole.read_bytes() + b"\n# saved\n")
            os.utime(whole, ns=(nth, nth))
            begun = time.perf_counter()
            index.update([path])
            taken.append(time.perf_counter() - begun)
    finally:
        index.close()
    return _timing(taken)


def _questions(location: Location) -> dict[str, Timing]:
    reader = Reader(location)
    files = [one.path for one in reader.files()]
    chosen = random.Random(3).choices(files, k=_NUM_QUESTIONS)  # noqa: S311  (not a secret)
    names = [use.name for path in chosen for use in reader.uses(path)[:1]] or ["self"]
    kinds: dict[str, Callable[[int], object]] = {
        "definitions": lambda nth: reader.definitions(names[nth % len(names)]),
        "prefix": lambda nth: reader.definitions_with_prefix(names[nth % len(names)][:3]),
        "members": lambda nth: reader.members(names[nth % len(names)]),
        "references": lambda nth: reader.references(names[nth % len(names)]),
        "definitions_in": lambda nth: reader.definitions_in(chosen[nth]),
        "uses": lambda nth: reader.uses(chosen[nth]),
        "imports": lambda nth: reader.imports(chosen[nth]),
        "search": lambda nth: reader.search((names * 8)[nth : nth + 8]),
    }
    found: dict[str, Timing] = {}
    for kind, ask in kinds.items():
        taken: list[float] = []
        for nth in range(_NUM_QUESTIONS):
            begun = time.perf_counter()
            ask(nth)
            taken.append(time.perf_counter() - begun)
        found[kind] = _timing(taken)
    reader.close()
    return found


def _timing(seconds: list[float]) -> Timing:
    ordered = sorted(seconds)
    return Timing(median(ordered) * 1e3, ordered[math.ceil(0.95 * len(ordered)) - 1] * 1e3)


def _exponent(figures: Sequence[SizeFigures]) -> float:
    """The slope of log cost by log lines; 0 for fewer than two sizes.  Cost is processor time: the clock
    also counts the start of processes, which no size changes.
    """
    points = [(math.log(one.lines), math.log(max(one.cold_cpu_s, 1e-3))) for one in figures]
    if len({x for x, _y in points}) < 2:
        return 0.0
    mean_x = sum(x for x, _y in points) / len(points)
    mean_y = sum(y for _x, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _y in points)
