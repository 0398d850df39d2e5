"""A forward pass as each thread runs it: any number of rows, some layers at a time, then the logits.

A model is described by `shape` (`tables.Shape`) and `layers`, a row of addresses per layer (`Field`); a pass
by `rows` (`Row`), `wanted`, the rows whose logits to write, in order, and `buffers` (`Buffer`, `Own`).
Threads share rows where a step works on rows, outputs where it multiplies, heads where it attends, and
meet after every step.
"""

from __future__ import annotations

from .attention import attend_heads, put_row, rotate
from .barrier_ir import arrive, wait_for
from .compiling import Table, Whole, carray, compiled, entry_point
from .dot_ir import BLOCK_OUTPUTS
from .kernels import fill, floats_at, multiply, multiply_gated, normalise, quantise_row
from .tables import NUM_OWN, NUM_SHARED, STEPS, Buffer, Field, Own, Row, Shape
from .tile_ir import configure, release


@compiled
def _share(total: int, step: int, thread: int, num_threads: int) -> tuple[int, int]:
    """This thread's part of `[0, total)`, in whole steps; it may be empty."""
    steps = total // step
    return steps * thread // num_threads * step, steps * (thread + 1) // num_threads * step


@compiled
def _meet(counter: int, met: int, num_threads: int) -> int:
    """Wait until every thread has come here; `met` counts the arrivals of all meetings so far."""
    arrive(counter)
    wait_for(counter, met + num_threads)
    return met + num_threads


@compiled
def _levels(x: int, first: int, last: int, width: int, levels: int, scales: int) -> None:
    found = carray(floats_at(scales), last)
    for m in range(first, last):
        found[m] = quantise_row(x + 4 * m * width, width, levels + m * width)


@compiled
def _norm_levels(
    x: int, weight: int, first: int, last: int, width: int, eps: float, normed: int, levels: int, scales: int
) -> None:
    for m in range(first, last):
        normalise(x + 4 * m * width, weight, width, eps, normed + 4 * m * width)
    _levels(normed, first, last, width, levels, scales)


