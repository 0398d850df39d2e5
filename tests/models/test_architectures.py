"""Every family, from safetensors and from GGUF: transformers' numbers, and the same bits however cut."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.architecture import Architecture
from truepenny.models.errors import UnsupportedWeightsError
from truepenny.models.gguf_file import GgufFile
from truepenny.models.hub_config import architecture_from, config_of, hub_name
from truepenny.models.kv import KV_BLOCK_TOKENS, SlabKV
from truepenny.models.language_model import ModelSpec, feed
from truepenny.models.lean_weights import fp32_weights, int8_weights
from truepenny.models.linear import Kernel, probe_kernel
from truepenny.models.packed import open_packed, read_header, write_packed
from truepenny.models.published import Published, open_weights
from truepenny.models.rotary import RopeScaling, frequencies
from truepenny.models.runner import TILE_TOKENS, LeanRunner, Weights

ROPE = {"rope_type": "default", "rope_theta": 1e4}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 1e4,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
"""Short, so that some of eight pairs are left alone, some divided and some mixed."""
PUBLISHED_LLAMA3 = LLAMA3 | {"rope_theta": 5e5, "original_max_position_embeddings": 8192}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "qwen2": ("qwen2", {"rope_parameters": {**ROPE, "rope_theta": 1e6}, "rms_norm_eps": 1e-6}),
    "qwen2-tied": ("qwen2", {"tie_word_embeddings": True, "num_key_value_heads": 4}),
    "qwen2-window": (
        "qwen2",
        {"use_sliding_window": True, "sliding_window": 40, "max_window_layers": 0},
    ),
    "llama": ("llama", {"num_key_value_heads": 1}),
    "llama-3": ("llama", {"rope_parameters": LLAMA3}),
    "llama-linear": ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}}),
    "llama-biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "mistral": ("mistral", {"sliding_window": None}),
    "mistral-window": ("mistral", {"sliding_window": 40}),
    "mistral-wide-heads": ("mistral", {"head_dim": 32, "sliding_window": None}),
    "starcoder2": ("starcoder2", {"tie_word_embeddings": True, "sliding_window": None}),
    "starcoder2-window": ("starcoder2", {"sliding_window": 40}),
    "starcoder2-no-bias": ("starcoder2", {"use_bias": False, "norm_epsilon": 1e-3}),
}

LENGTH = KV_BLOCK_TOKENS + 188
"""The first block of keys is beyond a window of 40."""


def some_ids(count: int) -> list[int]:
    chance = random.Random(7)
    return [chance.randrange(300) for _ in range(count)]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lean(architecture: Architecture, weights: Weights) -> LeanRunner:
    a = architecture
    spec = ModelSpec("tiny", a.family, a.parameters, 0, "", "", a.num_layers, a.vocabulary, 4096, 1)
    return LeanRunner(a, weights, spec)


def logits_of(theirs: Any, ids: list[int]) -> np.ndarray:
    with torch.inference_mode():
        return theirs(torch.tensor([ids])).logits[0].numpy()


def check_same_logits(theirs: Any, published: Published) -> None:
    """In one piece, in pieces, and one token at a time at the end."""
    ours = lean(published.architecture, fp32_weights(published))
    ids = some_ids(LENGTH)
    expected = logits_of(theirs, ids)
    assert np.abs(expected).max() > 1  # numbers that mean something
    kv = ours.new_kv(1)
    assert np.abs(feed(ours, ids, kv) - expected[-1]).max() < 1e-4
    kv = ours.new_kv(1)
    edges = [0, 30, 94, 100, 401, 511, 513, 600, LENGTH - 20, *range(LENGTH - 19, LENGTH + 1)]
    for start, end in itertools.pairwise(edges):
        assert np.abs(feed(ours, ids[start:end], kv) - expected[end - 1]).max() < 1e-4, (start, end)


# -- from safetensors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_a_folder_gives_the_logits_of_transformers(tmp_path, hub_folder, name):
    """Read by our code, run by our code."""
    model_type, changes = FAMILIES[name]
    theirs = hub_folder(tmp_path, model_type, **changes)
    published = open_weights(tmp_path)
    assert published.architecture.family == model_type
    assert published.architecture.parameters == theirs.num_parameters()
    check_same_logits(theirs, published)


@pytest.mark.parametrize("name", FAMILIES)
def test_an_architecture_survives_both_records(tmp_path, hub_folder, name):
    """That in our packed file, and the configuration that is made for transformers."""
    from transformers import AutoConfig

    model_type, changes = FAMILIES[name]
    hub_folder(tmp_path, model_type, **changes)
    architecture = open_weights(tmp_path).architecture
    assert Architecture.from_json(architecture.to_json()) == architecture
    config = config_of(architecture)
    assert (config.pop("model_type"), len(config.pop("architectures"))) == (model_type, 1)
    again = architecture_from(
        AutoConfig.for_model(model_type, **config),
        eos_ids=architecture.eos_ids,
        add_bos=architecture.add_bos,
        chat_template=architecture.chat_template,
    )
    assert again == architecture


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_weights_come_in_any_float_and_in_many_files(tmp_path, hub_folder, dtype):
    """As float32, with the values they had."""
    theirs = hub_folder(tmp_path, "starcoder2", dtype=dtype, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 3
    published = open_weights(tmp_path)
    state = theirs.state_dict()
    for name, shape in published.architecture.tensor_shapes():
        values = published.tensor(name)
        assert (values.dtype, values.shape) == (np.float32, shape)
        np.testing.assert_array_equal(values, state[hub_name(name, "starcoder2")].numpy())


# -- from GGUF -----------------------------------------------------------------------------------------


def write_gguf(path: Path, theirs: Any, arch: str, **changes: Any) -> None:
    """What llama.cpp's conversion makes of a model: its names, its order of rotary rows, its metadata."""
    import gguf

    config, state = theirs.config, {name: t.numpy() for name, t in theirs.state_dict().items()}
    writer = gguf.GGUFWriter(path, arch)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if head_dim * config.num_attention_heads != config.hidden_size:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if arch == "starcoder2":
        writer.add_layer_norm_eps(config.norm_epsilon)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if window := changes.get("window"):
        writer.add_sliding_window(window)
    if factor := changes.get("linear"):
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(factor)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"<{index}>" for index in range(300)])
    writer.add_token_types([1] * 300)
    names = {
        "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
        "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
    }  # fmt: skip
    for name, values in state.items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        part, kind = name.rsplit(".", 1)
        if part.startswith("model.layers."):
            index, inner = part.removeprefix("model.layers.").split(".", 1)
            stored = f"blk.{index}.{names[inner]}.{kind}"
        else:
            inner, stored = part, f"{names[part]}.{kind}"
        heads = {
            "self_attn.q_proj": config.num_attention_heads,
            "self_attn.k_proj": config.num_key_value_heads,
        }
        is_turned = arch == "llama" and inner in heads
        writer.add_tensor(stored, side_by_side(values, heads[inner]) if is_turned else values)
    if (divisors := changes.get("divisors")) is not None:
        writer.add_tensor("rope_freqs.weight", divisors)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def side_by_side(values: np.ndarray, heads: int) -> np.ndarray:
    """Rotary rows as llama.cpp wants them for this family: each beside the one it turns with."""
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(values.shape)


