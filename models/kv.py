"""The tensors of one sequence's KV cache: preallocated slabs, O(1) truncation.

`transformers.DynamicCache` concatenates the whole cache for every generated token; here a row is
written where it belongs and attention reads a view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from .language_model import Rows

KV_BLOCK_TOKENS = 512
"""Attention looks at whole blocks of this many rows, those not yet valid masked.

It is the width in which torch's CPU attention walks the keys: with whole blocks only, the order of
its sums depends on the position of a row, not on the length of the sequence (`runner` says why that
matters).  Measured cost: 0.02 ms per layer for one token.
"""


class SlabKV:
    """Keys and values, `(num_layers, num_kv_heads, capacity, head_dim)` each; rows `[0, length)` are valid.

    Capacity is whole blocks and doubles when it runs out.  Rows never written are zero: they are masked,
    but a NaN there would still spoil the sums.
    """

    def __init__(
        self,
        num_layers: int,
        num_kv_heads: int,
        head_dim: int,
        capacity_tokens: int,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (num_layers, num_kv_heads, whole_blocks(max(1, capacity_tokens)), head_dim)
        self._keys = torch.zeros(shape, dtype=dtype)
        self._values = torch.zeros(shape, dtype=dtype)
        self._length = 0

    @property
    def length(self) -> int:
        return self._length

    @property
    def capacity_tokens(self) -> int:
        return self._keys.shape[2]

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._values.nbytes

    def truncate(self, length: int) -> None:
        assert 0 <= length <= self._length, f"cannot truncate {self._length} rows to {length}"
        self._length = length

    def reserve(self, num_rows: int) -> None:
        """Make room for rows `[length, length + num_rows)`."""
        needed = self._length + num_rows
        if needed <= self.capacity_tokens:
            return
        capacity = whole_blocks(max(needed, 2 * self.capacity_tokens))
        self._keys = self._grown(self._keys, capacity)
        self._values = self._grown(self._values, capacity)

    def write(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Put new rows `(num_kv_heads, n, head_dim)` after the valid ones of one layer."""
        start, end = self._length, self._length + keys.shape[1]
        self._keys[layer, :, start:end] = keys
        self._values[layer, :, start:end] = values

    def view(self, layer: int, end: int, start: int = 0) -> tuple[Tensor, Tensor]:
        """Rows `[start, end)` of one layer, `(num_kv_heads, end - start, head_dim)`, valid or not."""
        return self._keys[layer, :, start:end], self._values[layer, :, start:end]

    def commit(self, num_new: int) -> None:
        """Rows put by `write` become valid, once every layer has put them."""
        self._length += num_new
        assert self._length <= self.capacity_tokens, f"{self._length} rows in {self.capacity_tokens}"

    def copy_out(self, start: int, end: int) -> SlabRows:
        assert 0 <= start < end <= self._length, f"rows [{start}, {end}) of {self._length}"
        return SlabRows(self._keys[:, :, start:end].clone(), self._values[:, :, start:end].clone())

    def copy_in(self, rows: Rows) -> None:
        copied = cast("SlabRows", rows)
        self.reserve(copied.num_rows)
        end = self._length + copied.num_rows
        with torch.inference_mode():  # slabs that grew in a forward pass may be written to only there
            self._keys[:, :, self._length : end] = copied.keys
            self._values[:, :, self._length : end] = copied.values
        self._length = end

    def _grown(self, old: Tensor, capacity: int) -> Tensor:
        new = torch.zeros((*old.shape[:2], capacity, old.shape[3]), dtype=old.dtype)
        new[:, :, : self._length] = old[:, :, : self._length]
        return new


@dataclass(frozen=True, slots=True)
class SlabRows:
    """Rows of a `SlabKV`, `(num_layers, num_kv_heads, n, head_dim)` each."""

    keys: Tensor
    values: Tensor

    @property
    def num_rows(self) -> int:
        return self.keys.shape[2]

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes

    def part(self, start: int, end: int) -> SlabRows:
        assert 0 <= start < end <= self.num_rows, f"rows [{start}, {end}) of {self.num_rows}"
        return SlabRows(self.keys[:, :, start:end].clone(), self.values[:, :, start:end].clone())


def whole_blocks(num_rows: int) -> int:
    """`num_rows`, rounded up to whole blocks."""
    return -(-num_rows // KV_BLOCK_TOKENS) * KV_BLOCK_TOKENS
