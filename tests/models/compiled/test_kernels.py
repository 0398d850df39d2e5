"""Every compiled loop over a row against numpy: exact where sums are, else within some last places."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.compiled import dot_ir, kernels
from truepenny.models.compiled.dot_ir import MAX_WIDTH, make_dot
from truepenny.models.compiled.float_ir import exponentiate, silu_times, sum_squares

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
widths = pytest.mark.parametrize("width", [32, 64, 96, 896])


def random_row(width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)


def at(array: np.ndarray) -> int:
    assert array.flags.c_contiguous
    return array.ctypes.data


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
@pytest.mark.parametrize("bits", [8, 16])
def test_levels_are_those_of_numpy(row, bits):
    """127 levels on each side of zero, halves to even, and a scale that makes floats of them again."""
    x = row.astype(np.float32)
    out = np.full(80, 99, {8: np.int8, 16: np.int16}[bits])
    scale = kernels.quantise_row(at(x), 64, at(out), bits)
    peak = np.maximum(np.abs(x).max(), np.float32(1e-12))
    assert np.array_equal(out[:64], np.rint(x * (np.float32(127) / peak)))
    assert np.float32(scale) == peak / np.float32(127)
    assert (out[64:] == 99).all(), "written beyond the row"


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=32, max_size=32))
@settings(max_examples=200, deadline=None)
def test_no_level_is_beyond_127(values):
    """One more would overflow 8 bits, and make a large number its own opposite."""
    x, out = np.array(values, np.float32), np.empty(32, np.int16)
    scale = kernels.quantise_row(at(x), 32, at(out), 16)
    assert np.abs(out).max() <= 127
    assert np.abs(out * scale - x).max() <= 0.5001 * scale


# -- products ------------------------------------------------------------------------------------------


def product(weight: np.ndarray, levels: np.ndarray, scale: np.ndarray, found: np.ndarray) -> np.ndarray:
    """What `multiply` must give, bit for bit."""
    sums = levels.astype(np.int64) @ weight.astype(np.int64).T
    return sums.astype(np.float32) * scale * found[:, None]


def check_product(weight: np.ndarray, levels: np.ndarray) -> None:
    """Both ways to multiply, a part of the columns at a time, and the same numbers from torch's sums."""
    (rows, width), num_rows = weight.shape, len(levels)
    scale, found = np.abs(random_row(rows)), np.abs(random_row(num_rows, 1))
    expected = product(weight, levels, scale, found)
    before = random_row(num_rows * rows, 2).reshape(num_rows, rows)
    for adds in (0, 1):
        out = before.copy()
        for first, last in ((0, 4), (4, 4), (4, rows)):
            kernels.multiply(
                at(weight), at(scale), first, last, width, at(levels), at(found), num_rows, at(out), rows,
                adds,
            )  # fmt: skip
        assert np.array_equal(out, before + expected if adds else expected)
    sums = (levels.astype(np.int64) @ weight.astype(np.int64).T).astype(np.int32)
    put, added = np.empty_like(expected), before.copy()
    for m in range(num_rows):
        kernels.put_scaled(at(sums[m]), at(scale), rows, float(found[m]), at(put[m]))
        kernels.add_scaled(at(sums[m]), at(scale), rows, float(found[m]), at(added[m]))
    assert np.array_equal(put, expected)
    assert np.array_equal(added, before + expected)


@widths
@pytest.mark.parametrize("num_rows", [1, 2, 3, 4, 5, 7, 8, 32])
def test_products_are_exact(width, num_rows):
    """For every remainder of rows, which go through code of their own."""
    random = np.random.default_rng(width + num_rows)
    weight = random.integers(-127, 128, (16, width)).astype(np.int8)
    check_product(weight, random.integers(-127, 128, (num_rows, width)).astype(np.int16))


@pytest.mark.parametrize("num_rows", [1, 2, 3, 4])
@pytest.mark.parametrize("width", [32, 4864, MAX_WIDTH])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_products_are_exact(num_rows, width, sign):
    """±127 everywhere: nothing saturates on the way, up to the widest row that is accepted."""
    check_product(np.full((8, width), 127, np.int8), np.full((num_rows, width), 127 * sign, np.int16))


FEATURES = {
    "none": frozenset(),
    "avx2": frozenset({"avx2"}),
    "avx512bw": frozenset({"avx2", "avx512bw"}),
    "avx512vnni": frozenset({"avx2", "avx512bw", "avx512vnni"}),
}


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("columns", [1, 4])
def test_every_instruction_gives_the_same_integers(monkeypatch, name, columns):
    """The plain products that any processor has, and each kind of ours."""
    triple, features = dot_ir.target()
    if not features >= FEATURES[name]:
        pytest.skip(f"this processor has no {name}")
    monkeypatch.setattr(dot_ir, "target", lambda: (triple, FEATURES[name]))
    dot = make_dot(columns, adds=False)

    @numba.njit
    def multiply(w, x, width, scale, found, out):
        dot(w, width, x, 2 * width, width, scale, found, out, 16)

    random = np.random.default_rng(1)
    for highest in (1, 127):
        weight = random.integers(-highest, highest + 1, (4, 96)).astype(np.int8)
        levels = random.integers(-highest, highest + 1, (columns, 96)).astype(np.int16)
        weight[0], levels[0] = 127, -127
        ones, out = np.ones(4, np.float32), np.empty((columns, 4), np.float32)
        multiply(at(weight), at(levels), 96, at(ones), at(ones), at(out))
        assert np.array_equal(out, levels.astype(np.int64) @ weight.T.astype(np.int64))


def test_a_foreign_processor_gets_no_instruction_of_ours(monkeypatch):
    """Whatever features its triple comes with."""
    monkeypatch.setattr(dot_ir, "target", lambda: ("aarch64-linux-gnu", frozenset({"avx512vnni"})))
    dot = make_dot(1, adds=True)

    @numba.njit
    def add(w, x, scale, found, out):
        dot(w, 32, x, 64, 32, scale, found, out, 16)

    weight, levels = np.full((4, 32), -127, np.int8), np.full(32, 127, np.int16)
    ones, out = np.ones(4, np.float32), np.ones(4, np.float32)
    add(at(weight), at(levels), at(ones), at(ones), at(out))
    assert (out == 1 - 32 * 127 * 127).all()
    assert "vpdpwssd" not in next(iter(add.inspect_llvm().values()))


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


@pytest.mark.parametrize(("first", "last"), [(0, 96), (32, 64), (48, 48), (96, 96)])
def test_a_share_of_the_columns_is_activated(first, last):
    """None, too: with more threads than vectors some have nothing to do, and must leave others' alone."""
    both, out = random_row(192), np.full(112, 9, np.float32)
    kernels.activate(at(both), 96, first, last, at(out))
    gate, up = both[:96].astype(np.float64), both[96:]
    exact = gate / (1 + np.exp(-gate)) * up
    assert np.allclose(out[first:last], exact[first:last], rtol=1e-6)
    assert (np.delete(out, np.s_[first:last]) == 9).all()
