"""The lean forward pass: the same numbers as transformers, and the same bits however a prompt is cut."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import silu

from truepenny.models import runner
from truepenny.models.architecture import Architecture, Family
from truepenny.models.kv import KV_BLOCK_TOKENS, SlabKV, whole_blocks
from truepenny.models.language_model import KV, Cancelled, LanguageModel, ModelSpec, Span
from truepenny.models.language_model import feed as feed_once
from truepenny.models.linear import Fp32Linear, Kernel, Linear, int8_linear, probe_kernel
from truepenny.models.packed import quantise_rows
from truepenny.models.rotary import frequencies
from truepenny.models.runner import TILE_TOKENS, Layer, LeanRunner, Weights

VOCABULARY, HIDDEN, FFN, LAYERS = 300, 64, 96, 2
KERNELS: list[Kernel] = ["packed", "int_mm"]

chunkings = st.lists(
    st.integers(1, TILE_TOKENS) | st.sampled_from([1, 2, 3, 8, TILE_TOKENS]), min_size=90, max_size=90
)


def architecture(family: Family, heads: int, kv_heads: int, head_dim: int) -> Architecture:
    return Architecture(
        family=family,
        num_layers=LAYERS,
        hidden=HIDDEN,
        intermediate=FFN,
        num_heads=heads,
        num_kv_heads=kv_heads,
        head_dim=head_dim,
        rope_theta=1e6,
        rms_eps=1e-6,
        vocabulary=VOCABULARY,
        context_length=4096,
        tied_embeddings=False,
        qkv_bias=family == "qwen2",
        bos_id=None,
        add_bos=False,
        eos_ids=(0,),
        chat_template=None,
    )


def lean(arch: Architecture, weights: Weights) -> LeanRunner:
    spec = ModelSpec("tiny", arch.family, 0, 0, "", "", LAYERS, VOCABULARY, arch.context_length, 1)
    return LeanRunner(arch, weights, spec)


def quantised(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    rows, scale = quantise_rows(weight.numpy())
    return torch.from_numpy(rows), torch.from_numpy(scale)


def random_runner(
    heads: int, kv_heads: int, head_dim: int = 16, kernel: Kernel | None = None, seed: int = 1
) -> LeanRunner:
    """`kernel` None: float32."""
    arch = architecture("qwen2", heads, kv_heads, head_dim)
    generator = torch.Generator().manual_seed(seed)

    def linear(num_out: int, num_in: int, *, has_bias: bool = False) -> Linear:
        weight = torch.randn(num_out, num_in, generator=generator) / num_in**0.5
        bias = torch.randn(num_out, generator=generator) if has_bias else None
        if kernel is None:
            return Fp32Linear(weight, bias)
        rows, scale = quantised(weight)
        return int8_linear(rows, scale, bias, kernel)

    def norm() -> torch.Tensor:
        return 1 + 0.1 * torch.randn(HIDDEN, generator=generator)

    layers = tuple(
        Layer(
            norm(),
            linear(arch.qkv_width, HIDDEN, has_bias=True),
            linear(HIDDEN, arch.q_width),
            norm(),
            linear(2 * FFN, HIDDEN),
            linear(HIDDEN, FFN),
        )
        for _ in range(LAYERS)
    )
    table = torch.randn(VOCABULARY, HIDDEN, generator=generator)
    return lean(arch, Weights(lambda ids: table[ids], layers, norm(), linear(VOCABULARY, HIDDEN)))


def some_ids(count: int, vocabulary: int = VOCABULARY) -> list[int]:
    chance = random.Random(7)
    return [chance.randrange(vocabulary) for _ in range(count)]


def feed(
    model: LanguageModel, ids: list[int], chunks: list[int], kv: SlabKV | None = None
) -> tuple[SlabKV, np.ndarray]:
    """Append `ids` cut into `chunks`, the last ones left over."""
    kv = kv or cast("SlabKV", model.new_kv(1))
    logits = np.empty(0)
    at = 0
    for size in chunks:
        if at < len(ids):
            logits = feed_once(model, ids[at : at + size], kv)
            at += size
    assert at >= len(ids)
    return kv, logits


def copied(model: LanguageModel, kv: SlabKV, length: int, capacity: int = 1) -> SlabKV:
    """A new sequence that begins with a copy of another's rows."""
    fork = cast("SlabKV", model.new_kv(capacity))
    fork.copy_in(kv.copy_out(0, length))
    return fork


