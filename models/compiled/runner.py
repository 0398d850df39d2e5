"""The forward pass of the llama family on a CPU, compiled for the processor it runs on.

The arithmetic is that of `linear`: int8 weights with a scale per output, int8 activations with a scale per
token, exact integer sums.  Weights are held once, in the order in which they are multiplied (`dot_ir`).

Rows are independent, bit for bit, as in `runner.LeanRunner`, and by construction: a row's sums have one
order, whatever is computed beside it.  The threads are our own and give their core away when they must
wait: beside a busy program OpenMP's made a step take thirty times as long (`docs/log.md`).
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
from .room import Room, RotaryTable
from .tables import Row
from .team import Team, Work
from .weights import PackedArrays, TiledWeights

CHUNK_TOKENS = 256
"""Rows of one pass; a longer prompt comes in several."""

_UNSTOPPABLE_ROWS = 8
"""A pass of so few rows is over before anybody could have cancelled it: a step of decoding."""


class CompiledRunner:
    """A `LanguageModel` on a packed file.  For one caller at a time, from any thread.

    `uses_tiles`: whether AMX multiplies many rows; None: where it may.  The numbers are the same.
    """

    def __init__(
        self, packed: PackedArrays, spec: ModelSpec, num_threads: int, *, uses_tiles: bool | None = None
    ) -> None:
        self._arch = packed.architecture
        self._spec = spec
        self._team = Team(num_threads)
        self._weights = TiledWeights(packed, self._team)
        self._room = Room(packed.architecture, num_threads, uses_tiles=uses_tiles)
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
        self._run(rows, wanted, self._prepare(spans, rows, logits), is_cancelled)
        for kv, count in zip(kvs, counts, strict=True):
            kv.commit(count)
        ends = np.cumsum([span.num_logits for span in spans])[:-1]
        return np.split(logits, ends)

    def _prepare(self, spans: Sequence[Span], rows: Table, logits: Floats) -> Whole:
        """Fill the shared rows; the addresses of the pass."""
        room, total = self._room, len(rows)
        room.prepare(total, int(rows[:, Row.CAPACITY].max()))
        room.x[:total] = self._weights.embed([i for span in spans for i in span.ids])
        room.cos[:total], room.sin[:total] = self._rope.rows(rows[:, Row.POSITION])
        return room.addresses(logits)

    def _run(self, rows: Table, wanted: Whole, buffers: Whole, is_cancelled: Callable[[], bool]) -> None:
        weights, room, threads = self._weights, self._room, self._team.num_threads
        num_layers, eps, heard = self._arch.num_layers, self._arch.rms_eps, room.heard.ctypes.data
        step = num_layers if len(rows) <= _UNSTOPPABLE_ROWS else 1

        def work(thread: int) -> None:
            for start in range(0, num_layers, step):
                if start:
                    if thread == 0:  # decides for all, who wait to hear
                        room.is_stopped = is_cancelled()
                        passes.say(heard)
                    passes.hear(heard, start)
                    if room.is_stopped:
                        return
                end = start + step
                passes.run_layers(
                    thread, threads, weights.shape, eps, weights.layers, start, end, rows, buffers
                )
            passes.read_logits(thread, threads, weights.shape, eps, wanted, buffers)

        self._together(work)
        if room.is_stopped:
            raise Cancelled

    def _together(self, work: Work) -> None:
        """Run it on every thread; where one fails, the others do not wait for it."""

        def guarded(thread: int) -> None:
            try:
                work(thread)
            except BaseException:
                self._room.abort()  # or they would, for ever
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
