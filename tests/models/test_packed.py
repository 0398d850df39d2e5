"""The packed file: what quantisation promises, and which files are refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from truepenny.models.architecture import Architecture
from truepenny.models.catalogue import ModelEntry
from truepenny.models.convert import convert, reference_state_dict
from truepenny.models.errors import DiskFullError, UnsupportedWeightsError, WeightsMissingError
from truepenny.models.gguf_file import GgufFile
from truepenny.models.hub_config import hub_name
from truepenny.models.packed import layout, open_packed, quantise_rows, read_header
from truepenny.models.pull import pull
from truepenny.models.sources import FileSource
from truepenny.models.store import ModelFolder


class Silent:
    """Progress for nobody, which still adds up."""

    total = now = 0

    def start(self, total_bytes, what):
        self.total, self.now = total_bytes, 0

    def advance(self, done_bytes):
        self.now += done_bytes

    def done(self):
        pass


@pytest.fixture
def pulled(tmp_path, tiny_gguf) -> tuple[ModelEntry, ModelFolder]:
    path = tmp_path / "tiny.gguf"
    tiny_gguf(path)
    body = path.read_bytes()
    sha256 = hashlib.sha256(body).hexdigest()
    entry = ModelEntry("tiny", (), "a/b", "tiny.gguf", len(body), sha256, "Apache-2.0", "qwen2.5-coder")
    folder = ModelFolder("tiny", tmp_path / "cache")
    pull(entry, folder, [FileSource(path)], Silent())
    return entry, folder


@pytest.fixture
def converted(pulled) -> ModelFolder:
    convert(*pulled, progress=Silent())
    return pulled[1]


matrices = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(-(2.0**60), 2.0**60, width=32),
)


@given(weight=matrices)
def test_no_weight_moves_by_more_than_half_a_step(weight):
    """|w - q s| <= s / 2 for every weight, up to the rounding of the division itself."""
    rows, scale = quantise_rows(weight)
    assert rows.dtype == np.int8
    assert scale.dtype == np.float32
    assert (scale > 0).all()
    error = np.abs(weight.astype(np.float64) - rows.astype(np.float64) * scale[:, None].astype(np.float64))
    half = scale.astype(np.float64)[:, None] / 2
    assert (error <= half * (1 + 1e-4)).all()


def test_many_rows_are_quantised_like_few():
    """Blocks of rows only bound the memory."""
    weight = np.random.default_rng(1).standard_normal((9000, 8)).astype(np.float32)
    rows, scale = quantise_rows(weight)
    alone, alone_scale = quantise_rows(weight[8990:8991])
    np.testing.assert_array_equal(rows[8990], alone[0])
    assert scale[8990] == alone_scale[0]


def test_a_row_of_zeros_stays_zero():
    """Vocabularies are padded with them."""
    rows, scale = quantise_rows(np.zeros((2, 3), np.float32))
    assert not rows.any()
    assert (scale == 1).all()


def test_what_was_packed_comes_back_fused(pulled, converted):
    """q, k, v and gate, up are one matrix each; norms and biases are exact."""
    file, model = GgufFile(converted.weights), open_packed(converted.packed)
    assert model.architecture == file.architecture
    assert (model.model, model.source_sha256) == ("tiny", pulled[0].sha256)
    fused = {
        "embed": ["embed"],
        "layers.1.qkv": ["layers.1.attn.q", "layers.1.attn.k", "layers.1.attn.v"],
        "layers.1.o": ["layers.1.attn.o"],
        "layers.0.gate_up": ["layers.0.ffn.gate", "layers.0.ffn.up"],
        "layers.0.down": ["layers.0.ffn.down"],
    }
    for name, parts in fused.items():
        want = np.concatenate([file.tensor(f"{part}.weight") for part in parts])
        rows, scale = model.tensor(f"{name}.weight"), model.tensor(f"{name}.scale")
        assert (rows.dtype, scale.dtype) == (torch.int8, torch.float32)
        got = rows.numpy() * scale.numpy()[:, None]
        assert (np.abs(got - want) <= scale.numpy()[:, None] * 0.5001).all()
    bias = np.concatenate([file.tensor(f"layers.1.attn.{part}.bias") for part in "qkv"])
    np.testing.assert_array_equal(model.tensor("layers.1.qkv.bias").numpy(), bias)
    for name in ("norm.weight", "layers.0.attn_norm.weight", "layers.1.ffn_norm.weight"):
        np.testing.assert_array_equal(model.tensor(name).numpy(), file.tensor(name))
    assert "lm_head.weight" not in model.names  # tied
    with pytest.raises(KeyError, match="lm_head"):
        model.tensor("lm_head.weight")


def test_tensors_are_views_of_the_mapping(converted):
    """Asking twice gives the same memory: nothing is copied when an engine starts."""
    model = open_packed(converted.packed)
    first, second = model.tensor("embed.weight"), model.tensor("embed.weight")
    assert first.data_ptr() == second.data_ptr()


def test_every_array_is_a_view_of_the_mapping(converted):
    """Of the type and shape of its slot, aligned for it; as a tensor it is the same memory."""
    model = open_packed(converted.packed)
    assert model.names == layout(model.architecture).keys()
    for name, slot in layout(model.architecture).items():
        found = model.array(name)
        is_matrix = name.endswith(".weight") and "norm" not in name
        assert found.dtype == (np.int8 if is_matrix else np.float32)
        assert found.shape == slot.shape
        assert found.nbytes == slot.nbytes
        assert found.flags.c_contiguous
        assert found.flags.aligned
        assert np.shares_memory(found, model.array(name))
        assert model.tensor(name).data_ptr() == found.ctypes.data


def test_arrays_hold_what_was_written(converted):
    """Each where it belongs: safetensors reads the same."""
    from safetensors.numpy import load_file

    model, written = open_packed(converted.packed), load_file(converted.packed)
    assert written.keys() == model.names
    for name, values in written.items():
        np.testing.assert_array_equal(model.array(name), values)


def test_what_is_written_to_an_array_stays_here(converted):
    """By mistake: neither the file nor another engine's view of it is spoiled."""
    before = converted.packed.read_bytes()
    mine, theirs = open_packed(converted.packed), open_packed(converted.packed)
    mine.array("norm.weight")[:] = 7
    assert (mine.array("norm.weight") == 7).all()
    assert not (theirs.array("norm.weight") == 7).all()
    assert converted.packed.read_bytes() == before


