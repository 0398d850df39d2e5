"""A build in a process of its own: `python -I -m truepenny.context.index.process build ROOT CACHE VERSION`.

So that the one that talks to the editor stays free.  Progress goes to stdout, one JSON document per
line, the report last.  Its input is a lifeline: when that ends, so does the build.  Exit 0: built,
or cancelled; 3: the index is damaged; 2: anything else, said on stderr.  What a file has taken down is
begun again with `--apart`, where workers find out which file it was.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from ..errors import ContextError, IndexDamagedError, IndexUnavailableError
from .build import BuildReport, Progress, build
from .exclusion import MAX_FILE_BYTES
from .location import Location, fingerprint, locate
from .schema import file_of, repair
from .worker import Worker, serve

log = logging.getLogger(__name__)

_DAMAGED = 3
_MAX_STATUS = 255
"""A process that a fault took down has one above it, on Windows, or else below 0."""
_APART = "--apart"
_NUM_BEFORE_COLLECTING = 200_000
"""Objects."""
_MODULE = f"{__package__}.process"


class _TakenDownError(IndexUnavailableError):
    """The process was ended by a signal or a fault of its own."""


def run_build(
    location: Location,
    *,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    cancel: threading.Event | None = None,
    num_workers: int | None = None,
) -> BuildReport:
    """A build in a process of its own; blocks.  A damaged index is put aside and built anew, once.

    Raises `IndexUnavailableError`.
    """
    note = ""
    apart = False
    while True:
        file = file_of(location)
        try:
            report = _run_once(location, on_progress, cancel or threading.Event(), num_workers, apart=apart)
        except _TakenDownError as error:
            if apart:
                raise
            log.warning("%s: it begins again", error)
            apart = True
        except IndexDamagedError as damage:
            if note:
                raise
            repair(location, file)
            note = f"{damage}; it was put aside and built anew"
        else:
            return replace(report, note=note or report.note)


def _run_once(
    location: Location,
    on_progress: Callable[[Progress], None],
    cancel: threading.Event,
    num_workers: int | None,
    *,
    apart: bool,
) -> BuildReport:
    extra = [] if num_workers is None else [f"--workers={num_workers}"]
    if apart:
        extra.append(_APART)
    process = subprocess.Popen(
        _command("build", location, *extra),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=_environment(),
        creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),  # Windows has no nice
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[str] = []
    listen = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    watch = threading.Thread(target=_pass_on, args=(cancel, process), daemon=True)
    listen.start()
    watch.start()
    report: BuildReport | None = None
    for line in process.stdout:
        told: Any = json.loads(line)
        if "report" in told:
            report = BuildReport(**told["report"])
        else:
            on_progress(Progress(**told))
    status = process.wait()
    listen.join()
    watch.join()
    process.stdout.close()
    process.stderr.close()
    if report is not None and status == 0:
        return report
    if status < 0 or status > _MAX_STATUS:
        raise _TakenDownError(f"the build of {location.database} was taken down (exit status {status})")
    last = said[-1].strip() if said else f"exit status {status}"
    raise (IndexDamagedError if status == _DAMAGED else IndexUnavailableError)(last)


def _pass_on(cancel: threading.Event, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        if cancel.wait(0.05):
            break
    assert process.stdin is not None
    process.stdin.close()


def _command(kind: str, location: Location, *extra: str) -> list[str]:
    cache_folder = str(location.folder.parent.parent)
    what = (str(location.root), cache_folder, fingerprint())
    return [sys.executable, "-I", "-m", _MODULE, kind, *what, *extra]


def _environment() -> dict[str, str]:
    """Without the threads numerical libraries would start: nothing here multiplies matrices."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def main(arguments: list[str]) -> int:
    kind, root, cache_folder, wanted, *extra = arguments
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    location = locate(root, cache_folder)
    if wanted != fingerprint():
        print("truepenny has been replaced since this program started: restart the editor", file=sys.stderr)
        return 2
    try:
        _collect_seldom()
        if kind == "worker":
            serve(location, MAX_FILE_BYTES)
            return 0
        if hasattr(os, "nice"):
            os.nice(10)  # the workers inherit it
        numbers = [int(one.partition("=")[2]) for one in extra if one != _APART]
        report = build(
            location,
            lambda: Worker(_command("worker", location), _environment()),
            on_progress=lambda progress: _say(asdict(progress)),
            cancel=_until_input_ends(),
            num_workers=numbers[0] if numbers else None,
            apart=_APART in extra,
        )
    except IndexDamagedError as error:
        print(error, file=sys.stderr)
        return _DAMAGED
    except ContextError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever started us has gone
        return 2
    _say({"report": report.as_dict()})
    return 0


def _collect_seldom() -> None:
    """What reading a file leaves behind has few cycles; at the usual pace looking for them takes a tenth."""
    gc.freeze()
    gc.set_threshold(_NUM_BEFORE_COLLECTING)


def _until_input_ends() -> threading.Event:
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    return ended


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # the thread that waits for input would keep the interpreter waiting, too
