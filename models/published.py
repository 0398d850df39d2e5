"""Weights as they were published, whatever the form: a GGUF file, or a folder of safetensors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from . import gguf_tokenizer
from .architecture import Architecture
from .errors import UnsupportedWeightsError, WeightsMissingError
from .gguf_file import GgufFile
from .safetensors_folder import ModelFiles, SafetensorsFolder
from .store import ModelFolder
from .tokens import load_tokenizer


class Published(Protocol):
    """One tensor at a time, in float32, under the names of `Architecture.tensor_shapes`."""

    @property
    def architecture(self) -> Architecture: ...

    def tensor(self, name: str) -> NDArray[np.float32]:
        """A view of the file, perhaps: not to be written to."""
        ...


def open_weights(path: Path) -> GgufFile | SafetensorsFolder:
    """Weights that the lean runner can run.

    Raises:
        WeightsMissingError: nothing is there.
        UnsupportedWeightsError: not weights, incomplete, or of an architecture that is not ours.
    """
    if path.is_dir():
        return SafetensorsFolder(ModelFiles(path))
    if not path.is_file():
        raise WeightsMissingError(f"{path}: no such file or folder")
    return GgufFile(path)


def write_tokenizer(weights: GgufFile | SafetensorsFolder, folder: ModelFolder) -> None:
    """Make or copy the tokenizer into `folder`.

    Raises:
        UnsupportedWeightsError: of a kind we cannot use, or larger than the model's vocabulary.
    """
    if isinstance(weights, GgufFile):
        gguf_tokenizer.write_tokenizer(weights, folder.root / "tokenizer.json")
    else:
        copy_tokenizer(weights.files, folder)


def copy_tokenizer(files: ModelFiles, folder: ModelFolder) -> None:
    """Check a tokenizer, then copy it; appears only when complete.

    Raises:
        UnsupportedWeightsError: as `write_tokenizer`.
    """
    published = files.tokenizer
    if published.suffix == ".json":
        _check_bpe(published)
    size = len(load_tokenizer(published, frozenset()).vocabulary)
    rows = files.config.get_text_config(decoder=True).vocab_size
    if size > rows:
        raise UnsupportedWeightsError(
            f"{published} has {size} tokens, but the model only {rows} embedding rows"
        )
    folder.root.mkdir(parents=True, exist_ok=True)
    target = folder.root / published.name
    partial = target.with_name(target.name + ".partial")
    shutil.copyfile(published, partial)
    partial.replace(target)


def _check_bpe(path: Path) -> None:
    """Byte-level, or sentencepiece's with bytes: with another kind some texts have no spelling."""
    record = cast("dict[str, Any]", json.loads(path.read_text("utf-8")))
    model = cast("dict[str, Any]", record.get("model") or {})
    of_bytes = model.get("byte_fallback") is True or '"ByteLevel"' in json.dumps(
        [record.get("pre_tokenizer"), record.get("decoder")]
    )
    if model.get("type") != "BPE" or not of_bytes:
        raise UnsupportedWeightsError(
            f"{path} is a tokenizer of kind {model.get('type')!r}; only byte-pair encodings that can spell "
            "every byte are supported"
        )
