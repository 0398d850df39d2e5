"""Words for writing loops over vectors in LLVM's language, for numba.

numba compiles plain loops well as long as every lane goes its own way.  What it cannot say is written
with these words, in `dot_ir`, `tile_ir`, `float_ir`, `attention_ir` and `barrier_ir`: sums of products of
bytes (one instruction on every current processor), float sums that stay in registers, atomic counters.

Addresses are integers (`array.ctypes.data`); nothing checks them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

import llvmlite.ir  # pyright: ignore[reportMissingTypeStubs]  # there are none
import numba.extending
from numba.core.registry import cpu_target

ir: Any = llvmlite.ir
"""llvmlite has no types of its own: builders, values and types of its language are `Any` here."""

I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
F32 = ir.FloatType()

Body = Callable[[Any, list[Any]], list[Any]]
"""The inside of a loop: the index and the states before, to the states after."""


def primitive(signature: Any, generate: Callable[[Any, list[Any]], Any]) -> Any:
    """A function for compiled code to call: `generate(builder, arguments)` writes its instructions."""

    def define(_typing: Any, *_arguments: Any) -> Any:
        def lower(_context: Any, builder: Any, _signature: Any, arguments: list[Any]) -> Any:
            return generate(builder, arguments)

        return signature, lower

    # numba looks here for what it may be called with; a `*` it would take for one tuple.
    names = ["typing", *(f"a{i}" for i in range(len(signature.args)))]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names]
    cast("Any", define).__signature__ = inspect.Signature(parameters)
    make: Any = numba.extending.intrinsic
    return make(define)


def target() -> tuple[str, frozenset[str]]:
    """What numba compiles for: the triple and the processor's features, which a user may have narrowed."""
    registry: Any = cpu_target
    triple, _name, features = registry.target_context.codegen().magic_tuple()
    return triple, frozenset(f[1:] for f in features.split(",") if f.startswith("+"))


def declared(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    """The function of this name, which LLVM or the process defines."""
    module = builder.module
    found = module.globals.get(name)
    return ir.Function(module, ir.FunctionType(result, arguments), name) if found is None else found


def number(value: int) -> Any:
    return ir.Constant(I64, value)


def zeros(element: Any, count: int) -> Any:
    return ir.Constant(ir.VectorType(element, count), None)


def plus(builder: Any, base: Any, distance: int) -> Any:
    """An address so many bytes on."""
    return builder.add(base, number(distance))


def times(builder: Any, index: Any, size: int) -> Any:
    return builder.mul(index, number(size))


def offset(builder: Any, base: Any, index: int, stride: Any) -> Any:
    """`base + index · stride`, the stride a value."""
    return builder.add(base, builder.mul(stride, number(index)))


def load(builder: Any, address: Any, element: Any, count: int) -> Any:
    """`count` numbers that lie there, aligned or not."""
    pointer = builder.inttoptr(address, ir.VectorType(element, count).as_pointer())
    return builder.load(pointer, align=1)


def store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=1)


def chosen(builder: Any, first: Any, second: Any, indices: list[int]) -> Any:
    """The lanes of two vectors, one after the other, that the indices name."""
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(I32, len(indices)), indices))


def broadcast(builder: Any, scalar: Any, count: int) -> Any:
    """A vector of one number."""
    undefined = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
    one = builder.insert_element(undefined, scalar, ir.Constant(I32, 0))
    return chosen(builder, one, one, [0] * count)


def loop(builder: Any, count: Any, step: int, states: list[Any], body: Body) -> list[Any]:
    """`for i in range(0, count, step): states = body(i, states)`; the states stay in registers.

    The body runs once before anything is compared: `count` must be above 0.
    """
    before = builder.block
    head = builder.append_basic_block("loop")
    after = builder.append_basic_block("done")
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(I64)
    index.add_incoming(number(0), before)
    phis = [builder.phi(state.type) for state in states]
    for phi, state in zip(phis, states, strict=True):
        phi.add_incoming(state, before)
    results = body(index, phis)
    following = builder.add(index, number(step))
    index.add_incoming(following, builder.block)
    for phi, result in zip(phis, results, strict=True):
        phi.add_incoming(result, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, count), head, after)
    builder.position_at_end(after)
    return results
