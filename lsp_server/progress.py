"""How far something long has come, told on stderr: a bar on a terminal, a line now and then elsewhere.

Fits the `Progress` protocol of `models.sources`.  stdout stays free for results.
"""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class Meter(Protocol):
    """What a command hands to the work it starts."""

    def start(self, total_bytes: int, what: str) -> None:
        """Begin (or begin again) to count; a total of 0 is not known."""
        ...

    def advance(self, done_bytes: int) -> None: ...

    def done(self) -> None: ...


def meter(stream: TextIO | None = None) -> Meter:
    """A bar where `stream` (stderr) is a terminal, else plain lines."""
    out: TextIO = sys.stderr if stream is None else stream
    return BarMeter(out) if out.isatty() else LineMeter(out)


class LineMeter:
    """A line at the start of each phase and after each further tenth of it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._what, self._total, self._now, self._tenths = "", 0, 0, 0

    def start(self, total_bytes: int, what: str) -> None:
        if (what, total_bytes) != (self._what, self._total):
            size = f" {total_bytes / 1e6:.0f} MB" if total_bytes else ""
            print(f"{what}{size}", file=self._stream, flush=True)
        self._what, self._total, self._now, self._tenths = what, total_bytes, 0, 0

    def advance(self, done_bytes: int) -> None:
        self._now += done_bytes
        if not self._total:
            return
        tenths = min(10, 10 * self._now // self._total)
        if tenths > self._tenths:
            self._tenths = tenths
            print(f"{self._what} {10 * tenths} %", file=self._stream, flush=True)

    def done(self) -> None:
        self._what, self._total = "", 0


class BarMeter:
    """One bar per phase; a finished phase stays on the screen."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._what = ""

    def start(self, total_bytes: int, what: str) -> None:
        total = total_bytes or None
        if self._bar is not None and self._what == what:  # the same phase, counted anew
            self._bar.reset(self._task, total=total)
            return
        self.done()
        columns = (TextColumn("{task.description:12}"), BarColumn(), DownloadColumn())
        self._bar = Progress(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=self._console)
        self._task = self._bar.add_task(what, total=total)
        self._what = what
        self._bar.start()

    def advance(self, done_bytes: int) -> None:
        if self._bar is not None:
            self._bar.advance(self._task, done_bytes)

    def done(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
