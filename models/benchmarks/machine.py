"""What it was measured on, and how much of it others were using."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from types import TracebackType

from ..hardware import Device, cpu_seconds, processor_name


@dataclass(frozen=True, slots=True)
class Machine:
    processor: str
    device: str
    threads: int
    capability: str
    """Which instructions torch uses."""
    memory_bytes: int
    load_average: float | None
    """Processes wanting a core when the run began; None where the system does not count them."""
    versions: dict[str, str]


def describe(device: Device) -> Machine:
    import torch

    return Machine(
        processor=processor_name(),
        device=device.description,
        threads=device.threads,
        capability=torch.backends.cpu.get_cpu_capability(),
        memory_bytes=device.memory_bytes,
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": version("transformers"),
            "truepenny": version("truepenny"),
        },
    )


class Watch:
    """Looks at what other programs use while this process has its turns; entered once for each."""

    def __init__(self) -> None:
        self._everybody_s = self._own_s = self._wall_s = 0.0
        self._is_known = True
        self._before: tuple[float, float] | None = None
        self._began_s = 0.0

    def __enter__(self) -> None:
        self._before, self._began_s = cpu_seconds(), time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        after = cpu_seconds()
        self._wall_s += time.perf_counter() - self._began_s
        if self._before is None or after is None:
            self._is_known = False
            return
        self._everybody_s += after[0] - self._before[0]
        self._own_s += after[1] - self._before[1]

    @property
    def disturbance(self) -> float | None:
        """Cores that other programs used on average; None where the system does not say."""
        if not self._is_known or not self._wall_s:
            return None
        return others_cores((0.0, 0.0), (self._everybody_s, self._own_s), self._wall_s)


def others_cores(
    before: tuple[float, float] | None, after: tuple[float, float] | None, wall_s: float
) -> float | None:
    """Cores that other programs kept busy between two looks at `cpu_seconds`."""
    if before is None or after is None:
        return None
    everybody, own = after[0] - before[0], after[1] - before[1]
    return max(0.0, everybody - own) / wall_s
