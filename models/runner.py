"""The lean forward pass for the llama family: q/k/v in one product, gate/up in one, KV written in place.

Covers architectures of the form  x += o(attention(norm(x)));  x += down(silu(gate) · up)  with RMS
norms, rotary positions (rotate-half) and grouped-query attention: Llama (Touvron et al. 2023,
arXiv:2302.13971), Mistral, Qwen2/2.5 (q/k/v bias).  Anything else goes through
`transformers_backend`.  One sequence per call; float32 activations.

Rows are independent, bit for bit: a token's keys, values and logits do not depend on how the prompt
was cut into chunks, nor on whether earlier tokens were prefilled or decoded.  The linear layers have
exact integer sums and one scale per row; norms and activations work row by row; attention always
sees whole blocks of `KV_BLOCK_TOKENS` columns, masked, so that its sums have one order.  Hence a warm
cache gives the text a cold one gives, resumed at any token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad, rms_norm, scaled_dot_product_attention, silu

from .architecture import Architecture
from .kv import SlabKV
from .language_model import KV, Cancelled, ModelSpec, never
from .linear import Linear

MAX_ROWS = 64
"""Tokens per call; beyond, attention would walk its queries in larger tiles and sum in another order."""


@dataclass(frozen=True, slots=True)
class Layer:
    attn_norm: Tensor  # (hidden,)
    qkv: Linear  # hidden -> (heads + 2 · kv_heads) · head_dim
    o: Linear
    ffn_norm: Tensor
    gate_up: Linear  # hidden -> 2 · intermediate
    down: Linear


@dataclass(frozen=True, slots=True)
class Weights:
    """`embed` maps ids `(n,)` to rows `(n, hidden)` float32."""

    embed: Callable[[Tensor], Tensor]
    layers: tuple[Layer, ...]
    norm: Tensor
    lm_head: Linear


class LeanRunner:
    """A `LanguageModel` on the CPU."""

    def __init__(self, architecture: Architecture, weights: Weights, spec: ModelSpec) -> None:
        self._arch = architecture
        self._weights = weights
        self._spec = spec
        self._rope = _RotaryTable(architecture.head_dim, architecture.rope_theta)

    @property
    def spec(self) -> ModelSpec:
        return self._spec

    def new_kv(self, capacity_tokens: int) -> SlabKV:
        arch = self._arch
        return SlabKV(arch.num_layers, arch.num_kv_heads, arch.head_dim, capacity_tokens)

    def forward(
        self, ids: Sequence[int], kv: KV, is_cancelled: Callable[[], bool] = never
    ) -> NDArray[np.float32]:
        slab = cast("SlabKV", kv)
        num_new = len(ids)
        assert 0 < num_new <= MAX_ROWS, f"{num_new} tokens in one call; rows are independent up to {MAX_ROWS}"
        with torch.inference_mode():
            slab.reserve(num_new)
            start = slab.length
            cos, sin = self._rope.rows(start, start + num_new)
            columns = slab.columns(num_new)
            mask = self._mask(start, num_new, columns)
            x = self._weights.embed(torch.tensor(ids, dtype=torch.long))  # (n, hidden)
            last = len(self._weights.layers) - 1
            for index, layer in enumerate(self._weights.layers):
                if is_cancelled():
                    raise Cancelled
                if index == last and num_new > 1:
                    # Its output is wanted for the last token only; its keys and values for all.
                    mask = self._mask(start + num_new - 1, 1, columns)
                x = self._layer(layer, x, slab, index, cos, sin, mask, only_last=index == last)
            slab.commit(num_new)
            x = rms_norm(x, (self._arch.hidden,), self._weights.norm, self._arch.rms_eps)
            logits = self._weights.lm_head(x)  # (1, vocabulary)
            return cast("NDArray[np.float32]", logits[0].numpy())

    def _layer(
        self,
        layer: Layer,
        x: Tensor,
        slab: SlabKV,
        index: int,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor,
        *,
        only_last: bool,
    ) -> Tensor:
        arch = self._arch
        num_new = x.shape[0]
        h = rms_norm(x, (arch.hidden,), layer.attn_norm, arch.rms_eps)
        heads = layer.qkv(h).view(num_new, arch.num_heads + 2 * arch.num_kv_heads, arch.head_dim)
        num_rotated = arch.num_heads + arch.num_kv_heads
        rotated = _rotate(heads[:, :num_rotated], cos, sin)
        new_keys, new_values = rotated[:, arch.num_heads :], heads[:, num_rotated:]
        keys, values = slab.write(index, new_keys.transpose(0, 1), new_values.transpose(0, 1))

        queries = rotated[:, : arch.num_heads]
        if only_last:
            queries, x = queries[-1:], x[-1:]
        x = x + layer.o(self._attend(queries, keys, values, mask))
        h = rms_norm(x, (arch.hidden,), layer.ffn_norm, arch.rms_eps)
        gate, up = layer.gate_up(h).chunk(2, dim=1)
        return x + layer.down(_silu(gate).mul_(up))

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Queries `(n, heads, head_dim)` to `(n, heads · head_dim)`.

        The query heads that share a key head become extra query rows of it, so nothing is repeated.
        Keys and values are `(kv_heads, columns, head_dim)`, masked beyond the valid rows.
        """
        arch = self._arch
        num_new = queries.shape[0]
        group = arch.num_heads // arch.num_kv_heads
        grouped = queries.view(num_new, arch.num_kv_heads, group, arch.head_dim).permute(1, 2, 0, 3)
        rows = grouped.reshape(1, arch.num_kv_heads, group * num_new, arch.head_dim)
        rows = pad(rows, (0, 0, 0, mask.shape[0] - group * num_new))
        out = scaled_dot_product_attention(rows, keys[None], values[None], attn_mask=mask)
        out = out[0, :, : group * num_new].view(arch.num_kv_heads, group, num_new, arch.head_dim)
        return out.permute(2, 0, 1, 3).reshape(num_new, arch.num_heads * arch.head_dim)

    def _mask(self, start: int, num_new: int, num_columns: int) -> Tensor:
        """Additive mask `(group · n + padding, columns)`: the rows of token i see columns up to `start + i`.

        The rows are padded to a multiple of `_ROW_TILE`: left over in ones to threes, they would go
        through another multiplication kernel with another order of sums.
        """
        mask = torch.zeros(num_new, num_columns)
        later = torch.arange(num_columns) > torch.arange(start, start + num_new)[:, None]
        mask.masked_fill_(later, float("-inf"))
        num_rows = num_new * (self._arch.num_heads // self._arch.num_kv_heads)
        return pad(mask.repeat(num_rows // num_new, 1), (0, 0, 0, -num_rows % _ROW_TILE))


_ROW_TILE = 8


_SERIAL_NUMBERS = 32_000
"""Element-wise operations on fewer numbers than this stay on one thread (torch cuts above 32 768)."""


def _silu(x: Tensor) -> Tensor:
    """`silu` of `(n, width)`, some rows at a time.

    Cut among threads, a large tensor is cut anywhere in a row, and numbers left over from whole vectors
    go through another `exp` that differs in the last bit: with three threads a row would depend on n.
    """
    step = max(1, _SERIAL_NUMBERS // x.shape[1])
    if x.shape[0] <= step:
        return silu(x)
    return torch.cat([silu(x[start : start + step]) for start in range(0, x.shape[0], step)])


class _RotaryTable:
    """Cosines and sines `(positions, 1, head_dim)` (RoPE: Su et al. 2021, arXiv:2104.09864).

    Grows by doubling; a row once made is kept, so that old keys and new ones are turned by the same.
    """

    def __init__(self, head_dim: int, theta: float) -> None:
        exponents = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
        self._frequencies = 1.0 / (theta**exponents)  # (head_dim / 2,)
        self._cos = torch.empty(0, 1, head_dim)
        self._sin = torch.empty(0, 1, head_dim)

    def rows(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        known = self._cos.shape[0]
        if end > known:
            positions = torch.arange(known, max(end, 2 * known, 1024), dtype=torch.float32)
            angles = torch.outer(positions, self._frequencies)
            doubled = torch.cat((angles, angles), dim=1)[:, None]  # rotate-half pairs i with i + head_dim/2
            self._cos = torch.cat((self._cos, doubled.cos()))
            self._sin = torch.cat((self._sin, doubled.sin()))
        return self._cos[start:end], self._sin[start:end]


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`x` `(n, heads, head_dim)` turned by its position."""
    low, high = x.chunk(2, dim=2)
    return x * cos + torch.cat((-high, low), dim=2) * sin
