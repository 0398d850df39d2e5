"""Feeding a compiled runner, and comparing what it made of that."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np

from truepenny.models.architecture import Architecture
from truepenny.models.compiled.kv import ColumnKV
from truepenny.models.compiled.runner import CompiledRunner
from truepenny.models.language_model import ModelSpec, Span

BORDERS = [8, 9, 12, 13, 32, 33, 128, 129, 256, 257]
"""Numbers of rows at both sides of where something begins: cancelling, tiles, more of them, another round."""

Result = tuple[ColumnKV, np.ndarray]
"""A sequence, and the logits after each of its tokens."""


def spec_of(a: Architecture) -> ModelSpec:
    return ModelSpec("tiny", a.family, 0, 0, "int8", "", a.num_layers, a.vocabulary, a.context_length, 1)


def some_ids(count: int, seed: int = 7) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(320) for _ in range(count)]


def fed(
    model: CompiledRunner, ids: Sequence[int], sizes: Sequence[int] = (), kv: ColumnKV | None = None
) -> Result:
    """Append `ids` cut into `sizes`, the rest in one piece; logits after each of them."""
    kv = model.new_kv(1) if kv is None else kv
    found: list[np.ndarray] = []
    at = 0
    for size in [*sizes, len(ids)]:
        if part := ids[at : at + size]:
            found += model.forward([Span(part, kv, len(part))])
            at += len(part)
    return kv, np.concatenate(found)


def check_same(found: Result, expected: Result) -> None:
    """Keys, values and logits, bit for bit."""
    assert found[0].length == expected[0].length
    check_begins(found, expected)


def check_begins(found: Result, expected: Result) -> None:
    """The beginning of another, bit for bit."""
    count = found[0].length
    mine, theirs = found[0].copy_out(0, count), expected[0].copy_out(0, count)
    assert np.array_equal(mine.keys, theirs.keys)
    assert np.array_equal(mine.values, theirs.values)
    assert np.array_equal(found[1], expected[1][:count])


def stopping_at(look: int) -> Callable[[], bool]:
    """Says yes the n-th time it is asked, counted from 0."""
    asked = iter(range(10_000))
    return lambda: next(asked) == look
