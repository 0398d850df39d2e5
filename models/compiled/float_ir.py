"""Float loops over vectors of 16 lanes, in LLVM's language, for numba.

Every result is summed in one fixed order, whatever is computed beside it: a row's numbers do not depend
on how many rows share a call (`runner` says why that matters).  Products and sums are fused (`fma`).

Widths are multiples of `LANES`, above 0.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
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
    primitive,
    store,
    times,
    zeros,
)

LANES = 16

_V = ir.VectorType(F32, LANES)
_VI = ir.VectorType(I32, LANES)
_COEFFICIENTS = (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
_UNDERFLOW, _OVERFLOW = -87.0, 88.0


def constant(value: float) -> Any:
    """A vector of one number, as float32 has it."""
    (single,) = struct.unpack("f", struct.pack("f", value))
    return ir.Constant(_V, [single] * LANES)


def fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """`a · b + c`, rounded once."""
    return builder.call(declared(builder, "llvm.fma.v16f32", _V, [_V, _V, _V]), [a, b, c])


def _unary(builder: Any, name: str, x: Any) -> Any:
    return builder.call(declared(builder, f"llvm.{name}.v16f32", _V, [_V]), [x])


def _binary(builder: Any, name: str, x: Any, y: Any) -> Any:
    return builder.call(declared(builder, f"llvm.{name}.v16f32", _V, [_V, _V]), [x, y])


def _higher(builder: Any, a: Any, b: Any) -> Any:
    return _binary(builder, "maxnum", a, b)


def _added(builder: Any, a: Any, b: Any) -> Any:
    return builder.fadd(a, b)


def _folded(builder: Any, vector: Any, combine: Callable[[Any, Any, Any], Any]) -> Any:
    """One float of 16: halves combined with halves, always in the same order."""
    half = LANES // 2
    while half:
        indices = [i + half if i < half else i for i in range(LANES)]
        vector = combine(builder, vector, chosen(builder, vector, vector, indices))
        half //= 2
    return builder.extract_element(vector, ir.Constant(I32, 0))


def _floats(builder: Any, base: Any, index: Any) -> Any:
    """Sixteen floats from number `index` on."""
    return load(builder, builder.add(base, times(builder, index, 4)), F32, LANES)


def _exp(builder: Any, x: Any) -> Any:
    """e to the x within 2 units in the last place, for x clamped to [-87, 88]: 2^n · p(r), |r| <= ln 2 / 2.

    The polynomial is the minimax one of degree 6 in common use for single precision (Cephes, `expf`).
    """
    x = _binary(builder, "maxnum", x, constant(_UNDERFLOW))
    x = _binary(builder, "minnum", x, constant(_OVERFLOW))
    n = _unary(builder, "rint", builder.fmul(x, constant(1.4426950408889634)))
    r = fma(builder, n, constant(-0.693359375), x)
    r = fma(builder, n, constant(2.12194440e-4), r)
    p = constant(1.9875691500e-4)
    for coefficient in _COEFFICIENTS:
        p = fma(builder, p, r, constant(coefficient))
    p = fma(builder, p, builder.fmul(r, r), builder.fadd(r, constant(1.0)))
    whole = builder.add(builder.fptosi(n, _VI), ir.Constant(_VI, [127] * LANES))
    power = builder.bitcast(builder.shl(whole, ir.Constant(_VI, [23] * LANES)), _V)
    return builder.fmul(p, power)


def _sum_squares(builder: Any, args: list[Any]) -> Any:
    x, width = args

    def body(i: Any, sums: list[Any]) -> list[Any]:
        value = _floats(builder, x, i)
        return [fma(builder, value, value, sums[0])]

    (total,) = loop(builder, width, LANES, [zeros(F32, LANES)], body)
    return _folded(builder, total, _added)


def _highest_magnitude(builder: Any, args: list[Any]) -> Any:
    x, width = args

    def body(i: Any, highest: list[Any]) -> list[Any]:
        return [_higher(builder, highest[0], _unary(builder, "fabs", _floats(builder, x, i)))]

    (highest,) = loop(builder, width, LANES, [zeros(F32, LANES)], body)
    return _folded(builder, highest, _higher)


def _quantise(builder: Any, args: list[Any]) -> None:
    x, width, factor, out = args
    factors = broadcast(builder, factor, LANES)
    centre = ir.Constant(_VI, [128] * LANES)

    def body(i: Any, _: list[Any]) -> list[Any]:
        scaled = builder.fmul(_floats(builder, x, i), factors)
        whole = builder.fptosi(_unary(builder, "rint", scaled), _VI)
        narrow = builder.trunc(builder.add(whole, centre), ir.VectorType(I8, LANES))
        store(builder, narrow, builder.add(out, i))
        return []

    loop(builder, width, LANES, [], body)


def _silu_times(builder: Any, args: list[Any]) -> None:
    gate, up, width, out = args

    def body(i: Any, _: list[Any]) -> list[Any]:
        g, u = _floats(builder, gate, i), _floats(builder, up, i)
        e = _exp(builder, builder.fneg(g))
        value = builder.fmul(builder.fdiv(g, builder.fadd(e, constant(1.0))), u)
        store(builder, value, builder.add(out, times(builder, i, 4)))
        return []

    loop(builder, width, LANES, [], body)


def _exponentiate(builder: Any, args: list[Any]) -> Any:
    x, width, scale = args
    scales = broadcast(builder, scale, LANES)

    def highest(i: Any, best: list[Any]) -> list[Any]:
        return [_higher(builder, best[0], _floats(builder, x, i))]

    (best,) = loop(builder, width, LANES, [constant(-3.0e38)], highest)
    top = broadcast(builder, _folded(builder, best, _higher), LANES)

    def body(i: Any, sums: list[Any]) -> list[Any]:
        shifted = builder.fmul(builder.fsub(_floats(builder, x, i), top), scales)
        # What is masked is far below: e^-87 is not nothing, so it is made nothing.
        seen = builder.fcmp_ordered(">", shifted, constant(_UNDERFLOW))
        value = builder.select(seen, _exp(builder, shifted), zeros(F32, LANES))
        store(builder, value, builder.add(x, times(builder, i, 4)))
        return [builder.fadd(sums[0], value)]

    (total,) = loop(builder, width, LANES, [zeros(F32, LANES)], body)
    return _folded(builder, total, _added)


sum_squares = primitive(types.float32(types.int64, types.int64), _sum_squares)
"""`sum_squares(x, width)` of floats at `x`."""

highest_magnitude = primitive(types.float32(types.int64, types.int64), _highest_magnitude)
"""`highest_magnitude(x, width)`: the largest absolute value of floats at `x`."""

quantise = primitive(types.void(types.int64, types.int64, types.float32, types.int64), _quantise)
"""`quantise(x, width, factor, out)`: `out[i] = round(x[i] · factor) + 128` in 8 bits, halves to even."""

silu_times = primitive(types.void(*(types.int64,) * 4), _silu_times)
"""`silu_times(gate, up, width, out)`: `out[i] = gate[i] / (1 + e^-gate[i]) · up[i]`."""

exponentiate = primitive(types.float32(types.int64, types.int64, types.float32), _exponentiate)
"""`exponentiate(x, width, scale)`: `x[i] = e^((x[i] - max x) · scale)` in place, `scale > 0`; their sum.

What is further below the highest than 87 becomes 0.
"""
