"""The tensors of one sequence's KV cache: preallocated slabs, O(1) truncation.

`transformers.DynamicCache` concatenates the whole cache for every generated token; here a row is
written where it belongs and attention reads a view.
"""

from __future__ import annotations

import torch
from torch import Tensor


class SlabKV:
    """Keys and values, `(num_layers, num_kv_heads, capacity, head_dim)` each; rows `[0, length)` are valid.

    Capacity doubles when it runs out; the old rows are copied once.
    """

    def __init__(
        self,
        num_layers: int,
        num_kv_heads: int,
        head_dim: int,
        capacity_tokens: int,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (num_layers, num_kv_heads, max(1, capacity_tokens), head_dim)
        self._keys = torch.empty(shape, dtype=dtype)
        self._values = torch.empty(shape, dtype=dtype)
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
        capacity = max(needed, 2 * self.capacity_tokens)
        self._keys = self._grown(self._keys, capacity)
        self._values = self._grown(self._values, capacity)

    def layer(self, index: int, num_new: int) -> tuple[Tensor, Tensor]:
        """Views `(num_kv_heads, length + num_new, head_dim)` of one layer, the last `num_new` rows writable."""
        end = self._length + num_new
        return self._keys[index, :, :end], self._values[index, :, :end]

    def commit(self, num_new: int) -> None:
        """Rows written through `layer` become valid, once every layer has written them."""
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
        new = torch.empty((*old.shape[:2], capacity, old.shape[3]), dtype=old.dtype)
        new[:, :, : self._length] = old[:, :, : self._length]
        return new