@pytest.mark.parametrize("name", ["lm_head.weight", "layers.2.qkv.weight", "norm.bias", "embed", ""])
def test_an_array_that_is_not_there_is_named(converted, name):
    """With the file, and the family that has none."""
    model = open_packed(converted.packed)
    with pytest.raises(KeyError, match=rf"{converted.packed.name}: no tensor '{name}' in a qwen2 model"):
        model.array(name)
    with pytest.raises(KeyError, match="no tensor"):
        model.tensor(name)


def test_conversion_happens_once(pulled):
    """And its progress adds up to the bytes it announced."""
    progress = Silent()
    assert convert(*pulled, progress=progress)
    assert progress.now == progress.total > 0
    assert not convert(*pulled, progress=progress)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda body: body[:-1], "cut short"),
        (lambda body: body[:100], "cut short"),
        (lambda body: b"", "cut short"),
        (lambda body: body + b"\0", "cut short or damaged"),
        (lambda body: b"\xff" * 8 + body[8:], "cut short"),
        (lambda body: body.replace(b'"version":"1"', b'"version":"0"'), "version 0, this engine reads"),
        (lambda body: body.replace(b'"I8"', b'"U8"', 1), "do not fit its architecture"),
        (lambda body: body.replace(b"source_sha256", b"source_sha257"), "lacks source_sha256"),
    ],
    ids=["last-byte", "header", "empty", "longer", "huge-header", "version", "dtype", "metadata"],
)
def test_a_spoilt_file_is_refused_and_made_again(pulled, converted, spoil, found):
    """The message says what is wrong and what to run; running it heals."""
    converted.packed.write_bytes(spoil(converted.packed.read_bytes()))
    with pytest.raises(UnsupportedWeightsError, match=rf"{found}.*truepenny pull"):
        open_packed(converted.packed)
    assert convert(*pulled, progress=Silent())
    open_packed(converted.packed)


