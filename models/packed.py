"""The packed file: int8 rows with one scale each, memory-mapped, so that an engine starts at once.

A safetensors file.  Linear weights are `[out, in]` int8 with a float32 scale `[out]` (symmetric,
absolute maximum of the row / 127, rounded to nearest); q, k, v are one matrix and so are gate and
up.  Norms and biases stay float32.  Tensors:

    embed.{weight,scale}   norm.weight   lm_head.{weight,scale}  (absent when tied to the embedding)
    layers.N.{attn_norm,ffn_norm}.weight            layers.N.qkv.bias  (where the family has one)
    layers.N.{qkv,o,gate_up,down}.{weight,scale}

The file is derived data: made by `convert` from weights whose hash was checked, refused when it is
of another version or cut short, and simply made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .architecture import Architecture
from .errors import UnsupportedWeightsError

if TYPE_CHECKING:
    import torch

FORMAT = "truepenny-packed-int8"
VERSION = "1"
ALIGNMENT_BYTES = 64

Tensor = Callable[[str], NDArray[np.float32]]
"""Canonical name (`Architecture.tensor_shapes`) to values."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one tensor lies in the file: `[start, start + nbytes)` of the data part."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Linear:
    """A packed matrix: the canonical weights stacked to make it, and their biases."""

    name: str
    parts: tuple[str, ...]
    out_width: int
    in_width: int
    bias: bool = False


