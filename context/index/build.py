"""Brings the index of a workspace up to date: scan, compare, have what differs read by workers.

One build per index at a time, under a file lock; a second waits and then finds little to do.  What a
build has written stays when it is cancelled or killed, and the next one goes on from there.

The process that builds reads as well, beside its workers: one process less to start.  A file that
takes it down is found by another build that reads `apart`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from filelock import FileLock, Timeout

from ..errors import IndexUnavailableError
from .exclusion import MAX_FILE_BYTES
from .location import Location
from .memory import Memory, memory, together
from .scanner import NO_STAMP, Found, Listing, Refused, Scanner
from .schema import make_folder, remove_old
from .store import Entry, Prepared, Store
from .worker import Worker, WorkerLostError

log = logging.getLogger(__name__)

MAX_WORKERS = 2
_BATCH_FILES = 32
_BATCH_BYTES = 250_000
"""What a worker holds before it writes is many times the text."""
_FEW_FILES, _FEW_BYTES = 8, 400_000
"""As many, or as much, this process reads alone: starting another takes longer."""
_LOCK_POLL_S = 0.2
_OLD_S = 30 * 24 * 3600

Phase = Literal["waiting", "scanning", "reading", "done"]


@dataclass(frozen=True, slots=True)
class Progress:
    phase: Phase
    """`waiting`: another process builds the same index."""
    num_done: int = 0
    num_total: int = 0


@dataclass(frozen=True, slots=True)
class BuildReport:
    num_files: int
    """In the index now."""
    num_read: int
    """Opened in this build, because they were new or differed."""
    num_gone: int
    num_refused: int
    num_left_out: int
    seconds: float
    cpu_s: float = 0.0
    """Of all processes of the build."""
    peak_bytes: int = 0
    """Memory of all processes of the build, each at its highest, what they share counted once; 0 where the
    system does not tell."""
    cancelled: bool = False
    note: str = ""
    """What was found amiss and mended; for a person."""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def build(
    location: Location,
    start_worker: Callable[[], Worker],
    *,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    cancel: threading.Event | None = None,
    num_workers: int | None = None,
    max_bytes: int = MAX_FILE_BYTES,
    apart: bool = False,
) -> BuildReport:
    """One build, from scan to end.  Raises `IndexDamagedError` and `IndexUnavailableError`.

    `num_workers` read at a time, this process among them unless `apart`.
    """
    cancel = cancel or threading.Event()
    make_folder(location)
    lock = FileLock(location.build_lock)
    try:
        while not _acquired(lock):
            on_progress(Progress("waiting"))
            if cancel.wait(_LOCK_POLL_S):
                return BuildReport(0, 0, 0, 0, 0, 0.0, cancelled=True)
    except OSError as error:
        raise IndexUnavailableError(f"{location.build_lock} cannot be locked ({error})") from error
    try:
        return _build_locked(location, start_worker, on_progress, cancel, num_workers, max_bytes, apart=apart)
    finally:
        lock.release()


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


def _build_locked(
    location: Location,
    start_worker: Callable[[], Worker],
    on_progress: Callable[[Progress], None],
    cancel: threading.Event,
    num_workers: int | None,
    max_bytes: int,
    *,
    apart: bool,
) -> BuildReport:
    begun = time.monotonic()
    store = Store(location)
    try:
        if not store.begin():
            store.check()  # the last build was interrupted: by a crash, perhaps
        on_progress(Progress("scanning"))
        scanner = Scanner(location.root, max_bytes=max_bytes)
        listing = scanner.scan()
        entries = store.entries()
        changed = _changed(listing, entries)
        gone = _forget(store, listing, entries)
        team = _Team(start_worker, store, changed, on_progress, cancel)
        if apart:
            team.read(_num_workers(num_workers), None)
        else:
            team.read(0 if _are_few(changed) else _num_workers(num_workers) - 1, scanner)
        if not cancel.is_set():
            store.finish(listing)
            remove_old(location, older_than_s=_OLD_S)
        on_progress(Progress("done", len(changed), len(changed)))
        return BuildReport(
            num_files=len(listing.found),
            num_read=team.num_done,
            num_gone=gone,
            num_refused=len(listing.refused),
            num_left_out=listing.num_left_out,
            seconds=time.monotonic() - begun,
            cpu_s=sum(os.times()[:4]),
            peak_bytes=together([memory(), *team.memories]),
            cancelled=cancel.is_set(),
            note=store.note,
        )
    finally:
        store.close()


def _changed(listing: Listing, entries: dict[str, Entry]) -> list[Found]:
    changed: list[Found] = []
    for found in listing.found:
        entry = entries.get(found.path)
        if entry is None or entry.stamp != found.stamp:
            changed.append(found)
    return changed


def _forget(store: Store, listing: Listing, entries: dict[str, Entry]) -> int:
    """Takes out what is no longer there, and notes what is refused; how many have gone."""
    refused: list[Refused] = []
    for one in listing.refused:
        entry = entries.get(one.path)
        if entry is None or entry.reason != one.reason:
            refused.append(one)
    there = {one.path for one in listing.found} | {one.path for one in listing.refused}
    gone = sorted(entries.keys() - there)
    store.apply([Prepared(one.path, NO_STAMP, reason=one.reason) for one in refused], gone)
    return len(gone)


def _num_workers(wanted: int | None) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(MAX_WORKERS, wanted or cores))


def _are_few(files: Sequence[Found]) -> bool:
    return len(files) <= _FEW_FILES or sum(one.stamp.size_bytes for one in files) <= _FEW_BYTES


def _batches(files: Sequence[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    num_bytes = 0
    for one in files:
        if batch and (len(batch) >= _BATCH_FILES or num_bytes + one.stamp.size_bytes > _BATCH_BYTES):
            yield batch
            batch, num_bytes = [], 0
        batch.append(one)
        num_bytes += one.stamp.size_bytes
    if batch:
        yield batch


class _CancelledError(Exception):
    """Between two files of a batch: nothing of it has been written."""


class _Team:
    """Workers that empty one queue."""

    def __init__(
        self,
        start_worker: Callable[[], Worker],
        store: Store,
        files: Sequence[Found],
        on_progress: Callable[[Progress], None],
        cancel: threading.Event,
    ) -> None:
        self._start_worker = start_worker
        self._store = store
        self._files = files
        self._queue = deque(_batches(files))
        self._on_progress = on_progress
        self._cancel = cancel
        self._lock = threading.Lock()
        self._failed: list[Prepared] = []
        self._error: Exception | None = None
        self._workers: set[Worker] = set()
        self.num_done = 0
        self.memories: list[Memory] = []
        """Of the workers that have ended."""

    def read(self, num_workers: int, scanner: Scanner | None) -> None:
        """Blocks until the queue is empty, the build is cancelled or the store has failed.

        With a `scanner`, this process reads too.
        """
        if not self._queue:
            return
        self._tell(0)
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(num_workers)]
        if scanner is not None:
            threads.append(threading.Thread(target=self._work_here, args=(scanner,), daemon=True))
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            if self._cancel.wait(0.02) or self._error is not None:
                with self._lock:
                    for worker in self._workers:
                        worker.kill()
            for thread in threads:
                thread.join(0.02)
        if self._failed:
            self._store.apply(self._failed)
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        worker: Worker | None = None
        try:
            while not self._cancel.is_set() and self._error is None:
                try:
                    batch = self._queue.popleft()
                except IndexError:
                    return
                worker = worker or self._started()
                try:
                    worker.read(batch)
                except WorkerLostError as lost:
                    self._forgotten(worker)
                    worker = None
                    if not self._cancel.is_set():
                        self._survive(batch, lost)
                    continue
                self._tell(len(batch))
        except Exception as error:  # noqa: BLE001  (raised again in the thread that waits)
            self._error = error
        finally:
            if worker is not None:
                self._forgotten(worker)

    def _work_here(self, scanner: Scanner) -> None:
        from .indexing import index_files

        def go_on(_path: str) -> None:
            if self._cancel.is_set():
                raise _CancelledError

        try:
            while not self._cancel.is_set() and self._error is None:
                try:
                    batch = self._queue.popleft()
                except IndexError:
                    return
                index_files(self._store, scanner, batch, on_file=go_on)
                self._tell(len(batch))
        except _CancelledError:
            return
        except Exception as error:  # noqa: BLE001  (raised again in the thread that waits)
            self._error = error

    def _started(self) -> Worker:
        worker = self._start_worker()
        with self._lock:
            self._workers.add(worker)
        return worker

    def _forgotten(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
            self.memories.append(worker.memory)
        worker.close()

    def _survive(self, batch: Sequence[Found], lost: WorkerLostError) -> None:
        """The file that took a worker down is left out; the rest of its batch is read again."""
        culprit = next((one for one in batch if one.path == lost.path), None)
        if culprit is None:
            raise IndexUnavailableError(f"the index cannot be built: {lost}")
        log.error("%s: the file is left out", lost)
        with self._lock:
            self._failed.append(Prepared(culprit.path, culprit.stamp, reason="failed"))
        self._queue.appendleft([one for one in batch if one is not culprit])
        self._tell(1)

    def _tell(self, num_more: int) -> None:
        with self._lock:
            self.num_done += num_more
            self._on_progress(Progress("reading", self.num_done, len(self._files)))
