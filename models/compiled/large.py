"""A pass over many rows: each thread has some rows to itself, and torch multiplies them (`_int_mm`).

`_int_mm` uses the matrix units (AMX) where there are any.  Threads meet once a layer, when all keys and
values are in place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor

from . import parts
from .compiling import Table, Whole
from .room import Room
from .tables import NUM_OWN, NUM_SHARED, Buffer, Field, Own
from .weights import CompiledWeights


class Part:
    """One thread's rows of a large pass."""

    def __init__(
        self, weights: CompiledWeights, room: Room, rows: Table, buffers: Whole, thread: int, num_threads: int
    ) -> None:
        self._weights, self._rows, self._buffers = weights, rows, buffers
        self._arch = a = weights.architecture
        total = rows.shape[0]
        self._first, self._last = total * thread // num_threads, total * (thread + 1) // num_threads
        count = self._last - self._first
        own = NUM_SHARED + NUM_OWN * thread
        self._normed, self._scores = int(buffers[own + Own.NORMED]), int(buffers[own + Own.SCORES])
        self._gate_up = int(buffers[Buffer.GATE_UP]) + 8 * thread * a.intermediate
        self._active = int(buffers[Buffer.ACTIVE]) + 4 * thread * a.intermediate
        self._scales = room.scales8.ctypes.data
        mine = room.levels8[self._first : self._last].reshape(-1)
        # This thread's levels, `(rows, width)`: views of one piece of memory, used one after the other.
        self._levels: dict[int, Tensor] = {
            width: torch.from_numpy(mine[: count * width].reshape(count, width))  # pyright: ignore[reportUnknownMemberType]  # torch's stub is partial
            for width in {a.hidden, a.q_width, a.intermediate}
        }
        self._sums = {
            width: torch.empty(count, width, dtype=torch.int32)
            for width in {a.qkv_width, a.hidden, 2 * a.intermediate}
        }

    def project(self, layer: int) -> None:
        """q, k and v of these rows; keys and values into the cache."""
        a, at, b = self._arch, self._weights.layers[layer], self._buffers
        levels = self._quantise(b[Buffer.X], at[Field.ATTN_NORM], a.hidden)
        sums = self._product(levels, layer, Field.QKV)
        parts.place_rows(
            sums.data_ptr(), at[Field.QKV_SCALE], at[Field.QKV_BIAS], self._scales, self._first, self._last,
            self._weights.shape, layer, self._rows, b[Buffer.COS], b[Buffer.SIN], b[Buffer.QKV],
        )  # fmt: skip

    def finish(self, layer: int) -> None:
        """The rest of the layer, once all keys and values are in place."""
        a, at, b = self._arch, self._weights.layers[layer], self._buffers
        first, last = self._first, self._last
        parts.look_rows(
            first, last, self._weights.shape, layer, self._rows, b[Buffer.QKV], self._scores,
            b[Buffer.ATTENDED],
        )  # fmt: skip
        sums = self._product(self._quantise(b[Buffer.ATTENDED], 0, a.q_width), layer, Field.O)
        parts.add_rows(sums.data_ptr(), at[Field.O_SCALE], self._scales, first, last, a.hidden, b[Buffer.X])
        levels = self._quantise(b[Buffer.X], at[Field.FFN_NORM], a.hidden)
        sums = self._product(levels, layer, Field.GATE_UP)
        levels = self._levels[a.intermediate]
        parts.activate_rows(
            sums.data_ptr(), at[Field.GATE_UP_SCALE], self._scales, first, last, a.intermediate,
            self._gate_up, self._active, levels.data_ptr(),
        )  # fmt: skip
        sums = self._product(levels, layer, Field.DOWN)
        parts.add_rows(
            sums.data_ptr(), at[Field.DOWN_SCALE], self._scales, first, last, a.hidden, b[Buffer.X]
        )

    def _quantise(self, x: int, weight: int, width: int) -> Tensor:
        levels = self._levels[width]
        parts.norm_levels(
            x, weight, self._first, self._last, width, self._arch.rms_eps, self._normed, levels.data_ptr(),
            self._scales,
        )  # fmt: skip
        return levels

    def _product(self, levels: Tensor, layer: int, field: Field) -> Tensor:
        weight_t = self._weights.matrices[layer][field]
        out = self._sums[weight_t.shape[1]]
        int_mm(levels, weight_t, out)
        return out


def int_mm(levels: Tensor, weight_t: Tensor, out: Tensor) -> None:
    """`out = levels · weight_t`: int8 `(n, in)` and `(in, out)`, int32 `(n, out)`."""
    with torch.inference_mode():
        torch._int_mm(levels, weight_t, out=out)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]  # the only int8 matmul torch exposes


@cache
def why_not_int_mm() -> str:
    """Empty when torch's product is here, exact for the largest numbers there are, and fast.

    Processors without 8-bit products to 32 bits saturate in between; where torch has no kernel of its own,
    it multiplies one number at a time.
    """
    generator = torch.Generator().manual_seed(0)
    weight = torch.randint(-127, 128, (_PROBE_WIDTH, _PROBE_WIDTH), generator=generator, dtype=torch.int8)
    levels = torch.randint(-127, 128, (_PROBE_ROWS, _PROBE_WIDTH), generator=generator, dtype=torch.int8)
    weight[0], weight[1], levels[0], levels[1] = 127, -127, 127, -127
    out = torch.empty(_PROBE_ROWS, _PROBE_WIDTH, dtype=torch.int32)
    floats, weight_floats = levels.double(), weight.double()
    with single_threaded():
        try:
            took = _fastest(lambda: int_mm(levels, weight.t(), out))
        except (RuntimeError, AttributeError, NotImplementedError) as error:
            return f"torch has no int8 product here: {error}"
        if not torch.equal(out.double(), floats @ weight_floats.t()):  # doubles are exact here
            return "torch's int8 product is not exact on this processor"
        x, y = floats.float(), weight_floats.float().t()
        usual = _fastest(lambda: torch.mm(x, y))
    return "" if took < _MUCH_SLOWER * usual else "torch's int8 product is slow on this processor"


_PROBE_ROWS, _PROBE_WIDTH, _MUCH_SLOWER = 48, 768, 3.0


def _fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs, the first not counted."""
    times: list[float] = []
    for _ in range(4):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times[1:])


_local = threading.local()


def settle(thread: int) -> None:
    """Torch's products run on the thread that asks; the setting is each thread's own, and ours keep it."""
    if thread and not getattr(_local, "is_settled", False):
        torch.set_num_threads(1)
        _local.is_settled = True


@contextmanager
def single_threaded() -> Generator[None, None, None]:
    """The same for the caller's thread, for a while; what is set last is what new threads begin with."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