def test_other_weights_make_another_file(pulled, converted):
    """A packed file of weights the catalogue has moved on from is not used."""
    assert converted.is_converted(pulled[0].sha256)
    assert not converted.is_converted("0" * 64)


def test_a_break_in_conversion_leaves_nothing(pulled):
    """Neither a file that looks whole nor one that wastes room."""
    entry, folder = pulled

    class Interrupted(Silent):
        def advance(self, done_bytes):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(entry, folder, Interrupted())
    assert not folder.is_converted(entry.sha256)
    assert not [path for path in folder.root.iterdir() if "packed" in path.name]


def test_conversion_says_when_there_is_no_room_or_no_model(pulled, tmp_path):
    """Before a long run, not after it."""
    entry, folder = pulled
    with pytest.raises(DiskFullError, match=r"to convert: .* MB needed, 1 MB free"):
        convert(entry, folder, Silent(), free=lambda _: 1_000_000)
    with pytest.raises(WeightsMissingError, match="truepenny pull tiny"):
        convert(entry, ModelFolder("tiny", tmp_path / "none"), Silent())


def test_the_reference_has_every_weight_under_transformers_names(pulled):
    """A wrong or missing name would leave a random weight in the model we measure against."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder = pulled[1]
    a = GgufFile(folder.weights).architecture
    config = Qwen2Config(
        vocab_size=a.vocabulary,
        hidden_size=a.hidden,
        intermediate_size=a.intermediate,
        num_hidden_layers=a.num_layers,
        num_attention_heads=a.num_heads,
        num_key_value_heads=a.num_kv_heads,
        tie_word_embeddings=True,
    )
    state = {name: torch.from_numpy(np.array(values)) for name, values in reference_state_dict(folder)}
    outcome = Qwen2ForCausalLM(config).load_state_dict(state, strict=False)
    assert outcome.unexpected_keys == []
    assert outcome.missing_keys == ["lm_head.weight"]
    assert hub_name("layers.3.attn.q.weight", "qwen2") == "model.layers.3.self_attn.q_proj.weight"


# -- the architecture record ----------------------------------------------------------------------


def test_an_architecture_survives_json(converted):
    """It travels in the header of the packed file."""
    architecture = read_header(converted.packed).architecture
    assert Architecture.from_json(architecture.to_json()) == architecture
    other = replace(architecture, chat_template="é <|x|>", bos_id=3, tied_embeddings=False)
    assert Architecture.from_json(other.to_json()) == other


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"num_layers": 10**9}, "num_layers is 1000000000"),
        ({"hidden": "64"}, "hidden is '64'"),
        ({"hidden": True}, "hidden is True"),
        ({"num_kv_heads": 3}, "cannot share 3"),
        ({"head_dim": 15}, "even"),
        ({"family": "gpt9"}, "'gpt9'"),
        ({"eos_ids": [300]}, "300 is outside"),
        ({"eos_ids": 5}, "wrong type"),
        ({"rms_eps": 2}, "rms_eps 2"),
        ({"rope_theta": "x"}, "wrong type"),
        ({"extra": 1}, "unknown keys: extra"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_an_absurd_architecture_is_refused(converted, change, found):
    """The header may come from anywhere; nothing is allocated on its word."""
    raw = json.loads(read_header(converted.packed).architecture.to_json()) | change
    with pytest.raises(UnsupportedWeightsError, match=found):
        Architecture.from_json(json.dumps(raw))
