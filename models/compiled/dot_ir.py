"""Products of int8 weights and int16 activations, in LLVM's language, for numba.

Sums of integers are exact, in any order: 127 · 127 · 65,536 products fit in 32 bits with room to spare.
Widths are whole multiples of `DOT_WIDTH`.
"""

from __future__ import annotations

from typing import Any

from numba import types

from .vector_ir import (
    F32,
    I8,
    I16,
    I32,
    broadcast,
    chosen,
    declared,
    ir,
    joined,
    lanes,
    load,
    loop,
    number,
    offset,
    plus,
    primitive,
    store,
    target,
    zeros,
)

BLOCK_ROWS = 4
"""Rows of weights that are multiplied together."""

DOT_WIDTH = 32
"""Weights per step of a product."""

MAX_WIDTH = 1 << 16
"""Widest row whose sums are exact."""

PREFETCH_ROWS = 16
"""Weights are asked for this many rows ahead; without, a third of the bandwidth is lost."""

_VNNI = "llvm.x86.avx512.vpdpwssd.512"
_PMADD_512 = "llvm.x86.avx512.pmaddw.d.512"
_PMADD_256 = "llvm.x86.avx2.pmadd.wd"


def make_dot(num_columns: int, *, adds: bool) -> Any:
    """`dot(w, w_stride, x, x_stride, width, scale, x_scale, out, out_stride)`: weights times activations.

    Four rows of int8 weights at `w` with their scales, `num_columns` rows of int16 activations at `x` with
    theirs; strides in bytes.  Writes `float(sum_k w[r, k] · x[m, k]) · scale[r] · x_scale[m]` to
    `out + m · out_stride + 4 r`, or adds it to what is there.  Weights ahead are prefetched, beyond the
    end of the matrix too: an address that is only asked for need not exist.
    """

    def generate(builder: Any, args: list[Any]) -> None:
        w, w_stride, x, x_stride, width, scale, x_scale, out, out_stride = args
        rows = [offset(builder, w, r, w_stride) for r in range(BLOCK_ROWS)]
        columns = [offset(builder, x, m, x_stride) for m in range(num_columns)]
        ahead = builder.mul(w_stride, number(PREFETCH_ROWS))

        def body(k: Any, sums: list[Any]) -> list[Any]:
            for row in rows:
                _prefetch(builder, builder.add(builder.add(row, k), ahead))
            weights = [_widened(builder, builder.add(row, k)) for row in rows]
            k2 = builder.add(k, k)
            activations = [load(builder, builder.add(column, k2), I16, DOT_WIDTH) for column in columns]
            return [
                _dot_step(builder, sums[m * BLOCK_ROWS + r], weights[r], activations[m])
                for m in range(num_columns)
                for r in range(BLOCK_ROWS)
            ]

        sums = loop(builder, width, DOT_WIDTH, [zeros(I32, 16)] * (BLOCK_ROWS * num_columns), body)
        scales = load(builder, scale, F32, BLOCK_ROWS)
        for m in range(num_columns):
            total = _sums(builder, sums[m * BLOCK_ROWS : (m + 1) * BLOCK_ROWS])
            factor = builder.load(builder.inttoptr(plus(builder, x_scale, 4 * m), F32.as_pointer()))
            y = builder.fmul(builder.sitofp(total, ir.VectorType(F32, BLOCK_ROWS)), scales)
            y = builder.fmul(y, broadcast(builder, factor, BLOCK_ROWS))
            place = offset(builder, out, m, out_stride)
            if adds:
                y = builder.fadd(load(builder, place, F32, BLOCK_ROWS), y)
            store(builder, y, place)

    return primitive(types.void(*(types.int64,) * 9), generate)


def _widened(builder: Any, address: Any) -> Any:
    return builder.sext(load(builder, address, I8, DOT_WIDTH), ir.VectorType(I16, DOT_WIDTH))


def _dot_step(builder: Any, acc: Any, w: Any, x: Any) -> Any:
    """`acc` (16 x i32) plus the sums of pairs of products of `w` and `x` (32 x i16)."""
    triple, features = target()
    v16, v32 = ir.VectorType(I32, 16), ir.VectorType(I16, 32)
    if not triple.startswith("x86_64"):
        features = frozenset[str]()
    if "avx512vnni" in features:
        step = declared(builder, _VNNI, v16, [v16, v16, v16])
        return builder.call(step, [acc, builder.bitcast(w, v16), builder.bitcast(x, v16)])
    if "avx512bw" in features:
        products = builder.call(declared(builder, _PMADD_512, v16, [v32, v32]), [w, x])
        return builder.add(acc, products)
    if "avx2" in features:
        half = ir.VectorType(I16, 16)
        step = declared(builder, _PMADD_256, ir.VectorType(I32, 8), [half, half])
        low, high = (
            builder.call(step, [lanes(builder, w, start, 16), lanes(builder, x, start, 16)])
            for start in (0, 16)
        )
        return builder.add(acc, joined(builder, low, high))
    wide = ir.VectorType(I32, 32)
    products = builder.mul(builder.sext(w, wide), builder.sext(x, wide))
    low, high = lanes(builder, products, 0, 16), lanes(builder, products, 16, 16)
    return builder.add(acc, builder.add(low, high))


def _sums(builder: Any, vectors: list[Any]) -> Any:
    """Four vectors of 16 x i32 to the vector of their four sums: a tree of shuffles, not four reductions."""

    def paired(a: Any, b: Any, step: int) -> Any:
        """Sums of neighbours `step` apart: those of `a` and of `b` by turns."""
        low: list[int] = []
        for i in range(0, 16, 2 * step):
            low += [*range(i, i + step), *range(16 + i, 16 + i + step)]
        high = [i + step for i in low]
        return builder.add(chosen(builder, a, b, low), chosen(builder, a, b, high))

    r0, r1, r2, r3 = vectors
    fours = paired(paired(r0, r1, 1), paired(r2, r3, 1), 2)  # 4 x (r0, r1, r2, r3)
    quarters = [lanes(builder, fours, start, 4) for start in (0, 4, 8, 12)]
    return builder.add(builder.add(quarters[0], quarters[1]), builder.add(quarters[2], quarters[3]))


def _prefetch(builder: Any, address: Any) -> None:
    """Ask for the cache line at `address`, which need not be ours to read."""
    pointer = I8.as_pointer()
    ask = declared(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, I32, I32, I32])
    reading, keep, data = (ir.Constant(I32, value) for value in (0, 3, 1))
    builder.call(ask, [builder.inttoptr(address, pointer), reading, keep, data])