def rows_of(kv: KV) -> tuple[np.ndarray, np.ndarray]:
    """Keys and values, of whichever of our runners."""
    rows = cast("Any", kv.copy_out(0, kv.length))
    return np.asarray(rows.keys), np.asarray(rows.values)


def check_same_bits(a: tuple[SlabKV, np.ndarray], b: tuple[SlabKV, np.ndarray]) -> None:
    for mine, theirs in zip(rows_of(a[0]), rows_of(b[0]), strict=True):
        assert np.array_equal(mine, theirs)
    assert np.array_equal(a[1], b[1])


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Tiny products gain nothing from threads, and on a busy machine wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def one_thread(request) -> Iterator[None]:
    if "weights" in request.keywords:
        yield
    else:
        with threads(1):
            yield


# -- the same numbers as transformers ------------------------------------------------------------------


def reference(family: Family, heads: int, kv_heads: int):
    """A small random transformers model, and the same weights in our runner."""
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    config_class, model_class = {
        "qwen2": (Qwen2Config, Qwen2ForCausalLM),
        "llama": (LlamaConfig, LlamaForCausalLM),
    }[family]
    torch.manual_seed(3)
    config = config_class(
        hidden_size=HIDDEN,
        intermediate_size=FFN,
        num_hidden_layers=LAYERS,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        vocab_size=VOCABULARY,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings=False,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=0,
    )
    theirs = model_class(config).eval()
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if name.endswith(("bias", "norm.weight")):  # else all zeros and ones, which hide mistakes
                parameter.add_(0.3 * torch.randn_like(parameter))
    state = {name: tensor.detach() for name, tensor in theirs.state_dict().items()}

    def stacked(at: str, *names: str) -> Linear:
        biases = [state[f"{at}.{n}.bias"] for n in names if f"{at}.{n}.bias" in state]
        weight = torch.cat([state[f"{at}.{n}.weight"] for n in names])
        return Fp32Linear(weight, torch.cat(biases) if biases else None)

    layers = tuple(
        Layer(
            state[f"{at}.input_layernorm.weight"],
            stacked(f"{at}.self_attn", "q_proj", "k_proj", "v_proj"),
            stacked(f"{at}.self_attn", "o_proj"),
            state[f"{at}.post_attention_layernorm.weight"],
            stacked(f"{at}.mlp", "gate_proj", "up_proj"),
            stacked(f"{at}.mlp", "down_proj"),
        )
        for at in (f"model.layers.{i}" for i in range(LAYERS))
    )
    table = state["model.embed_tokens.weight"]
    head = Fp32Linear(state["lm_head.weight"])
    weights = Weights(lambda ids: table[ids], layers, state["model.norm.weight"], head)
    return theirs, lean(architecture(family, heads, kv_heads, HIDDEN // heads), weights)


@pytest.mark.parametrize("family", ["qwen2", "llama"])
@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 2), (4, 4), (4, 1)])
def test_logits_are_those_of_transformers(family, heads, kv_heads):
    """For a prompt in one piece, in pieces, and one token at a time."""
    theirs, ours = reference(family, heads, kv_heads)
    ids = some_ids(100)
    with torch.inference_mode():
        expected = theirs(torch.tensor([ids])).logits[0].numpy()
    assert np.abs(expected).max() > 1  # numbers that mean something
    kv = ours.new_kv(1)
    for start, end in ((0, 64), (64, 71), *((i, i + 1) for i in range(71, 100))):
        logits = feed_once(ours, ids[start:end], kv)
        assert np.abs(logits - expected[end - 1]).max() < 1e-4
    assert kv.length == 100


