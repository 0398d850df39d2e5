"""Sequences of a compiled runner, and what runners leave behind."""

from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pytest

from truepenny.models.compiled.runner import CompiledRunner
from truepenny.models.hardware import resident_bytes
from truepenny.models.language_model import Cancelled, Span

from .sequences import Result, check_same, fed, some_ids, spec_of, stopping_at


def test_copied_rows_are_the_rows(make_runner):
    """Out and in again, in pieces and parts of pieces: the sequence goes on as the original does."""
    model = make_runner()
    ids = some_ids(300)
    kv, logits = fed(model, ids)
    kept = kv.copy_out(0, 250)
    copy = model.new_kv(1)
    copy.copy_in(kept.part(0, 100))
    copy.copy_in(kept.part(100, 101))
    copy.copy_in(kv.copy_out(101, 200))
    _, rest = fed(model, ids[200:], [], copy)
    check_same((copy, np.concatenate((logits[:200], rest))), (kv, logits))
    assert kept.num_rows == 250
    assert kept.nbytes == kept.part(0, 100).nbytes + kept.part(100, 250).nbytes == 250 * 2 * 4 * 2 * 2 * 32
    kept.part(0, 1).keys[:] = 0  # a copy, which shares no memory
    assert np.array_equal(kept.keys, kv.copy_out(0, 250).keys)


def test_a_sequence_that_grows_keeps_its_rows(make_runner):
    """Capacity doubles, so that appending stays cheap."""
    model = make_runner(1)
    kv, ids, capacities = model.new_kv(10), some_ids(600), set()
    for token in range(0, 600, 5):
        fed(model, ids[token : token + 5], [], kv)
        capacities.add(kv.capacity_tokens)
    assert capacities == {64, 128, 256, 512, 1024}
    assert kv.nbytes == 2 * 2 * 2 * 32 * 4 * 1024
    whole = fed(model, ids)
    assert np.array_equal(kv.copy_out(0, 600).values, whole[0].copy_out(0, 600).values)


def test_truncated_rows_are_forgotten(make_runner):
    """What was written over leaves no trace; not a number, it would leave one."""
    model = make_runner()
    ids = some_ids(200)
    kv, _ = fed(model, ids[:90] + [3] * 100)
    kv._keys[..., 120:], kv._values[:, :, 120:] = np.nan, np.nan
    kv.truncate(90)
    _, rest = fed(model, ids[90:], [1, 50], kv)
    whole = fed(model, ids)
    assert np.array_equal(rest, whole[1][90:])
    with pytest.raises(AssertionError, match="cannot truncate 200 rows to 201"):
        kv.truncate(201)


def test_two_models_in_one_process(make_runner):
    """Each with its memory and its threads, called by turns from several threads."""
    ids = some_ids(150)
    models = [make_runner(2), make_runner(3, num_heads=6), make_runner(1, num_layers=1)]
    expected = [fed(model, ids) for model in models]
    wrong: list[object] = []

    def use(model: CompiledRunner, whole: Result) -> None:
        try:
            for size in (1, 20, 40, 70):
                check_same(fed(model, ids, [size] * 3), whole)
        except BaseException as error:  # noqa: BLE001  (told by the thread that asserts)
            wrong.append(error)

    for _ in range(3):
        callers = [threading.Thread(target=use, args=pair) for pair in zip(models, expected, strict=True)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert not wrong


def test_memory_does_not_grow(make_runner):
    """Hundreds of passes of all sizes, cancelled ones among them."""
    model = make_runner(2)
    ids = some_ids(90)

    def use(times: int) -> None:
        for index in range(times):
            kv = model.new_kv(1)
            fed(model, ids, [1 + index % 50, 2])
            if index % 10 == 0:
                with pytest.raises(Cancelled):
                    model.forward([Span(ids, kv)], stopping_at(1))

    use(100)
    gc.collect()
    before, room = resident_bytes(), model.nbytes
    use(400)
    gc.collect()
    assert model.nbytes == room
    assert resident_bytes() - before < 4 << 20


def test_threads_go_home_with_the_runner(make_packed):
    """A model that is let go leaves nothing behind, closed or not."""

    def team() -> int:
        return sum(thread.name.startswith("team-") for thread in threading.enumerate())

    before, packed = team(), make_packed()
    model = CompiledRunner(packed, spec_of(packed.architecture), 3)
    fed(model, some_ids(50), [3])
    assert team() == before + 2
    del model
    gc.collect()
    for _ in range(500):
        if team() == before:
            return
        time.sleep(0.01)
    pytest.fail("threads are left")
