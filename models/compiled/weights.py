"""A packed file as tables of addresses for compiled code, and the arrays they point into.

The matrices are put into tiles (`dot_ir`), by all threads together, when the engine starts; the file is
only read.  Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..architecture import Architecture
from .attention_ir import MIX_COLUMNS
from .dot_ir import BLOCK_OUTPUTS, MAX_WIDTH, STEP_INPUTS, TILE_OUTPUTS
from .kv import Floats
from .tables import ENTRIES, FIELDS, Field, Shape
from .team import Team
from .tile_ir import TILE_INPUTS
from .tiles import tile_rows, untiled_rows

_FLOATS = {Field.ATTN_NORM: "attn_norm.weight", Field.FFN_NORM: "ffn_norm.weight"}
_MATRICES = {Field.QKV: "qkv", Field.O: "o", Field.GATE_UP: "gate_up", Field.DOWN: "down"}


class PackedArrays(Protocol):
    """What is needed of `packed.PackedModel`."""

    architecture: Architecture

    def array(self, name: str) -> NDArray[Any]:
        """A view of the mapping."""
        ...


def supports(architecture: Architecture) -> bool:
    """Whether this model is of the plain form, its widths are whole blocks, and its sums fit."""
    a = architecture
    inner = (a.hidden, a.intermediate, a.q_width)
    outer = (a.qkv_width, a.hidden, a.intermediate, a.vocabulary)
    return (
        a.is_plain
        and all(width % TILE_INPUTS == 0 and width <= MAX_WIDTH for width in inner)
        and all(width % BLOCK_OUTPUTS == 0 for width in outer)
        and a.head_dim % MIX_COLUMNS == 0
        and a.num_heads % a.num_kv_heads == 0
    )


class TiledWeights:
    """`shape` and `layers` are what `passes` wants."""

    def __init__(self, packed: PackedArrays, team: Team) -> None:
        a = self.architecture = packed.architecture
        self._packed = packed
        self._team = team
        self._held: list[NDArray[Any]] = []
        self.layers = np.zeros((a.num_layers, FIELDS), dtype=np.int64)
        for index in range(a.num_layers):
            names = dict(_FLOATS)
            if a.qkv_bias:
                names[Field.QKV_BIAS] = "qkv.bias"
            for field, name in names.items():
                self.layers[index, field] = self._hold(self._floats(f"layers.{index}.{name}"))
            for field, name in _MATRICES.items():
                self.layers[index, field : field + 3] = self._matrix(f"layers.{index}.{name}")[0]
        self.shape = np.zeros(ENTRIES, dtype=np.int64)
        self.shape[: Shape.NORM] = (
            a.num_layers, a.hidden, a.num_heads, a.num_kv_heads, a.head_dim, a.intermediate, a.vocabulary,
        )  # fmt: skip
        self.shape[Shape.NORM] = self._hold(self._floats("norm.weight"))
        head, self._embed, self._embed_scale = self._matrix("embed")
        self.shape[Shape.HEAD :] = head if a.tied_embeddings else self._matrix("lm_head")[0]
        del self._packed  # has been read; its pages need not stay

    def embed(self, ids: Sequence[int]) -> Floats:
        """Rows `(len(ids), hidden)`."""
        index = np.asarray(ids, dtype=np.int64)
        rows = untiled_rows(self._embed, index).astype(np.float32)
        return rows * self._embed_scale[index][:, None]

    def _matrix(self, name: str) -> tuple[tuple[int, int, int], NDArray[np.int8], Floats]:
        """Addresses of tiles, scales and corrections; tiles and scales."""
        rows: NDArray[np.int8] = self._packed.array(f"{name}.weight")
        assert rows.flags.c_contiguous, f"{name} is not row after row"
        num_out, width = rows.shape
        tiles = np.empty((num_out // TILE_OUTPUTS, width // STEP_INPUTS, TILE_OUTPUTS, STEP_INPUTS), np.int8)
        corrections = np.empty(num_out, dtype=np.int32)
        source, target, found = (array.ctypes.data for array in (rows, tiles, corrections))
        threads, whole = self._team.num_threads, num_out // TILE_OUTPUTS

        def work(thread: int) -> None:
            first, last = (TILE_OUTPUTS * (whole * t // threads) for t in (thread, thread + 1))
            tile_rows(source, width, target, found, first, last)

        self._team.run(work)
        scale = self._floats(f"{name}.scale")
        return (self._hold(tiles), self._hold(scale), self._hold(corrections)), tiles, scale

    def _floats(self, name: str) -> Floats:
        """A copy: small, and never paged out with the mapping."""
        return self._packed.array(name).copy()

    def _hold(self, array: NDArray[Any]) -> int:
        self._held.append(array)
        return array.ctypes.data
