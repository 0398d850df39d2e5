"""What this machine permits: looked at, not assumed."""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast


@dataclass(frozen=True, slots=True)
class Device:
    kind: Literal["cpu", "cuda"]
    description: str
    threads: int
    memory_bytes: int
    """RAM for `cpu`, the card's memory for `cuda`."""


def probe() -> Device:
    """The best device of this machine.  `TRUEPENNY_DEVICE=cpu` leaves a GPU alone.

    torch is imported only where there is a driver it could use: it takes a second.
    """
    threads = _usable_cores()
    if os.environ.get("TRUEPENNY_DEVICE") != "cpu" and _has_nvidia_driver():
        import torch

        if torch.cuda.is_available():
            cuda = cast("Any", torch.cuda)  # its stub names no type for the properties of a card
            card = cuda.get_device_properties(0)
            return Device("cuda", str(card.name), threads, int(card.total_memory))
    return Device("cpu", f"{threads} cores, {processor_name()}", threads, _ram_bytes())


def _has_nvidia_driver() -> bool:
    """Is the library there that every program for an NVIDIA GPU begins with?"""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _usable_cores() -> int:
    """Cores this process may run on, each once: hyper-threads help neither int8 product nor memory.

    A container may see every core of its host and be given the time of two: then two.
    """
    if hasattr(os, "sched_getaffinity"):
        num_cores = len({_core_of(cpu) for cpu in os.sched_getaffinity(0)})
    else:
        num_cores = os.cpu_count() or 1
    return max(1, min(num_cores, _granted_cores(_QUOTA)))


_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Time granted and the period it is for, in microseconds, or `max` (control groups, version 2)."""


def _granted_cores(quota: Path) -> int:
    """Whole cores' worth of time this process is granted; very many where nobody counts."""
    try:
        granted, period = quota.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 1 << 16
    return 1 << 16 if granted == "max" else max(1, round(int(granted) / int(period)))


def _core_of(cpu: int) -> str:
    siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return siblings.read_text(encoding="ascii").strip()
    except OSError:
        return str(cpu)


def _ram_bytes() -> int:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 8 << 30


def resident_bytes() -> int:
    """Memory this process occupies now; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  (a kernel pseudo-file)
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def give_back_memory() -> None:
    """Return what has been freed to the system, where the allocator would keep it (glibc).

    Loading a model frees fifty megabytes that are not wanted again.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return  # another allocator: it does as it likes


def cpu_seconds() -> tuple[float, float] | None:
    """Core time all programs have used since the machine started, and of it this process's own, in seconds.

    Counts what a virtual machine's host took away too.  None where the system does not say.
    """
    try:
        with open("/proc/stat", encoding="ascii") as file:  # noqa: PTH123  (a kernel pseudo-file)
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except OSError:
        return None
    own = os.times()
    ticks = user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK"), own.user + own.system


def processor_name() -> str:
    """As the maker calls it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  (a kernel pseudo-file)
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    return value.strip()
    except OSError:
        pass  # not Linux: the standard library knows less, but something
    return platform.processor() or platform.machine()
