"""Every compiled loop over a row against numpy: exact where sums are, else within some last places."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.compiled import kernels
from truepenny.models.compiled.float_ir import exponentiate, silu_times, sum_squares

from .products import at, random_row

EDGES = {
    "zeros": np.zeros(64),
    "huge": np.linspace(-3e38, 3e38, 64),
    "negative": -np.arange(1.0, 65.0),
    "one number": np.eye(64)[17] * -2.5,
    "halves": (np.arange(64) - 31.5),
    "subnormal": np.full(64, 1e-40) * np.arange(64),
    "tiny and large": 10.0 ** np.linspace(-30, 10, 64),
}
"""Rows that go wrong first."""

rows_of_edges = pytest.mark.parametrize("row", EDGES.values(), ids=EDGES)
widths = pytest.mark.parametrize("width", [64, 128, 896])


def ulps(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest error, in units in the last place."""
    return float(np.max(np.abs(found - exact) / np.spacing(np.abs(exact).astype(np.float32))))


# -- norms and levels ----------------------------------------------------------------------------------


@widths
def test_a_norm_is_that_of_numpy(width):
    """Within a few last places: its sum has another order."""
    x, weight, out = random_row(width), random_row(width, 1), np.empty(width, np.float32)
    kernels.normalise(at(x), at(weight), width, 1e-6, at(out))
    exact = x / np.sqrt((x.astype(np.float64) ** 2).mean() + 1e-6) * weight
    assert ulps(out, exact) < 8


def test_the_norm_of_zeros_is_zeros():
    """The little that is added to the mean keeps it from being a division by zero."""
    x, weight, out = np.zeros(64, np.float32), random_row(64), np.ones(64, np.float32)
    kernels.normalise(at(x), at(weight), 64, 1e-6, at(out))
    assert not out.any()


@numba.njit
def squares(x, width):
    return sum_squares(x, width)


@widths
def test_squares_are_summed(width):
    """In sixteen lanes, each product and sum rounded once."""
    x = random_row(width)
    assert squares(at(x), width) == pytest.approx(float((x.astype(np.float64) ** 2).sum()), rel=1e-6)


@rows_of_edges
def test_levels_are_those_of_numpy(row):
    """127 levels on each side of 128, halves to even, and a scale that makes floats of them again."""
    x = row.astype(np.float32)
    out = np.full(80, 99, np.uint8)
    scale = kernels.quantise_row(at(x), 64, at(out))
    peak = np.maximum(np.abs(x).max(), np.float32(1e-12))
    assert np.array_equal(out[:64], np.rint(x * (np.float32(127) / peak)) + 128)
    assert np.float32(scale) == peak / np.float32(127)
    assert (out[64:] == 99).all(), "written beyond the row"


def test_halves_go_to_even_levels():
    """Up and down alike, so that no row is moved to one side."""
    halves = np.array([127, *(k + 0.5 for k in range(-127, 127)), -127], np.float32)
    x = np.resize(halves, 256)
    out = np.empty(256, np.uint8)
    assert kernels.quantise_row(at(x), 256, at(out)) == 1
    assert out[0] == 255
    assert out[255] == 1
    assert not (out[1:255] % 2).any()
    assert np.array_equal(out.astype(int), np.rint(x).astype(int) + 128)


def test_a_row_of_nothing_is_in_the_middle():
    """And its scale is above nothing, though nobody divides by it."""
    out = np.zeros(64, np.uint8)
    assert kernels.quantise_row(at(np.zeros(64, np.float32)), 64, at(out)) > 0
    assert (out == 128).all()


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=64, max_size=64))
@settings(max_examples=100, deadline=None)
def test_no_level_is_beyond_127(values):
    """One more would overflow 8 bits, and make a large number its own opposite."""
    x, out = np.array(values, np.float32), np.empty(64, np.uint8)
    scale = kernels.quantise_row(at(x), 64, at(out))
    assert out.min() >= 1
    assert np.abs((out.astype(float) - 128) * scale - x).max() <= 0.5001 * scale


@pytest.mark.parametrize("has_bias", [True, False])
def test_columns_begin_with_their_bias(has_bias):
    """Or with nothing; columns of other threads are left alone."""
    bias, out = random_row(12), np.full((3, 12), 7, np.float32)
    kernels.fill(at(bias) if has_bias else 0, 4, 8, 3, at(out), 12)
    assert (out[:, 4:8] == (bias[4:8] if has_bias else 0)).all()
    assert (out[:, :4] == 7).all()
    assert (out[:, 8:] == 7).all()


# -- the exponential and what uses it ------------------------------------------------------------------


@numba.njit
def softmax_parts(x, width, scale):
    return exponentiate(x, width, scale)


def test_the_exponential_is_within_two_last_places():
    """Over its whole range, against double precision."""
    x = np.linspace(-86.9, 0, 1 << 16).astype(np.float32)
    found = x.copy()
    total = softmax_parts(at(found), x.size, np.float32(1))
    assert ulps(found, np.exp(x.astype(np.float64))) <= 2
    assert total == pytest.approx(float(np.exp(x.astype(np.float64)).sum()), rel=1e-5)


def test_what_is_far_below_the_highest_is_nothing():
    """So that a masked score weighs nothing, not a little."""
    x = np.full(32, -3e38, np.float32)
    x[5], x[9] = 2.0, 2.0 - 88
    assert softmax_parts(at(x), 32, np.float32(1)) == 1
    assert x[5] == 1
    assert np.count_nonzero(x) == 1


@rows_of_edges
def test_shares_are_those_of_numpy(row):
    """Also where every score is the same, or one is higher than all others together."""
    x = np.clip(row, -1e30, 1e30).astype(np.float32)
    shifted = (x.astype(np.float64) - x.max()) * 0.125
    exact = np.where(shifted > -87, np.exp(shifted), 0)
    total = softmax_parts(at(x), 64, np.float32(0.125))
    assert np.allclose(x / total, exact / exact.sum(), rtol=1e-5, atol=1e-30)


@numba.njit
def silu(gate, up, width, out):
    silu_times(gate, up, width, out)


def test_silu_is_within_four_last_places():
    """Where e^-x has not come to the end of its range; below, it is as good as nothing."""
    gate = np.linspace(-86, 86, 1 << 16).astype(np.float32)
    up, out = np.ones_like(gate), np.empty_like(gate)
    silu(at(gate), at(up), gate.size, at(out))
    wide = gate.astype(np.float64)
    exact = wide / (1 + np.exp(-wide))
    assert ulps(out[gate != 0], exact[gate != 0]) <= 4
    far = np.array([-1e4, -1e3, -100, -88, 1e4, 3e38, 0, -0.0] * 2, np.float32)
    silu(at(far), at(up), 16, at(out))
    assert np.abs(out[:16] - np.maximum(far, 0)).max() < 1e-33
