"""A person's own model, named by its path."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from truepenny.models.catalogue import find
from truepenny.models.errors import (
    DiskFullError,
    UnknownModelError,
    UnsupportedWeightsError,
    WeightsMissingError,
)
from truepenny.models.hardware import Device
from truepenny.models.hub_folder import hub_folder as hub_folder_of
from truepenny.models.language_model import feed
from truepenny.models.loading import load
from truepenny.models.local_model import make_ready
from truepenny.models.packed import read_header
from truepenny.models.store import folder_of, require
from truepenny.models.transformers_backend import load_from, reference
from truepenny.models.wire import Precision

CPU = Device("cpu", "a test", 1, 0)


class Silent:
    """Progress for nobody; `phases` are what was begun."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def start(self, total_bytes, what):
        self.phases.append(what)

    def advance(self, done_bytes):
        pass

    def done(self):
        pass


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path, hub_folder) -> Path:
    path = tmp_path / "my models" / "StarCoder2 tiny"
    hub_folder(path, "starcoder2", sliding_window=40)
    return path


# -- names ---------------------------------------------------------------------------------------------


def test_a_path_has_a_short_name_which_names_it_too(folder, monkeypatch):
    """One model, however it is written: one engine, one folder in the cache."""
    entry = find(str(folder))
    assert entry.is_local
    assert entry.name.startswith("StarCoder2-tiny@")
    assert find(entry.name) == entry
    monkeypatch.chdir(folder.parent)
    assert find("./StarCoder2 tiny") == entry
    assert find(str(folder / "..") + "/StarCoder2 tiny/") == entry
    assert find(str(folder.parent)).name != entry.name


