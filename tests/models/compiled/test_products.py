"""Products of weights and levels: exact, whoever multiplies, for any number of rows."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest

from truepenny.models.compiled import dot_ir, tile_ir
from truepenny.models.compiled.dot_ir import MAX_WIDTH, make_dot
from truepenny.models.compiled.float_ir import silu_times
from truepenny.models.compiled.kernels import FEWEST_TILE_ROWS

from .products import Product, at, padded, random_row, run_gated, run_multiply, tiled

MANY_ROWS = [127, 128, 129, 160, 161, 255, 256, 257, 268, 269, 513]
"""Rows around one round of what stays near, and two."""


def check_product(product: Product, *, uses_tiles: bool) -> None:
    """Set and added, a part of the outputs at a time; what is beside them is left alone."""
    expected = product.expected
    num_rows, num_out = expected.shape
    shares = [(0, 64), (64, 64), (64, num_out)]
    before = random_row((num_rows + 1) * (num_out + 16), 2).reshape(num_rows + 1, -1)
    for adds in (False, True):
        out = before.copy()
        run_multiply(product, shares, out, adds=adds, uses_tiles=uses_tiles)
        wanted = before[:-1, :num_out] + expected if adds else expected
        assert np.array_equal(out[:-1, :num_out], wanted)
        assert np.array_equal(out[:, num_out:], before[:, num_out:]), "written beside the outputs"
        assert np.array_equal(out[-1], before[-1]), "written beyond the rows"


def test_products_are_exact_for_any_number_of_rows(uses_tiles):
    """Every remainder of rows goes through code of its own."""
    for num_rows in (*range(1, 71), *MANY_ROWS):
        check_product(Product.random(192, 64, num_rows), uses_tiles=uses_tiles)


@pytest.mark.parametrize("width", [64, 128, 192, 896])
def test_products_are_exact_for_any_width(width, uses_tiles):
    """From one step of a tile on."""
    for num_rows in (1, 2, 3, 4, 7, 12, 13, 40):
        check_product(Product.random(128, width, num_rows), uses_tiles=uses_tiles)


@pytest.mark.parametrize("width", [64, 4864, MAX_WIDTH])
def test_the_largest_products_are_exact(width, uses_tiles):
    """±127 by levels from 1 to 255: nothing saturates on the way, up to the widest row that is accepted."""
    weight = np.full((64, width), 127)
    weight[1::4] = -127
    weight[2::4, ::2] = -127  # pairs that cancel, and would hide that one of them saturated
    weight[3::4, : width // 2] = -127
    levels = np.full((34, width), 127)
    levels[1::4] = -127
    levels[2::4, ::2] = -127
    levels[3::4, : width // 2] = -127
    for num_rows in (1, 2, 3, 4, 34):
        check_product(Product.of(weight, levels[:num_rows]), uses_tiles=uses_tiles)


def test_the_path_is_chosen_by_the_rows(uses_tiles):
    """Without scratch no tile is touched; with it, from so many rows on, and the sums lie there."""
    for num_rows in (FEWEST_TILE_ROWS - 1, FEWEST_TILE_ROWS):
        product, out = Product.random(64, 64, num_rows), np.empty((num_rows, 64), np.float32)
        sums = run_multiply(product, [(0, 64)], out, adds=False, uses_tiles=uses_tiles)
        assert (sums != -1).any() == (uses_tiles and num_rows >= FEWEST_TILE_ROWS)


# -- gates -----------------------------------------------------------------------------------------------


@numba.njit
def activate(both, num_rows, inner, out):
    for m in range(num_rows):
        silu_times(both + 8 * m * inner, both + 8 * m * inner + 4 * inner, inner, out + 4 * m * inner)


def shares_of(blocks: int, threads: int) -> list[tuple[int, int]]:
    """As `passes` shares: whole blocks, and nothing for some where there are too few."""
    ends = [64 * (blocks * t // threads) for t in range(threads + 1)]
    return list(itertools.pairwise(ends))


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_gates_are_multiplied_and_activated(threads, uses_tiles):
    """Bit for bit what the whole product gives, however few blocks there are for a thread: also none."""
    inner = 192
    shares = shares_of(3, threads)
    assert any(first == last for first, last in shares) == (threads > 3)
    for num_rows in (1, 3, 4, 5, 12, 13, 31, 32, 33, 64, 128, 129, 256, 257):
        product = Product.random(2 * inner, 64, num_rows)
        small = Product(product.weight, product.levels, product.scale / 2000, product.found)
        expected, wanted = small.expected, np.empty((num_rows, inner), np.float32)
        activate(at(expected), num_rows, inner, at(wanted))
        gate, up = np.split(expected.astype(np.float64), 2, axis=1)
        assert np.allclose(wanted, gate / (1 + np.exp(-gate)) * up, rtol=1e-5, atol=1e-6)
        both = np.full((num_rows + 1, 2 * inner), 7, np.float32)
        out = np.full((num_rows + 1, inner), 9, np.float32)
        run_gated(small, shares, both, out, uses_tiles=uses_tiles)
        assert np.array_equal(out[:-1], wanted)
        assert (out[-1] == 9).all(), "written beyond the rows"
        assert (both[-1] == 7).all(), "written beyond the rows"
        if uses_tiles and num_rows >= FEWEST_TILE_ROWS:
            assert (both == 7).all(), "memory that was not to be touched"


@pytest.mark.parametrize("num_rows", [1, 5, 13, 40])
def test_a_share_of_the_gates_leaves_the_others_alone(num_rows, uses_tiles):
    """None of them at all, too: with more threads than blocks some have nothing to do."""
    product = Product.random(384, 64, num_rows)
    whole, both = np.empty((num_rows, 192), np.float32), np.empty((num_rows, 384), np.float32)
    run_gated(product, [(0, 192)], both, whole, uses_tiles=uses_tiles)
    for first, last in ((0, 0), (64, 64), (192, 192), (64, 128), (0, 64), (128, 192)):
        out = np.full((num_rows, 192), 9, np.float32)
        run_gated(product, [(first, last)], both, out, uses_tiles=uses_tiles)
        assert np.array_equal(out[:, first:last], whole[:, first:last])
        assert (np.delete(out, np.s_[first:last], axis=1) == 9).all()


# -- processors ------------------------------------------------------------------------------------------

TARGETS = {
    "x86-64": ("x86_64-unknown-linux-gnu", frozenset()),
    "x86-64 with AVX2": ("x86_64-unknown-linux-gnu", frozenset({"avx2", "fma"})),
    "x86-64 with AVX-512": ("x86_64-unknown-linux-gnu", frozenset({"avx2", "fma", "avx512bw"})),
    "x86-64 with VNNI": ("x86_64-unknown-linux-gnu", frozenset({"avx512f", "avx512vnni"})),
    "ARM, whatever features it is said to have": ("aarch64-linux-gnu", frozenset({"avx512vnni", "amx-int8"})),
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("num_rows", [1, 4])
def test_every_instruction_gives_the_same_integers(monkeypatch, name, num_rows):
    """The plain products that any processor has, and ours; nobody gets one that is not its own."""
    triple, features = TARGETS[name]
    has_vnni = triple.startswith("x86_64") and "avx512vnni" in features
    if has_vnni and "avx512vnni" not in dot_ir.target()[1]:
        pytest.skip("this processor has no VNNI")
    monkeypatch.setattr(dot_ir, "target", lambda: (triple, features))
    dot = make_dot(num_rows, adds=True)

    @numba.njit
    def add(w, x, width, scale, correction, found, out, stride):
        dot(w, width, x, scale, correction, found, out, stride)

    for highest in (1, 127):
        random = np.random.default_rng(highest)
        weight = random.integers(-highest, highest + 1, (64, 128))
        levels = random.integers(-highest, highest + 1, (num_rows, 128))
        weight[0], weight[1], levels[0] = highest, -highest, -highest
        product = Product.of(weight, levels)
        out = np.ones((num_rows, 64), np.float32)
        w, c, x = tiled(product.weight), product.corrections, padded(product.levels)
        add(at(w), at(x), 128, at(product.scale), at(c), at(product.found), at(out), 256)
        assert np.array_equal(out, 1 + product.expected)
    assert ("vpdpbusd" in next(iter(add.inspect_llvm().values()))) == has_vnni


@pytest.mark.parametrize("name", TARGETS)
def test_tiles_are_for_those_who_have_them(monkeypatch, name):
    """All of these are without."""
    monkeypatch.setattr(tile_ir, "target", lambda: TARGETS[name])
    assert not tile_ir.has_tiles()

    @numba.njit
    def begin(registers):
        tile_ir.configure(registers)
        tile_ir.release()

    begin(0)
    code = next(iter(begin.inspect_llvm().values()))
    assert "ldtilecfg" not in code
    assert "tilerelease" not in code
