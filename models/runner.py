"""The lean forward pass for the llama family: q/k/v in one product, gate/up in one, KV written in place.

Covers architectures of the form  x += o(attention(norm(x)));  x += down(silu(gate) · up)  with RMS
norms, rotary positions (rotate-half) and grouped-query attention: Llama (Touvron et al. 2023,
arXiv:2302.13971), Mistral, Qwen2/2.5 (q/k/v bias).  Anything else goes through
`transformers_backend`.  One sequence per call; float32 activations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu

from .architecture import Architecture
from .kv import SlabKV
from .language_model import KV, Cancelled, ModelSpec, never
from .linear import Linear


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
        assert num_new > 0, "forward needs at least one token"
        with torch.inference_mode():
            slab.reserve(num_new)
            start = slab.length
            cos, sin = self._rope.rows(start, start + num_new)
            mask = _causal_mask(num_new, start, self._arch.num_heads // self._arch.num_kv_heads)
            x = self._weights.embed(torch.tensor(ids, dtype=torch.long))  # (n, hidden)
            last = len(self._weights.layers) - 1
            for index, layer in enumerate(self._weights.layers):
                if is_cancelled():
                    raise Cancelled
                # The last layer's output is wanted for the last token only; its keys and values for all.
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
        mask: Tensor | None,
        *,
        only_last: bool,
    ) -> Tensor:
        arch = self._arch
        num_new = x.shape[0]
        h = rms_norm(x, (arch.hidden,), layer.attn_norm, arch.rms_eps)
        heads = layer.qkv(h).view(num_new, arch.num_heads + 2 * arch.num_kv_heads, arch.head_dim)
        num_rotated = arch.num_heads + arch.num_kv_heads
        rotated = _rotate(heads[:, :num_rotated], cos, sin)
        keys, values = slab.layer(index, num_new)  # (kv_heads, T, head_dim)
        keys[:, -num_new:] = rotated[:, arch.num_heads :].transpose(0, 1)
        values[:, -num_new:] = heads[:, num_rotated:].transpose(0, 1)

        queries = rotated[:, : arch.num_heads]
        if only_last and num_new > 1:
            queries, x, mask = queries[-1:], x[-1:], None
        x = x + layer.o(self._attend(queries, keys, values, mask))
        h = rms_norm(x, (arch.hidden,), layer.ffn_norm, arch.rms_eps)
        gate, up = layer.gate_up(h).split(arch.intermediate, dim=1)
        return x + layer.down(silu(gate).mul_(up))

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """Queries `(n, heads, head_dim)` to `(n, heads · head_dim)`.

        The query heads that share a key head become extra query rows of it, so nothing is repeated.
        """
        arch = self._arch
        num_new = queries.shape[0]
        group = arch.num_heads // arch.num_kv_heads
        grouped = queries.view(num_new, arch.num_kv_heads, group, arch.head_dim).permute(1, 2, 0, 3)
        rows = grouped.reshape(1, arch.num_kv_heads, group * num_new, arch.head_dim)
        out = scaled_dot_product_attention(rows, keys[None], values[None], attn_mask=mask)
        out = out.view(arch.num_kv_heads, group, num_new, arch.head_dim).permute(2, 0, 1, 3)
        return out.reshape(num_new, arch.num_heads * arch.head_dim)


class _RotaryTable:
    """Cosines and sines `(positions, 1, head_dim)`, grown by doubling (RoPE: Su et al. 2021, arXiv:2104.09864)."""

    def __init__(self, head_dim: int, theta: float) -> None:
        exponents = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
        self._frequencies = 1.0 / (theta**exponents)  # (head_dim / 2,)
        self._cos = torch.empty(0, 1, head_dim)
        self._sin = torch.empty(0, 1, head_dim)

    def rows(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        if end > self._cos.shape[0]:
            positions = torch.arange(max(end, 2 * self._cos.shape[0], 1024), dtype=torch.float32)
            angles = torch.outer(positions, self._frequencies)
            doubled = torch.cat((angles, angles), dim=1)[:, None]  # rotate-half pairs i with i + head_dim/2
            self._cos, self._sin = doubled.cos(), doubled.sin()
        return self._cos[start:end], self._sin[start:end]


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`x` `(n, heads, head_dim)` turned by its position."""
    low, high = x.chunk(2, dim=2)
    return x * cos + torch.cat((-high, low), dim=2) * sin


def _causal_mask(num_new: int, start: int, group: int) -> Tensor | None:
    """Additive mask `(group · n, start + n)`: row i sees columns up to `start + i`; None for one token."""
    if num_new == 1:
        return None
    mask = torch.zeros(num_new, start + num_new)
    mask[:, start:] = torch.triu(torch.full((num_new, num_new), float("-inf")), diagonal=1)
    return mask.repeat(group, 1)
