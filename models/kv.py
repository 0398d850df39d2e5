"""The tensors of one sequence's KV cache: preallocated slabs, O(1) truncation.

`transformers.DynamicCache` concatenates the whole cache for every generated token; here a row is
written where it belongs and attention reads a view.
"""

from __future__ import annotations

import torch
from torch import Tensor

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
        shape = (num_layers, num_kv_heads, _whole_blocks(max(1, capacity_tokens)), head_dim)
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
        capacity = _whole_blocks(max(needed, 2 * self.capacity_tokens))
        self._keys = self._grown(self._keys, capacity)
        self._values = self._grown(self._values, capacity)

    def columns(self, num_new: int) -> int:
        """How many rows attention sees after `num_new` more: whole blocks."""
        return _whole_blocks(self._length + num_new)

    def write(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put new rows `(num_kv_heads, n, head_dim)` after the valid ones of one layer.

        Returns views `(num_kv_heads, columns(n), head_dim)` of all the layer's rows.
        """
        start, end = self._length, self._length + keys.shape[1]
        self._keys[layer, :, start:end] = keys
        self._values[layer, :, start:end] = values
        columns = _whole_blocks(end)
        return self._keys[layer, :, :columns], self._values[layer, :, :columns]

    def commit(self, num_new: int) -> None:
        """Rows put by `write` become valid, once every layer has put them."""
        self._length += num_new
        assert self._length <= self.capacity_tokens, f"{self._length} rows in {self.capacity_tokens}"

    def copy_prefix(self, length: int, capacity_tokens: int) -> SlabKV:
        """A new sequence that begins with a copy of rows `[0, length)`."""
        num_layers, num_kv_heads, _, head_dim = self._keys.shape
        fork = SlabKV(num_layers, num_kv_heads, head_dim, max(capacity_tokens, length), self._keys.dtype)
        fork._keys[:, :, :length] = self._keys[:, :, :length]
        fork._values[:, :, :length] = self._values[:, :, :length]
        fork._length = length
        return fork

    def _grown(self, old: Tensor, capacity: int) -> Tensor:
        new = torch.zeros((*old.shape[:2], capacity, old.shape[3]), dtype=old.dtype)
        new[:, :, : self._length] = old[:, :, : self._length]
        return new


def _whole_blocks(num_rows: int) -> int:
    return -(-num_rows // KV_BLOCK_TOKENS) * KV_BLOCK_TOKENS