def quantise_rows(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 rows and their scales: `|weight - rows * scales[:, None]| <= scales[:, None] / 2`.

    A row of zeros gets scale 1, so that nothing divides by zero later.
    """
    highest = np.abs(weight).max(axis=1)
    scale = np.where(highest > 0, highest / np.float32(127), np.float32(1)).astype(np.float32)
    # A subnormal row can lose its scale to rounding; such a row is zero for every purpose.
    scale[scale < np.finfo(np.float32).tiny] = 1
    rows = np.rint(weight / scale[:, None])
    return np.clip(rows, -127, 127).astype(np.int8), scale


def linears(architecture: Architecture) -> Iterator[Linear]:
    """Every packed matrix, in the order of use."""
    a = architecture
    yield Linear("embed", ("embed",), a.vocabulary, a.hidden)
    for index in range(a.num_layers):
        at = f"layers.{index}"
        qkv = tuple(f"{at}.attn.{part}" for part in "qkv")
        yield Linear(f"{at}.qkv", qkv, a.qkv_width, a.hidden, bias=a.qkv_bias)
        yield Linear(f"{at}.o", (f"{at}.attn.o",), a.hidden, a.q_width)
        gate_up = (f"{at}.ffn.gate", f"{at}.ffn.up")
        yield Linear(f"{at}.gate_up", gate_up, 2 * a.intermediate, a.hidden)
        yield Linear(f"{at}.down", (f"{at}.ffn.down",), a.hidden, a.intermediate)
    if not a.tied_embeddings:
        yield Linear("lm_head", ("lm_head",), a.vocabulary, a.hidden)


def norms(architecture: Architecture) -> Iterator[str]:
    for index in range(architecture.num_layers):
        yield f"layers.{index}.attn_norm.weight"
        yield f"layers.{index}.ffn_norm.weight"
    yield "norm.weight"


def layout(architecture: Architecture) -> dict[str, Slot]:
    """Name to slot.  float32 first, then int8, without gaps (the format allows none): every float is
    aligned, and so is every row of a width that is a multiple of 64.
    """
    floats: list[tuple[str, tuple[int, ...]]] = [(n, (architecture.hidden,)) for n in norms(architecture)]
    ints: list[tuple[str, tuple[int, ...]]] = []
    for linear in linears(architecture):
        floats.append((f"{linear.name}.scale", (linear.out_width,)))
        if linear.bias:
            floats.append((f"{linear.name}.bias", (linear.out_width,)))
        ints.append((f"{linear.name}.weight", (linear.out_width, linear.in_width)))
    slots: dict[str, Slot] = {}
    at = 0
    for dtype, itemsize, tensors in (("F32", 4, floats), ("I8", 1, ints)):
        for name, shape in tensors:
            nbytes = itemsize * int(np.prod(shape, dtype=np.int64))
            slots[name] = Slot(name, dtype, shape, at, nbytes)
            at += nbytes
    return slots


def header(architecture: Architecture, model: str, source_sha256: str) -> bytes:
    """The safetensors header with its length prefix, padded so that the data part is aligned."""
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "model": model,
        "source_sha256": source_sha256,
        "architecture": architecture.to_json(),
    }
    record: dict[str, Any] = {"__metadata__": metadata}
    for slot in layout(architecture).values():
        offsets = [slot.start, slot.start + slot.nbytes]
        record[slot.name] = {"dtype": slot.dtype, "shape": list(slot.shape), "data_offsets": offsets}
    text = json.dumps(record, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT_BYTES)
    return len(text).to_bytes(8, "little") + text


def write_packed(
    path: Path,
    architecture: Architecture,
    tensor: Tensor,
    *,
    model: str,
    source_sha256: str,
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Quantise and write, one matrix in memory at a time; appears under `path` only when complete.

    `advance` is told the bytes written after each tensor.  Returns the size of the file in bytes.
    """
    slots = layout(architecture)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            head = header(architecture, model, source_sha256)
            file.write(head)

            def put(name: str, values: NDArray[Any]) -> None:
                _put(file, len(head), slots[name], values)
                advance(slots[name].nbytes)

            for name in norms(architecture):
                put(name, tensor(name))
            for linear in linears(architecture):
                weight = np.concatenate([tensor(f"{part}.weight") for part in linear.parts])
                rows, scale = quantise_rows(weight)
                put(f"{linear.name}.weight", rows)
                put(f"{linear.name}.scale", scale)
                if linear.bias:
                    put(f"{linear.name}.bias", np.concatenate([tensor(f"{p}.bias") for p in linear.parts]))
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return size


def _put(file: BinaryIO, base: int, slot: Slot, values: NDArray[Any]) -> None:
    expected = {"F32": np.float32, "I8": np.int8}[slot.dtype]
    if values.shape != slot.shape or values.dtype != expected:
        raise UnsupportedWeightsError(
            f"{slot.name} is {values.dtype} {values.shape}, the architecture wants {slot.dtype} {slot.shape}"
        )
    file.seek(base + slot.start)
    file.write(np.ascontiguousarray(values).data)


class PackedModel:
    """A mapped packed file.  Tensors are views of the mapping: read-only by agreement, never copied."""

    def __init__(self, path: Path, handle: Any, architecture: Architecture, metadata: dict[str, str]) -> None:
        self.path = path
        self.architecture = architecture
        self.model = metadata["model"]
        self.source_sha256 = metadata["source_sha256"]
        self._handle = handle
        self._names = frozenset(layout(architecture))

    @property
    def names(self) -> frozenset[str]:
        return self._names

    @property
    def nbytes(self) -> int:
        """Size of the file in bytes."""
        return self.path.stat().st_size

    def tensor(self, name: str) -> torch.Tensor:
        """A view of the mapping: int8 for `.weight` of a matrix, float32 for everything else."""
        if name not in self._names:
            raise KeyError(f"{self.path}: no tensor {name!r} in a {self.architecture.family} model")
        return self._handle.get_tensor(name)


def open_packed(path: Path) -> PackedModel:
    """Map a packed file; reads its header only.

    Raises:
        UnsupportedWeightsError: cut short, not a packed file, of another version, or its tensors do
            not fit its architecture.  The message says how to make it again.
    """
    from safetensors import SafetensorError, safe_open

    fix = "make it again with: truepenny pull"
    try:
        handle: Any = safe_open(str(path), framework="pt", device="cpu")
    except FileNotFoundError as error:
        raise UnsupportedWeightsError(f"{path}: no such packed file; {fix}") from error
    except (SafetensorError, OSError) as error:
        raise UnsupportedWeightsError(f"{path}: cut short or damaged ({error}); {fix}") from error
    metadata: dict[str, str] = handle.metadata() or {}
    found = (metadata.get("format"), metadata.get("version"))
    if found != (FORMAT, VERSION):
        raise UnsupportedWeightsError(
            f"{path}: format {found[0]!r} version {found[1]!r}, this engine reads {FORMAT} {VERSION}; {fix}"
        )
    if missing := {"model", "source_sha256", "architecture"} - metadata.keys():
        raise UnsupportedWeightsError(f"{path}: header lacks {', '.join(sorted(missing))}; {fix}")
    architecture = Architecture.from_json(metadata["architecture"])
    _check_tensors(path, handle, architecture, fix)
    return PackedModel(path, handle, architecture, metadata)


def _check_tensors(path: Path, handle: Any, architecture: Architecture, fix: str) -> None:
    expected = layout(architecture)
    if odd := set(handle.keys()) ^ expected.keys():
        some = ", ".join(sorted(odd)[:3])
        raise UnsupportedWeightsError(f"{path}: {len(odd)} tensors missing or unknown ({some}, …); {fix}")
    for name, slot in expected.items():
        part = handle.get_slice(name)
        shape, dtype = tuple(part.get_shape()), part.get_dtype()
        if (shape, dtype) != (slot.shape, slot.dtype):
            raise UnsupportedWeightsError(
                f"{path}: {name} is {dtype} {shape}, expected {slot.dtype} {slot.shape}; {fix}"
            )
