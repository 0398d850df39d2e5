"""Attention of one token's heads to what came before, compiled by numba.

A key cache is `(head_dim, capacity)`, a value cache `(capacity, head_dim)`, per layer and key head; the
capacity is whole blocks of `BLOCK_KEYS`.  Addresses are integers, floats 32 bits.
"""

from __future__ import annotations

import numpy as np

from .attention_ir import BLOCK_KEYS, MIX_COLUMNS, make_mix, make_scores
from .compiling import carray, compiled
from .float_ir import exponentiate
from .kernels import floats_at

MAX_GROUP = 8
"""Query heads of one key head that are served together; with more, their sums would leave the registers."""

_UNSEEN = np.float32(-3.0e38)

_scores_1, _scores_2, _scores_3, _scores_4 = (make_scores(group) for group in (1, 2, 3, 4))
_scores_5, _scores_6, _scores_7, _scores_8 = (make_scores(group) for group in (5, 6, 7, 8))
_mix_1, _mix_2, _mix_3, _mix_4 = (make_mix(group) for group in (1, 2, 3, 4))
_mix_5, _mix_6, _mix_7, _mix_8 = (make_mix(group) for group in (5, 6, 7, 8))


@compiled
def rotate(x: int, cos: int, sin: int, head_dim: int) -> None:
    """Turn one head by its position, in place (RoPE: Su et al. 2021, arXiv:2104.09864; halves paired)."""
    half = head_dim // 2
    head = carray(floats_at(x), head_dim)
    cosines, sines = carray(floats_at(cos), half), carray(floats_at(sin), half)
    for i in range(half):
        low, high = head[i], head[half + i]
        head[i] = low * cosines[i] - high * sines[i]
        head[half + i] = high * cosines[i] + low * sines[i]


@compiled
def put_row(
    key: int, value: int, keys: int, values: int, capacity: int, position: int, head_dim: int
) -> None:
    """Write one head's key, `(head_dim, capacity)`, and value, `(capacity, head_dim)`, at `position`."""
    source, column = carray(floats_at(key), head_dim), carray(floats_at(keys), head_dim * capacity)
    for i in range(head_dim):
        column[i * capacity + position] = source[i]
    fresh = carray(floats_at(value), head_dim)
    row = carray(floats_at(values + 4 * position * head_dim), head_dim)
    for i in range(head_dim):
        row[i] = fresh[i]


@compiled
def _score(group: int, q: int, qs: int, k: int, ks: int, dim: int, count: int, out: int, outs: int) -> None:
    if group == 1:
        _scores_1(q, qs, k, ks, dim, count, out, outs)
    elif group == 2:
        _scores_2(q, qs, k, ks, dim, count, out, outs)
    elif group == 3:
        _scores_3(q, qs, k, ks, dim, count, out, outs)
    elif group == 4:
        _scores_4(q, qs, k, ks, dim, count, out, outs)
    elif group == 5:
        _scores_5(q, qs, k, ks, dim, count, out, outs)
    elif group == 6:
        _scores_6(q, qs, k, ks, dim, count, out, outs)
    elif group == 7:
        _scores_7(q, qs, k, ks, dim, count, out, outs)
    else:
        _scores_8(q, qs, k, ks, dim, count, out, outs)


@compiled
def _mix(group: int, p: int, ps: int, v: int, vs: int, count: int, out: int, outs: int) -> None:
    if group == 1:
        _mix_1(p, ps, v, vs, count, out, outs)
    elif group == 2:
        _mix_2(p, ps, v, vs, count, out, outs)
    elif group == 3:
        _mix_3(p, ps, v, vs, count, out, outs)
    elif group == 4:
        _mix_4(p, ps, v, vs, count, out, outs)
    elif group == 5:
        _mix_5(p, ps, v, vs, count, out, outs)
    elif group == 6:
        _mix_6(p, ps, v, vs, count, out, outs)
    elif group == 7:
        _mix_7(p, ps, v, vs, count, out, outs)
    else:
        _mix_8(p, ps, v, vs, count, out, outs)


@compiled
def attend(
    queries: int,
    group: int,
    keys: int,
    values: int,
    capacity: int,
    position: int,
    head_dim: int,
    scores: int,
    out: int,
) -> None:
    """Up to `MAX_GROUP` query heads of one key head, of the token at `position`, over rows `[0, position]`.

    `scores` is scratch for `group · capacity` floats.  Rows beyond `position` may hold anything.
    """
    count = position + 1
    padded = -(-count // BLOCK_KEYS) * BLOCK_KEYS
    wide = 4 * head_dim
    _score(group, queries, wide, keys, 4 * capacity, head_dim, padded, scores, 4 * capacity)
    for g in range(group):
        row = carray(floats_at(scores + 4 * g * capacity), padded)
        for t in range(count, padded):
            row[t] = _UNSEEN
        scale = np.float32(1.0) / np.sqrt(np.float32(head_dim))
        total = exponentiate(scores + 4 * g * capacity, padded, scale)
        share = np.float32(1.0) / total
        for t in range(count):
            row[t] *= share
    for d in range(0, wide, 4 * MIX_COLUMNS):
        _mix(group, scores, 4 * capacity, values + d, wide, count, out + d, wide)


@compiled
def attend_heads(
    queries: int,
    group: int,
    keys: int,
    values: int,
    capacity: int,
    position: int,
    head_dim: int,
    scores: int,
    out: int,
) -> None:
    """As `attend`, for any number of query heads, `MAX_GROUP` at a time."""
    for g in range(0, group, MAX_GROUP):
        part, start = min(MAX_GROUP, group - g), 4 * g * head_dim
        attend(queries + start, part, keys, values, capacity, position, head_dim, scores, out + start)