def llama3_divisors(theirs: Any) -> np.ndarray:
    """From the module itself: not the code that is tested."""
    plain = 5e5 ** -(np.arange(0, theirs.config.head_dim, 2) / theirs.config.head_dim)
    return (plain / theirs.model.rotary_emb.inv_freq.numpy()).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "arch", "told"),
    [
        ("qwen2", "qwen2", {}),
        ("qwen2-tied", "qwen2", {}),
        ("llama", "llama", {}),
        ("llama-biases", "llama", {}),
        ("llama-linear", "llama", {"linear": 4.0}),
        ("mistral", "llama", {}),
        ("mistral-window", "llama", {"window": 40}),
        ("mistral-wide-heads", "llama", {}),
        ("starcoder2", "starcoder2", {}),
        ("starcoder2-window", "starcoder2", {"window": 40}),
        ("starcoder2-no-bias", "starcoder2", {}),
    ],
)
def test_a_gguf_file_gives_the_logits_of_transformers(tmp_path, hub_folder, name, arch, told):
    """The rotary rows of Llama's q and k are put back into their order, biases and all."""
    model_type, changes = FAMILIES[name]
    theirs = hub_folder(tmp_path, model_type, **changes)
    write_gguf(tmp_path / "tiny.gguf", theirs, arch, **told)
    check_same_logits(theirs, open_weights(tmp_path / "tiny.gguf"))


