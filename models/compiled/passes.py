"""A whole forward pass over few rows, as each thread runs it, and its last step, the logits.

A model is described by `shape` (`tables.Shape`) and `layers`, a row of addresses per layer (`Field`); a pass
by `rows` (`Row`), `wanted`, the rows whose logits to write, in order, and `buffers` (`Buffer`, `Own`).
"""

from __future__ import annotations

from .attention import attend_heads, put_row, rotate
from .barrier_ir import arrive, wait_for
from .compiling import Table, Whole, carray, compiled, entry_point
from .dot_ir import BLOCK_ROWS
from .float_ir import LANES
from .kernels import activate, fill, floats_at, multiply, normalise, quantise_row
from .tables import FEW_ROWS, NUM_OWN, NUM_SHARED, Buffer, Field, Own, Row, Shape


@compiled
def _share(total: int, step: int, thread: int, num_threads: int) -> tuple[int, int]:
    """This thread's part of `[0, total)`, in whole steps; it may be empty."""
    steps = total // step
    return steps * thread // num_threads * step, steps * (thread + 1) // num_threads * step


@compiled
def _levels(x: int, num_rows: int, width: int, levels: int, scales: int) -> None:
    """Quantise all rows into a thread's own room."""
    found = carray(floats_at(scales), num_rows)
    for m in range(num_rows):
        found[m] = quantise_row(x + 4 * m * width, width, levels + 2 * m * width, 16)


@compiled
def _norm_levels(
    x: int, weight: int, num_rows: int, width: int, eps: float, normed: int, levels: int, scales: int
) -> None:
    for m in range(num_rows):
        normalise(x + 4 * m * width, weight, width, eps, normed + 4 * m * width)
    _levels(normed, num_rows, width, levels, scales)


@compiled
def place(
    h: int, qkv: int, row: Whole, layer: int, cos: int, sin: int, heads: int, kv_heads: int, dim: int
) -> None:
    """Turn the queries of one group and its key, and put key and value where they belong."""
    group = heads // kv_heads
    for g in range(group):
        rotate(qkv + 4 * (h * group + g) * dim, cos, sin, dim)
    key, value = qkv + 4 * (heads + h) * dim, qkv + 4 * (heads + kv_heads + h) * dim
    rotate(key, cos, sin, dim)
    capacity = row[Row.CAPACITY]
    at = 4 * (layer * kv_heads + h) * dim * capacity
    put_row(key, value, row[Row.KEYS] + at, row[Row.VALUES] + at, capacity, row[Row.POSITION], dim)


@compiled
def look(
    h: int, group: int, qkv: int, row: Whole, layer: int, kv_heads: int, dim: int, scores: int, out: int
) -> None:
    """Attention of one token's group of query heads."""
    capacity, start = row[Row.CAPACITY], 4 * h * group * dim
    at = 4 * (layer * kv_heads + h) * dim * capacity
    keys, values = row[Row.KEYS] + at, row[Row.VALUES] + at
    attend_heads(qkv + start, group, keys, values, capacity, row[Row.POSITION], dim, scores, out + start)


@compiled
def _meet(counter: int, met: int, num_threads: int) -> int:
    """Wait until every thread has come here; `met` counts the arrivals of all meetings so far."""
    arrive(counter)
    wait_for(counter, met + num_threads)
    return met + num_threads


@compiled
def _read(thread: int, num_threads: int, shape: Whole, eps: float, wanted: Whole, buffers: Whole) -> None:
    hidden, vocabulary, weight = shape[Shape.HIDDEN], shape[Shape.VOCABULARY], shape[Shape.NORM]
    own = NUM_SHARED + NUM_OWN * thread
    normed, levels, scales = buffers[own + Own.NORMED], buffers[own + Own.LEVELS], buffers[own + Own.SCALES]
    first, last = _share(vocabulary, BLOCK_ROWS, thread, num_threads)
    for start in range(0, wanted.shape[0], FEW_ROWS):
        count = min(FEW_ROWS, wanted.shape[0] - start)
        for i in range(count):
            row = buffers[Buffer.X] + 4 * wanted[start + i] * hidden
            normalise(row, weight, hidden, eps, normed + 4 * i * hidden)
        _levels(normed, count, hidden, levels, scales)
        out, head, scale = (
            buffers[Buffer.LOGITS] + 4 * start * vocabulary,
            shape[Shape.HEAD],
            shape[Shape.HEAD_SCALE],
        )
        multiply(head, scale, first, last, hidden, levels, scales, count, out, vocabulary, 0)


