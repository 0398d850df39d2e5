"""Weights for the lean runner: int8 from the packed file, or float32 as published."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .architecture import Architecture
from .linear import Fp32Linear, Kernel, Linear, int8_linear
from .packed import Linear as Matrix
from .packed import PackedModel, linears, mlp_name, open_packed
from .runner import Layer, Weights

if TYPE_CHECKING:
    from .published import Published


def int8_weights(packed: PackedModel, kernel: Kernel) -> Weights:
    """Big matrices may stay in the mapping; norms, scales and biases are copied."""

    def vector(name: str) -> Tensor:
        return packed.tensor(name).clone()

    def linear(matrix: Matrix) -> Linear:
        name = matrix.name
        bias = vector(f"{name}.bias") if matrix.bias else None
        return int8_linear(packed.tensor(f"{name}.weight"), vector(f"{name}.scale"), bias, kernel)

    def embed() -> Callable[[Tensor], Tensor]:
        # Mapped afresh: the first mapping, whose pages the packing has touched, is let go.
        fresh = open_packed(packed.path)
        rows, scale = fresh.tensor("embed.weight"), fresh.tensor("embed.scale")
        return lambda ids: rows[ids].to(torch.float32).mul_(scale[ids][:, None])

    return _weights(packed.architecture, vector, linear, embed)


def fp32_weights(published: Published) -> Weights:
    """The reference: nothing is quantised."""

    def tensor(name: str) -> Tensor:
        array = published.tensor(name)
        if not array.flags.writeable:  # what needs no dequantising is a view of the file, and small
            array = array.copy()
        return torch.from_numpy(array)  # pyright: ignore[reportUnknownMemberType]  # torch's stub is partial

    def linear(matrix: Matrix) -> Linear:
        if matrix.name == "embed":
            return Fp32Linear(table)
        parts = [tensor(f"{part}.weight") for part in matrix.parts]
        weight = parts[0] if len(parts) == 1 else torch.cat(parts)
        bias = torch.cat([tensor(f"{part}.bias") for part in matrix.parts]) if matrix.bias else None
        return Fp32Linear(weight, bias)

    table = tensor("embed.weight")
    return _weights(published.architecture, tensor, linear, lambda: lambda ids: table[ids])


def _weights(
    architecture: Architecture,
    vector: Callable[[str], Tensor],
    linear: Callable[[Matrix], Linear],
    embed: Callable[[], Callable[[Tensor], Tensor]],
) -> Weights:
    matrices = {matrix.name: matrix for matrix in linears(architecture)}

    def norm_bias(name: str) -> Tensor | None:
        return vector(f"{name}.bias") if architecture.norm == "layer" else None

    def layer(at: str) -> Layer:
        return Layer(
            attn_norm=vector(f"{at}.attn_norm.weight"),
            qkv=linear(matrices[f"{at}.qkv"]),
            o=linear(matrices[f"{at}.o"]),
            ffn_norm=vector(f"{at}.ffn_norm.weight"),
            gate_up=linear(matrices[f"{at}.{mlp_name(architecture)}"]),
            down=linear(matrices[f"{at}.down"]),
            attn_norm_bias=norm_bias(f"{at}.attn_norm"),
            ffn_norm_bias=norm_bias(f"{at}.ffn_norm"),
        )

    layers = tuple(layer(f"layers.{index}") for index in range(architecture.num_layers))
    head = linear(matrices["embed" if architecture.tied_embeddings else "lm_head"])
    return Weights(embed(), layers, vector("norm.weight"), head, norm_bias("norm"))
