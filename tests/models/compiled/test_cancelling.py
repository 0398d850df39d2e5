"""Passes that are stopped, or fail, in the middle."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from truepenny.models.compiled import runner
from truepenny.models.language_model import Cancelled, Span

from .sequences import check_same, fed, some_ids, stopping_at

LAYERS = 4


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_cancelled_at_any_layer_nothing_has_happened(make_runner, threads, uses_tiles):
    """The next pass finds the sequence as it was, whatever has been written behind it."""
    model = make_runner(threads, uses_tiles=uses_tiles, num_layers=LAYERS)
    ids = some_ids(260)
    expected = fed(model, ids)
    for count in (9, 13, 160):
        for look in range(LAYERS):
            kv, begun = fed(model, ids[:100])
            with pytest.raises(Cancelled):
                model.forward([Span([5] * count, kv)], stopping_at(look))
            assert kv.length == 100
            _, rest = fed(model, ids[100:], [3], kv)
            check_same((kv, np.concatenate((begun, rest))), expected)


@pytest.mark.parametrize(("count", "times"), [(1, 1), (8, 1), (9, LAYERS), (200, LAYERS)])
def test_it_is_asked_before_every_layer(make_runner, count, times):
    """A step of decoding is over before anybody could have cancelled it: once is enough there."""
    model, asked = make_runner(3, num_layers=LAYERS), []
    kv = model.new_kv(1)

    def ask() -> bool:
        asked.append(threading.current_thread())
        return False

    model.forward([Span([5] * count, kv)], ask)
    assert asked == [threading.current_thread()] * times
    assert kv.length == count


def test_a_question_that_fails_is_an_error_of_the_pass(make_runner):
    """Not a thread that waits for ever, and the next pass works."""
    model = make_runner(3, num_layers=LAYERS)
    ids = some_ids(80)
    expected = fed(model, ids)
    for late in range(LAYERS):
        asked = iter(range(LAYERS))

        def broken(asked=asked, late=late) -> bool:
            if next(asked) == late:
                raise OSError("connection reset")
            return False

        kv = model.new_kv(1)
        with pytest.raises(OSError, match="connection reset"):
            model.forward([Span(ids, kv)], broken)
        assert kv.length == 0
        check_same(fed(model, ids, [], kv), expected)


@pytest.mark.parametrize("failing", [{0}, {1}, {2}, {1, 2}])
@pytest.mark.parametrize(("count", "layer"), [(3, 0), (80, 0), (80, 2), (3, None), (80, None)])
def test_a_thread_that_fails_does_not_leave_the_others_waiting(
    make_runner, monkeypatch, failing, count, layer, uses_tiles
):
    """Whichever it is, in whatever layer, or when only the logits are missing."""
    model = make_runner(3, uses_tiles=uses_tiles, num_layers=LAYERS)
    ids = some_ids(count)
    expected = fed(model, ids)
    run_layers, read_logits = runner.passes.run_layers, runner.passes.read_logits

    def layers(thread, num_threads, shape, eps, addresses, start, *rest) -> None:
        if thread in failing and start == layer:
            raise MemoryError
        run_layers(thread, num_threads, shape, eps, addresses, start, *rest)

    def logits(thread, *rest) -> None:
        if thread in failing and layer is None:
            raise MemoryError
        read_logits(thread, *rest)

    monkeypatch.setattr(runner.passes, "run_layers", layers)
    monkeypatch.setattr(runner.passes, "read_logits", logits)
    kv = model.new_kv(1)
    with pytest.raises(MemoryError):
        model.forward([Span(ids, kv)])
    assert kv.length == 0
    monkeypatch.undo()
    check_same(fed(model, ids, [], kv), expected)
