"""Where weights live, and what state they are in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from truepenny.models import store
from truepenny.models.errors import UnknownModelError, WeightsMissingError
from truepenny.models.store import ModelFolder, Pulled

NAME = "qwen2.5-coder-0.5b-instruct"


def pulled_folder(root: Path) -> ModelFolder:
    folder = ModelFolder("tiny", root)
    folder.weights.write_bytes(b"weights")
    folder.write_record(Pulled("tiny", 7, "ab", "hub", folder.weights.stat().st_mtime_ns))
    return folder


def test_the_cache_can_be_put_elsewhere(monkeypatch, tmp_path):
    """A small home is common; a large disk is one variable away."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path))
    assert store.folder_of("qwen2.5-coder-0.5b").weights == tmp_path / "models" / NAME / "weights.gguf"
    monkeypatch.delenv("TRUEPENNY_CACHE")
    assert store.cache_root().name == "truepenny"


def test_a_missing_model_says_what_to_run(monkeypatch, tmp_path):
    """The first thing a new user sees."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path))
    with pytest.raises(WeightsMissingError, match=f"run: truepenny pull {NAME}"):
        store.require("qwen2.5-coder-0.5b")
    with pytest.raises(UnknownModelError):
        store.require("nonesuch")


def test_verified_weights_are_known_without_reading_them(tmp_path):
    """A second pull must be instant."""
    assert pulled_folder(tmp_path).is_pulled("ab")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: folder.weights.write_bytes(b"weights!"),
        lambda folder: os.utime(folder.weights, ns=(1, 1)),
        lambda folder: folder.weights.unlink(),
        lambda folder: folder.record.unlink(),
        lambda folder: folder.record.write_text("{"),
        lambda folder: folder.record.write_text("[1]"),
        lambda folder: folder.record.write_text('{"name": "tiny"}'),
    ],
    ids=["longer", "touched", "gone", "no-record", "cut-record", "odd-record", "short-record"],
)
def test_a_verification_holds_only_for_the_very_same_file(tmp_path, spoil):
    """Whatever changed since, the hash is not known any more."""
    folder = pulled_folder(tmp_path)
    spoil(folder)
    assert not folder.is_pulled("ab")


def test_another_hash_is_another_model(tmp_path):
    """A catalogue that moved on must not run on old weights."""
    folder = pulled_folder(tmp_path)
    assert not folder.is_pulled("cd")
    assert not folder.is_converted("ab")
