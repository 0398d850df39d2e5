"""The pieces of a transformer layer on rows of floats, compiled by numba.

Rows are tokens.  Each function works on rows or columns `[first, last)`, so that threads can share the
work, and none of them allocates.  What a row becomes depends on that row alone, never on its neighbours.

Addresses are integers (`array.ctypes.data`); matrices are row-major; `float` and `int` arrays are 32 bits.
Widths are above 0 and whole multiples of 32, rows of weights come in whole fours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from .compiling import carray, compiled
from .dot_ir import BLOCK_ROWS, make_dot
from .float_ir import highest_magnitude, quantise_int8, quantise_int16, silu_times, sum_squares
from .vector_ir import F32, I32, primitive

_TINY = np.float32(1e-12)
_LEVELS = np.float32(127.0)

_put_1, _put_2, _put_3, _put_4 = (make_dot(columns, adds=False) for columns in (1, 2, 3, 4))
_add_1, _add_2, _add_3, _add_4 = (make_dot(columns, adds=True) for columns in (1, 2, 3, 4))


def _make_pointer(element: Any, spelled: Any) -> Any:
    """The address as a pointer, for `carray`."""

    def generate(builder: Any, args: list[Any]) -> Any:
        return builder.inttoptr(args[0], spelled.as_pointer())

    return primitive(types.CPointer(element)(types.int64), generate)


floats_at = _make_pointer(types.float32, F32)
ints_at = _make_pointer(types.int32, I32)


@compiled
def normalise(x: int, weight: int, width: int, eps: float, out: int) -> None:
    """Root-mean-square norm of one row (Zhang and Sennrich 2019, arXiv:1910.07467)."""
    factor = np.float32(1.0) / np.sqrt(sum_squares(x, width) / np.float32(width) + np.float32(eps))
    source, weights = carray(floats_at(x), width), carray(floats_at(weight), width)
    target = carray(floats_at(out), width)
    for i in range(width):
        target[i] = source[i] * factor * weights[i]


@compiled
def quantise_row(x: int, width: int, out: int, bits: int) -> float:
    """One row to int8 levels, stored with 8 or 16 bits; the scale that makes floats of them again."""
    peak = max(highest_magnitude(x, width), _TINY)
    if bits == 8:
        quantise_int8(x, width, _LEVELS / peak, out)
    else:
        quantise_int16(x, width, _LEVELS / peak, out)
    return peak / _LEVELS


@compiled
def multiply(
    weight: int,
    scale: int,
    first: int,
    last: int,
    width: int,
    x: int,
    x_scale: int,
    num_rows: int,
    out: int,
    out_width: int,
    adds: int,
) -> None:
    """Columns `[first, last)` of `out = x · weightᵀ`, for few rows; with `adds`, added to `out`.

    `weight` is int8 `(·, width)` with a float scale per row; `x` int16 `(num_rows, width)` with a scale
    per row.
    """
    wide, wide_out = 2 * width, 4 * out_width
    for r in range(first, last, BLOCK_ROWS):
        rows, scales = weight + r * width, scale + 4 * r
        for m in range(0, num_rows, 4):
            left = num_rows - m
            source, found = x + wide * m, x_scale + 4 * m
            target = out + wide_out * m + 4 * r
            if adds:
                if left >= 4:
                    _add_4(rows, width, source, wide, width, scales, found, target, wide_out)
                elif left == 3:
                    _add_3(rows, width, source, wide, width, scales, found, target, wide_out)
                elif left == 2:
                    _add_2(rows, width, source, wide, width, scales, found, target, wide_out)
                else:
                    _add_1(rows, width, source, wide, width, scales, found, target, wide_out)
            elif left >= 4:
                _put_4(rows, width, source, wide, width, scales, found, target, wide_out)
            elif left == 3:
                _put_3(rows, width, source, wide, width, scales, found, target, wide_out)
            elif left == 2:
                _put_2(rows, width, source, wide, width, scales, found, target, wide_out)
            else:
                _put_1(rows, width, source, wide, width, scales, found, target, wide_out)


@compiled
def fill(bias: int, first: int, last: int, num_rows: int, out: int, out_width: int) -> None:
    """Columns `[first, last)` of every row set to `bias`, or to nothing where there is none (0)."""
    target, biases = carray(floats_at(out), num_rows * out_width), carray(floats_at(bias), last)
    for m in range(num_rows):
        for i in range(first, last):
            target[m * out_width + i] = biases[i] if bias else np.float32(0.0)


@compiled
def add_scaled(sums: int, scale: int, width: int, x_scale: float, out: int) -> None:
    """One row of integer sums, as floats, added to `out`: the very numbers that `multiply` adds."""
    source, scales = carray(ints_at(sums), width), carray(floats_at(scale), width)
    target = carray(floats_at(out), width)
    for i in range(width):
        target[i] += np.float32(source[i]) * scales[i] * np.float32(x_scale)


@compiled
def put_scaled(sums: int, scale: int, width: int, x_scale: float, out: int) -> None:
    """One row of integer sums, as floats."""
    source, scales = carray(ints_at(sums), width), carray(floats_at(scale), width)
    target = carray(floats_at(out), width)
    for i in range(width):
        target[i] = np.float32(source[i]) * scales[i] * np.float32(x_scale)


@compiled
def activate(gate_up: int, width: int, first: int, last: int, out: int) -> None:
    """`silu(gate) · up` of columns `[first, last)`, whole vectors or none, of one row `(2 · width)`."""
    if last > first:
        silu_times(gate_up + 4 * first, gate_up + 4 * (width + first), last - first, out + 4 * first)
