"""One file's bytes, read safely, and the key its facts are kept under."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from dataclasses import dataclass, replace
from pathlib import Path

from .exclusion import Reason, text_or_reason
from .scanner import Found, Stamp

_UNSETTLED_NS = 2_000_000_000
"""A file touched so recently may change again within one tick of a coarse clock."""

_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Source:
    """What was read.  `reason` is set, and `data` empty, where the file is refused after all."""

    stamp: Stamp
    data: bytes
    reason: Reason | None = None


def read(root: Path, found: Found, max_bytes: int) -> Source | None:
    """The file as it is now; `None` where it has gone.

    Links are not followed and pipes not waited for, even if they took the file's place meanwhile.
    """
    try:
        descriptor = os.open(root / found.path, _FLAGS)
    except FileNotFoundError:
        return None
    except OSError:
        return Source(found.stamp, b"", "unreadable")
    try:
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Source(found.stamp, b"", "unreadable")
            data = file.read(max_bytes + 1)
    except OSError:
        return Source(found.stamp, b"", "unreadable")
    stamp = settled(Stamp.of(status), time.time_ns())
    if len(data) > max_bytes:
        return Source(stamp, b"", "large")
    return Source(stamp, data)


def text_of(found: Found, source: Source) -> tuple[str, Reason | None]:
    """The text, or an empty one and why there is none."""
    if source.reason is not None:
        return "", source.reason
    return text_or_reason(found.path, source.data)


def settled(stamp: Stamp, now_ns: int) -> Stamp:
    """`stamp`, or one that equals no file's where the file is too new, or from the future, to rely on it."""
    latest_ns = max(stamp.mtime_ns, stamp.ctime_ns)
    return stamp if latest_ns < now_ns - _UNSETTLED_NS else replace(stamp, mtime_ns=-1)


def key_of(data: bytes, language: str) -> bytes:
    """`KEY_BYTES` bytes: equal for equal content in the same language, whatever the path."""
    return hashlib.blake2b(data, digest_size=KEY_BYTES, key=language.encode()).digest()
