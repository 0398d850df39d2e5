"""The lean forward pass: q/k/v in one product, gate/up in one, keys and values written in place.

Covers architectures of the form  x += o(attention(norm(x)));  x += down(act(up(norm(x))))  with rotary
positions (rotate-half) and grouped-query attention.  Llama (Touvron et al. 2023, arXiv:2302.13971),
Mistral and Qwen2 have RMS norms and a gated SiLU, StarCoder2 (Lozhkov et al. 2024, arXiv:2402.19173)
layer norms and a plain GELU; biases and a sliding window as `Architecture` says.  Anything else goes
through `transformers_backend`.  Float32 activations.

Rows are independent, bit for bit: a token's keys, values and logits do not depend on how the prompt
was cut into chunks, on whether earlier tokens were prefilled or decoded, nor on other sequences in the
same pass.  The linear layers have exact integer sums and one scale per row; norms and activations work
row by row; attention always sees whole blocks of `KV_BLOCK_TOKENS` columns, masked, so that its sums
have one order, to which a block masked whole adds nothing.  Hence a warm cache gives the text a cold
one gives, resumed at any token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, pad, rms_norm, scaled_dot_product_attention, silu

from .architecture import Architecture
from .kv import KV_BLOCK_TOKENS, SlabKV, whole_blocks
from .language_model import Cancelled, ModelSpec, Span, never
from .linear import Linear
from .rotary import frequencies

TILE_TOKENS = 64
"""Tokens whose queries attend together; with more, torch would walk them in larger tiles and sum in another
order."""


@dataclass(frozen=True, slots=True)
class Layer:
    attn_norm: Tensor  # (hidden,)
    qkv: Linear  # hidden -> (heads + 2 · kv_heads) · head_dim
    o: Linear
    ffn_norm: Tensor
    gate_up: Linear  # hidden -> 2 · intermediate; without a gate, hidden -> intermediate
    down: Linear
    attn_norm_bias: Tensor | None = None  # of layer norms
    ffn_norm_bias: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """`embed` maps ids `(n,)` to rows `(n, hidden)` float32."""

    embed: Callable[[Tensor], Tensor]
    layers: tuple[Layer, ...]
    norm: Tensor
    lm_head: Linear
    norm_bias: Tensor | None = None


class LeanRunner:
    """A `LanguageModel` on the CPU."""

    def __init__(self, architecture: Architecture, weights: Weights, spec: ModelSpec) -> None:
        self._arch = architecture
        self._weights = weights
        self._spec = spec
        self._rope = _RotaryTable(
            frequencies(architecture.head_dim, architecture.rope_theta, architecture.rope_scaling)
        )

    @property
    def spec(self) -> ModelSpec:
        return self._spec

    def new_kv(self, capacity_tokens: int) -> SlabKV:
        arch = self._arch
        return SlabKV(arch.num_layers, arch.num_kv_heads, arch.head_dim, capacity_tokens)

    def forward(
        self, spans: Sequence[Span], is_cancelled: Callable[[], bool] = never
    ) -> list[NDArray[np.float32]]:
        with torch.inference_mode():
            places = [self._place(span) for span in spans]
            x = self._weights.embed(torch.tensor([i for span in spans for i in span.ids]))  # (rows, hidden)
            cos, sin = self._positions(places)
            last = len(self._weights.layers) - 1
            for index, layer in enumerate(self._weights.layers):
                if is_cancelled():
                    raise Cancelled
                if index == last:
                    # Its output is wanted where logits are; its keys and values for every token.
                    x = self._layer(layer, x, places, index, cos, sin, wanted=_wanted(spans))
                else:
                    x = self._layer(layer, x, places, index, cos, sin, wanted=None)
            for place in places:
                place.slab.commit(place.num_new)
            counts = [span.num_logits for span in spans]
            if not x.shape[0]:
                return [np.empty((0, self._spec.vocabulary), dtype=np.float32) for _ in spans]
            x = self._norm(x, self._weights.norm, self._weights.norm_bias)
            logits = cast(
                "NDArray[np.float32]", self._weights.lm_head(x).numpy()
            )  # (wanted rows, vocabulary)
            return np.split(logits, np.cumsum(counts)[:-1])

    def _place(self, span: Span) -> _Place:
        slab = cast("SlabKV", span.kv)
        num_new = len(span.ids)
        assert num_new > 0, "a span has at least one token"
        slab.reserve(num_new)
        tiles = [self._tile(slab.length, start, end) for start, end in _cut(num_new, TILE_TOKENS)]
        return _Place(slab, num_new, tiles)

    def _positions(self, places: Sequence[_Place]) -> tuple[Tensor, Tensor]:
        rows = [self._rope.rows(p.slab.length, p.slab.length + p.num_new) for p in places]
        if len(rows) == 1:
            return rows[0]
        return torch.cat([cos for cos, _ in rows]), torch.cat([sin for _, sin in rows])

    def _layer(
        self,
        layer: Layer,
        x: Tensor,
        places: Sequence[_Place],
        index: int,
        cos: Tensor,
        sin: Tensor,
        *,
        wanted: Tensor | None,
    ) -> Tensor:
        arch = self._arch
        h = self._norm(x, layer.attn_norm, layer.attn_norm_bias)
        heads = layer.qkv(h).view(-1, arch.num_heads + 2 * arch.num_kv_heads, arch.head_dim)
        num_rotated = arch.num_heads + arch.num_kv_heads
        rotated = _rotate(heads[:, :num_rotated], cos, sin)
        queries, keys = rotated[:, : arch.num_heads], rotated[:, arch.num_heads :]
        values = heads[:, num_rotated:]
        outputs: list[Tensor] = []
        at = 0
        for place in places:
            rows = slice(at, at + place.num_new)
            place.slab.write(index, keys[rows].transpose(0, 1), values[rows].transpose(0, 1))
            outputs += [
                self._attend(
                    queries[at + tile.start : at + tile.end],
                    *place.slab.view(index, tile.columns.stop, tile.columns.start),
                    tile.mask,
                )
                for tile in place.tiles
            ]
            at += place.num_new
        attended = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        if wanted is not None:
            attended, x = attended[wanted], x[wanted]
            if not x.shape[0]:
                return x
        x = x + layer.o(attended)
        h = self._norm(x, layer.ffn_norm, layer.ffn_norm_bias)
        return x + layer.down(self._activate(layer.gate_up(h)))

    def _norm(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        arch = self._arch
        if bias is None:
            return rms_norm(x, (arch.hidden,), weight, arch.rms_eps)
        return layer_norm(x, (arch.hidden,), weight, bias, arch.rms_eps)

    def _activate(self, inner: Tensor) -> Tensor:
        """`(n, 2 · intermediate)`, or without a gate `(n, intermediate)`, to `(n, intermediate)`."""
        if self._arch.mlp == "gelu_tanh":
            return _few_at_a_time(_gelu_tanh, inner)
        gate, up = inner.chunk(2, dim=1)
        return _few_at_a_time(silu, gate).mul_(up)

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

    def _tile(self, length: int, start: int, end: int) -> _Tile:
        """New tokens `[start, end)` of a sequence that had `length` before.

        Additive mask `(group · n + padding, columns)`: a token sees the columns up to its own, and no
        further back than the window.  The rows are padded to a multiple of `_ROW_TILE`: left over in
        ones to threes, they would go through another multiplication kernel with another order of sums.
        """
        first, last = length + start, length + end
        window = self._arch.sliding_window or last
        columns = range(max(0, first + 1 - window) // KV_BLOCK_TOKENS * KV_BLOCK_TOKENS, whole_blocks(last))
        position = torch.arange(first, last)[:, None]
        column = torch.arange(columns.start, columns.stop)
        mask = torch.zeros(end - start, len(columns))
        mask.masked_fill_((column > position) | (column <= position - window), float("-inf"))
        group = self._arch.num_heads // self._arch.num_kv_heads
        mask = pad(mask.repeat(group, 1), (0, 0, 0, -group * (end - start) % _ROW_TILE))
        return _Tile(start, end, columns, mask)


_ROW_TILE = 8


@dataclass(frozen=True, slots=True)
class _Tile:
    """Tokens `[start, end)` of a span, whose queries attend together."""

    start: int
    end: int
    columns: range
    """Of the cache, whole blocks; those before are beyond the window of all of them."""
    mask: Tensor


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a span's rows go, and how its queries are cut."""

    slab: SlabKV
    num_new: int
    tiles: list[_Tile]


