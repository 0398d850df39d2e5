"""Memory of a pass, kept between passes, and the angles of rotary positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..architecture import Architecture
from .attention import MAX_GROUP
from .compiling import Whole
from .dot_ir import BLOCK_ROWS
from .kv import Floats
from .tables import FEW_ROWS


class Room:
    """Arrays for as many rows and columns of scores as a pass ever needed."""

    def __init__(self, architecture: Architecture, num_threads: int) -> None:
        self._arch = architecture
        self._num_threads = num_threads
        self._rows = 0
        self._columns = 0
        self.counter = np.zeros(1, dtype=np.int64)
        self.prepare(FEW_ROWS, 1024)

    @property
    def nbytes(self) -> int:
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    def prepare(self, num_rows: int, num_columns: int) -> None:
        """Make room for a pass of so many rows, over sequences of up to so many tokens' capacity."""
        self.counter[0] = 0
        if num_rows <= self._rows and num_columns <= self._columns:
            return
        self._rows = rows = max(self._rows, -(-num_rows // BLOCK_ROWS) * BLOCK_ROWS)
        self._columns = columns = max(self._columns, num_columns)
        a, threads = self._arch, self._num_threads
        group = min(MAX_GROUP, a.num_heads // a.num_kv_heads)
        widest = max(a.hidden, a.intermediate, a.q_width)
        self.x = np.zeros((rows, a.hidden), dtype=np.float32)
        self.qkv = np.zeros((rows, a.qkv_width), dtype=np.float32)
        self.attended = np.zeros((rows, a.q_width), dtype=np.float32)
        # Rows of a small pass, or one row for each thread of a large one.
        self.gate_up = np.zeros((max(FEW_ROWS, threads), 2 * a.intermediate), dtype=np.float32)
        self.active = np.zeros((max(FEW_ROWS, threads), a.intermediate), dtype=np.float32)
        self.cos = np.zeros((rows, a.head_dim // 2), dtype=np.float32)
        self.sin = np.zeros((rows, a.head_dim // 2), dtype=np.float32)
        self.levels8 = np.zeros((rows, widest), dtype=np.int8)
        self.scales8 = np.zeros(rows, dtype=np.float32)
        self.normed = np.zeros((threads, FEW_ROWS, a.hidden), dtype=np.float32)
        self.levels = np.zeros((threads, FEW_ROWS, widest), dtype=np.int16)
        self.scales = np.zeros((threads, FEW_ROWS), dtype=np.float32)
        self.scores = np.zeros((threads, group * columns), dtype=np.float32)

    def addresses(self, logits: Floats) -> Whole:
        """In the order of `tables.Buffer`, then of `tables.Own` for each thread; good for this pass."""
        shared = (
            self.x, self.qkv, self.attended, self.gate_up, self.active,
            self.cos, self.sin, self.counter, logits,
        )  # fmt: skip
        own = (self.normed, self.levels, self.scales, self.scores)
        parts = [array[t] for t in range(self._num_threads) for array in own]
        return np.array([array.ctypes.data for array in (*shared, *parts)], dtype=np.int64)


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
