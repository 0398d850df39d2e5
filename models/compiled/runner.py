"""The forward pass of the llama family on a CPU, compiled for the processor it runs on.

The arithmetic is that of `linear`: int8 weights with a scale per output channel, int8 activations with a
scale per token, exact integer sums.  The weights stay in the mapped file, as they are: nothing is packed
when the engine starts, and nothing is held twice.

    few rows (a token, a draft, several sequences)   `passes.small_pass`: one compiled function, run by
                                                     every thread; bound by how fast weights can be read
    many rows (a chunk of a prompt)                  `large`: threads share the rows; the large products
                                                     are torch's, where those are exact and fast

Rows are independent, bit for bit, as in `runner.LeanRunner`, and by construction: a row's sums have one
order.  The threads are our own and give their core away when they must wait: beside a busy program
OpenMP's made a step take thirty times as long (`docs/log.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..language_model import Cancelled, ModelSpec, Span, never
from . import passes
from .compiling import Table, Whole
from .kv import ColumnKV, Floats
from .large import Part, settle, single_threaded, why_not_int_mm
from .room import Room, RotaryTable
from .tables import FEW_ROWS, Buffer, Row
from .team import Team, Work
from .weights import CompiledWeights, PackedTensors

CHUNK_TOKENS = 256
"""Rows of one pass; a longer prompt comes in several."""

_ABORT = 1 << 40
_NOTHING_WANTED = np.empty(0, dtype=np.int64)


class CompiledRunner:
    """A `LanguageModel` on a packed file.  For one caller at a time, from any thread.

    `uses_int_mm`: whether torch multiplies in large passes; None: where that is exact and fast.  The
    numbers are the same.
    """

    def __init__(
        self, packed: PackedTensors, spec: ModelSpec, num_threads: int, *, uses_int_mm: bool | None = None
    ) -> None:
        self._arch = packed.architecture
        self._spec = spec
        self._weights = CompiledWeights(packed)
        self._uses_int_mm = not why_not_int_mm() if uses_int_mm is None else uses_int_mm
        self._team = Team(num_threads)
        self._room = Room(packed.architecture, num_threads)
        self._rope = RotaryTable(packed.architecture.head_dim, packed.architecture.rope_theta)

    @property
    def spec(self) -> ModelSpec:
        return self._spec

    @property
    def nbytes(self) -> int:
        """Memory of passes, besides weights and sequences."""
        return self._room.nbytes

    def close(self) -> None:
        """Its threads end, as they do when nobody holds it any more."""
        self._team.close()

    def new_kv(self, capacity_tokens: int) -> ColumnKV:
        arch = self._arch
        return ColumnKV(arch.num_layers, arch.num_kv_heads, arch.head_dim, capacity_tokens)

    def forward(
        self, spans: Sequence[Span], is_cancelled: Callable[[], bool] = never
    ) -> list[NDArray[np.float32]]:
        if is_cancelled():
            raise Cancelled
        kvs = [cast("ColumnKV", span.kv) for span in spans]
        counts = [len(span.ids) for span in spans]
        assert min(counts) > 0, "a span has at least one token"
        for kv, count in zip(kvs, counts, strict=True):
            kv.reserve(count)
        rows, wanted = _rows_of(kvs, counts), _wanted(spans)
        logits = np.empty((len(wanted), self._spec.vocabulary), dtype=np.float32)
        buffers = self._prepare(spans, rows, logits)
        if len(rows) <= FEW_ROWS:
            self._small(rows, wanted, buffers)
        elif self._uses_int_mm:
            self._large(rows, wanted, buffers, is_cancelled)
        else:
            self._in_blocks(rows, wanted, buffers, is_cancelled)
        for kv, count in zip(kvs, counts, strict=True):
            kv.commit(count)
        ends = np.cumsum([span.num_logits for span in spans])[:-1]
        return np.split(logits, ends)

    def _prepare(self, spans: Sequence[Span], rows: Table, logits: Floats) -> Whole:
        """Fill the shared rows; the addresses of the pass."""
        room, total = self._room, len(rows)
        room.prepare(total, int(rows[:, Row.CAPACITY].max()))
        room.x[:total] = self._weights.embed([i for span in spans for i in span.ids])
        cos, sin = self._rope.rows(rows[:, Row.POSITION])
        room.cos[:total], room.sin[:total] = cos, sin
        return room.addresses(logits)

    def _small(self, rows: Table, wanted: Whole, buffers: Whole) -> None:
        weights, threads, eps = self._weights, self._team.num_threads, self._arch.rms_eps
        self._together(
            lambda thread: passes.small_pass(
                thread, threads, weights.shape, eps, weights.layers, rows, wanted, buffers
            )
        )

    def _in_blocks(
        self, rows: Table, wanted: Whole, buffers: Whole, is_cancelled: Callable[[], bool]
    ) -> None:
        """Many rows as several small passes, logits last."""
        wide, half = 4 * self._arch.hidden, 2 * self._arch.head_dim
        for start in range(0, len(rows), FEW_ROWS):
            if is_cancelled():
                raise Cancelled
            moved = buffers.copy()
            moved[[Buffer.X, Buffer.COS, Buffer.SIN]] += start * np.array([wide, half, half])
            self._room.counter[0] = 0
            self._small(rows[start : start + FEW_ROWS], _NOTHING_WANTED, moved)
        weights, threads, eps = self._weights, self._team.num_threads, self._arch.rms_eps
        self._together(
            lambda thread: passes.read_logits(thread, threads, weights.shape, eps, wanted, buffers)
        )

    def _large(self, rows: Table, wanted: Whole, buffers: Whole, is_cancelled: Callable[[], bool]) -> None:
        weights, room, threads = self._weights, self._room, self._team.num_threads
        num_layers, eps, counter = self._arch.num_layers, self._arch.rms_eps, int(buffers[Buffer.COUNTER])
        cancelled_at = [-1]

        def work(thread: int) -> None:
            settle(thread)
            part = Part(weights, room, rows, buffers, thread, threads)
            for layer in range(num_layers):
                part.project(layer)
                if thread == 0 and is_cancelled():
                    cancelled_at[0] = layer
                passes.meet(counter, (layer + 1) * threads)
                if cancelled_at[0] == layer:
                    return
                part.finish(layer)
            passes.meet(counter, (num_layers + 1) * threads)
            passes.read_logits(thread, threads, weights.shape, eps, wanted, buffers)

        with single_threaded():
            self._together(work)
        if cancelled_at[0] >= 0:
            raise Cancelled

    def _together(self, work: Work) -> None:
        """Run it on every thread; where one fails, the others do not wait for it."""
        counter = self._room.counter

        def guarded(thread: int) -> None:
            try:
                work(thread)
            except BaseException:
                counter[0] = _ABORT  # or they would, for ever
                raise

        self._team.run(guarded)


def _rows_of(kvs: Sequence[ColumnKV], counts: Sequence[int]) -> Table:
    """`(rows, 4)`: `tables.Row`."""
    parts: list[Table] = []
    for kv, count in zip(kvs, counts, strict=True):
        part = np.empty((count, len(Row)), dtype=np.int64)
        part[:, Row.KEYS], part[:, Row.VALUES] = kv.addresses
        part[:, Row.CAPACITY] = kv.capacity_tokens
        part[:, Row.POSITION] = np.arange(kv.length, kv.length + count)
        parts.append(part)
    return np.concatenate(parts)


def _wanted(spans: Sequence[Span]) -> Whole:
    """Which rows' logits are wanted, in order."""
    indices: list[int] = []
    end = 0
    for span in spans:
        end += len(span.ids)
        indices += range(end - span.num_logits, end)
    return np.array(indices, dtype=np.int64)
