"""The pieces of a transformer layer on rows of floats, compiled by numba.

Rows are tokens.  Each function works on rows or outputs `[first, last)`, so that threads can share the
work, and none of them allocates.  What a row becomes depends on that row alone, never on its neighbours.

Addresses are integers (`array.ctypes.data`); matrices are row-major; `float` and `int` arrays are 32 bits.
Weights lie in tiles (`dot_ir`); widths are above 0 and whole multiples of 64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from .compiling import carray, compiled
from .dot_ir import BLOCK_OUTPUTS, make_dot
from .float_ir import highest_magnitude, quantise, silu_times, sum_squares
from .tile_ir import PAIR_OUTPUTS, PAIR_ROWS, multiply_tiles, multiply_tiles_first
from .vector_ir import F32, I8, I32, primitive

FEWEST_TILE_ROWS = 13
"""Rows from which on a product of whole tiles is faster, though some of their rows stand empty."""

_NEAR_ROWS = 256
"""Rows of activations that stay in the second-level cache while weights go by."""

_TINY = np.float32(1e-12)
_LEVELS = np.float32(127.0)

_put_1, _put_2, _put_3, _put_4 = (make_dot(rows, adds=False) for rows in (1, 2, 3, 4))
_add_1, _add_2, _add_3, _add_4 = (make_dot(rows, adds=True) for rows in (1, 2, 3, 4))


def _make_pointer(element: Any, spelled: Any) -> Any:
    """The address as a pointer, for `carray`."""

    def generate(builder: Any, args: list[Any]) -> Any:
        return builder.inttoptr(args[0], spelled.as_pointer())

    return primitive(types.CPointer(element)(types.int64), generate)


floats_at = _make_pointer(types.float32, F32)
ints_at = _make_pointer(types.int32, I32)
bytes_at = _make_pointer(types.int8, I8)


@compiled
def normalise(x: int, weight: int, width: int, eps: float, out: int) -> None:
    """Root-mean-square norm of one row (Zhang and Sennrich 2019, arXiv:1910.07467)."""
    factor = np.float32(1.0) / np.sqrt(sum_squares(x, width) / np.float32(width) + np.float32(eps))
    source, weights = carray(floats_at(x), width), carray(floats_at(weight), width)
    target = carray(floats_at(out), width)
    for i in range(width):
        target[i] = source[i] * factor * weights[i]


@compiled
def quantise_row(x: int, width: int, out: int) -> float:
    """One row to levels, stored 128 higher; the scale that makes floats of them again."""
    peak = max(highest_magnitude(x, width), _TINY)
    quantise(x, width, _LEVELS / peak, out)
    return peak / _LEVELS


@compiled
def _finish(
    sums: int, scale: int, correction: int, x_scale: int, num_rows: int, out: int, out_width: int, adds: int
) -> None:
    """Sums of 32 outputs to floats: the very numbers that `dot_ir` gives."""
    scales, corrections = carray(floats_at(scale), PAIR_OUTPUTS), carray(ints_at(correction), PAIR_OUTPUTS)
    factors = carray(floats_at(x_scale), num_rows)
    for m in range(num_rows):
        source = carray(ints_at(sums + 4 * PAIR_OUTPUTS * m), PAIR_OUTPUTS)
        target = carray(floats_at(out + 4 * out_width * m), PAIR_OUTPUTS)
        factor = factors[m]
        if adds:
            for i in range(PAIR_OUTPUTS):
                total = np.int32(source[i] - corrections[i])
                target[i] += np.float32(total) * scales[i] * factor
        else:
            for i in range(PAIR_OUTPUTS):
                total = np.int32(source[i] - corrections[i])
                target[i] = np.float32(total) * scales[i] * factor


@compiled
def _multiply_few(
    weight: int, scale: int, correction: int, first: int, last: int, width: int,
    x: int, x_scale: int, num_rows: int, out: int, out_width: int, adds: int,
) -> None:  # fmt: skip
    wide = 4 * out_width
    for r in range(first, last, BLOCK_OUTPUTS):
        w, s, c = weight + r * width, scale + 4 * r, correction + 4 * r
        for m in range(0, num_rows, 4):
            left, source, found = num_rows - m, x + m * width, x_scale + 4 * m
            target = out + wide * m + 4 * r
            if adds:
                if left >= 4:
                    _add_4(w, width, source, s, c, found, target, wide)
                elif left == 3:
                    _add_3(w, width, source, s, c, found, target, wide)
                elif left == 2:
                    _add_2(w, width, source, s, c, found, target, wide)
                else:
                    _add_1(w, width, source, s, c, found, target, wide)
            elif left >= 4:
                _put_4(w, width, source, s, c, found, target, wide)
            elif left == 3:
                _put_3(w, width, source, s, c, found, target, wide)
            elif left == 2:
                _put_2(w, width, source, s, c, found, target, wide)
            else:
                _put_1(w, width, source, s, c, found, target, wide)


@compiled
def multiply(
    weight: int, scale: int, correction: int, first: int, last: int, width: int,
    x: int, x_scale: int, num_rows: int, out: int, out_width: int, adds: int, sums: int,
) -> None:  # fmt: skip
    """Outputs `[first, last)` of `out = x · weightᵀ`; with `adds`, added to `out`.

    `weight`: tiles, with a float scale and an int correction per output; `x`: `num_rows` rows of `width`
    levels with a float scale each.  `sums`: scratch for 2,048 ints where there is AMX, else 0; room for
    `x` must then go on to a multiple of 32 rows.
    """
    if not sums or num_rows < FEWEST_TILE_ROWS:
        _multiply_few(
            weight, scale, correction, first, last, width, x, x_scale, num_rows, out, out_width, adds
        )
        return
    for near in range(0, num_rows, _NEAR_ROWS):
        end = min(num_rows, near + _NEAR_ROWS)
        for r in range(first, last, PAIR_OUTPUTS):
            for m in range(near, end, PAIR_ROWS):
                if m == near:
                    multiply_tiles_first(weight + r * width, width, x + m * width, sums)
                else:
                    multiply_tiles(weight + r * width, width, x + m * width, sums)
                target = out + 4 * (m * out_width + r)
                rows = min(PAIR_ROWS, end - m)
                _finish(
                    sums, scale + 4 * r, correction + 4 * r, x_scale + 4 * m, rows, target, out_width, adds
                )


@compiled
def multiply_gated(
    weight: int, scale: int, correction: int, first: int, last: int, width: int,
    x: int, x_scale: int, num_rows: int, gate_up: int, active: int, inner: int, sums: int, pair: int,
) -> None:  # fmt: skip
    """Outputs `[first, last)` of `active = silu(gate) · up`, `gate_up = x · weightᵀ`, gates first.

    `pair`: scratch for 64 floats a row, for 32 rows, where there is AMX: then `gate_up` is not written.
    """
    if not sums or num_rows < FEWEST_TILE_ROWS:
        up = inner + first
        _multiply_few(
            weight, scale, correction, first, last, width, x, x_scale, num_rows, gate_up, 2 * inner, 0
        )
        _multiply_few(
            weight, scale, correction, up, inner + last, width, x, x_scale, num_rows, gate_up, 2 * inner, 0
        )
        if last > first:
            for m in range(num_rows):
                row, wide = gate_up + 8 * m * inner, last - first
                silu_times(row + 4 * first, row + 4 * up, wide, active + 4 * (m * inner + first))
        return
    for near in range(0, num_rows, _NEAR_ROWS):
        end = min(num_rows, near + _NEAR_ROWS)
        for r in range(first, last, PAIR_OUTPUTS):
            for m in range(near, end, PAIR_ROWS):
                rows, factors = min(PAIR_ROWS, end - m), x_scale + 4 * m
                for part in range(2):
                    at = r + part * inner
                    if m == near:
                        multiply_tiles_first(weight + at * width, width, x + m * width, sums)
                    else:
                        multiply_tiles(weight + at * width, width, x + m * width, sums)
                    target = pair + 4 * part * PAIR_OUTPUTS
                    _finish(
                        sums, scale + 4 * at, correction + 4 * at, factors, rows, target, 2 * PAIR_OUTPUTS, 0
                    )
                for i in range(rows):
                    row = pair + 8 * i * PAIR_OUTPUTS
                    target = active + 4 * ((m + i) * inner + r)
                    silu_times(row, row + 4 * PAIR_OUTPUTS, PAIR_OUTPUTS, target)


@compiled
def fill(bias: int, first: int, last: int, num_rows: int, out: int, out_width: int) -> None:
    """Outputs `[first, last)` of every row set to `bias`, or to nothing where there is none (0)."""
    target, biases = carray(floats_at(out), num_rows * out_width), carray(floats_at(bias), last)
    for m in range(num_rows):
        for i in range(first, last):
            target[m * out_width + i] = biases[i] if bias else np.float32(0.0)