def test_llama_3_in_gguf_tells_its_scaling_by_the_result(tmp_path, hub_folder):
    """Its file has the divisors only; the numbers behind them are found again, for transformers' sake."""
    theirs = hub_folder(tmp_path, "llama", head_dim=64, rope_parameters=PUBLISHED_LLAMA3)
    write_gguf(tmp_path / "tiny.gguf", theirs, "llama", divisors=llama3_divisors(theirs))
    published = open_weights(tmp_path / "tiny.gguf")
    assert published.architecture.rope_scaling == RopeScaling("llama3", 8.0, 1.0, 4.0, 8192)
    check_same_logits(theirs, published)
    write_gguf(tmp_path / "odd.gguf", theirs, "llama", divisors=np.linspace(1, 8, 32, dtype=np.float32))
    with pytest.raises(UnsupportedWeightsError, match="as in no Llama we know"):
        GgufFile(tmp_path / "odd.gguf")


def test_starcoder2_in_gguf_has_the_window_it_was_trained_with(tmp_path, hub_folder):
    """The metadata leaves it out, and beyond it the model was never taught to look."""
    theirs = hub_folder(tmp_path, "starcoder2", max_position_embeddings=16384)
    write_gguf(tmp_path / "tiny.gguf", theirs, "starcoder2")
    assert open_weights(tmp_path / "tiny.gguf").architecture.sliding_window == 4096


# -- packed, int8 --------------------------------------------------------------------------------------


def packed_runner(folder: Path, kernel: Kernel) -> LeanRunner:
    published = open_weights(folder)
    path = folder / "packed.safetensors"
    write_packed(path, published.architecture, published.tensor, model="tiny", source_sha256="0" * 64)
    packed = open_packed(path)
    assert packed.architecture == published.architecture
    return lean(packed.architecture, int8_weights(packed, kernel))


@pytest.mark.parametrize("name", FAMILIES)
def test_the_packed_file_holds_every_family(tmp_path, hub_folder, name):
    """Biases and all: int8 stays near float32, which nothing left out or swapped would."""
    model_type, changes = FAMILIES[name]
    theirs = hub_folder(tmp_path, model_type, **changes)
    ours = packed_runner(tmp_path, "int_mm")
    ids = some_ids(100)
    logits = feed(ours, ids, ours.new_kv(1))
    expected = logits_of(theirs, ids)[-1]
    assert np.corrcoef(logits, expected)[0, 1] > 0.98


@pytest.mark.parametrize("kernel", ["packed", "int_mm"])
@pytest.mark.parametrize(
    "name", ["llama-3", "llama-biases", "mistral-window", "starcoder2", "starcoder2-window"]
)
def test_rows_do_not_depend_on_how_the_prompt_was_cut(tmp_path, hub_folder, name, kernel):
    """Nor on blocks of keys that lie beyond the window of some of them, or of all."""
    if kernel == "packed" and probe_kernel()[0] != "packed":
        pytest.skip("this processor or torch build has no exact FBGEMM: " + probe_kernel()[1])
    model_type, changes = FAMILIES[name]
    hub_folder(tmp_path, model_type, **changes)
    model = packed_runner(tmp_path, kernel)
    ids = some_ids(LENGTH)
    whole, last = in_chunks(model, ids, [TILE_TOKENS] * 11, cast("SlabKV", model.new_kv(1)))

    @given(st.integers(1, 90), st.lists(st.integers(1, 2 * TILE_TOKENS), min_size=90, max_size=90))
    @settings(max_examples=15, deadline=None)
    def check(left: int, chunks: list[int]) -> None:
        for length in (LENGTH, KV_BLOCK_TOKENS + 45):  # past the first block, and past its last window
            begun = cast("SlabKV", model.new_kv(1))
            begun.copy_in(whole.copy_out(0, length - left))
            again, logits = in_chunks(model, ids[length - left : length], chunks, begun)
            assert torch.equal(again._keys[:, :, :length], whole._keys[:, :, :length])
            assert torch.equal(again._values[:, :, :length], whole._values[:, :, :length])
            assert length < LENGTH or np.array_equal(logits, last)

    check()