# -- the same bits however it is cut -------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("heads", "kv_heads"), [(14, 2), (12, 2), (4, 1), (4, 4)])  # 7, 6, 4, 1 share a key
@pytest.mark.parametrize("head_dim", [16, 64])
def test_rows_do_not_depend_on_how_the_prompt_was_cut(kernel, heads, kv_heads, head_dim):
    """Across the edge of a block of keys, after a beginning that was computed once: a warm cache is exact."""
    if kernel == "packed" and probe_kernel()[0] != "packed":
        pytest.skip("this processor or torch build has no exact FBGEMM: " + probe_kernel()[1])
    model = random_runner(heads, kv_heads, head_dim, kernel)
    start, end = KV_BLOCK_TOKENS - 60, KV_BLOCK_TOKENS + 30
    ids = some_ids(end)
    whole = feed(model, ids, [TILE_TOKENS] * 9)

    @given(chunkings)
    @settings(max_examples=10, deadline=None)
    def check(chunks: list[int]) -> None:
        begun = copied(model, whole[0], start, end)
        check_same_bits(feed(model, ids[start:], chunks, begun), whole)

    check()
    check_same_bits(feed(model, ids[start:], [1] * 90, copied(model, whole[0], start, end)), whole)


@pytest.mark.parametrize("count", [2, 3])
def test_nor_on_the_number_of_threads(count):
    """Which differs from machine to machine, and from run to run of one."""
    model = random_runner(14, 2, 64, "int_mm")
    ids = some_ids(200)
    whole = feed(model, ids, [TILE_TOKENS] * 4)
    with threads(count):
        check_same_bits(feed(model, ids, [50] * 4), whole)


FIRST_ROWS = {heads: random_runner(*heads, kernel="int_mm") for heads in ((14, 2), (2, 2))}


@given(chunkings, st.sampled_from(list(FIRST_ROWS)))
@settings(max_examples=25, deadline=None)
def test_the_first_rows_do_not_depend_on_it_either(chunks, heads):
    """Short prompts, where there is little to attend to."""
    model = FIRST_ROWS[heads]
    ids = some_ids(70)
    check_same_bits(feed(model, ids, chunks), feed(model, ids, [64, 6]))


@pytest.mark.parametrize("activation", [silu, runner._gelu_tanh])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_wide_rows_do_not_depend_on_threads_either(count, activation):
    """Threads cut large tensors anywhere, and numbers at a cut go through another `exp`."""
    gate = (
        torch.randn(TILE_TOKENS, 2 * 4864, generator=torch.Generator().manual_seed(0)).chunk(2, dim=1)[0] * 3
    )
    with threads(count):
        together = runner._few_at_a_time(activation, gate)
        for row in range(TILE_TOKENS):
            alone = runner._few_at_a_time(activation, gate[row : row + 1])
            assert torch.equal(together[row : row + 1], alone)
    assert torch.allclose(together, activation(gate))


def test_turned_keys_stay_as_they_were_when_the_table_grows():
    """Old keys and new queries are turned by the same numbers."""
    table = runner._RotaryTable(frequencies(64, 1e6))
    before = [rows.clone() for rows in table.rows(0, 1024)]
    table.rows(1000, 5000)
    for old, new in zip(before, table.rows(0, 1024), strict=True):
        assert torch.equal(old, new)


def test_sequences_in_one_pass_do_not_see_each_other():
    """Bit for bit what each gives alone, for as many logits as are asked for."""
    model = random_runner(14, 2, kernel="int_mm")
    ids = some_ids(200)
    alone: list[np.ndarray] = []
    for length in (200, 33, 1):
        kv = cast("SlabKV", model.new_kv(1))
        alone.append(np.stack([feed_once(model, [token_id], kv) for token_id in ids[:length]]))
    kvs = [model.new_kv(1) for _ in alone]
    feed_once(model, ids[:70], kvs[0])
    spans = [Span(ids[70:], kvs[0], 5), Span(ids[:33], kvs[1], 0), Span(ids[:1], kvs[2], 1)]
    together = model.forward(spans)
    assert [kv.length for kv in kvs] == [200, 33, 1]
    for logits, span, expected in zip(together, spans, alone, strict=True):
        assert np.array_equal(logits, expected[len(expected) - span.num_logits :])


