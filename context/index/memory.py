"""How much memory this process has held at most."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    peak_bytes: int
    """Resident, at its highest; 0 where the system does not tell."""
    library_bytes: int
    """Of that, what is mapped from files, such as libraries: processes of one program share it."""


def memory() -> Memory:
    """Of this process."""
    if sys.platform == "linux":
        # Not getrusage: its figure begins with that of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        rows = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return Memory(_bytes(rows.get("VmHWM", "0 kB")), _bytes(rows.get("RssFile", "0 kB")))
    if sys.platform == "darwin":
        import resource

        return Memory(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0)
    return Memory(0, 0)


def together(several: list[Memory]) -> int:
    """Bytes of processes of one program, each at its highest, what they share counted once."""
    shared = max((one.library_bytes for one in several), default=0)
    return shared + sum(one.peak_bytes - one.library_bytes for one in several)


def _bytes(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) * 1024
