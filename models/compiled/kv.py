"""Keys and values of one sequence, laid out for the compiled passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..language_model import Rows

_BLOCK_TOKENS = 64
"""Capacity is whole blocks: a row of scores is whole vectors."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ColumnRows:
    """Of a `ColumnKV`: keys `(layers, kv_heads, head_dim, n)`, values `(layers, kv_heads, n, head_dim)`."""

    keys: Floats
    values: Floats

    @property
    def num_rows(self) -> int:
        return self.keys.shape[3]

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes

    def part(self, start: int, end: int) -> ColumnRows:
        assert 0 <= start < end <= self.num_rows, f"rows [{start}, {end}) of {self.num_rows}"
        return ColumnRows(self.keys[..., start:end].copy(), self.values[:, :, start:end].copy())


class ColumnKV:
    """Keys `(layers, kv_heads, head_dim, capacity)`, values `(layers, kv_heads, capacity, head_dim)`.

    A key is a column, so that the keys of neighbouring tokens are neighbours in memory and are scored
    sixteen at a time.  Capacity doubles when it runs out; memory is taken as it is first touched.
    """

    def __init__(self, num_layers: int, num_kv_heads: int, head_dim: int, capacity_tokens: int) -> None:
        self._shape = (num_layers, num_kv_heads, head_dim)
        self._keys, self._values = self._slabs(_whole_blocks(max(1, capacity_tokens)))
        self._length = 0

    @property
    def length(self) -> int:
        return self._length

    @property
    def capacity_tokens(self) -> int:
        return self._keys.shape[3]

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._values.nbytes

    @property
    def addresses(self) -> tuple[int, int]:
        """Of keys and values; good until the next `reserve`."""
        return self._keys.ctypes.data, self._values.ctypes.data

    def truncate(self, length: int) -> None:
        assert 0 <= length <= self._length, f"cannot truncate {self._length} rows to {length}"
        self._length = length

    def reserve(self, num_rows: int) -> None:
        """Make room for rows `[length, length + num_rows)`."""
        needed = self._length + num_rows
        if needed <= self.capacity_tokens:
            return
        keys, values = self._slabs(_whole_blocks(max(needed, 2 * self.capacity_tokens)))
        keys[..., : self._length] = self._keys[..., : self._length]
        values[:, :, : self._length] = self._values[:, :, : self._length]
        self._keys, self._values = keys, values

    def commit(self, num_new: int) -> None:
        """Rows written at `[length, length + num_new)` become valid."""
        self._length += num_new
        assert self._length <= self.capacity_tokens, f"{self._length} rows in {self.capacity_tokens}"

    def copy_out(self, start: int, end: int) -> ColumnRows:
        assert 0 <= start < end <= self._length, f"rows [{start}, {end}) of {self._length}"
        return ColumnRows(self._keys[..., start:end].copy(), self._values[:, :, start:end].copy())

    def copy_in(self, rows: Rows) -> None:
        copied = cast("ColumnRows", rows)
        self.reserve(copied.num_rows)
        end = self._length + copied.num_rows
        self._keys[..., self._length : end] = copied.keys
        self._values[:, :, self._length : end] = copied.values
        self._length = end

    def _slabs(self, capacity: int) -> tuple[Floats, Floats]:
        layers, heads, dim = self._shape
        # Zeros cost nothing until they are touched.
        keys = np.zeros((layers, heads, dim, capacity), dtype=np.float32)
        return keys, np.zeros((layers, heads, capacity, dim), dtype=np.float32)


def _whole_blocks(num_rows: int) -> int:
    return -(-num_rows // _BLOCK_TOKENS) * _BLOCK_TOKENS
