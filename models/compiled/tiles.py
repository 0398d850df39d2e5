"""Weights in the order in which they are multiplied (`dot_ir`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiling import carray, compiled, entry_point
from .dot_ir import STEP_INPUTS, TILE_OUTPUTS
from .kernels import bytes_at, ints_at


@compiled
def _tile_row(source: int, target: int, width: int) -> int:
    """One row into its lane of a tile; the sum of it."""
    row = carray(bytes_at(source), width)
    lane = carray(bytes_at(target), width * TILE_OUTPUTS)
    total = np.int64(0)
    for k in range(0, width, STEP_INPUTS):
        for i in range(STEP_INPUTS):
            lane[k * TILE_OUTPUTS + i] = row[k + i]
            total += row[k + i]
    return int(total)


@entry_point
def tile_rows(rows: int, width: int, tiles: int, corrections: int, first: int, last: int) -> None:
    """Rows `[first, last)` of int8 `(out, width)` to tiles, and what unsigned activations count too much."""
    found = carray(ints_at(corrections), last)
    for row in range(first, last):
        tile, lane = row // TILE_OUTPUTS, row % TILE_OUTPUTS
        target = tiles + tile * TILE_OUTPUTS * width + lane * STEP_INPUTS
        found[row] = np.int32(128 * _tile_row(rows + row * width, target, width))


def untiled_rows(tiles: NDArray[np.int8], index: NDArray[np.int64]) -> NDArray[np.int8]:
    """Rows `index` of the matrix that `tiles` `(out / 16, in / 4, 16, 4)` holds."""
    return tiles[index // TILE_OUTPUTS, :, index % TILE_OUTPUTS].reshape(len(index), -1)
