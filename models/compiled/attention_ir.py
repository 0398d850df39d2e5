"""The two products of attention, for the query heads that share a key head, in LLVM's language.

A key or value that is loaded is used for every head of the group.  Sums have one order: over the width of
a head for scores, over positions from the first to the last for values.
"""

from __future__ import annotations

from typing import Any

from numba import types

from .float_ir import LANES, fma
from .vector_ir import F32, broadcast, load, loop, offset, plus, primitive, store, times, zeros

BLOCK_KEYS = 32
"""Keys that are scored together: rows of scores are whole multiples of it."""

MIX_COLUMNS = 32
"""Columns of values that are mixed together: head widths are whole multiples of it."""


def make_scores(group: int) -> Any:
    """`scores(q, q_stride, keys, key_stride, head_dim, count, out, out_stride)`.

    `group` queries of `head_dim` floats at `q`; keys are `(head_dim, capacity)`, so that neighbours in
    memory are neighbours in time.  Writes `q · key` for keys `[0, count)`, `count` whole blocks of
    `BLOCK_KEYS`.  Strides in bytes.
    """
    vectors = BLOCK_KEYS // LANES

    def generate(builder: Any, args: list[Any]) -> None:
        q, q_stride, keys, key_stride, head_dim, count, out, out_stride = args
        queries = [offset(builder, q, g, q_stride) for g in range(group)]
        outs = [offset(builder, out, g, out_stride) for g in range(group)]

        def block(t: Any, _: list[Any]) -> list[Any]:
            t4 = times(builder, t, 4)
            column = builder.add(keys, t4)

            def body(d: Any, sums: list[Any]) -> list[Any]:
                row = builder.add(column, builder.mul(d, key_stride))
                return _weighted(builder, queries, d, row, sums, vectors)

            sums = loop(builder, head_dim, 1, [zeros(F32, LANES)] * (group * vectors), body)
            for g in range(group):
                _store(builder, sums[g * vectors : (g + 1) * vectors], builder.add(outs[g], t4))
            return []

        loop(builder, count, BLOCK_KEYS, [], block)

    return primitive(types.void(*(types.int64,) * 8), generate)


def make_mix(group: int) -> Any:
    """`mix(p, p_stride, values, value_stride, count, out, out_stride)`: `MIX_COLUMNS` of `group` outputs.

    `out[g] = sum_t p[g, t] · values[t, 0:MIX_COLUMNS]` for `t` in `[0, count)`, in this order.  Strides in
    bytes.
    """
    vectors = MIX_COLUMNS // LANES

    def generate(builder: Any, args: list[Any]) -> None:
        p, p_stride, values, value_stride, count, out, out_stride = args
        weights = [offset(builder, p, g, p_stride) for g in range(group)]

        def body(t: Any, sums: list[Any]) -> list[Any]:
            row = builder.add(values, builder.mul(t, value_stride))
            return _weighted(builder, weights, t, row, sums, vectors)

        sums = loop(builder, count, 1, [zeros(F32, LANES)] * (group * vectors), body)
        for g in range(group):
            _store(builder, sums[g * vectors : (g + 1) * vectors], offset(builder, out, g, out_stride))

    return primitive(types.void(*(types.int64,) * 7), generate)


def _weighted(
    builder: Any, factors: list[Any], index: Any, row: Any, sums: list[Any], vectors: int
) -> list[Any]:
    """`sums`, one row of `vectors` for each factor, plus number `index` of each factor times the row."""
    loaded = [load(builder, plus(builder, row, 4 * LANES * v), F32, LANES) for v in range(vectors)]
    index4 = times(builder, index, 4)
    result: list[Any] = []
    for g, factor in enumerate(factors):
        pointer = builder.inttoptr(builder.add(factor, index4), F32.as_pointer())
        value = broadcast(builder, builder.load(pointer), LANES)
        result += [fma(builder, value, loaded[v], sums[g * vectors + v]) for v in range(vectors)]
    return result


def _store(builder: Any, vectors: list[Any], place: Any) -> None:
    for v, vector in enumerate(vectors):
        store(builder, vector, plus(builder, place, 4 * LANES * v))