@entry_point
def small_pass(
    thread: int,
    num_threads: int,
    shape: Whole,
    eps: float,
    layers: Table,
    rows: Table,
    wanted: Whole,
    buffers: Whole,
) -> None:
    """All layers and the vocabulary for up to `FEW_ROWS` rows.

    Threads share columns or heads, and meet five times a layer; what all of them need they compute each.
    """
    hidden, heads, kv_heads = shape[Shape.HIDDEN], shape[Shape.HEADS], shape[Shape.KV_HEADS]
    dim, inner = shape[Shape.HEAD_DIM], shape[Shape.INTERMEDIATE]
    x, qkv, attended = buffers[Buffer.X], buffers[Buffer.QKV], buffers[Buffer.ATTENDED]
    gate_up, active = buffers[Buffer.GATE_UP], buffers[Buffer.ACTIVE]
    cos, sin, counter = buffers[Buffer.COS], buffers[Buffer.SIN], buffers[Buffer.COUNTER]
    own = NUM_SHARED + NUM_OWN * thread
    normed, levels = buffers[own + Own.NORMED], buffers[own + Own.LEVELS]
    scales, scores = buffers[own + Own.SCALES], buffers[own + Own.SCORES]
    n, met = rows.shape[0], 0
    group, q_width, qkv_width = heads // kv_heads, heads * dim, (heads + 2 * kv_heads) * dim
    for index in range(shape[Shape.LAYERS]):
        at = layers[index]
        _norm_levels(x, at[Field.ATTN_NORM], n, hidden, eps, normed, levels, scales)
        first, last = _share(qkv_width, BLOCK_ROWS, thread, num_threads)
        fill(at[Field.QKV_BIAS], first, last, n, qkv, qkv_width)
        multiply(
            at[Field.QKV], at[Field.QKV_SCALE], first, last, hidden, levels, scales, n, qkv, qkv_width, 1
        )
        met = _meet(counter, met, num_threads)

        first, last = _share(kv_heads, 1, thread, num_threads)
        for h in range(first, last):
            for m in range(n):
                turned = qkv + 4 * m * qkv_width
                place(h, turned, rows[m], index, cos + 2 * m * dim, sin + 2 * m * dim, heads, kv_heads, dim)
            for m in range(n):
                turned, out = qkv + 4 * m * qkv_width, attended + 4 * m * q_width
                look(h, group, turned, rows[m], index, kv_heads, dim, scores, out)
        met = _meet(counter, met, num_threads)

        _levels(attended, n, q_width, levels, scales)
        first, last = _share(hidden, BLOCK_ROWS, thread, num_threads)
        multiply(at[Field.O], at[Field.O_SCALE], first, last, q_width, levels, scales, n, x, hidden, 1)
        met = _meet(counter, met, num_threads)

        _norm_levels(x, at[Field.FFN_NORM], n, hidden, eps, normed, levels, scales)
        first, last = _share(inner, LANES, thread, num_threads)
        weight, scale, both = at[Field.GATE_UP], at[Field.GATE_UP_SCALE], 2 * inner
        multiply(weight, scale, first, last, hidden, levels, scales, n, gate_up, both, 0)
        multiply(weight, scale, inner + first, inner + last, hidden, levels, scales, n, gate_up, both, 0)
        for m in range(n):
            activate(gate_up + 4 * m * both, inner, first, last, active + 4 * m * inner)
        met = _meet(counter, met, num_threads)

        _levels(active, n, inner, levels, scales)
        first, last = _share(hidden, BLOCK_ROWS, thread, num_threads)
        multiply(at[Field.DOWN], at[Field.DOWN_SCALE], first, last, inner, levels, scales, n, x, hidden, 1)
        met = _meet(counter, met, num_threads)
    _read(thread, num_threads, shape, eps, wanted, buffers)


@entry_point
def read_logits(
    thread: int, num_threads: int, shape: Whole, eps: float, wanted: Whole, buffers: Whole
) -> None:
    """This thread's columns of the logits of any number of rows."""
    _read(thread, num_threads, shape, eps, wanted, buffers)


@entry_point
def meet(counter: int, target: int) -> None:
    """A meeting asked for from Python: until the counter is at least `target`."""
    arrive(counter)
    wait_for(counter, target)
