"""A barrier for a few threads of compiled code: a counter, a short spin, then the core is given up.

OpenMP's barriers spin for milliseconds.  With one busy program beside us that is a catastrophe: the
thread that is waited for does not get the core on which the others wait for it.
"""

from __future__ import annotations

import sys
from typing import Any

import llvmlite.binding  # pyright: ignore[reportMissingTypeStubs]  # there are none
from numba import types

from .vector_ir import I32, I64, declared, ir, number, primitive, target

_SPINS = 2_000
"""Looks at the counter before the core is offered to others: some tens of microseconds."""

_YIELD = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

if sys.platform == "win32":
    llvmlite.binding.load_library_permanently("kernel32.dll")


def _arrive(builder: Any, args: list[Any]) -> None:
    pointer = builder.inttoptr(args[0], I64.as_pointer())
    builder.atomic_rmw("add", pointer, number(1), "acq_rel")


def _wait_for(builder: Any, args: list[Any]) -> None:
    pointer = builder.inttoptr(args[0], I64.as_pointer())
    before = builder.block
    look, again = builder.append_basic_block("look"), builder.append_basic_block("again")
    give, done = builder.append_basic_block("give"), builder.append_basic_block("done")
    builder.branch(look)
    builder.position_at_end(look)
    spins = builder.phi(I64)
    spins.add_incoming(number(0), before)
    value = builder.load_atomic(pointer, "acquire", 8)
    builder.cbranch(builder.icmp_signed(">=", value, args[1]), done, again)
    builder.position_at_end(again)
    _pause(builder)
    following = builder.add(spins, number(1))
    spins.add_incoming(following, again)
    builder.cbranch(builder.icmp_signed(">", following, number(_SPINS)), give, look)
    builder.position_at_end(give)
    builder.call(declared(builder, _YIELD, I32, []), [])
    spins.add_incoming(following, give)
    builder.branch(look)
    builder.position_at_end(done)


def _pause(builder: Any) -> None:
    """Tell the core that this is a spin."""
    triple, _ = target()
    if triple.startswith("x86_64"):
        builder.call(declared(builder, "llvm.x86.sse2.pause", ir.VoidType(), []), [])
    elif triple.startswith(("aarch64", "arm64")):
        hint = declared(builder, "llvm.aarch64.hint", ir.VoidType(), [I32])
        builder.call(hint, [ir.Constant(I32, 1)])


arrive = primitive(types.void(types.int64), _arrive)
"""`arrive(counter)`: one more on the 64-bit counter at this address.

What a thread wrote before it is seen by whoever sees the sum.
"""

wait_for = primitive(types.void(types.int64, types.int64), _wait_for)
"""`wait_for(counter, target)`: come back when the counter is at least `target`."""
