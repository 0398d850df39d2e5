"""Products of int8 weights and 8-bit activations, in LLVM's language, for numba.

Weights lie in *tiles*, `(out / 16, in / 4, 16, 4)`: 64 bytes in a row are four inputs of sixteen outputs,
which is what one instruction takes (VNNI's `vpdpbusd`; `tile_ir` has another for many rows).  Activations
are unsigned, 128 more than the levels they stand for, and 128 times the sum of an output's weights, its
*correction*, is taken off at the end.  All sums are exact.
"""

from __future__ import annotations

from typing import Any

from numba import types

from .vector_ir import (
    F32,
    I8,
    I32,
    broadcast,
    chosen,
    declared,
    ir,
    load,
    loop,
    offset,
    plus,
    primitive,
    store,
    target,
    times,
    zeros,
)

TILE_OUTPUTS = 16
BLOCK_OUTPUTS = 64
"""Outputs that are computed together, four tiles: widths are whole multiples of it."""

STEP_INPUTS = 4
MAX_WIDTH = 1 << 15
"""Widest row whose sums fit: 255 · 127 · 32,768 is below 2³¹."""

_NUM_TILES = BLOCK_OUTPUTS // TILE_OUTPUTS
_PREFETCH_BYTES = 2048
"""How far ahead weights are asked for; without, a third of the bandwidth is lost."""

_VNNI = "llvm.x86.avx512.vpdpbusd.512"
_SUMS = ir.VectorType(I32, 16)


def make_dot(num_rows: int, *, adds: bool) -> Any:
    """`dot(w, width, x, scale, correction, x_scale, out, out_stride)`: 64 outputs of a few rows.

    `w`: four tiles, one after the other; `x`: `num_rows` rows of `width` activations, their scales at
    `x_scale`; `scale` and `correction` of the outputs.  Writes
    `float(sum_k w[r, k] · x[m, k] - correction[r]) · scale[r] · x_scale[m]` to `out + m · out_stride + 4 r`,
    or adds it to what is there.  Weights ahead are prefetched, beyond the end of the matrix too: an
    address that is only asked for need not exist.
    """

    def generate(builder: Any, args: list[Any]) -> None:
        w, width, x, scale, correction, x_scale, out, out_stride = args
        tile_bytes = times(builder, width, TILE_OUTPUTS)
        tiles = [offset(builder, w, t, tile_bytes) for t in range(_NUM_TILES)]
        rows = [offset(builder, x, m, width) for m in range(num_rows)]

        def body(k: Any, sums: list[Any]) -> list[Any]:
            places = [builder.add(tile, times(builder, k, TILE_OUTPUTS)) for tile in tiles]
            for place in places:
                prefetch(builder, plus(builder, place, _PREFETCH_BYTES))
            weights = [load(builder, place, I32, 16) for place in places]
            result: list[Any] = []
            for m, row in enumerate(rows):
                four = builder.load(builder.inttoptr(builder.add(row, k), I32.as_pointer()), align=1)
                activations = broadcast(builder, four, 16)
                result += [
                    _step(builder, sums[m * _NUM_TILES + t], activations, weights[t])
                    for t in range(_NUM_TILES)
                ]
            return result

        sums = loop(builder, width, STEP_INPUTS, [zeros(I32, 16)] * (num_rows * _NUM_TILES), body)
        for t in range(_NUM_TILES):
            scales = load(builder, plus(builder, scale, 64 * t), F32, 16)
            corrections = load(builder, plus(builder, correction, 64 * t), I32, 16)
            for m in range(num_rows):
                total = builder.sub(sums[m * _NUM_TILES + t], corrections)
                y = builder.fmul(builder.sitofp(total, ir.VectorType(F32, 16)), scales)
                factor = builder.load(builder.inttoptr(plus(builder, x_scale, 4 * m), F32.as_pointer()))
                y = builder.fmul(y, broadcast(builder, factor, 16))
                place = plus(builder, offset(builder, out, m, out_stride), 64 * t)
                store(builder, builder.fadd(load(builder, place, F32, 16), y) if adds else y, place)

    return primitive(types.void(*(types.int64,) * 8), generate)


def _step(builder: Any, acc: Any, x: Any, w: Any) -> Any:
    """`acc` (16 x i32) plus, lane by lane, the sum of four products of unsigned `x` and signed `w`."""
    triple, features = target()
    if triple.startswith("x86_64") and "avx512vnni" in features:
        return builder.call(declared(builder, _VNNI, _SUMS, [_SUMS] * 3), [acc, x, w])
    xs, ws = (builder.bitcast(vector, ir.VectorType(I8, 64)) for vector in (x, w))
    for part in range(STEP_INPUTS):
        indices = list(range(part, 64, STEP_INPUTS))
        activations = builder.zext(chosen(builder, xs, xs, indices), _SUMS)
        weights = builder.sext(chosen(builder, ws, ws, indices), _SUMS)
        acc = builder.add(acc, builder.mul(activations, weights))
    return acc


def prefetch(builder: Any, address: Any) -> None:
    """Ask for the cache line at `address`, which need not be ours to read."""
    pointer = I8.as_pointer()
    ask = declared(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, I32, I32, I32])
    reading, keep, data = (ir.Constant(I32, value) for value in (0, 3, 1))
    builder.call(ask, [builder.inttoptr(address, pointer), reading, keep, data])