def _cut(num_tokens: int, size: int) -> list[tuple[int, int]]:
    return [(start, min(num_tokens, start + size)) for start in range(0, num_tokens, size)]


def _wanted(spans: Sequence[Span]) -> Tensor:
    """Indices, among the rows of all spans, of those whose logits are wanted."""
    indices: list[int] = []
    end = 0
    for span in spans:
        end += len(span.ids)
        indices += range(end - span.num_logits, end)
    return torch.tensor(indices, dtype=torch.long)


_SERIAL_NUMBERS = 16_000
"""Activations of fewer numbers than this stay on one thread (torch cuts above 16 384 for gelu, above 32 768
for silu)."""


def _few_at_a_time(activation: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """`activation` of `(n, width)`, some rows at a time.

    Cut among threads, a large tensor is cut anywhere in a row, and numbers left over from whole vectors
    go through another `exp` that differs in the last bit: with three threads a row would depend on n.
    """
    step = max(1, _SERIAL_NUMBERS // x.shape[1])
    if x.shape[0] <= step:
        return activation(x)
    return torch.cat([activation(x[start : start + step]) for start in range(0, x.shape[0], step)])


def _gelu_tanh(x: Tensor) -> Tensor:
    return gelu(x, approximate="tanh")


class _RotaryTable:
    """Cosines and sines `(positions, 1, head_dim)`.

    Grows by doubling; a row once made is kept, so that old keys and new ones are turned by the same.
    """

    def __init__(self, frequencies: NDArray[np.float32]) -> None:
        self._frequencies = torch.tensor(frequencies)  # (head_dim / 2,)
        self._cos = torch.empty(0, 1, 2 * len(frequencies))
        self._sin = torch.empty(0, 1, 2 * len(frequencies))

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
