"""Get a model's file onto this machine: from the first source that has it, resumed, and verified.

Knows no source by itself and prints nothing.  The promise: when `pull` returns, `folder.weights` is
byte for byte what the publisher published.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from .catalogue import ModelEntry
from .errors import DiskFullError, HashMismatchError, PullError
from .sources import Progress, Source, size_of
from .store import ModelFolder, Pulled

log = logging.getLogger(__name__)

MARGIN_BYTES = 64 << 20
"""Left free for everybody else."""

HASH_BLOCK_BYTES = 4 << 20

FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""A full disk, or a full quota where the platform knows them."""


@dataclass(frozen=True, slots=True)
class PullReport:
    """What is on disk now.  `source` is where it came from, this time or the time it was pulled."""

    name: str
    path: Path
    bytes: int
    sha256: str
    source: str


def free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


def pull(
    entry: ModelEntry,
    folder: ModelFolder,
    sources: Sequence[Source],
    progress: Progress,
    *,
    verify: bool = False,
    free: Callable[[Path], int] = free_bytes,
) -> PullReport:
    """Make sure that the weights of `entry` are in `folder`.

    Sources are asked in order; one that cannot deliver is passed over.  Weights already verified are
    not touched, unless `verify` asks to hash them again.  Interrupted anywhere, the next call goes on
    from there.  One at a time per folder: a second caller waits, then finds the work done.

    Raises:
        PullError: no source delivered; the message has each one's reason.
        HashMismatchError: what came (or, with `verify`, what is here) is not the published file; removed.
        DiskFullError: not enough room; what did arrive is kept.
    """
    folder.root.mkdir(parents=True, exist_ok=True)
    with _alone(folder, progress):
        if folder.is_pulled(entry.sha256) and not verify:
            record = folder.read_record()
            return _report(entry, folder, record.source if record else "file")
        if size_of(folder.weights) == entry.bytes:  # here, but not known to be right
            record = folder.read_record()
            return _accept(entry, folder, folder.weights, record.source if record else "file", progress)
        source, path = _fetch(entry, folder, sources, progress, free)
        return _accept(entry, folder, path, source, progress)


@contextmanager
def _alone(folder: ModelFolder, progress: Progress) -> Generator[None, None, None]:
    lock = FileLock(folder.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.start(0, "waiting for another pull of the same model")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
        progress.done()


def _fetch(
    entry: ModelEntry,
    folder: ModelFolder,
    sources: Sequence[Source],
    progress: Progress,
    free: Callable[[Path], int],
) -> tuple[str, Path]:
    reasons: list[str] = []
    for source in sources:
        target = folder.partial(source.name)
        needed = entry.bytes - min(entry.bytes, size_of(target)) + source.room_bytes(entry) + MARGIN_BYTES
        if (room := free(folder.root)) < needed:
            raise DiskFullError(_too_full(folder.root, needed, room))
        try:
            source.fetch(entry, target, progress)
        except PullError as error:
            reasons.append(f"{source.name}: {error}")
            log.info("%s: %s cannot deliver: %s", entry.name, source.name, error)
        except OSError as error:
            if error.errno not in FULL:
                raise
            left = entry.bytes - min(entry.bytes, size_of(target)) + source.room_bytes(entry)
            raise DiskFullError(_too_full(folder.root, left + MARGIN_BYTES, free(folder.root))) from error
        else:
            return source.name, target
    raise PullError(
        f"no source has {entry.name}: {'; '.join(reasons) or 'none was named'}. "
        f"With a copy of {entry.file} from elsewhere: truepenny pull {entry.name} --source FILE"
    )


def _too_full(path: Path, needed: int, room: int) -> str:
    return (
        f"not enough room in {path}: {needed / 1e6:.0f} MB needed, {room / 1e6:.0f} MB free; make room, "
        "or set TRUEPENNY_CACHE to a folder on a larger disk. What has arrived is kept"
    )


def _accept(
    entry: ModelEntry, folder: ModelFolder, path: Path, source: str, progress: Progress
) -> PullReport:
    got = sha256_of(path, progress)
    if got != entry.sha256:
        path.unlink()
        folder.record.unlink(missing_ok=True)
        _sweep(folder)
        raise HashMismatchError(
            f"{entry.name} from {source} is not the published file and was removed: expected sha256 "
            f"{entry.sha256}, got {got}. Run the command again; if it repeats, choose another --source"
        )
    path.replace(folder.weights)
    stat = folder.weights.stat()
    folder.write_record(Pulled(entry.name, stat.st_size, got, source, stat.st_mtime_ns))
    _sweep(folder)
    return _report(entry, folder, source)


def sha256_of(path: Path, progress: Progress) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    progress.start(path.stat().st_size, "verifying")
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
            progress.advance(len(block))
    return digest.hexdigest()


def _sweep(folder: ModelFolder) -> None:
    """Remove what sources left beside their partial files: with a verdict on the whole, all is stale."""
    for path in folder.root.glob("weights.gguf.*.partial*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _report(entry: ModelEntry, folder: ModelFolder, source: str) -> PullReport:
    return PullReport(entry.name, folder.weights, entry.bytes, entry.sha256, source)
