"""A process that reads files for a build.  One JSON document per line, in and out.

In: `[[path, language, size, mtime, ctime, inode], …]`, one batch.  Out: each path before it is read,
so that a file that takes the process down is known, then `{"done": n, "memory": […]}`.  The end of the
input ends it.  The facts go straight into the database: nothing large passes between the processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from ..errors import IndexDamagedError, IndexUnavailableError
from ..language_table import LANGUAGES
from .location import Location
from .memory import Memory, memory
from .scanner import Found, Scanner, Stamp

_LANGUAGES = {language.name: language for language in LANGUAGES}


class WorkerLostError(Exception):
    """The process has ended.  `path` is what it was reading, `error` what it said."""

    def __init__(self, path: str, error: str) -> None:
        super().__init__(f"a worker ended while reading {path or 'nothing'}: {error}")
        self.path = path
        self.error = error


def serve(location: Location, max_bytes: int) -> None:
    """Runs in the worker until its input ends."""
    from .indexing import index_files
    from .store import Store

    scanner = Scanner(location.root, max_bytes=max_bytes)
    store = Store(location)
    try:
        for line in sys.stdin:
            told = json.loads(line)
            files = [Found(path, _LANGUAGES[language], Stamp(*stamp)) for path, language, *stamp in told]
            index_files(store, scanner, files, on_file=_say)
            _say({"done": len(files), "memory": astuple(memory())})
    except (IndexDamagedError, IndexUnavailableError) as error:
        _say({"error": str(error), "damaged": isinstance(error, IndexDamagedError)})
    finally:
        store.close()


def _say(what: Any) -> None:
    print(json.dumps(what), flush=True)


class Worker:
    """The other end.  For one thread, but for `kill`."""

    memory = Memory(0, 0)
    """As it has last said."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )

    def read(self, files: Sequence[Found]) -> None:
        """Has `files` read and written.

        Raises `WorkerLostError` when the process dies, and what the store raises there.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        rows = [(one.path, one.language.name, *astuple(one.stamp)) for one in files]
        path = ""
        try:
            self._process.stdin.write(json.dumps(rows) + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                answer: Any = json.loads(line)
                if isinstance(answer, str):
                    path = answer
                elif "error" in answer:
                    kind = IndexDamagedError if answer["damaged"] else IndexUnavailableError
                    raise kind(answer["error"])
                else:
                    self.memory = Memory(*answer["memory"])
                    return
        except (OSError, ValueError) as error:
            raise WorkerLostError(path, str(error)) from error
        raise WorkerLostError(path, f"exit status {self._process.wait()}")

    def kill(self) -> None:
        """In the middle of a file if need be: what it has not committed is not there.  From any thread."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process; not while `read` runs."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was left to be written to a process that has ended
                    continue
