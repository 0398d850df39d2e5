"""The steps of a layer between the large products of a pass over many rows, as each thread runs them.

A thread has rows `[first, last)` of the pass to itself; `sums` are its own, `(last - first, width)` integers
of a product, `scales` and `x` belong to all rows of the pass.  Tables are those of `tables`.
"""

from __future__ import annotations

from .compiling import Table, Whole, carray, entry_point
from .kernels import activate, add_scaled, fill, floats_at, normalise, put_scaled, quantise_row
from .passes import look, place
from .tables import Shape


@entry_point
def norm_levels(
    x: int, weight: int, first: int, last: int, width: int, eps: float, normed: int, levels: int, scales: int
) -> None:
    """Rows normalised, as int8 levels at `levels`, which is this thread's own.  `weight` 0: as they are."""
    found = carray(floats_at(scales), last)
    for m in range(first, last):
        source = x + 4 * m * width
        if weight:
            normalise(source, weight, width, eps, normed)
            source = normed
        found[m] = quantise_row(source, width, levels + (m - first) * width, 8)


@entry_point
def place_rows(
    sums: int,
    scale: int,
    bias: int,
    scales: int,
    first: int,
    last: int,
    shape: Whole,
    layer: int,
    rows: Table,
    cos: int,
    sin: int,
    qkv: int,
) -> None:
    """The product for q, k and v: scaled, turned, put into the cache."""
    heads, kv_heads, dim = shape[Shape.HEADS], shape[Shape.KV_HEADS], shape[Shape.HEAD_DIM]
    width = (heads + 2 * kv_heads) * dim
    factors = carray(floats_at(scales), last)
    for m in range(first, last):
        out = qkv + 4 * m * width
        fill(bias, 0, width, 1, out, width)
        add_scaled(sums + 4 * (m - first) * width, scale, width, factors[m], out)
        for h in range(kv_heads):
            place(h, out, rows[m], layer, cos + 2 * m * dim, sin + 2 * m * dim, heads, kv_heads, dim)


@entry_point
def look_rows(
    first: int, last: int, shape: Whole, layer: int, rows: Table, qkv: int, scores: int, out: int
) -> None:
    """Attention; every row's keys and values are in place."""
    heads, kv_heads, dim = shape[Shape.HEADS], shape[Shape.KV_HEADS], shape[Shape.HEAD_DIM]
    width, group = (heads + 2 * kv_heads) * dim, heads // kv_heads
    for h in range(kv_heads):
        for m in range(first, last):
            target = out + 4 * m * heads * dim
            look(h, group, qkv + 4 * m * width, rows[m], layer, kv_heads, dim, scores, target)


@entry_point
def add_rows(sums: int, scale: int, scales: int, first: int, last: int, width: int, x: int) -> None:
    """`x += sums`, scaled."""
    factors = carray(floats_at(scales), last)
    for m in range(first, last):
        add_scaled(sums + 4 * (m - first) * width, scale, width, factors[m], x + 4 * m * width)


@entry_point
def activate_rows(
    sums: int,
    scale: int,
    scales: int,
    first: int,
    last: int,
    inner: int,
    gate_up: int,
    active: int,
    levels: int,
) -> None:
    """The product for gate and up to the levels that `down` multiplies.

    `gate_up` and `active` are a thread's room for one row, `levels` for all of its; new scales replace the
    old.
    """
    factors = carray(floats_at(scales), last)
    for m in range(first, last):
        put_scaled(sums + 8 * (m - first) * inner, scale, 2 * inner, factors[m], gate_up)
        activate(gate_up, inner, 0, inner, active)
        factors[m] = quantise_row(active, inner, levels + (m - first) * inner, 8)
