"""Memory of a pass, kept between passes, and the angles of rotary positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..architecture import Architecture
from .amx import allow_tiles, description
from .attention import MAX_GROUP
from .compiling import Whole
from .kv import Floats
from .tile_ir import PAIR_OUTPUTS, PAIR_ROWS

_ABORT = 1 << 40


class Room:
    """Arrays for as many rows and columns of scores as a pass ever needed."""

    def __init__(
        self, architecture: Architecture, num_threads: int, *, uses_tiles: bool | None = None
    ) -> None:
        """`uses_tiles`: AMX or not; None: where it may be used."""
        self._arch = architecture
        self._num_threads = num_threads
        self._uses_tiles = allow_tiles() if uses_tiles is None else uses_tiles
        self._rows = 0
        self._columns = 0
        self._registers = description()
        self.counter = np.zeros(1, dtype=np.int64)
        self.heard = np.zeros(1, dtype=np.int64)
        self.is_stopped = False
        self.prepare(PAIR_ROWS, 1024)

    @property
    def nbytes(self) -> int:
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    def prepare(self, num_rows: int, num_columns: int) -> None:
        """Make room for a pass of so many rows, over sequences of up to so many tokens' capacity."""
        self.counter[0] = self.heard[0] = 0
        self.is_stopped = False
        if num_rows <= self._rows and num_columns <= self._columns:
            return
        self._rows = rows = max(self._rows, -(-num_rows // PAIR_ROWS) * PAIR_ROWS)
        self._columns = columns = max(self._columns, num_columns)
        a, threads = self._arch, self._num_threads
        group = min(MAX_GROUP, a.num_heads // a.num_kv_heads)

        def floats(*shape: int) -> Floats:
            return np.zeros(shape, dtype=np.float32)

        self.x, self.normed = floats(rows, a.hidden), floats(rows, a.hidden)
        self.qkv, self.attended = floats(rows, a.qkv_width), floats(rows, a.q_width)
        # Zeros take no memory until they are written: with AMX few rows of this are.
        self.gate_up, self.active = floats(rows, 2 * a.intermediate), floats(rows, a.intermediate)
        self.levels = np.zeros((rows, max(a.hidden, a.intermediate, a.q_width)), dtype=np.uint8)
        self.scales = floats(rows)
        self.cos, self.sin = floats(rows, a.head_dim // 2), floats(rows, a.head_dim // 2)
        self.scores = floats(threads, group * columns)
        self.sums = np.zeros((threads, PAIR_ROWS * PAIR_OUTPUTS), dtype=np.int32)
        self.pair = floats(threads, PAIR_ROWS * 2 * PAIR_OUTPUTS)

    def addresses(self, logits: Floats) -> Whole:
        """In the order of `tables.Buffer`, then of `tables.Own` for each thread; good for this pass."""
        shared = (
            self.x, self.normed, self.qkv, self.attended, self.gate_up, self.active, self.levels,
            self.scales, self.cos, self.sin, self.counter, logits, self._registers,
        )  # fmt: skip
        found = [array.ctypes.data for array in shared]
        for thread in range(self._num_threads):
            sums = self.sums[thread].ctypes.data if self._uses_tiles else 0
            found += [self.scores[thread].ctypes.data, sums, self.pair[thread].ctypes.data]
        return np.array(found, dtype=np.int64)

    def abort(self) -> None:
        """A thread has failed: the others must not wait for it."""
        self.is_stopped = True
        self.counter[0] = self.heard[0] = _ABORT


class RotaryTable:
    """Cosines and sines `(positions, head_dim / 2)` (RoPE: Su et al. 2021, arXiv:2104.09864).

    Grows by doubling; a row once made is kept, so that old keys and new ones are turned by the same.
    """

    def __init__(self, head_dim: int, theta: float) -> None:
        exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
        self._frequencies = (1.0 / np.float64(theta) ** exponents).astype(np.float32)
        self._cos = np.empty((0, head_dim // 2), dtype=np.float32)
        self._sin = np.empty((0, head_dim // 2), dtype=np.float32)

    def rows(self, positions: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Those of any positions, `(len(positions), head_dim / 2)` each."""
        known, needed = self._cos.shape[0], int(positions.max()) + 1
        if needed > known:
            fresh = np.arange(known, max(needed, 2 * known, 1024), dtype=np.float32)
            angles = np.outer(fresh, self._frequencies).astype(np.float32)
            self._cos = np.concatenate((self._cos, np.cos(angles)))
            self._sin = np.concatenate((self._sin, np.sin(angles)))
        return self._cos[positions], self._sin[positions]
