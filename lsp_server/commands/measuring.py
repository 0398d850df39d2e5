"""What the benchmarks share: one at a time, progress on stderr, figures rounded to what they bear."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def alone() -> Generator[None, None, None]:
    """One benchmark at a time on this machine: two would measure each other."""
    from filelock import FileLock, Timeout

    from ...models.store import cache_root

    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / "bench.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell("another benchmark is running on this machine: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def tell(message: str) -> None:
    print(f"bench: {message}", file=sys.stderr, flush=True)


def rounded(value: Any) -> Any:
    """Plain JSON values, floats to five digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # from asdict
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # from asdict
    return value
