"""The compiled pass: the numbers of the lean one, and the same bits however a prompt is computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.compiled.runner import CompiledRunner
from truepenny.models.compiled.weights import supports
from truepenny.models.language_model import Span, feed
from truepenny.models.linear import IntMatmulLinear
from truepenny.models.packed import PackedModel
from truepenny.models.runner import Layer, LeanRunner, Weights

from .sequences import BORDERS, check_begins, check_same, fed, some_ids, spec_of

SHAPES = {
    "14 heads on 2": {"num_heads": 14, "num_kv_heads": 2, "head_dim": 64},
    "12 heads on 1": {"num_heads": 12, "num_kv_heads": 1},
    "4 heads on 4, tied": {"num_heads": 4, "num_kv_heads": 4, "tied_embeddings": True, "qkv_bias": False},
    "one layer, narrow": {
        "num_layers": 1,
        "intermediate": 64,
        "num_heads": 1,
        "num_kv_heads": 1,
        "head_dim": 64,
    },
}

shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
chunks = st.lists(st.integers(1, 300) | st.sampled_from([1, 64, *BORDERS]), min_size=1, max_size=12)


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
    return LeanRunner(a, weights, spec_of(a))


# -- the same numbers ----------------------------------------------------------------------------------


@shapes
def test_the_numbers_are_those_of_the_lean_runner(make_runner, make_packed, shape, uses_tiles):
    """For many rows, one, and some: the same arithmetic with sums in another order.

    Where that tips the rounding of an activation, what comes after is off by a level; until then nothing is.
    """
    ids = some_ids(120)
    theirs, model = lean(make_packed(**shape)), make_runner(uses_tiles=uses_tiles, **shape)
    (expected,) = theirs.forward([Span(ids, theirs.new_kv(1), len(ids))])
    size = np.abs(expected).max(axis=1)
    assert size.min() > 0.5  # numbers that mean something
    best = np.sort(expected, axis=1)
    sure = best[:, -1] - best[:, -2] > 0.1 * size
    for cut in ([], [1] * 120, [20, 12, 13, 33]):
        _, found = fed(model, ids, cut)
        off = np.abs(found - expected).max(axis=1) / size
        assert np.quantile(off, 0.25) < 1e-3
        assert off.max() < 0.1
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


@shapes
def test_rows_do_not_depend_on_how_the_prompt_was_cut(make_runner, shape, uses_tiles):
    """Few rows and many go through different code, and the borders between them may fall anywhere."""
    model = make_runner(uses_tiles=uses_tiles, **shape)
    ids = some_ids(400)
    whole = fed(model, ids)
    check_same(fed(model, ids, [1] * 400), whole)
    for size in BORDERS:
        check_same(fed(model, ids, [size] * 4), whole)

    @given(chunks, st.integers(1, 400))
    @settings(max_examples=15, deadline=None)
    def check(sizes: list[int], count: int) -> None:
        check_begins(fed(model, ids[:count], sizes), whole)

    check()


@shapes
def test_nor_on_who_multiplies(make_runner, shape, uses_tiles):
    """Vectors or tiles: what they give, neither kind of code could tell apart."""
    ids = some_ids(333)
    vectors, model = (make_runner(uses_tiles=which, **shape) for which in (False, uses_tiles))
    expected = fed(vectors, ids)
    check_same(fed(model, ids), expected)
    check_same(fed(model, ids, [100, 7, 90]), expected)
    kvs = [model.new_kv(1), model.new_kv(1)]
    first, second = model.forward([Span(ids[:50], kvs[0], 3), Span(ids[:41], kvs[1], 41)])
    assert np.array_equal(first, expected[1][47:50])
    assert np.array_equal(second, expected[1][:41])


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 5, 12])
def test_nor_on_the_number_of_threads(make_runner, threads, uses_tiles):
    """Also with more of them than rows, key heads, or blocks of a row."""
    alone, model = make_runner(1, uses_tiles=False), make_runner(threads, uses_tiles=uses_tiles)
    for count in (1, *BORDERS):
        ids = some_ids(count, seed=count)
        expected = fed(alone, ids)
        for _ in range(2):
            check_same(fed(model, ids), expected)


@given(st.data())
@settings(max_examples=30, deadline=None)
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
        check_begins((span.kv, expected[1][:end]), expected)


@pytest.fixture(scope="module")
def shared_runner(make_packed):
    packed = make_packed(num_heads=6)
    model = CompiledRunner(packed, spec_of(packed.architecture), 2)
    ids = some_ids(200)
    yield model, ids, fed(model, ids)
    model.close()


@pytest.mark.parametrize("count", [5, 50])
def test_logits_are_given_where_they_are_asked_for(make_runner, count, uses_tiles):
    """`(num_logits, vocabulary)` of each, an array of nothing for none."""
    model = make_runner(uses_tiles=uses_tiles)
    ids = some_ids(count)
    _, every = fed(model, ids)
    for num_logits in (0, 1, 2, count):
        (found,) = model.forward([Span(ids, model.new_kv(1), num_logits)])
        assert found.shape == (num_logits, 320)
        assert found.dtype == np.float32
        assert np.array_equal(found, every[count - num_logits :])


def test_a_span_has_a_token(make_runner):
    """There is nothing to compute for none."""
    model = make_runner()
    with pytest.raises(AssertionError, match="at least one token"):
        model.forward([Span([], model.new_kv(1))])


@pytest.mark.parametrize(
    ("change", "is_supported"),
    [
        ({}, True),
        ({"vocabulary": 321}, False),
        ({"vocabulary": 320 + 32}, False),
        ({"vocabulary": 320 + 64}, True),
        ({"vocabulary": 1 << 18}, True),
        ({"hidden": 96}, False),
        ({"hidden": 1 << 15}, True),
        ({"hidden": (1 << 15) + 64}, False),
        ({"intermediate": 96}, False),
        ({"intermediate": 1 << 15}, True),
        ({"intermediate": (1 << 15) + 64}, False),
        ({"head_dim": 16}, False),
        ({"head_dim": 80}, False),
        ({"head_dim": 96}, True),
        ({"num_heads": 6}, True),
        ({"num_heads": 5, "num_kv_heads": 5}, False),  # 160 wide, and 480 with keys and values
        ({"num_heads": 3, "num_kv_heads": 2, "head_dim": 64}, False),
        ({"num_heads": 5, "num_kv_heads": 5, "head_dim": 64}, True),
    ],
)
def test_a_model_that_does_not_fit_is_refused(make_packed, change, is_supported):
    """Widths are whole blocks of 64, sums fit in 32 bits."""
    assert supports(replace(make_packed().architecture, **change)) is is_supported
