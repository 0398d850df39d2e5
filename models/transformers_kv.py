"""One sequence's keys and values for a model of transformers: its cache interface, our storage.

`DynamicCache` concatenates the whole cache for every token, and `StaticCache` cannot be cut.  Here a
layer owns slabs that double when full; attention reads views of them, and forgetting rows is a number.

Who owns which rows of a layer:

    [0, kv.length)              committed: every layer has them
    [kv.length, layer length)   of a forward pass in progress; after a failed one layers differ here,
                                until `roll_back`
    beyond                      anything
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from .language_model import Rows

_MIN_ROWS = 64


class SlabLayer(CacheLayerMixin):
    """One layer: `(1, kv_heads, capacity, head_dim)` each for keys and values, made at the first update.

    Layers with a sliding window keep all their rows too, and transformers' mask hides what is outside
    the window: any earlier length can be gone back to.
    """

    is_sliding = False
    is_croppable = True

    def __init__(self, capacity_tokens: int) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]  # untyped keyword arguments
        self._capacity = max(_MIN_ROWS, capacity_tokens)
        self._length = 0
        self._key_slab = torch.empty(0)
        self._value_slab = torch.empty(0)

    @property
    def length(self) -> int:
        return self._length

    @property
    def nbytes(self) -> int:
        return self._key_slab.nbytes + self._value_slab.nbytes

    def truncate(self, length: int) -> None:
        """Keep at most `length` rows."""
        self._length = min(self._length, length)

    def copy_out(self, start: int, end: int) -> LayerRows | None:
        """None: the layer never has rows of its own."""
        if not self.is_initialized:
            return None
        return LayerRows(self._key_slab[:, :, start:end].clone(), self._value_slab[:, :, start:end].clone())

    # -- what transformers calls ------------------------------------------------------------------

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self._key_slab = _slab_like(key_states, self._capacity)
        self._value_slab = _slab_like(value_states, self._capacity)
        self.is_initialized = True

    def update(
        self,
        key_states: Tensor,
        value_states: Tensor,
        *args: Any,  # noqa: ARG002  (for other kinds of layer)
        **kwargs: Any,  # noqa: ARG002  (as above)
    ) -> tuple[Tensor, Tensor]:
        """Append `(1, kv_heads, n, head_dim)`; views of all valid rows."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start, end = self._length, self._length + key_states.shape[2]
        if end > self._capacity:
            self._grow(max(end, 2 * self._capacity))
        self._key_slab[:, :, start:end] = key_states
        self._value_slab[:, :, start:end] = value_states
        self._length = end
        self.keys, self.values = self._key_slab[:, :, :end], self._value_slab[:, :, :end]
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self._length

    def get_mask_sizes(self, query_length: int | Tensor) -> tuple[int, int]:
        """Rows that attention will see, and the first of them; older transformers pass positions."""
        num_new = query_length if isinstance(query_length, int) else query_length.shape[0]
        return self._length + num_new, 0

    def get_max_length(self) -> int:
        """No maximum."""
        return -1

    def get_max_cache_shape(self) -> int:
        """`get_max_length` of older transformers."""
        return -1

    def reset(self) -> None:
        self._length = 0

    def crop(self, tokens_to_remove: int) -> None:
        """Forget that many rows, given as a negative number as transformers wants it."""
        assert tokens_to_remove <= 0, f"crop({tokens_to_remove}): a positive number is not a length here"
        self.truncate(self._length + tokens_to_remove)

    def _grow(self, capacity: int) -> None:
        # Both before either is replaced: out of memory must leave a layer whole.
        keys, values = _slab_like(self._key_slab, capacity), _slab_like(self._value_slab, capacity)
        keys[:, :, : self._length] = self._key_slab[:, :, : self._length]
        values[:, :, : self._length] = self._value_slab[:, :, : self._length]
        self._key_slab, self._value_slab, self._capacity = keys, values, capacity


@dataclass(frozen=True, slots=True)
class LayerRows:
    """Rows of one layer, `(1, kv_heads, n, head_dim)` each."""

    keys: Tensor
    values: Tensor


@dataclass(frozen=True, slots=True)
class TransformersRows:
    """Rows of a `TransformersKV`, layer by layer, on its device."""

    num_rows: int
    layers: tuple[LayerRows | None, ...]

    @property
    def nbytes(self) -> int:
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self.layers if layer)

    def part(self, start: int, end: int) -> TransformersRows:
        assert 0 <= start < end <= self.num_rows, f"rows [{start}, {end}) of {self.num_rows}"
        return TransformersRows(
            end - start,
            tuple(
                layer
                and LayerRows(layer.keys[:, :, start:end].clone(), layer.values[:, :, start:end].clone())
                for layer in self.layers
            ),
        )


class TransformersKV:
    """A `KV` that a transformers model fills through `cache`."""

    def __init__(self, layers: list[SlabLayer]) -> None:
        self._layers = layers
        self._length = 0
        self.cache = Cache(layers=list(layers))

    @property
    def length(self) -> int:
        return self._length

    @property
    def nbytes(self) -> int:
        return sum(layer.nbytes for layer in self._layers)

    def truncate(self, length: int) -> None:
        assert 0 <= length <= self._length, f"cannot truncate {self._length} rows to {length}"
        self._length = length
        self.roll_back()

    def commit(self, num_new: int) -> None:
        """Rows written since the last commit become valid: the same `num_new` in every layer in use."""
        expected = self._length + num_new
        # A layer that reads another one's rows (Gemma 3n) never has any of its own.
        lengths = {layer.length for layer in self._layers if layer.is_initialized}
        assert lengths == {expected}, (
            f"layers have {sorted(lengths)} rows after a forward pass, not {expected}"
        )
        self._length = expected

    def roll_back(self) -> None:
        """Forget what a forward pass that did not finish has written."""
        for layer in self._layers:
            layer.truncate(self._length)

    def copy_out(self, start: int, end: int) -> TransformersRows:
        assert 0 <= start < end <= self._length, f"rows [{start}, {end}) of {self._length}"
        with torch.inference_mode():  # as where they are written
            return TransformersRows(end - start, tuple(layer.copy_out(start, end) for layer in self._layers))

    def copy_in(self, rows: Rows) -> None:
        copied = cast("TransformersRows", rows)
        try:
            with torch.inference_mode():  # slabs are inference tensors; nothing else may write to them
                for layer, part in zip(self._layers, copied.layers, strict=True):
                    if part is not None:
                        layer.update(part.keys, part.values)
            self.commit(copied.num_rows)
        finally:
            self.roll_back()  # nothing to do after a commit


def _slab_like(states: Tensor, capacity: int) -> Tensor:
    return states.new_empty((states.shape[0], states.shape[1], capacity, states.shape[3]))
