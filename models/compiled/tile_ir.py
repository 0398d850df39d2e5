"""Whole tiles of products: Intel's AMX, in LLVM's language, for numba.

A tile register holds 16 rows of 64 bytes.  `tdpbusd` adds to 16 x 16 sums the products of 16 rows of
activations and 16 outputs, over 64 inputs.  Two tiles of each make four tiles of sums, so that what is
loaded is used twice.

The kernel must have let this process use the registers (`amx.allow_tiles`), and every thread describes
them before it starts (`configure`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from numba import types

from .dot_ir import TILE_OUTPUTS, prefetch
from .vector_ir import I8, I64, declared, ir, loop, number, offset, plus, primitive, target, times

TILE_ROWS = 16
PAIR_ROWS = 2 * TILE_ROWS
PAIR_OUTPUTS = 2 * TILE_OUTPUTS
TILE_INPUTS = 64
"""Inputs of one instruction: widths are whole multiples of it."""

_POINTER = I8.as_pointer()


def has_tiles() -> bool:
    """Whether the code is compiled for a processor that has the registers."""
    triple, features = target()
    return triple.startswith("x86_64") and {"amx-tile", "amx-int8"} <= features


def _call(builder: Any, name: str, kinds: list[Any], args: list[Any]) -> None:
    if has_tiles():  # else never reached, and the compiler would not know the word
        builder.call(declared(builder, f"llvm.x86.{name}", ir.VoidType(), kinds), args)


def _tile(index: int) -> Any:
    return ir.Constant(I8, index)


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _POINTER)


def _configure(builder: Any, args: list[Any]) -> None:
    _call(builder, "ldtilecfg", [_POINTER], [_pointer(builder, args[0])])


def _release(builder: Any, _args: list[Any]) -> None:
    _call(builder, "tilerelease", [], [])


def _multiply_tiles(builder: Any, args: list[Any], *, fetches: bool) -> None:
    w, width, x, sums = args
    second = offset(builder, w, TILE_OUTPUTS, width)
    following = offset(builder, w, PAIR_OUTPUTS, width)
    lower = offset(builder, x, TILE_ROWS, width)
    for index in range(4):
        _call(builder, "tilezero", [I8], [_tile(index)])

    def body(k: Any, _: list[Any]) -> list[Any]:
        k16 = times(builder, k, TILE_OUTPUTS)
        if fetches:  # a step's share of what the next 32 outputs are multiplied by
            ahead = builder.add(following, builder.add(k16, k16))
            for line in range(0, 2 * TILE_OUTPUTS * TILE_INPUTS, 64):
                prefetch(builder, plus(builder, ahead, line))
        for index, place, stride in (
            (4, builder.add(x, k), width),
            (5, builder.add(lower, k), width),
            (6, builder.add(w, k16), number(TILE_INPUTS)),
            (7, builder.add(second, k16), number(TILE_INPUTS)),
        ):
            arguments = [_tile(index), _pointer(builder, place), stride]
            _call(builder, "tileloadd64", [I8, _POINTER, I64], arguments)
        for index, rows, outputs in ((0, 4, 6), (1, 4, 7), (2, 5, 6), (3, 5, 7)):
            _call(builder, "tdpbusd", [I8] * 3, [_tile(index), _tile(rows), _tile(outputs)])
        return []

    loop(builder, width, TILE_INPUTS, [], body)
    for index in range(4):
        row, output = divmod(index, 2)
        place = plus(builder, sums, 4 * (row * TILE_ROWS * PAIR_OUTPUTS + output * TILE_OUTPUTS))
        arguments = [_tile(index), _pointer(builder, place), number(4 * PAIR_OUTPUTS)]
        _call(builder, "tilestored64", [I8, _POINTER, I64], arguments)


configure = primitive(types.void(types.int64), _configure)
"""`configure(description)`: describe this thread's registers (`amx.description`)."""

release = primitive(types.void(), _release)
"""`release()`: this thread has no use for its registers any more."""

_SIGNATURE = types.void(*(types.int64,) * 4)

multiply_tiles = primitive(_SIGNATURE, partial(_multiply_tiles, fetches=False))
"""`multiply_tiles(w, width, x, sums)`: 32 rows of activations times 32 outputs, int32 `(32, 32)` at `sums`.

`w`: two tiles of weights, one after the other; `x`: 32 rows of `width` activations (`dot_ir`).
"""

multiply_tiles_first = primitive(_SIGNATURE, partial(_multiply_tiles, fetches=True))
"""The same, and asks memory for the weights of the 32 outputs that follow, there or not."""
