"""A model's weights as transformers reads them: `config.json` and bfloat16 safetensors, made once.

Weights that were published as such a folder are read where they are.  A GGUF file is unpacked:
transformers refuses to read a GGUF file and quantise with bitsandbytes in one go, and reading one
takes it a minute each time.  So the file is unpacked once into

    <model folder>/hub-bf16-v1-<first 12 digits of the weights' hash>/

which is derived data: it may be deleted, and weights with another hash get another folder.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .convert import reference_state_dict
from .errors import DiskFullError
from .hub_config import config_of
from .packed import read_header
from .pull import FULL, MARGIN_BYTES, free_bytes
from .store import ModelFolder

_log = logging.getLogger(__name__)

PART_BYTES = 1 << 30
"""Weights are held in memory and written in parts of about this size."""


def hub_folder(folder: ModelFolder, *, free: Callable[[Path], int] = free_bytes) -> Path:
    """The folder to give to `from_pretrained`: as published, or made now if it is not there.

    Raises:
        UnsupportedWeightsError: not converted, or weights we cannot read.
        DiskFullError: not enough room.
    """
    if folder.weights.is_dir():
        return folder.weights
    header = read_header(folder.packed)
    target = folder.root / f"hub-bf16-v1-{header.source_sha256[:12]}"
    if target.is_dir():
        return target
    needed = 2 * header.architecture.parameters + MARGIN_BYTES
    if (room := free(folder.root)) < needed:
        raise DiskFullError(_too_full(folder.root, needed, room))
    _log.info("unpacking %s for transformers, once: %.0f MB", folder.name, needed / 1e6)
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.", suffix=".partial", dir=folder.root))
    try:
        write_hub_folder(fresh, config_of(header.architecture), reference_state_dict(folder))
        # Appears whole or not at all; of two processes that made it, the second finds it there.
        if not target.is_dir():
            fresh.replace(target)
    except OSError as error:
        if target.is_dir():
            return target
        if error.errno not in FULL:
            raise
        raise DiskFullError(_too_full(folder.root, needed, free(folder.root))) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def write_hub_folder(
    path: Path, config: dict[str, Any], tensors: Iterable[tuple[str, NDArray[np.float32]]]
) -> None:
    """Write config and weights into an existing empty folder, one part in memory at a time."""
    from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # a stub with holes

    weight_map: dict[str, str] = {}
    total = 0
    for number, part in enumerate(_parts(tensors), start=1):
        name = f"model-{number:05d}.safetensors"
        save_file(part, path / name, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, name)
        total += sum(tensor.nbytes for tensor in part.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (path / "model.safetensors.index.json").write_text(json.dumps(index, indent=1), "utf-8")
    (path / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}, indent=1), "utf-8")


def _parts(tensors: Iterable[tuple[str, NDArray[np.float32]]]) -> Iterator[dict[str, Tensor]]:
    part: dict[str, Tensor] = {}
    size = 0
    for name, values in tensors:
        tensor = torch.tensor(values, dtype=torch.bfloat16)
        if part and size + tensor.nbytes > PART_BYTES:
            yield part
            part, size = {}, 0
        part[name] = tensor
        size += tensor.nbytes
    yield part


def _too_full(path: Path, needed: int, room: int) -> str:
    return (
        f"not enough room in {path} to unpack for the GPU: {needed / 1e6:.0f} MB needed, "
        f"{room / 1e6:.0f} MB free; make room, or set TRUEPENNY_CACHE to a folder on a larger disk"
    )
