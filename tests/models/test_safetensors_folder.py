"""Folders of safetensors: what is read from one, and which are refused, with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from truepenny.models.errors import UnsupportedWeightsError, WeightsMissingError
from truepenny.models.published import open_weights
from truepenny.models.safetensors_folder import ModelFiles

INDEX = "model.safetensors.index.json"


@pytest.fixture
def folder(tmp_path, hub_folder) -> Path:
    """In several files."""
    path = tmp_path / "tiny"
    hub_folder(path, "qwen2", max_shard_size="60KB")
    assert (path / INDEX).is_file()
    return path


def change(path: Path, **values: Any) -> None:
    """Of a JSON file; None takes a key away."""
    raw = json.loads(path.read_text("utf-8")) | values
    path.write_text(json.dumps({key: value for key, value in raw.items() if value is not None}), "utf-8")


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def map_to(folder: Path, name: str) -> None:
    change(folder / INDEX, weight_map={"model.norm.weight": name})


def pickle_only(folder: Path) -> None:
    for path in (*shards(folder), folder / INDEX):
        path.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")


def gguf_only(folder: Path) -> None:
    pickle_only(folder)
    (folder / "pytorch_model.bin").rename(folder / "model.gguf")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def promise(folder: Path, tensor: str) -> None:
    weight_map = json.loads((folder / INDEX).read_text("utf-8"))["weight_map"]
    change(folder / INDEX, weight_map={**weight_map, tensor: shards(folder)[0].name})


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda f: (f / "config.json").unlink(), "it has no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "is not JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "is not a JSON object"),
        (lambda f: change(f / "config.json", auto_map={"AutoModel": "x.Y"}), "code that came with"),
        (
            lambda f: change(f / "config.json", quantization_config={"quant_method": "gptq"}),
            r"quantised \(gptq\); get the publisher's unquantised ones",
        ),
        (lambda f: change(f / "config.json", model_type="nonesuch"), "transformers cannot read config.json"),
        (lambda f: change(f / "config.json", model_type="t5"), "is not a model that continues a text"),
        (lambda f: change(f / "config.json", hidden_size=32), "config.json wants"),
        (lambda f: change(f / "config.json", num_hidden_layers=3, layer_types=None), "12 tensors missing"),
        (lambda f: shards(f)[1].unlink(), r"1 of \d files of weights are missing: model-00002-of"),
        (lambda f: cut(shards(f)[0]), "not a whole safetensors file"),
        (lambda f: map_to(f, "../elsewhere.safetensors"), "which is no file of the folder"),
        (lambda f: map_to(f, "model.bin"), "which is no file of the folder"),
        (lambda f: change(f / INDEX, weight_map=None), "has no weight_map"),
        (lambda f: promise(f, "model.norm.bias"), "has no tensor model.norm.bias"),
        (pickle_only, "pickled weights only"),
        (gguf_only, r"for the GGUF file in it, name .*model\.gguf"),
        (lambda f: (f / "tokenizer.json").unlink(), "neither tokenizer.json nor tokenizer.model"),
    ],
    ids=[
        "no-config", "not-json", "not-object", "remote-code", "quantised", "unknown", "not-decoder", "width",
        "layers", "missing-shard", "cut-short", "outside", "pickle-shard", "no-map", "broken-promise",
        "pickled", "gguf", "no-tokenizer",
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_run_is_refused(folder, spoil, found):
    """The message names what was found and what to do."""
    spoil(folder)
    with pytest.raises(UnsupportedWeightsError, match=found):
        open_weights(folder)


def test_weights_that_are_no_floats_are_refused(folder):
    """Published as eight-bit floats, for example: a plain reading of them would be nonsense."""
    import torch
    from safetensors.torch import load_file, save_file

    for path in shards(folder):
        tensors = load_file(path)
        save_file({name: tensor.to(torch.float8_e4m3fn) for name, tensor in tensors.items()}, path)
    with pytest.raises(UnsupportedWeightsError, match="is F8_E4M3; use weights in F32, F16, BF16"):
        open_weights(folder)


def test_nothing_is_said_to_be_nothing(tmp_path):
    """A typing mistake in a path."""
    with pytest.raises(WeightsMissingError, match="no such file or folder"):
        open_weights(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("config", "generation", "expected"),
    [
        (262, None, (262, 263)),
        ([270, 262], None, (270, 262, 263)),
        (262, [271], (271, 262, 263)),
        (None, None, (262, 263)),
        (5000, None, (262, 263)),
    ],
)
def test_what_ends_a_text_is_gathered_from_everywhere(folder, config, generation, expected):
    """Base models name the end of a text, instruct models the end of a turn; both are in the vocabulary."""
    change(folder / "config.json", eos_token_id=config)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if generation:
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": generation}))
    assert ModelFiles(folder).eos_ids == expected


@pytest.mark.parametrize(
    ("told", "jinja", "expected"),
    [
        (None, None, None),
        ("{{ a }}", None, "{{ a }}"),
        ([{"name": "tools", "template": "x"}, {"name": "default", "template": "y"}], None, "y"),
        ("{{ a }}", "{{ b }}", "{{ b }}"),
    ],
)
def test_a_chat_template_is_found_where_versions_put_it(folder, told, jinja, expected):
    """In the tokenizer's configuration, one or several, or in a file of its own."""
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": told, "add_bos_token": True}))
    if jinja:
        (folder / "chat_template.jinja").write_text(jinja)
    files = ModelFiles(folder)
    assert (files.chat_template, files.adds_bos) == (expected, True)
    assert open_weights(folder).architecture.chat_template == expected


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"hidden_act": "gelu"}, "activation 'gelu'"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}}, "yarn scaling"),
        (
            {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1},
            "layers of different kinds",
        ),
    ],
    ids=["ours", "activation", "yarn", "mixed"],
)
def test_what_is_foreign_is_told(tmp_path, hub_folder, changes, why):
    """It goes to transformers' modules, never through arithmetic that is not its own."""
    hub_folder(tmp_path / "tiny", "qwen2", **changes)
    assert why in ModelFiles(tmp_path / "tiny").why_foreign
    assert bool(why) == bool(ModelFiles(tmp_path / "tiny").why_foreign)
    if why:
        with pytest.raises(UnsupportedWeightsError, match="the lean runner does not do"):
            open_weights(tmp_path / "tiny")


def test_scaling_that_changes_on_the_way_is_not_gone_into(tmp_path, hub_folder):
    """Keys that are kept would have been turned by other numbers than a cold run turns them by."""
    rope = {
        "rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 8, "long_factor": [2.0] * 8,
        "factor": 4.0, "original_max_position_embeddings": 1024,
    }  # fmt: skip
    hub_folder(tmp_path / "long", "llama", rope_parameters=rope)
    hub_folder(tmp_path / "plain", "llama")
    assert ModelFiles(tmp_path / "long").context_length == 1024
    assert ModelFiles(tmp_path / "plain").context_length == 4096
