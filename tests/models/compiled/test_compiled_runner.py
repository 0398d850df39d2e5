"""The compiled pass: the numbers of the lean one, and the same bits however it is computed."""

from __future__ import annotations

import gc
import random
import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.compiled import large, runner
from truepenny.models.compiled.kv import ColumnKV
from truepenny.models.compiled.runner import CompiledRunner
from truepenny.models.compiled.tables import FEW_ROWS
from truepenny.models.compiled.weights import supports
from truepenny.models.hardware import resident_bytes
from truepenny.models.language_model import Cancelled, Span, feed
from truepenny.models.linear import IntMatmulLinear
from truepenny.models.packed import PackedModel
from truepenny.models.runner import Layer, LeanRunner, Weights

SHAPES = {
    "14 heads on 2": {"num_heads": 14, "num_kv_heads": 2, "head_dim": 64},
    "12 heads on 1": {"num_heads": 12, "num_kv_heads": 1},
    "4 heads on 4, tied": {"num_heads": 4, "num_kv_heads": 4, "tied_embeddings": True, "qkv_bias": False},
    "one layer, narrow": {
        "num_layers": 1,
        "hidden": 32,
        "intermediate": 32,
        "num_heads": 1,
        "num_kv_heads": 1,
    },
}

chunks = st.lists(st.integers(1, 300) | st.sampled_from([1, 2, 31, 32, 33, 64]), min_size=1, max_size=12)


def some_ids(count: int, seed: int = 7) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(300) for _ in range(count)]


Result = tuple[ColumnKV, np.ndarray]


