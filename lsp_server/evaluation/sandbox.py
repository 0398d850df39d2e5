"""Run generated Python under limits, so that a measurement cannot harm the machine it runs on.

Each program gets a process of its own (`confine`), with a time limit, a memory limit, an empty
folder, an empty environment, no input, capped output and no network.  Pass means: the program ran
to its very end.  Leaving early, however politely, is not a pass.

What holds where:

    limit                      Linux                   macOS             Windows
    wall-clock time            yes                     yes               yes
    processor time, file size  yes                     yes               no
    memory                     yes                     no                no
    processes                  yes; root: audit hook   yes               audit hook
    network                    namespace, audit hook   audit hook        audit hook
    writes outside the folder  audit hook              audit hook        audit hook

What could not be limited on this machine is listed in `Outcome.unlimited`.  The audit hook stops
mistakes; it does not stop an attacker.  Do not run a stranger's model on a machine you care about.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["passed", "failed", "timeout", "memory", "error"]

OUTPUT_BYTES = 1 << 20
"""More output than this ends a program; also the largest file it may write."""

_CONFINE = Path(__file__).with_name("confine.py")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    `failed`: it ran and was wrong.  `error`: it was stopped for breaking a rule, or could not run.
    """

    passed: bool
    kind: Kind
    detail: str
    unlimited: tuple[str, ...] = ()
    """Limits this machine could not set, each with the reason."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What is known about a process that is over.  `end` is empty when it left no report."""

    end: str
    detail: str
    unlimited: tuple[str, ...]
    output: bytes
    timed_out: bool
    flooded: bool
    exit_status: int


def run_python(code: str, *, timeout_s: float = 10.0, memory_bytes: int = 512 << 20) -> Outcome:
    """Run `code`, whose last statements are its tests; passed if every statement was executed.

    Blocking; at most `timeout_s` and a moment.  Never raises for what the program does.
    """
    run = _run(code, "", timeout_s, memory_bytes)
    broken = _broken(run, timeout_s)
    if broken is not None:
        return broken
    if run.end == "finished":
        return Outcome(passed=True, kind="passed", detail="", unlimited=run.unlimited)
    left_early = run.end != "raised"
    detail = f"{run.detail} before its tests had run" if left_early else run.detail
    return Outcome(passed=False, kind="failed", detail=detail, unlimited=run.unlimited)


def run_script(
    code: str,
    stdin: str,
    expected: tuple[str, ...],
    *,
    timeout_s: float = 10.0,
    memory_bytes: int = 512 << 20,
) -> Outcome:
    """Run `code` on `stdin`; passed if it prints one of `expected`, word by word, white space aside."""
    run = _run(code, stdin, timeout_s, memory_bytes)
    broken = _broken(run, timeout_s)
    if broken is not None:
        return broken
    if run.end == "raised" or run.exit_status != 0:
        return Outcome(passed=False, kind="failed", detail=run.detail, unlimited=run.unlimited)
    printed = run.output.decode(errors="replace")
    if any(printed.split() == text.split() for text in expected):
        return Outcome(passed=True, kind="passed", detail="", unlimited=run.unlimited)
    detail = f"printed {printed[:200]!r}, expected {expected[0][:200]!r}"
    return Outcome(passed=False, kind="failed", detail=detail, unlimited=run.unlimited)