def in_chunks(model: LeanRunner, ids: list[int], chunks: list[int], kv: SlabKV) -> tuple[SlabKV, np.ndarray]:
    logits, at = np.empty(0), 0
    for size in chunks:
        if at < len(ids):
            logits = feed(model, ids[at : at + size], kv)
            at += size
    assert at >= len(ids)
    return kv, logits


def test_a_record_written_before_there_were_other_families_is_read(tmp_path, hub_folder):
    """And one that needs none of what came later is still written so: old files and old engines go on."""
    hub_folder(tmp_path, "qwen2")
    architecture = open_weights(tmp_path).architecture
    record = json.loads(architecture.to_json())
    assert not {"norm", "mlp", "o_bias", "mlp_bias", "sliding_window", "rope_scaling"} & record.keys()
    packed_runner(tmp_path, "int_mm")
    assert b'"version":"1"' in (tmp_path / "packed.safetensors").read_bytes()
    assert read_header(tmp_path / "packed.safetensors").architecture == architecture


# -- the record ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"norm": "batch"}, "norm 'batch'"),
        ({"mlp": []}, "mlp"),
        ({"o_bias": "no"}, "o_bias is 'no'"),
        ({"sliding_window": -1}, "sliding_window is -1"),
        ({"sliding_window": True}, "sliding_window is True"),
        ({"rope_scaling": {"kind": "yarn", "factor": 2.0}}, "'yarn' is not one we run"),
        ({"rope_scaling": {"kind": "linear", "factor": 0.5}}, "makes no sense"),
        ({"rope_scaling": {"kind": "linear", "factor": "2"}}, "wrong type"),
        ({"rope_scaling": {"kind": "linear", "factor": 2.0, "extra": 1}}, "extra"),
        ({"rope_scaling": 4}, "wrong type"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_an_absurd_form_is_refused(tmp_path, hub_folder, change, found):
    """It may come from anywhere."""
    hub_folder(tmp_path, "llama")
    raw = json.loads(open_weights(tmp_path).architecture.to_json()) | change
    with pytest.raises(UnsupportedWeightsError, match=found):
        Architecture.from_json(json.dumps(raw))


def test_only_the_plain_form_is_plain(tmp_path, hub_folder):
    """What the compiled pass must not be given."""
    hub_folder(tmp_path, "qwen2")
    plain = open_weights(tmp_path).architecture
    assert plain.is_plain
    assert replace(plain, sliding_window=plain.context_length).is_plain
    for odd in (
        {"norm": "layer"},
        {"mlp": "gelu_tanh"},
        {"o_bias": True},
        {"mlp_bias": True},
        {"sliding_window": plain.context_length - 1},
        {"rope_scaling": RopeScaling("linear", 2.0)},
    ):
        assert not replace(plain, **odd).is_plain, odd


def test_stretched_frequencies_are_those_of_transformers():
    """Fast pairs left alone, slow ones divided, those between mixed."""
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    for rope in (LLAMA3, PUBLISHED_LLAMA3, {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}):
        config = LlamaConfig(head_dim=128, rope_parameters=rope)
        theirs, _ = ROPE_INIT_FUNCTIONS[rope["rope_type"]](config, "cpu")
        scaling = RopeScaling("linear", 4.0)
        if rope["rope_type"] == "llama3":
            scaling = RopeScaling("llama3", 8.0, 1.0, 4.0, rope["original_max_position_embeddings"])
        np.testing.assert_allclose(frequencies(128, rope["rope_theta"], scaling), theirs.numpy(), rtol=2e-6)