def test_a_catalogue_name_is_never_taken_for_a_path(tmp_path, monkeypatch):
    """Also where a folder of that name lies about."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "qwen2.5-coder-0.5b").mkdir()
    assert not find("qwen2.5-coder-0.5b").is_local
    assert find("./qwen2.5-coder-0.5b").is_local
    with pytest.raises(UnknownModelError, match=r"named by its path, as \./folder"):
        find("Publisher/nonesuch")


@pytest.mark.parametrize("name", ["...@12345678/..", "/", "~", "."])
def test_a_short_name_stays_inside_the_cache(name, cache):
    """It becomes a folder there."""
    root = folder_of(name).root
    assert root.parent == cache / "models"
    assert not root.name.startswith(".")


# -- made ready ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["folder", "gguf"])
def test_a_model_made_ready_is_served_by_either_name(folder, tmp_path, tiny_gguf, form):
    """In int8 from the cache, in float32 from where it is; and the two agree."""
    path = folder
    if form == "gguf":
        path = tmp_path / "tiny.gguf"
        tiny_gguf(path, "llama")
    report = make_ready(str(path), Silent())
    assert (report.path, report.source) == (path, "local")
    assert read_header(require(str(path)).packed).source_sha256 == report.sha256
    ids = [5, 80, 200, 7, 290] * 12
    logits = []
    cases: list[tuple[str, Precision]] = [(str(path), "fp32"), (report.name, "int8")]
    for name, precision in cases:
        loaded = load(name, precision, CPU)
        assert loaded.model.spec.name == report.name
        assert loaded.tokenizer.encode("def x") == ([256 + 1, 256 + 2])
        logits.append(feed(loaded.model, ids, loaded.model.new_kv(1)))
    assert np.corrcoef(*logits)[0, 1] > 0.98


@pytest.mark.parametrize("form", ["folder", "gguf"])
def test_transformers_reads_it_too(folder, tmp_path, tiny_gguf, form):
    """For a GPU, and as the reference: a folder as it is, a GGUF file unpacked; the same model each time."""
    path = folder
    if form == "gguf":
        path = tmp_path / "tiny.gguf"
        tiny_gguf(path, "llama")
    make_ready(str(path), Silent())
    ready = require(str(path))
    unpacked = hub_folder_of(ready)
    assert (unpacked == folder) == (form == "folder")
    ids = [5, 80, 200, 7, 290] * 12
    models = (
        load(str(path), "fp32", CPU).model,
        reference(ready),
        load_from(ready, unpacked, "bf16", "a test", "cpu").model,
    )
    exact, theirs, rounded = (feed(model, ids, model.new_kv(1)) for model in models)
    assert np.abs(exact - theirs).max() < 1e-4
    assert np.corrcoef(exact, rounded)[0, 1] > 0.98


def test_it_is_done_once(folder):
    """And again when asked, or when the weights have changed."""
    first = make_ready(str(folder), Silent())
    again = Silent()
    assert make_ready(str(folder), again) == first
    assert again.phases == []
    assert make_ready(first.name, again, verify=True) == first
    assert "verifying" in again.phases
    assert "converting" not in again.phases


@pytest.mark.parametrize("by", ["path", "short name"])
def test_weights_that_have_changed_are_made_ready_again(folder, hub_folder, by):
    """What is in the cache is of other weights then, and is not served in their name."""
    first = make_ready(str(folder), Silent())
    name = str(folder) if by == "path" else first.name
    hub_folder(folder, "starcoder2", sliding_window=None)
    with pytest.raises(WeightsMissingError, match=r"has changed .*truepenny pull .*StarCoder2 tiny"):
        require(name)
    second = make_ready(name, Silent())
    assert second.sha256 != first.sha256
    assert read_header(require(name).packed).source_sha256 == second.sha256
    shutil.rmtree(folder)
    with pytest.raises(WeightsMissingError, match="or is gone"):
        require(name)


def test_what_was_never_made_ready_is_said_to_be(folder):
    """With the command that does it; and what is not there, too."""
    with pytest.raises(WeightsMissingError, match="has not been made ready; run: truepenny pull"):
        require(str(folder))
    with pytest.raises(WeightsMissingError, match=r"nonesuch@01234567 has not .* truepenny pull the path of"):
        require("nonesuch@01234567")
    for name in (str(folder / "nowhere"), "nonesuch@01234567"):
        with pytest.raises(WeightsMissingError, match="no such folder or file"):
            make_ready(name, Silent())


def test_a_failure_leaves_nothing_that_counts_as_ready(folder):
    """No room, or a folder that turns out not to be a model."""
    with pytest.raises(DiskFullError, match="MB needed"):
        make_ready(str(folder), Silent(), free=lambda _: 1000)
    with pytest.raises(WeightsMissingError):
        require(str(folder))
    (folder / "model.safetensors").unlink()
    with pytest.raises(UnsupportedWeightsError, match=r"has no model\.safetensors"):
        make_ready(str(folder), Silent())


def unigram(record: dict) -> None:
    record["model"] = {"type": "Unigram", "vocab": [["a", -1.0]], "unk_id": 0}


def of_characters(record: dict) -> None:
    record["pre_tokenizer"] = record["decoder"] = None


def too_many(record: dict) -> None:
    record["model"]["vocab"]["extra"] = 300


@pytest.mark.parametrize(
    ("spoil", "found"),
    [(unigram, "'Unigram'"), (of_characters, "spell every byte"), (too_many, "301 tokens, .* only 300")],
    ids=["unigram", "characters", "too-many"],
)
def test_a_tokenizer_that_would_lie_is_refused(folder, spoil, found):
    """Plausible tokens that the model never saw are worse than none."""
    path = folder / "tokenizer.json"
    record = json.loads(path.read_text("utf-8"))
    spoil(record)
    path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(UnsupportedWeightsError, match=found):
        make_ready(str(folder), Silent())
    with pytest.raises(WeightsMissingError):
        require(str(folder))


def test_a_sentencepiece_model_is_copied_as_it_is(folder, train_sentencepiece):
    """Older models have no other tokenizer."""
    (folder / "tokenizer.json").unlink()
    train_sentencepiece(folder / "tokenizer.model", ["def f(x): return x"] * 3, 5)
    make_ready(str(folder), Silent())
    loaded = load(str(folder), "int8", CPU)
    assert loaded.tokenizer.encode("def")
    assert require(str(folder)).tokenizer.name == "tokenizer.model"


def test_touching_a_file_that_is_no_part_of_the_model_changes_nothing(folder):
    """A readme, an editor's backup."""
    make_ready(str(folder), Silent())
    (folder / "README.md").write_text("fine")
    require(str(folder))
    os.utime(folder / "config.json", ns=(9, 9**20))
    with pytest.raises(WeightsMissingError, match="has changed"):
        require(str(folder))
