"""Compiled attention against numpy, for every number of heads that share a key, at the edges of blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.compiled.attention import attend_heads, put_row, rotate

POSITIONS = [0, 1, 30, 31, 32, 33, 63, 64, 127, 128, 200]


def check(group: int, head_dim: int, position: int, capacity: int = 256) -> None:
    """Against double precision; what lies behind the position is not a number, and must not matter."""
    random = np.random.default_rng(group * 1000 + position)
    queries = random.standard_normal((group, head_dim)).astype(np.float32)
    keys = np.full((head_dim, capacity), np.nan, np.float32)
    values = np.full((capacity, head_dim), np.nan, np.float32)
    count = position + 1
    keys[:, :count] = random.standard_normal((head_dim, count)) * 2
    values[:count] = random.standard_normal((count, head_dim))
    room = min(group, 8) * capacity
    scores = np.full(room + 16, 5, np.float32)
    out = np.full((group + 1, head_dim), 7, np.float32)
    attend_heads(
        queries.ctypes.data, group, keys.ctypes.data, values.ctypes.data, capacity, position, head_dim,
        scores.ctypes.data, out.ctypes.data,
    )  # fmt: skip
    exact = queries.astype(np.float64) @ keys[:, :count].astype(np.float64) / head_dim**0.5
    weights = np.exp(exact - exact.max(axis=1, keepdims=True))
    expected = weights / weights.sum(axis=1, keepdims=True) @ values[:count].astype(np.float64)
    assert np.abs(out[:group] - expected).max() < 2e-5
    assert (out[group] == 7).all(), "written beyond the heads"
    assert (scores[room:] == 5).all(), "more room for scores than was said"


@pytest.mark.parametrize("group", range(1, 17))
@pytest.mark.parametrize("head_dim", [32, 64, 96, 128])
def test_attention_is_that_of_numpy(group, head_dim):
    """Up to eight heads at once, the others after them."""
    for position in POSITIONS:
        check(group, head_dim, position)


@given(st.integers(1, 16), st.integers(0, 511))
@settings(max_examples=60, deadline=None)
def test_attention_at_any_position(group, position):
    """To the last place of a full sequence."""
    check(group, 64, position, 512)


def test_one_token_sees_itself_alone():
    """Whatever its score is."""
    for factor in (0.0, 1e18, -1e18):
        query, key = np.full(32, factor, np.float32), np.full((32, 64), 1e18, np.float32)
        value = np.arange(64 * 32, dtype=np.float32).reshape(64, 32)
        scores, out = np.empty(64, np.float32), np.empty(32, np.float32)
        attend_heads(
            query.ctypes.data, 1, key.ctypes.data, value.ctypes.data, 64, 0, 32, scores.ctypes.data,
            out.ctypes.data,
        )  # fmt: skip
        assert np.array_equal(out, value[0])


def test_a_token_does_not_depend_on_the_capacity():
    """Bit for bit: a sequence that has grown goes on as it was."""
    random = np.random.default_rng(4)
    queries = random.standard_normal((7, 64)).astype(np.float32)
    keys = random.standard_normal((64, 100)).astype(np.float32)
    values = random.standard_normal((100, 64)).astype(np.float32)
    found = []
    for capacity in (128, 192, 1024):
        k, v = np.zeros((64, capacity), np.float32), np.zeros((capacity, 64), np.float32)
        k[:, :100], v[:100] = keys, values
        scores, out = np.empty(7 * capacity, np.float32), np.empty((7, 64), np.float32)
        attend_heads(
            queries.ctypes.data, 7, k.ctypes.data, v.ctypes.data, capacity, 99, 64, scores.ctypes.data,
            out.ctypes.data,
        )  # fmt: skip
        found.append(out)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


@pytest.mark.parametrize("head_dim", [32, 128])
def test_a_head_is_turned_by_its_position(head_dim):
    """Number i and number i + head_dim / 2 are one point in the plane."""
    random = np.random.default_rng(1)
    head = random.standard_normal(head_dim).astype(np.float32)
    angle = random.uniform(-3, 3, head_dim // 2)
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    low, high = np.split(head.astype(np.float64), 2)
    turned = (low + 1j * high) * (cos + 1j * sin)
    rotate(head.ctypes.data, cos.ctypes.data, sin.ctypes.data, head_dim)
    assert np.allclose(head, np.concatenate((turned.real, turned.imag)), atol=1e-6)


def test_a_key_is_a_column_and_a_value_a_row():
    """At their position, and nowhere else."""
    key, value = np.arange(1, 33, dtype=np.float32), np.arange(101, 133, dtype=np.float32)
    keys, values = np.zeros((32, 64), np.float32), np.zeros((64, 32), np.float32)
    put_row(key.ctypes.data, value.ctypes.data, keys.ctypes.data, values.ctypes.data, 64, 63, 32)
    assert np.array_equal(keys[:, 63], key)
    assert np.array_equal(values[63], value)
    assert not keys[:, :63].any()
    assert not values[:63].any()
