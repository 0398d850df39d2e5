"""Whether this process may use Intel's matrix registers, and how they are described."""

from __future__ import annotations

import ctypes
import platform
import sys

import numpy as np
from numpy.typing import NDArray

from .tile_ir import TILE_INPUTS, TILE_ROWS, has_tiles

_SYS_ARCH_PRCTL = 158
_ARCH_REQ_XCOMP_PERM = 0x1023
_XFEATURE_XTILEDATA = 18


def allow_tiles() -> bool:
    """Ask the kernel (Linux; elsewhere not tried).  True if there are such registers and we may use them."""
    if not has_tiles() or sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    request = ctypes.CDLL(None, use_errno=True).syscall
    return request(_SYS_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XFEATURE_XTILEDATA) == 0


def description() -> NDArray[np.uint8]:
    """The 64 bytes `tile_ir.configure` takes: eight registers of 16 rows of 64 bytes (palette 1)."""
    described = np.zeros(64, dtype=np.uint8)
    described[0] = 1
    described[16:32].view(np.uint16)[:] = TILE_INPUTS
    described[48:56] = TILE_ROWS
    return described
