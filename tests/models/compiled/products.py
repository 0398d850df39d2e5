"""Weights and levels for the products of compiled code, and what must come of them, from numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from truepenny.models.compiled import kernels
from truepenny.models.compiled.amx import description
from truepenny.models.compiled.tile_ir import PAIR_OUTPUTS, PAIR_ROWS, configure, release

REGISTERS = description()


def at(array: np.ndarray) -> int:
    assert array.flags.c_contiguous
    return array.ctypes.data


def random_row(width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)


def tiled(weight: np.ndarray) -> np.ndarray:
    """`(out, in)` as it is multiplied: `(out / 16, in / 4, 16, 4)`."""
    num_out, width = weight.shape
    return np.ascontiguousarray(weight.reshape(num_out // 16, 16, width // 4, 4).transpose(0, 2, 1, 3))


def padded(levels: np.ndarray) -> np.ndarray:
    """Stored 128 higher, with room to a multiple of 32 rows, which holds anything but zeros."""
    num_rows, width = levels.shape
    stored = np.full((-(-num_rows // PAIR_ROWS) * PAIR_ROWS, width), 77, np.uint8)
    stored[:num_rows] = levels + 128
    return stored


def scratch(*, uses_tiles: bool) -> np.ndarray:
    """For the sums of tiles, which need it; `at` none of it is where there are none."""
    return np.full(PAIR_ROWS * PAIR_OUTPUTS if uses_tiles else 0, -1, np.int32)


@dataclass(frozen=True)
class Product:
    """`weight`: `(out, in)` in -127 … 127; `levels`: `(rows, in)` of the same."""

    weight: np.ndarray
    levels: np.ndarray
    scale: np.ndarray
    found: np.ndarray

    @staticmethod
    def of(weight: np.ndarray, levels: np.ndarray) -> Product:
        scale, found = np.abs(random_row(len(weight))), np.abs(random_row(len(levels), 1))
        return Product(weight.astype(np.int8), levels.astype(np.int64), scale, found)

    @staticmethod
    def random(num_out: int, width: int, num_rows: int, seed: int = 0) -> Product:
        random = np.random.default_rng([num_out, width, num_rows, seed])
        return Product.of(
            random.integers(-127, 128, (num_out, width)), random.integers(-127, 128, (num_rows, width))
        )

    @property
    def corrections(self) -> np.ndarray:
        return (128 * self.weight.astype(np.int64).sum(axis=1)).astype(np.int32)

    @property
    def expected(self) -> np.ndarray:
        """Bit for bit: sums are exact, and then rounded as often as floats must be."""
        sums = self.levels @ self.weight.T.astype(np.int64)
        return sums.astype(np.float32) * self.scale * self.found[:, None]


@numba.njit
def _multiply(registers, w, s, c, first, last, width, x, found, num_rows, out, out_width, adds, sums):
    if sums:
        configure(registers)
    kernels.multiply(w, s, c, first, last, width, x, found, num_rows, out, out_width, adds, sums)
    if sums:
        release()


@numba.njit
def _multiply_gated(registers, w, s, c, first, last, width, x, found, num_rows, both, out, inner, sums, pair):
    if sums:
        configure(registers)
    kernels.multiply_gated(w, s, c, first, last, width, x, found, num_rows, both, out, inner, sums, pair)
    if sums:
        release()


def run_multiply(
    product: Product, shares: list[tuple[int, int]], out: np.ndarray, *, adds: bool, uses_tiles: bool
) -> np.ndarray:
    """Share after share of the outputs, into `out`; the scratch, -1 where nothing was written."""
    w, c, x = tiled(product.weight), product.corrections, padded(product.levels)
    sums = scratch(uses_tiles=uses_tiles)
    for first, last in shares:
        _multiply(
            at(REGISTERS), at(w), at(product.scale), at(c), first, last, product.weight.shape[1], at(x),
            at(product.found), len(product.levels), at(out), out.shape[1], int(adds),
            at(sums) if uses_tiles else 0,
        )  # fmt: skip
    return sums


def run_gated(
    product: Product, shares: list[tuple[int, int]], both: np.ndarray, out: np.ndarray, *, uses_tiles: bool
) -> None:
    """As `run_multiply`, for gates and what they are for: `both` is `(rows, 2 * inner)`, `out` half of it."""
    w, c, x = tiled(product.weight), product.corrections, padded(product.levels)
    sums = scratch(uses_tiles=uses_tiles)
    pair = np.full((PAIR_ROWS, 2 * PAIR_OUTPUTS), np.nan, np.float32)
    for first, last in shares:
        _multiply_gated(
            at(REGISTERS), at(w), at(product.scale), at(c), first, last, product.weight.shape[1], at(x),
            at(product.found), len(product.levels), at(both), at(out), len(product.weight) // 2,
            at(sums) if uses_tiles else 0, at(pair),
        )  # fmt: skip
