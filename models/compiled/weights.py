"""A packed file as tables of addresses for compiled code, and the tensors they point into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..architecture import Architecture
from .attention_ir import MIX_COLUMNS
from .dot_ir import BLOCK_ROWS, DOT_WIDTH, MAX_WIDTH
from .tables import Field, Shape

Floats = NDArray[np.float32]

_FLOATS = {
    Field.ATTN_NORM: "attn_norm.weight",
    Field.QKV_SCALE: "qkv.scale",
    Field.O_SCALE: "o.scale",
    Field.FFN_NORM: "ffn_norm.weight",
    Field.GATE_UP_SCALE: "gate_up.scale",
    Field.DOWN_SCALE: "down.scale",
}
_MATRICES = {
    Field.QKV: "qkv.weight",
    Field.O: "o.weight",
    Field.GATE_UP: "gate_up.weight",
    Field.DOWN: "down.weight",
}


class PackedTensors(Protocol):
    """What is needed of `packed.PackedModel`."""

    architecture: Architecture

    def tensor(self, name: str) -> Tensor: ...


def supports(architecture: Architecture) -> bool:
    """Whether this model is of the plain form, its widths are whole vectors, and its sums fit."""
    a = architecture
    inner = (a.hidden, a.intermediate, a.q_width)
    return (
        a.is_plain
        and all(width % DOT_WIDTH == 0 and width <= MAX_WIDTH for width in inner)
        and all(width % BLOCK_ROWS == 0 for width in (a.qkv_width, a.vocabulary))
        and a.head_dim % MIX_COLUMNS == 0
        and a.num_heads % a.num_kv_heads == 0
    )


class CompiledWeights:
    """`shape` and `layers` are what `passes` wants; the big matrices stay in the mapping they come from."""

    def __init__(self, packed: PackedTensors) -> None:
        a = self.architecture = packed.architecture
        self._held: list[object] = [packed]
        self.matrices: list[dict[Field, Tensor]] = []
        """Of each layer, transposed views `(in, out)`: what torch multiplies by, without a copy."""
        self.layers = np.zeros((a.num_layers, len(Field)), dtype=np.int64)
        for index in range(a.num_layers):
            names = {field: f"layers.{index}.{name}" for field, name in _FLOATS.items()}
            if a.qkv_bias:
                names[Field.QKV_BIAS] = f"layers.{index}.qkv.bias"
            for field, name in names.items():
                self.layers[index, field] = self._copy(packed, name)
            matrices = {field: packed.tensor(f"layers.{index}.{name}") for field, name in _MATRICES.items()}
            for field, matrix in matrices.items():
                assert matrix.is_contiguous(), f"layer {index}: {field.name} is not row after row"
                self.layers[index, field] = matrix.data_ptr()
            self.matrices.append({field: matrix.t() for field, matrix in matrices.items()})
        head = packed.tensor("embed.weight" if a.tied_embeddings else "lm_head.weight")
        self._held.append(head)
        self.shape = np.zeros(len(Shape), dtype=np.int64)
        self.shape[: Shape.NORM] = (
            a.num_layers, a.hidden, a.num_heads, a.num_kv_heads, a.head_dim, a.intermediate, a.vocabulary,
        )  # fmt: skip
        self.shape[Shape.NORM] = self._copy(packed, "norm.weight")
        self.shape[Shape.HEAD] = head.data_ptr()
        self.shape[Shape.HEAD_SCALE] = self._copy(
            packed, "embed.scale" if a.tied_embeddings else "lm_head.scale"
        )
        self._embed = cast("NDArray[np.int8]", packed.tensor("embed.weight").numpy())
        self._embed_scale = cast("Floats", packed.tensor("embed.scale").clone().numpy())

    def embed(self, ids: Sequence[int]) -> Floats:
        """Rows `(len(ids), hidden)`."""
        index = np.asarray(ids, dtype=np.int64)
        return self._embed[index].astype(np.float32) * self._embed_scale[index][:, None]

    def _copy(self, packed: PackedTensors, name: str) -> int:
        """The address of a copy of some floats: small, and never paged out with the mapping."""
        tensor = packed.tensor(name).clone()
        self._held.append(tensor)
        return tensor.data_ptr()
