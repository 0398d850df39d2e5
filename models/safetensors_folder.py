"""Read a model as Hugging Face publishes it: a folder of `config.json`, safetensors and a tokenizer.

The folder is not trusted.  Only JSON and safetensors are read: pickled weights are refused, and so is a
model that brings code of its own.  `ModelFiles` is any such folder; `SafetensorsFolder` one whose
architecture the lean runner knows, with its tensors under our names.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .architecture import Architecture
from .errors import UnsupportedWeightsError
from .gguf_file import TEXT_ENDERS
from .hub_config import architecture_from, hub_name, why_foreign

INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
_FLOATS = ("F32", "F16", "BF16")
_DERIVED = (".rotary_emb.inv_freq", ".masked_bias", ".attention.bias")
"""Ends of names that old versions saved beside the weights, and that follow from the configuration."""


class ModelFiles:
    """A model folder whose files are all there, of any architecture that transformers knows."""

    def __init__(self, path: Path) -> None:
        """Check what is there; no weight is read.

        Raises:
            UnsupportedWeightsError: not such a folder, something is missing, quantised, pickled, or it
                needs code of its own; the message says what to do.
        """
        self.path = path
        raw = _json(path / "config.json")
        if raw is None:
            raise UnsupportedWeightsError(f"{path} is not a model folder: it has no config.json")
        _refuse(path, raw)
        self.shards = _shards(path)
        self.config = _configuration(path)
        self.tokenizer = _tokenizer_of(path)

    @property
    def why_foreign(self) -> str:
        """What the lean runner does not do; empty: nothing."""
        return why_foreign(self.config)

    @property
    def weight_files(self) -> list[Path]:
        return sorted(set(self.shards.values()))

    @property
    def context_length(self) -> int:
        """Tokens.  Scaling that depends on the length of a text would turn keys that are kept already:
        such a model is used up to the length where it begins.
        """
        text: Any = self.config.get_text_config(decoder=True)
        length = int(text.max_position_embeddings)
        rope: dict[str, Any] = getattr(text, "rope_parameters", None) or {}
        if rope.get("rope_type") in ("dynamic", "longrope"):
            length = min(length, int(rope.get("original_max_position_embeddings") or length))
        return length

    @cached_property
    def eos_ids(self) -> tuple[int, ...]:
        """What ends a text or a turn, as told; then tokens that do wherever a vocabulary has them."""
        generation = _json(self.path / "generation_config.json") or {}
        told: list[Any] = []
        for value in (generation.get("eos_token_id"), self.config.eos_token_id):
            told += cast("list[Any]", value) if isinstance(value, list) else [value]
        known = [token_id for name, token_id in self._special_tokens() if name in TEXT_ENDERS]
        vocabulary = self.config.get_text_config(decoder=True).vocab_size
        return tuple(dict.fromkeys(i for i in (*told, *known) if isinstance(i, int) and 0 <= i < vocabulary))

    @property
    def chat_template(self) -> str | None:
        try:
            return (self.path / "chat_template.jinja").read_text("utf-8")
        except FileNotFoundError:
            found: object = self._tokenizer_config.get("chat_template")
        if isinstance(found, list):  # several, by name
            named = {entry["name"]: entry["template"] for entry in cast("list[dict[str, str]]", found)}
            found = named.get("default")
        return found if isinstance(found, str) else None

    @property
    def adds_bos(self) -> bool:
        return self._tokenizer_config.get("add_bos_token") is True

    @cached_property
    def _tokenizer_config(self) -> dict[str, Any]:
        return _json(self.path / "tokenizer_config.json") or {}

    def _special_tokens(self) -> Iterator[tuple[str, int]]:
        record = (_json(self.tokenizer) or {}) if self.tokenizer.suffix == ".json" else {}
        for token in cast("list[dict[str, Any]]", record.get("added_tokens") or []):
            if token.get("special"):
                yield str(token["content"]), int(token["id"])


class SafetensorsFolder:
    """The weights of a folder whose architecture is one of ours."""

    def __init__(self, files: ModelFiles) -> None:
        """Check that every tensor is there, of the shape that the configuration wants; none is read.

        Raises:
            UnsupportedWeightsError: as said, or a foreign architecture.
        """
        if why := files.why_foreign:
            raise UnsupportedWeightsError(f"{files.path}: the lean runner does not do {why}")
        self.path = files.path
        self.files = files
        self.architecture: Architecture = architecture_from(
            files.config, eos_ids=files.eos_ids, add_bos=files.adds_bos, chat_template=files.chat_template
        )
        self._handles: dict[Path, Any] = {}
        self._check_tensors()

    def tensor(self, name: str) -> NDArray[np.float32]:
        """The values of one tensor by canonical name, in the orientation of `Architecture`."""
        import torch

        published = hub_name(name, self.architecture.family)
        values = self._handle(published).get_tensor(published).to(torch.float32)
        return cast("NDArray[np.float32]", values.numpy())

    def _handle(self, published: str) -> Any:
        from safetensors import SafetensorError, safe_open

        file = self.files.shards[published]
        if file not in self._handles:
            try:
                self._handles[file] = safe_open(str(file), framework="pt", device="cpu")
            except (SafetensorError, OSError) as error:
                raise UnsupportedWeightsError(f"{file}: not a whole safetensors file ({error})") from error
        return self._handles[file]

    def _check_tensors(self) -> None:
        a = self.architecture
        expected = {hub_name(name, a.family): shape for name, shape in a.tensor_shapes()}
        ignored = {hub_name("lm_head.weight", a.family)} if a.tied_embeddings else set[str]()
        found = {name for name in self.files.shards if not name.endswith(_DERIVED)} - ignored
        if odd := sorted(expected.keys() ^ found):
            raise UnsupportedWeightsError(
                f"{self.path}: {len(odd)} tensors missing or unknown for a {a.family} model "
                f"({', '.join(odd[:3])})"
            )
        for name, shape in expected.items():
            part = self._handle(name).get_slice(name)
            if (there := tuple(part.get_shape())) != shape:
                raise UnsupportedWeightsError(f"{self.path}: {name} is {there}, config.json wants {shape}")
            if (dtype := part.get_dtype()) not in _FLOATS:
                raise UnsupportedWeightsError(
                    f"{self.path}: {name} is {dtype}; use weights in {', '.join(_FLOATS)}, or a GGUF file"
                )


def _refuse(path: Path, config: dict[str, Any]) -> None:
    if "auto_map" in config:
        raise UnsupportedWeightsError(
            f"{path}: config.json asks for code that came with the weights (auto_map), which is never run; "
            "choose a model that transformers knows by itself"
        )
    if quantised := config.get("quantization_config"):
        method = cast("dict[str, Any]", quantised).get("quant_method", "in a way it does not tell")
        raise UnsupportedWeightsError(
            f"{path}: these weights are quantised ({method}); get the publisher's unquantised ones, which "
            "are quantised here, or a GGUF file"
        )


def _shards(path: Path) -> dict[str, Path]:
    """Which file has each tensor."""
    index = _json(path / INDEX)
    if index is None:
        if not (path / _SINGLE).is_file():
            raise UnsupportedWeightsError(_why_none(path))
        return dict.fromkeys(_names(path / _SINGLE), path / _SINGLE)
    told: object = index.get("weight_map")
    if not isinstance(told, dict):
        raise UnsupportedWeightsError(f"{path}: {INDEX} has no weight_map")
    where = cast("dict[str, str]", told)
    names = sorted({str(name) for name in where.values()})
    if odd := [name for name in names if Path(name).name != name or not name.endswith(".safetensors")]:
        raise UnsupportedWeightsError(f"{path}: {INDEX} names {odd[0]!r}, which is no file of the folder")
    if missing := [name for name in names if not (path / name).is_file()]:
        raise UnsupportedWeightsError(
            f"{path}: {len(missing)} of {len(names)} files of weights are missing: {', '.join(missing)}; "
            "get the rest of the model"
        )
    held = {(name, tensor) for name in names for tensor in _names(path / name)}
    if lost := [tensor for tensor, name in where.items() if (name, tensor) not in held]:
        raise UnsupportedWeightsError(
            f"{path}: {where[lost[0]]} has no tensor {lost[0]}, which {INDEX} promises"
        )
    return {tensor: path / name for name, tensor in held}


def _names(file: Path) -> list[str]:
    from safetensors import SafetensorError, safe_open

    try:
        handle: Any = safe_open(str(file), framework="np")
        return list(handle.keys())
    except (SafetensorError, OSError) as error:
        raise UnsupportedWeightsError(f"{file}: not a whole safetensors file ({error})") from error


def _why_none(path: Path) -> str:
    if any(next(path.glob(pattern), None) for pattern in _PICKLED):
        return (
            f"{path} has pickled weights only, and opening them could run any program; get the model as "
            "safetensors, or write it as such (save_pretrained) where you trust it"
        )
    if gguf := next(path.glob("*.gguf"), None):
        return f"{path} has no {_SINGLE}; for the GGUF file in it, name {gguf}"
    return f"{path} has no {_SINGLE} and no {INDEX}"


def _configuration(path: Path) -> Any:
    import transformers

    untyped: Any = transformers
    logger = logging.getLogger("transformers")
    before = logger.level
    logger.setLevel(logging.ERROR)  # what it warns of is decided here
    try:
        config = untyped.AutoConfig.from_pretrained(path, trust_remote_code=False, local_files_only=True)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UnsupportedWeightsError(f"{path}: transformers cannot read config.json: {error}") from error
    finally:
        logger.setLevel(before)
    if type(config) not in untyped.MODEL_FOR_CAUSAL_LM_MAPPING:
        raise UnsupportedWeightsError(f"{path}: {config.model_type!r} is not a model that continues a text")
    return config


def _tokenizer_of(path: Path) -> Path:
    for name in ("tokenizer.json", "tokenizer.model"):
        if (path / name).is_file():
            return path / name
    raise UnsupportedWeightsError(
        f"{path} has neither tokenizer.json nor tokenizer.model; let transformers write one: "
        "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
    )


def _json(path: Path) -> dict[str, Any] | None:
    """None if it is not there."""
    try:
        raw: object = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UnsupportedWeightsError(f"{path} is not JSON ({error})") from error
    if not isinstance(raw, dict):
        raise UnsupportedWeightsError(f"{path} is not a JSON object")
    return cast("dict[str, Any]", raw)
