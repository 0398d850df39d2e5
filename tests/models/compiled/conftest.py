"""Small packed models of any shape, and runners on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truepenny.models.architecture import Architecture
from truepenny.models.compiled.amx import allow_tiles
from truepenny.models.compiled.runner import CompiledRunner
from truepenny.models.packed import PackedModel, open_packed, write_packed

from .sequences import spec_of

SHAPE: dict[str, Any] = {
    "family": "qwen2",
    "num_layers": 2,
    "hidden": 64,
    "intermediate": 128,
    "num_heads": 4,
    "num_kv_heads": 2,
    "head_dim": 32,
    "rope_theta": 1e6,
    "rms_eps": 1e-6,
    "vocabulary": 320,
    "context_length": 4096,
    "tied_embeddings": False,
    "qkv_bias": True,
    "bos_id": None,
    "add_bos": False,
    "eos_ids": (0,),
    "chat_template": None,
}


@pytest.fixture(scope="session")
def make_packed(tmp_path_factory) -> Callable[..., PackedModel]:
    """Called with what differs from `SHAPE`: random weights in a packed file."""
    folder = Path(tmp_path_factory.mktemp("packed"))

    @cache
    def make(**changes: Any) -> PackedModel:
        architecture = Architecture(**(SHAPE | changes))
        random = np.random.default_rng(3)
        values = {
            name: _values(name, shape, random).astype(np.float32)
            for name, shape in architecture.tensor_shapes()
        }
        path = folder / f"{len(list(folder.iterdir()))}.safetensors"
        write_packed(path, architecture, values.__getitem__, model="tiny", source_sha256="0" * 64)
        return open_packed(path)

    return make


def _values(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    if "norm" in name:
        return 1 + 0.2 * random.standard_normal(shape)
    # Wide enough that attention prefers some tokens, and the last layers still say something.
    return random.standard_normal(shape) * (0.5 if len(shape) == 1 else 1.5 / shape[1] ** 0.5)


@pytest.fixture
def make_runner(make_packed) -> Iterator[Callable[..., CompiledRunner]]:
    """Called with a number of threads and what differs from `SHAPE`.  Closed when the test ends."""
    made: list[CompiledRunner] = []

    def make(threads: int = 2, *, uses_tiles: bool | None = None, **changes: Any) -> CompiledRunner:
        packed = make_packed(**changes)
        made.append(CompiledRunner(packed, spec_of(packed.architecture), threads, uses_tiles=uses_tiles))
        return made[-1]

    yield make
    for runner in made:
        runner.close()


@pytest.fixture(scope="session", params=[False, True], ids=["vectors", "tiles"])
def uses_tiles(request) -> bool:
    """Both ways to multiply many rows, where there are both."""
    if request.param and not allow_tiles():
        pytest.skip("this processor has no AMX, or its kernel does not lend it")
    return request.param