class Pool:
    """Runs up to `workers` blocking sandbox calls at once for asynchronous callers."""

    def __init__(self, workers: int = 2) -> None:
        self._executor = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="sandbox")

    async def run_python(
        self, code: str, *, timeout_s: float = 10.0, memory_bytes: int = 512 << 20
    ) -> Outcome:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._executor, lambda: run_python(code, timeout_s=timeout_s, memory_bytes=memory_bytes)
        )

    async def run_script(
        self,
        code: str,
        stdin: str,
        expected: tuple[str, ...],
        *,
        timeout_s: float = 10.0,
        memory_bytes: int = 512 << 20,
    ) -> Outcome:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._executor,
            lambda: run_script(code, stdin, expected, timeout_s=timeout_s, memory_bytes=memory_bytes),
        )

    def close(self) -> None:
        """Wait for what is running and start nothing more."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _broken(run: _Run, timeout_s: float) -> Outcome | None:
    """The outcome of a run that did not come to its own end; None for one that did."""

    def outcome(kind: Kind, detail: str) -> Outcome:
        return Outcome(passed=False, kind=kind, detail=detail, unlimited=run.unlimited)

    if run.flooded:
        return outcome("error", f"printed more than {OUTPUT_BYTES:,} bytes")
    if run.timed_out:
        return outcome("timeout", f"still running after {timeout_s:g} s")
    if run.end == "memory":
        return outcome("memory", run.detail)
    if run.end == "refused":
        return outcome("error", run.detail)
    if run.end == "" and run.exit_status == -getattr(signal, "SIGXCPU", 0):
        return outcome("timeout", "used up its processor time")
    if run.end == "" and run.exit_status != 0:
        return outcome("error", run.detail)
    return None


def _run(code: str, stdin: str, timeout_s: float, memory_bytes: int) -> _Run:
    token = secrets.token_hex(16)
    job = {
        "token": token,
        "code": code,
        "cpu_s": math.ceil(timeout_s) + 1,  # the wall clock comes first; this is for a lost parent
        "memory_bytes": memory_bytes,
        "file_bytes": OUTPUT_BYTES,
    }
    with tempfile.TemporaryDirectory(prefix="truepenny-sandbox-", ignore_cleanup_errors=True) as box:
        folder = Path(box)
        (folder / "work").mkdir()
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        (folder / "stdin").write_bytes(stdin.encode())
        with (folder / "stdin").open("rb") as source:
            process = _start(folder, source.fileno())
            output, timed_out, flooded = _watch(process, timeout_s)
        end, detail, unlimited = _read_report(folder / "report.json", token)
    status = process.returncode
    if not end:
        detail = f"ended with status {status} and no report"
    return _Run(end, detail, unlimited, output, timed_out, flooded, status)


def _start(folder: Path, stdin: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(_CONFINE), str(folder)]
    # Windows cannot start a process without SYSTEMROOT.
    environment: dict[str, str] = {"SYSTEMROOT": os.environ["SYSTEMROOT"]} if sys.platform == "win32" else {}
    return subprocess.Popen(
        command,
        cwd=folder / "work",
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # ignored on Windows
    )


def _watch(process: subprocess.Popen[bytes], timeout_s: float) -> tuple[bytes, bool, bool]:
    """Collect output until the process is over; `(output, timed out, printed too much)`."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _kill(process)

    timer = threading.Timer(timeout_s, expire)
    timer.daemon = True
    timer.start()
    assert process.stdout is not None
    collected = bytearray()
    flooded = False
    try:
        while block := os.read(process.stdout.fileno(), 1 << 16):
            collected += block
            if len(collected) > OUTPUT_BYTES:
                flooded = True
                _kill(process)
                break
        _await_end(process)
    finally:
        timer.cancel()
        timer.join()  # from here on nobody else can signal the group while it is being reaped
        _kill(process)
        process.wait()
        process.stdout.close()
    return bytes(collected[:OUTPUT_BYTES]), expired.is_set(), flooded


def _await_end(process: subprocess.Popen[bytes]) -> None:
    """Wait without reaping where that is possible, so that the group's number stays ours to kill."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and its group; nothing else can be hit, for a reaped process is left alone."""
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):  # gone already: that is what was wanted
        os.killpg(process.pid, signal.SIGKILL)


def _read_report(path: Path, token: str) -> tuple[str, str, tuple[str, ...]]:
    """`(end, detail, unlimited)`; empty strings when there is no report, or not one of ours."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "", "", ()
    if report.get("token") != token:
        return "", "", ()
    return report["end"], report["detail"], tuple(report["unlimited"])