def test_a_span_has_a_token():
    """There is nothing to compute for none."""
    model = random_runner(4, 2)
    with pytest.raises(AssertionError, match="at least one token"):
        feed_once(model, [], model.new_kv(1))


# -- cancelling, growing, going back -------------------------------------------------------------------


@pytest.mark.parametrize("layer", range(LAYERS))
def test_cancelled_between_layers_nothing_has_happened(layer):
    """The next forward pass finds the sequence as it was."""
    model = random_runner(14, 2, kernel="int_mm")
    ids = some_ids(80)
    kv, _ = feed(model, ids[:40], [40])
    asked = iter(range(LAYERS))
    with pytest.raises(Cancelled):
        feed_once(model, [5] * 30, kv, lambda: next(asked) == layer)
    assert kv.length == 40
    check_same_bits(feed(model, ids[40:], [40], kv), feed(model, ids, [40, 40]))


def test_truncated_rows_are_forgotten():
    """What was written over leaves no trace."""
    model = random_runner(14, 2, kernel="int_mm")
    ids = some_ids(100)
    kv, _ = feed(model, ids[:50] + [9] * 60, [64, 46])
    kv.truncate(50)
    check_same_bits(feed(model, ids[50:], [50], kv), feed(model, ids, [50, 50]))


def test_growing_keeps_what_is_there():
    """And doubles, so that appending stays cheap."""
    kv = SlabKV(2, 1, 4, 1)
    assert kv.capacity_tokens == KV_BLOCK_TOKENS
    written = torch.randn(2, 1, 3 * KV_BLOCK_TOKENS, 4)
    capacities = set()
    for start in range(0, written.shape[2], 64):
        kv.reserve(64)
        for layer in range(2):
            rows = written[layer, :, start : start + 64]
            kv.write(layer, rows, -rows)
            keys, values = kv.view(layer, whole_blocks(start + 64))
            assert torch.equal(keys[:, : start + 64], written[layer, :, : start + 64])
            assert torch.equal(values[:, : start + 64], -written[layer, :, : start + 64])
        kv.commit(64)
        capacities.add(kv.capacity_tokens)
    keys, values = rows_of(kv)
    assert np.array_equal(keys, written.numpy())
    assert np.array_equal(values, -written.numpy())
    assert capacities == {KV_BLOCK_TOKENS, 2 * KV_BLOCK_TOKENS, 4 * KV_BLOCK_TOKENS}
    assert kv.nbytes == 2 * 4 * 2 * 4 * kv.capacity_tokens


def test_a_copy_is_a_sequence_of_its_own():
    """Two documents with one beginning."""
    model = random_runner(4, 2, kernel="int_mm")
    ids = some_ids(60)
    kv, _ = feed(model, ids, [60])
    fork = copied(model, kv, 30, 10)
    feed(model, [9] * 20, [20], fork)
    assert (kv.length, fork.length) == (60, 50)
    check_same_bits(feed(model, ids[:5], [5], kv), feed(model, ids + ids[:5], [60, 5]))


def test_rows_are_copied_in_after_a_pass_made_the_sequence_grow():
    """What a pass allocates may be written to in a pass only, and the prefix cache is not one."""
    model = random_runner(4, 2, kernel="int_mm")
    ids = some_ids(KV_BLOCK_TOKENS + 100)
    kv, _ = feed(model, ids[:-1], [TILE_TOKENS] * 10)
    kept = kv.copy_out(100, kv.length)
    kv.truncate(100)
    kv.copy_in(kept.part(0, 300))
    kv.copy_in(kept.part(300, kept.num_rows))
    check_same_bits(feed(model, ids[-1:], [1], kv), feed(model, ids, [TILE_TOKENS] * 10))


def test_truncating_to_more_than_there_is_is_a_mistake():
    """It would call rows valid that never were."""
    with pytest.raises(AssertionError, match="cannot truncate 0 rows to 1"):
        SlabKV(1, 1, 4, 8).truncate(1)


# -- the linear layers ---------------------------------------------------------------------------------


