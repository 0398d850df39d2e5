"""A few threads that do the same piece of work on different parts of the data."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

Work = Callable[[int], None]


class Team:
    """`run` calls a function once per thread; the calling thread is number 0.

    For one caller at a time.  The others sleep between calls, and end when the team is closed or nobody
    holds it any more.
    """

    def __init__(self, num_threads: int) -> None:
        self.num_threads = num_threads
        self._desks = [_Desk() for _ in range(num_threads - 1)]
        self._threads = [
            threading.Thread(target=_serve, args=(desk, number), name=f"team-{number}", daemon=True)
            for number, desk in enumerate(self._desks, 1)
        ]
        for thread in self._threads:
            thread.start()
        self._is_usable = True
        # What the threads hold is their desks, never the team.
        self._dismiss = weakref.finalize(self, _dismiss, self._desks)

    def run(self, work: Work) -> None:
        """Raises what the first thread to fail raised, after all have ended.

        Work that waits for other threads must see to it that they come, also when it fails.
        """
        assert self._is_usable, "closed, or interrupted while others were at work"
        self._is_usable = False  # should Ctrl-C break the waiting, who has come back is not known any more
        for desk in self._desks:
            desk.work = work
            desk.go.release()
        errors = [_outcome(work, 0)]
        for desk in self._desks:
            desk.done.acquire()
            errors.append(desk.error)
            desk.error = None
        self._is_usable = True
        failures = [error for error in errors if error is not None]
        if failures:
            raise failures[0]

    def close(self) -> None:
        """The threads end; there is no `run` afterwards."""
        self._is_usable = False
        self._dismiss()
        for thread in self._threads:
            thread.join()


class _Desk:
    """Where one thread gets its work and leaves what came of it; no work means to go home."""

    def __init__(self) -> None:
        self.go, self.done = threading.Lock(), threading.Lock()
        self.go.acquire()
        self.done.acquire()
        self.work: Work | None = None
        self.error: BaseException | None = None


def _serve(desk: _Desk, number: int) -> None:
    while True:
        desk.go.acquire()
        work, desk.work = desk.work, None
        if work is None:
            return
        desk.error = _outcome(work, number)
        del work  # it holds memory of the pass
        desk.done.release()


def _outcome(work: Work, number: int) -> BaseException | None:
    try:
        work(number)
    except BaseException as error:  # noqa: BLE001  (given to the caller of `run`)
        return error
    return None


def _dismiss(desks: list[_Desk]) -> None:
    for desk in desks:
        desk.go.release()