@compiled
def _place(
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
def _look(
    h: int, group: int, qkv: int, row: Whole, layer: int, kv_heads: int, dim: int, scores: int, out: int
) -> None:
    """Attention of one token's group of query heads."""
    capacity, start = row[Row.CAPACITY], 4 * h * group * dim
    at = 4 * (layer * kv_heads + h) * dim * capacity
    keys, values = row[Row.KEYS] + at, row[Row.VALUES] + at
    attend_heads(qkv + start, group, keys, values, capacity, row[Row.POSITION], dim, scores, out + start)


@entry_point
def run_layers(
    thread: int,
    num_threads: int,
    shape: Whole,
    eps: float,
    layers: Table,
    start: int,
    end: int,
    rows: Table,
    buffers: Whole,
) -> None:
    """Layers `[start, end)`; those before must have been run in the same pass."""
    hidden, heads, kv_heads = shape[Shape.HIDDEN], shape[Shape.HEADS], shape[Shape.KV_HEADS]
    dim, inner = shape[Shape.HEAD_DIM], shape[Shape.INTERMEDIATE]
    x, normed, qkv = buffers[Buffer.X], buffers[Buffer.NORMED], buffers[Buffer.QKV]
    attended, gate_up, active = buffers[Buffer.ATTENDED], buffers[Buffer.GATE_UP], buffers[Buffer.ACTIVE]
    levels, scales, counter = buffers[Buffer.LEVELS], buffers[Buffer.SCALES], buffers[Buffer.COUNTER]
    cos, sin = buffers[Buffer.COS], buffers[Buffer.SIN]
    own = NUM_SHARED + NUM_OWN * thread
    scores, sums, pair = buffers[own + Own.SCORES], buffers[own + Own.SUMS], buffers[own + Own.PAIR]
    n, met = rows.shape[0], start * STEPS * num_threads
    group, q_width, qkv_width = heads // kv_heads, heads * dim, (heads + 2 * kv_heads) * dim
    my_first, my_last = _share(n, 1, thread, num_threads)
    if sums:
        configure(buffers[Buffer.REGISTERS])
    for index in range(start, end):
        at = layers[index]
        _norm_levels(x, at[Field.ATTN_NORM], my_first, my_last, hidden, eps, normed, levels, scales)
        met = _meet(counter, met, num_threads)

        first, last = _share(qkv_width, BLOCK_OUTPUTS, thread, num_threads)
        fill(at[Field.QKV_BIAS], first, last, n, qkv, qkv_width)
        w, s, c = at[Field.QKV], at[Field.QKV + 1], at[Field.QKV + 2]
        multiply(w, s, c, first, last, hidden, levels, scales, n, qkv, qkv_width, 1, sums)
        met = _meet(counter, met, num_threads)

        for m in range(my_first, my_last):
            turned, half = qkv + 4 * m * qkv_width, 2 * m * dim
            for h in range(kv_heads):
                _place(h, turned, rows[m], index, cos + half, sin + half, heads, kv_heads, dim)
        met = _meet(counter, met, num_threads)

        first, last = _share(kv_heads * n, 1, thread, num_threads)
        for task in range(first, last):
            h, m = task // n, task % n
            turned, out = qkv + 4 * m * qkv_width, attended + 4 * m * q_width
            _look(h, group, turned, rows[m], index, kv_heads, dim, scores, out)
        met = _meet(counter, met, num_threads)

        _levels(attended, my_first, my_last, q_width, levels, scales)
        met = _meet(counter, met, num_threads)

        first, last = _share(hidden, BLOCK_OUTPUTS, thread, num_threads)
        w, s, c = at[Field.O], at[Field.O + 1], at[Field.O + 2]
        multiply(w, s, c, first, last, q_width, levels, scales, n, x, hidden, 1, sums)
        met = _meet(counter, met, num_threads)

        _norm_levels(x, at[Field.FFN_NORM], my_first, my_last, hidden, eps, normed, levels, scales)
        met = _meet(counter, met, num_threads)

        first, last = _share(inner, BLOCK_OUTPUTS, thread, num_threads)
        w, s, c = at[Field.GATE_UP], at[Field.GATE_UP + 1], at[Field.GATE_UP + 2]
        multiply_gated(w, s, c, first, last, hidden, levels, scales, n, gate_up, active, inner, sums, pair)
        met = _meet(counter, met, num_threads)

        _levels(active, my_first, my_last, inner, levels, scales)
        met = _meet(counter, met, num_threads)

        first, last = _share(hidden, BLOCK_OUTPUTS, thread, num_threads)
        w, s, c = at[Field.DOWN], at[Field.DOWN + 1], at[Field.DOWN + 2]
        multiply(w, s, c, first, last, inner, levels, scales, n, x, hidden, 1, sums)
        met = _meet(counter, met, num_threads)
    if sums:
        release()


@entry_point
def read_logits(
    thread: int, num_threads: int, shape: Whole, eps: float, wanted: Whole, buffers: Whole
) -> None:
    """This thread's part of the logits of the rows `wanted`, after all layers."""
    hidden, vocabulary, count = shape[Shape.HIDDEN], shape[Shape.VOCABULARY], wanted.shape[0]
    if count == 0:
        return
    sums = buffers[NUM_SHARED + NUM_OWN * thread + Own.SUMS]
    levels, scales = buffers[Buffer.LEVELS], buffers[Buffer.SCALES]
    first, last = _share(count, 1, thread, num_threads)
    found = carray(floats_at(scales), count)
    for i in range(first, last):
        row, out = buffers[Buffer.X] + 4 * wanted[i] * hidden, buffers[Buffer.NORMED] + 4 * i * hidden
        normalise(row, shape[Shape.NORM], hidden, eps, out)
        found[i] = quantise_row(out, hidden, levels + i * hidden)
    _meet(buffers[Buffer.COUNTER], shape[Shape.LAYERS] * STEPS * num_threads, num_threads)
    first, last = _share(vocabulary, BLOCK_OUTPUTS, thread, num_threads)
    w, s, c = shape[Shape.HEAD], shape[Shape.HEAD + 1], shape[Shape.HEAD + 2]
    out = buffers[Buffer.LOGITS]
    if sums:
        configure(buffers[Buffer.REGISTERS])
    multiply(w, s, c, first, last, hidden, levels, scales, count, out, vocabulary, 0, sums)
    if sums:
        release()


@entry_point
def hear(counter: int, target: int) -> None:
    """Wait until `say` has been called `target` times."""
    wait_for(counter, target)


@entry_point
def say(counter: int) -> None:
    """What `hear` waits for."""
    arrive(counter)