def test_both_int8_kernels_are_the_same_arithmetic():
    """Up to the rounding of activations, which they scale in another order."""
    if probe_kernel()[0] != "packed":
        pytest.skip("this processor or torch build has no exact FBGEMM: " + probe_kernel()[1])
    weight, bias = torch.randn(96, 64), torch.randn(96)
    x = torch.randn(17, 64) * torch.logspace(-3, 3, 17)[:, None]
    rows, scale = quantised(weight)
    packed, plain = (int8_linear(rows, scale, bias, kernel)(x) for kernel in KERNELS)
    size = x.abs().amax(dim=1, keepdim=True)
    assert ((packed - plain).abs() / size).max() < 0.02 * weight.abs().max()
    exact = Fp32Linear(weight, bias)(x)
    assert ((plain - exact).abs() / size).max() < 0.1 * weight.abs().max()
    ours, theirs = (feed(random_runner(4, 2, kernel=kernel), some_ids(50), [50])[1] for kernel in KERNELS)
    assert np.abs(ours - theirs).max() < 0.1 * np.abs(theirs).max()


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_row_of_zeros_is_a_row_of_biases(kernel):
    """Nothing is divided by zero."""
    rows, scale = quantised(torch.randn(8, 16))
    probe_kernel()
    out = int8_linear(rows, scale, torch.arange(8.0), kernel)(torch.zeros(3, 16))
    assert torch.allclose(out, torch.arange(8.0).expand(3, 8))


@given(st.integers(1, TILE_TOKENS), st.sampled_from(KERNELS))
@settings(max_examples=30, deadline=None)
def test_rows_of_a_product_are_independent(num_rows, kernel):
    """Bit for bit: a token's product does not depend on its neighbours."""
    probe_kernel()
    rows, scale = quantised(torch.randn(48, 32))
    linear = int8_linear(rows, scale, torch.randn(48), kernel)
    x = torch.randn(num_rows, 32) * torch.rand(num_rows, 1) * 100
    together = linear(x)
    assert torch.equal(together, torch.cat([linear(x[i : i + 1]) for i in range(num_rows)]))


# -- the real model ------------------------------------------------------------------------------------


def code_ids(tokenizer, count: int) -> list[int]:
    """The beginning of a Python file everyone has."""
    ids = tokenizer.encode(Path(random.__file__).read_text(encoding="utf-8"))
    assert len(ids) >= count
    return ids[:count]


@pytest.fixture(scope="module")
def real_model(default_model):
    from truepenny.models.loading import load

    assert default_model.packed.is_file()
    return load(default_model.name, "int8")


@pytest.mark.weights
def test_the_real_models_rows_do_not_depend_on_how_a_file_was_cut(real_model, real_tokenizer):
    """Twenty ways to cut a file of 700 tokens, each resumed somewhere: the bits are the same."""
    model = real_model.model
    ids = code_ids(real_tokenizer, 700)
    whole = feed(model, ids, [TILE_TOKENS] * 11)  # with as many threads as an engine has
    chance = random.Random(11)
    for _ in range(20):
        start = chance.randrange(400, 690)
        chunks = [chance.choice([chance.randint(1, TILE_TOKENS), TILE_TOKENS, 7]) for _ in range(700)]
        begun = copied(model, whole[0], start, 700)
        with threads(1):  # the bits do not depend on that either
            check_same_bits(feed(model, ids[start:], chunks, begun), whole)


@pytest.mark.weights
def test_int8_chooses_as_float32_does(real_model, default_model, real_tokenizer):
    """On code, at nine places of ten or more, the same next token."""
    from truepenny.models.loading import load

    ids = code_ids(real_tokenizer, 260)
    exact = load(default_model.name, "fp32").model
    choices: list[list[int]] = []
    with threads(1):
        for model in (real_model.model, exact):
            kv, logits = feed(model, ids[:180], [60] * 3)
            choices.append([int(np.argmax(logits))])
            for token_id in ids[180:]:
                choices[-1].append(int(np.argmax(feed_once(model, [token_id], kv))))
    agreed = sum(a == b for a, b in zip(*choices, strict=True))
    assert agreed >= 0.9 * len(choices[0]), f"{agreed} of {len(choices[0])}"
