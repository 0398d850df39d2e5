"""Keeps one language server running: started in the background, watched, and started again.

It gets a reduced environment and no shell.  It ends with us, also when we are killed: its input is
then closed and its parent gone, and language servers end on either.  (`PR_SET_PDEATHSIG` would not
do: it watches the *thread* that started the child, and needs code between fork and exec.)
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
import time
import weakref
from typing import IO

from ...errors import CheckerError
from .dialect import Dialect
from .lsp import Session
from .rpc import Connection

STARTING_S = 20.0
"""How long the handshake may take, on a machine that is busy with other things."""
STEADY_S = 60.0
"""One that has lived this long starts with a clean record when it dies."""
LONGEST_PATIENCE_S = 30.0
HOPELESS_FAILURES = 2
GROWTH_S, GROWTH = 600.0, 1.5
"""One that has grown too large within this time needs that much, and may have more the next time."""
_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 60.0
_KEPT = ("HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "USERPROFILE", "SYSTEMROOT", "XDG_CACHE_HOME")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4_096

_running: weakref.WeakSet[Keeper] = weakref.WeakSet()


class Keeper:
    """The one server of a dialect.  Safe to call from several threads."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._state = threading.Condition()
        self._child: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._session: Session | None = None
        self._is_starting = self._is_closed = False
        self._failures = 0
        self._retry_at_s = self._ready_at_s = 0.0
        self._patience_s = dialect.patience_s
        self._max_memory_bytes = dialect.max_memory_bytes
        self.reason = ""
        """Why it is not there, or was not the last time."""
        _running.add(self)
        with self._state:
            self._start()

    def session(self, deadline_s: float) -> Session:
        """The live one.  Waits for it no longer than `deadline_s`.  Raises CheckerError."""
        until_s = time.monotonic() + deadline_s
        with self._state:
            self._inspect()
            while self._session is None:
                if self._is_closed:
                    raise CheckerError(f"{self._dialect.name} is closed")
                if not self._is_starting:
                    pause_s = self._retry_at_s - time.monotonic()
                    if pause_s > 0:
                        raise CheckerError(
                            f"{self._dialect.name} failed ({self.reason}); tried again in {pause_s:.0f} s"
                        )
                    self._start()
                left_s = until_s - time.monotonic()
                if left_s <= 0:
                    raise CheckerError(f"{self._dialect.name} is starting")
                self._state.wait(left_s)
            return self._session

    @property
    def is_hopeless(self) -> bool:
        """It has failed again and again, and never once come up."""
        return self._failures >= HOPELESS_FAILURES and self._ready_at_s == 0.0

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the process; 0 where that cannot be told."""
        child = self._child
        if child is None:
            return 0
        try:
            with open(f"/proc/{child.pid}/statm", "rb") as statm:  # noqa: PTH123  # /proc, read often
                return int(statm.read().split()[1]) * _PAGE_BYTES
        except (OSError, ValueError, IndexError):
            return 0

    @property
    def pid(self) -> int:
        """Of the process; 0 where there is none."""
        return self._child.pid if self._child is not None else 0

    def close(self) -> None:
        with self._state:
            if self._is_closed:
                return
            self._is_closed = True
            self._end("closed")
            self._state.notify_all()
        self._dialect.remove()

    # With the lock held.

    def _inspect(self) -> None:
        """Gets rid of a server that has died, hangs or has grown too large."""
        if self._session is None or self._connection is None:
            return
        if self._connection.ended.is_set():
            self._fail(self._connection.reason)
        elif self._connection.unanswered_s > self._patience_s:
            self._fail(f"it has not answered for {self._connection.unanswered_s:.1f} s")
            # A slow one must be able to finish some day: what it has read is lost with it.
            self._patience_s = min(2 * self._patience_s, LONGEST_PATIENCE_S)
        elif (used := self.memory_bytes) > self._max_memory_bytes:
            if time.monotonic() - self._ready_at_s < GROWTH_S:
                self._max_memory_bytes = int(GROWTH * used)
            self._end(f"it holds {used // 1_000_000} MB")
            self._start()

    def _fail(self, reason: str) -> None:
        """The first failure is free: a server that was killed comes back at once."""
        if self._session is not None and time.monotonic() - self._ready_at_s > STEADY_S:
            self._failures = 0
        self._end(reason)
        self._failures += 1
        if self._failures > 1:
            pause_s = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2 ** (self._failures - 2))
            self._retry_at_s = time.monotonic() + pause_s

    def _end(self, reason: str) -> None:
        self.reason = reason
        self._session = None
        connection, self._connection = self._connection, None
        child, self._child = self._child, None
        if connection is not None:
            connection.end(reason)
        if child is not None:
            _kill(child)

    def _start(self) -> None:
        self._is_starting = True
        name = f"{self._dialect.name} start"
        threading.Thread(target=self._launch, name=name, daemon=True).start()

    # On a thread of its own.

    def _launch(self) -> None:
        session = Session(self._dialect)
        try:
            child = subprocess.Popen(
                self._dialect.argv,
                cwd=self._dialect.root,
                env=_environment(self._dialect),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._launched(None, f"cannot be started: {error}")
            return
        connection = Connection(self._dialect.name, _pipes(child), session.answer, session.hear)
        with self._state:
            if self._is_closed:
                _kill(child)
                self._is_starting = False
                return
            self._child, self._connection = child, connection
        try:
            session.begin(connection, STARTING_S)
        except CheckerError as error:
            self._launched(None, str(error))
        else:
            self._launched(session, "")

    def _launched(self, session: Session | None, reason: str) -> None:
        with self._state:
            self._is_starting = False
            if self._is_closed:
                self._end("closed")
            elif session is None:
                self._fail(reason)
            else:
                self._session, self._ready_at_s = session, time.monotonic()
            self._state.notify_all()


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    return child.stdin, child.stdout, child.stderr


def _environment(dialect: Dialect) -> dict[str, str]:
    """Nothing that points a tool somewhere: no PATH, no VIRTUAL_ENV, no variables of the tool's own."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | dict(dialect.environment)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """With what it has started in turn.  It has nothing that it would have to save."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (OSError, AttributeError):
        with contextlib.suppress(OSError):
            child.kill()
    threading.Thread(target=child.wait, name="reap", daemon=True).start()


@atexit.register
def _close_all() -> None:
    for keeper in list(_running):
        keeper.close()