def fed(
    model: CompiledRunner, ids: Sequence[int], sizes: Sequence[int], kv: ColumnKV | None = None
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


def check_same(a: Result, b: Result) -> None:
    """Keys, values and logits, bit for bit."""
    assert a[0].length == b[0].length
    mine, theirs = a[0].copy_out(0, a[0].length), b[0].copy_out(0, b[0].length)
    assert np.array_equal(mine.keys, theirs.keys)
    assert np.array_equal(mine.values, theirs.values)
    assert np.array_equal(a[1], b[1])


def lean(packed: PackedModel) -> LeanRunner:
    """The same weights through torch."""
    a = packed.architecture

    def linear(name: str) -> IntMatmulLinear:
        bias = packed.tensor(f"{name}.bias") if f"{name}.bias" in packed.names else None
        return IntMatmulLinear(packed.tensor(f"{name}.weight"), packed.tensor(f"{name}.scale"), bias)

    layers = tuple(
        Layer(
            attn_norm=packed.tensor(f"{at}.attn_norm.weight"),
            qkv=linear(f"{at}.qkv"),
            o=linear(f"{at}.o"),
            ffn_norm=packed.tensor(f"{at}.ffn_norm.weight"),
            gate_up=linear(f"{at}.gate_up"),
            down=linear(f"{at}.down"),
        )
        for at in (f"layers.{i}" for i in range(a.num_layers))
    )
    table = packed.tensor("embed.weight").float() * packed.tensor("embed.scale")[:, None]
    head = linear("embed" if a.tied_embeddings else "lm_head")
    weights = Weights(lambda ids: table[ids], layers, packed.tensor("norm.weight"), head)
    from truepenny.models.language_model import ModelSpec

    spec = ModelSpec("tiny", a.family, 0, 0, "", "", a.num_layers, a.vocabulary, a.context_length, 1)
    return LeanRunner(a, weights, spec)


# -- the same numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("cut", [[], [1] * 120, [20, 32, 33]])
def test_the_numbers_are_those_of_the_lean_runner(make_runner, make_packed, shape, cut):
    """For many rows, one, and some: the same arithmetic with sums in another order.

    Where that tips the rounding of an activation, what comes after is off by a level; until then nothing is.
    """
    ids = some_ids(120)
    model = lean(make_packed(**shape))
    (expected,) = model.forward([Span(ids, model.new_kv(1), len(ids))])
    _, found = fed(make_runner(**shape), ids, cut)
    size = np.abs(expected).max(axis=1)
    assert size.min() > 0.5  # numbers that mean something
    off = np.abs(found - expected).max(axis=1) / size
    assert np.quantile(off, 0.25) < 1e-3
    assert off.max() < 0.1
    sure = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 0.1 * size
    assert (found.argmax(axis=1) == expected.argmax(axis=1))[sure].all()


def test_a_long_context_is_attended_to(make_runner, make_packed):
    """2,300 tokens: the table of positions and the room for scores have grown several times."""
    ids = some_ids(2300)
    theirs = lean(make_packed())
    kv, expected = theirs.new_kv(1), np.empty(0)
    for start in range(0, 2300, 256):
        expected = feed(theirs, ids[start : start + 256], kv)
    model = make_runner()
    whole = fed(model, ids, [256] * 8)
    assert np.abs(whole[1][-1] - expected).max() < 0.1 * np.abs(expected).max()
    check_same(fed(model, ids, [255, 1, 33, 31, 32, 700, *[1] * 40]), whole)


# -- the same bits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_rows_do_not_depend_on_how_the_prompt_was_cut(make_runner, shape):
    """Few rows and many go through different code, and the border between them may fall anywhere."""
    model = make_runner(**shape)
    ids = some_ids(400)
    whole = fed(model, ids, [])
    check_same(fed(model, ids, [1] * 400), whole)

    @given(chunks, st.integers(1, 400))
    @settings(max_examples=25, deadline=None)
    def check(sizes: list[int], count: int) -> None:
        kv, logits = fed(model, ids[:count], sizes)
        begun = whole[0].copy_out(0, count)
        mine = kv.copy_out(0, count)
        assert np.array_equal(mine.keys, begun.keys)
        assert np.array_equal(mine.values, begun.values)
        assert np.array_equal(logits, whole[1][:count])

    check()


@pytest.mark.parametrize("count", [1, FEW_ROWS - 1, FEW_ROWS, FEW_ROWS + 1, 2 * FEW_ROWS + 1])
@pytest.mark.parametrize("threads", [1, 2, 3, 4, 7, 40])
def test_nor_on_the_number_of_threads(make_runner, threads, count):
    """Also with more of them than rows, key heads, or vectors of a row."""
    ids = some_ids(count)
    expected = fed(make_runner(1), ids, [])
    model = make_runner(threads)
    for _ in range(3):
        check_same(fed(model, ids, []), expected)


def test_nor_on_who_multiplies(make_runner):
    """Where torch's product is slow or not exact, ours is used for many rows, too."""
    ids = some_ids(333)
    expected = fed(make_runner(), ids, [])
    model = make_runner(uses_int_mm=False)
    check_same(fed(model, ids, []), expected)
    check_same(fed(model, ids, [100, 7, 90]), expected)
    kvs = [model.new_kv(1), model.new_kv(1)]
    spans = [Span(ids[:50], kvs[0], 3), Span(ids[:41], kvs[1], 41)]
    first, second = model.forward(spans)
    assert np.array_equal(first, expected[1][47:50])
    assert np.array_equal(second, expected[1][:41])


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_sequences_in_one_pass_do_not_see_each_other(shared_runner, data):
    """Whatever they are, however long, with none, one or all of their logits asked for."""
    model, ids, expected = shared_runner
    begun = data.draw(st.lists(st.integers(0, 120), min_size=1, max_size=5))
    kvs = [model.new_kv(1) for _ in begun]
    for kv, count in zip(kvs, begun, strict=True):
        if count:
            fed(model, ids[:count], [], kv)
    spans = []
    for kv, count in zip(kvs, begun, strict=True):
        more = data.draw(st.integers(1, 60) | st.just(1))
        num_logits = data.draw(st.sampled_from([0, 1, more]))
        spans.append(Span(ids[count : count + more], kv, num_logits))
    found = model.forward(spans)
    for span, count, logits in zip(spans, begun, found, strict=True):
        end = count + len(span.ids)
        assert span.kv.length == end
        assert np.array_equal(logits, expected[1][end - span.num_logits : end])
        mine, theirs = span.kv.copy_out(0, end), expected[0].copy_out(0, end)
        assert np.array_equal(mine.keys, theirs.keys)
        assert np.array_equal(mine.values, theirs.values)


@pytest.fixture(scope="module")
def shared_runner(make_packed):
    from truepenny.models.language_model import ModelSpec

    packed = make_packed(num_heads=6)
    model = CompiledRunner(
        packed, ModelSpec("t", "qwen2", 0, 0, "", "", 2, 300, 4096, 1), 2, uses_int_mm=True
    )
    ids = some_ids(200)
    yield model, ids, fed(model, ids, [])
    model.close()


@pytest.mark.parametrize("count", [5, 50])
def test_logits_are_given_where_they_are_asked_for(make_runner, count):
    """`(num_logits, vocabulary)` of each, an array of nothing for none."""
    model = make_runner()
    ids = some_ids(count)
    _, every = fed(model, ids, [])
    for num_logits in (0, 1, 2, count):
        (found,) = model.forward([Span(ids, model.new_kv(1), num_logits)])
        assert found.shape == (num_logits, 300)
        assert found.dtype == np.float32
        assert np.array_equal(found, every[count - num_logits :])


def test_a_span_has_a_token(make_runner):
    """There is nothing to compute for none."""
    model = make_runner()
    with pytest.raises(AssertionError, match="at least one token"):
        model.forward([Span([], model.new_kv(1))])


# -- stopping in the middle ----------------------------------------------------------------------------


def stopping_at(look: int):
    """Says yes the n-th time it is asked."""
    asked = iter(range(10_000))
    return lambda: next(asked) == look


@pytest.mark.parametrize("uses_int_mm", [True, False])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_cancelled_anywhere_nothing_has_happened(make_runner, threads, uses_int_mm):
    """The next pass finds the sequence as it was, whatever has been written behind it."""
    model = make_runner(threads, uses_int_mm=uses_int_mm, num_layers=4)
    ids = some_ids(260)
    expected = fed(model, ids, [])
    for look in range(4):
        kv, begun = fed(model, ids[:100], [])
        with pytest.raises(Cancelled):
            model.forward([Span([5] * 160, kv)], stopping_at(look))
        assert kv.length == 100
        _, rest = fed(model, ids[100:], [3], kv)
        check_same((kv, np.concatenate((begun, rest))), expected)


def test_a_question_that_fails_is_an_error_of_the_pass(make_runner):
    """Not a thread that waits for ever, and the next pass works."""
    model = make_runner(3)
    ids = some_ids(80)
    expected = fed(model, ids, [])

    def broken() -> bool:
        if threading.current_thread() is threading.main_thread() and next(asked):
            raise OSError("connection reset")
        return False

    for late in range(1, 3):
        asked = iter([0] * late + [1])
        kv = model.new_kv(1)
        with pytest.raises(OSError, match="connection reset"):
            model.forward([Span(ids, kv)], broken)
        assert kv.length == 0
        check_same(fed(model, ids, [], kv), expected)


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("count", [3, 80])
def test_a_thread_that_fails_does_not_leave_the_others_waiting(make_runner, monkeypatch, failing, count):
    """Whichever it is, before it has begun."""
    model = make_runner(3)
    ids = some_ids(count)
    expected = fed(model, ids, [])
    usual = runner.passes.small_pass, large.Part.project

    def small(thread, *rest):
        if thread == failing:
            raise MemoryError
        usual[0](thread, *rest)

    def project(part, layer):
        if part._first == 80 * failing // 3 and layer == 1:
            raise MemoryError
        usual[1](part, layer)

    monkeypatch.setattr(runner.passes, "small_pass", small)
    monkeypatch.setattr(large.Part, "project", project)
    kv = model.new_kv(1)
    with pytest.raises(MemoryError):
        model.forward([Span(ids, kv)])
    assert kv.length == 0
    monkeypatch.undo()
    check_same(fed(model, ids, [], kv), expected)


# -- sequences -----------------------------------------------------------------------------------------


def test_copied_rows_are_the_rows(make_runner):
    """Out and in again, in pieces and parts of pieces: the sequence goes on as the original does."""
    model = make_runner()
    ids = some_ids(300)
    kv, logits = fed(model, ids, [])
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
    whole = fed(model, ids, [])
    assert np.array_equal(kv.copy_out(0, 600).values, whole[0].copy_out(0, 600).values)


def test_truncated_rows_are_forgotten(make_runner):
    """What was written over leaves no trace; not a number, it would leave one."""
    model = make_runner()
    ids = some_ids(200)
    kv, _ = fed(model, ids[:90] + [3] * 100, [])
    kv._keys[..., 120:], kv._values[:, :, 120:] = np.nan, np.nan
    kv.truncate(90)
    _, rest = fed(model, ids[90:], [1, 50], kv)
    whole = fed(model, ids, [])
    assert np.array_equal(rest, whole[1][90:])
    with pytest.raises(AssertionError, match="cannot truncate 200 rows to 201"):
        kv.truncate(201)


# -- machines and processes ----------------------------------------------------------------------------


def test_two_models_in_one_process(make_runner):
    """Each with its memory and its threads, called by turns from several threads."""
    ids = some_ids(150)
    models = [make_runner(2), make_runner(3, num_heads=6), make_runner(1, num_layers=1)]
    expected = [fed(model, ids, []) for model in models]
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


def test_torch_keeps_its_number_of_threads(make_runner):
    """What others compute beside us is not slowed down, in this thread or in a new one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        fed(make_runner(3), some_ids(100), [40])
        assert torch.get_num_threads() == 2
        found: list[int] = []
        other = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
        other.start()
        other.join()
        assert found == [2]
    finally:
        torch.set_num_threads(before)


def test_memory_does_not_grow(make_runner):
    """A thousand passes of all sizes, cancelled ones among them."""
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
    from truepenny.models.language_model import ModelSpec

    def team() -> int:
        return sum(thread.name.startswith("team-") for thread in threading.enumerate())

    before = team()
    spec = ModelSpec("t", "qwen2", 0, 0, "", "", 2, 300, 4096, 1)
    model = CompiledRunner(make_packed(), spec, 3, uses_int_mm=True)
    fed(model, some_ids(50), [3])
    assert team() == before + 2
    del model
    gc.collect()
    for _ in range(500):
        if team() == before:
            return
        time.sleep(0.01)
    pytest.fail("threads are left")


@pytest.mark.parametrize(
    ("change", "is_supported"),
    [
        ({}, True),
        ({"vocabulary": 301}, False),
        ({"vocabulary": 302}, False),
        ({"hidden": 48}, False),
        ({"intermediate": 112}, False),
        ({"head_dim": 16}, False),
        ({"head_dim": 80}, False),
        ({"head_dim": 96}, True),
        ({"num_heads": 5, "num_kv_heads": 5}, True),
        ({"intermediate": 1 << 16}, True),
        ({"intermediate": (1 << 16) + 32}, False),
    ],
)
def test_a_model_that_does_not_fit_is_refused(make_packed, change, is_supported):
    """Widths are whole vectors, sums fit in 32 bits."""
    from dataclasses import replace

    assert supports(replace(make_packed().architecture, **change)) is is_supported
