"""The packed file: int8 rows with one scale each, memory-mapped, so that an engine starts at once.

A safetensors file.  Linear weights are `[out, in]` int8 with a float32 scale `[out]` (symmetric,
absolute maximum of the row / 127, rounded to nearest); q, k, v are one matrix and so are gate and
up.  Norms and biases stay float32.  Tensors:

    embed.{weight,scale}   norm.weight   lm_head.{weight,scale}  (absent when tied to the embedding)
    layers.N.{attn_norm,ffn_norm}.weight
    layers.N.{qkv,o,gate_up,down}.{weight,scale}    gate_up is up in a family without a gate
    norm.bias   layers.N.….bias                     of norms and matrices, where the family has them

Version 1 has grown: a record of the architecture may say more than it could.  Files of models that
need none of it are the same, byte for byte; an engine that does not know a key refuses the file.

The file is derived data: made by `convert` from weights whose hash was checked, refused when it is
of another version or cut short, and simply made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from .architecture import Architecture
from .errors import UnsupportedWeightsError

if TYPE_CHECKING:
    import torch

FORMAT = "truepenny-packed-int8"
VERSION = "1"
ALIGNMENT_BYTES = 64
BLOCK_ROWS = 4096
MAX_HEADER_BYTES = 64 << 20

Tensor = Callable[[str], NDArray[np.float32]]
"""Canonical name (`Architecture.tensor_shapes`) to values."""


_NUMPY_TYPES: dict[str, type[np.float32] | type[np.int8]] = {"F32": np.float32, "I8": np.int8}


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one tensor lies in the file: `[start, start + nbytes)` of the data part."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    nbytes: int

    @property
    def entry(self) -> dict[str, Any]:
        """Its record in a safetensors header."""
        offsets = [self.start, self.start + self.nbytes]
        return {"dtype": self.dtype, "shape": list(self.shape), "data_offsets": offsets}


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
    rows = np.empty(weight.shape, dtype=np.int8)
    scale = np.empty(weight.shape[0], dtype=np.float32)
    for start in range(0, weight.shape[0], BLOCK_ROWS):  # so that temporaries stay small
        block = slice(start, start + BLOCK_ROWS)
        highest = np.abs(weight[block]).max(axis=1)
        step = (highest / np.float32(127)).astype(np.float32)
        # Of a subnormal row the scale loses its digits; such a row is zero for every purpose.
        step[step < np.finfo(np.float32).tiny] = 1
        scale[block] = step
        rows[block] = np.clip(np.rint(weight[block] / step[:, None]), -127, 127)
    return rows, scale


def linears(architecture: Architecture) -> Iterator[Linear]:
    """Every packed matrix, in the order of use."""
    a = architecture
    yield Linear("embed", ("embed",), a.vocabulary, a.hidden)
    for index in range(a.num_layers):
        at = f"layers.{index}"
        qkv = tuple(f"{at}.attn.{part}" for part in "qkv")
        yield Linear(f"{at}.qkv", qkv, a.qkv_width, a.hidden, bias=a.qkv_bias)
        yield Linear(f"{at}.o", (f"{at}.attn.o",), a.hidden, a.q_width, bias=a.o_bias)
        inputs = tuple(f"{at}.ffn.{part}" for part in a.mlp_inputs)
        wide = len(inputs) * a.intermediate
        yield Linear(f"{at}.{mlp_name(a)}", inputs, wide, a.hidden, bias=a.mlp_bias)
        yield Linear(f"{at}.down", (f"{at}.ffn.down",), a.hidden, a.intermediate, bias=a.mlp_bias)
    if not a.tied_embeddings:
        yield Linear("lm_head", ("lm_head",), a.vocabulary, a.hidden)


def mlp_name(architecture: Architecture) -> str:
    """Of the matrix that reads the MLP's input: `gate_up` or `up`."""
    return "_".join(architecture.mlp_inputs)


def norms(architecture: Architecture) -> Iterator[str]:
    """Every vector of a norm."""
    layers = (f"layers.{i}.{which}_norm" for i in range(architecture.num_layers) for which in ("attn", "ffn"))
    for name in (*layers, "norm"):
        yield f"{name}.weight"
        if architecture.norm == "layer":
            yield f"{name}.bias"


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
        record[slot.name] = slot.entry
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
                parts = [tensor(f"{part}.weight") for part in linear.parts]
                rows, scale = quantise_rows(parts[0] if len(parts) == 1 else np.concatenate(parts))
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
    expected = _NUMPY_TYPES[slot.dtype]
    if values.shape != slot.shape or values.dtype != expected:
        raise UnsupportedWeightsError(
            f"{slot.name} is {values.dtype} {values.shape}, the architecture wants {slot.dtype} {slot.shape}"
        )
    file.seek(base + slot.start)
    file.write(np.ascontiguousarray(values).data)


@dataclass(frozen=True, slots=True)
class PackedHeader:
    """What a packed file says about itself."""

    model: str
    source_sha256: str
    architecture: Architecture


def read_header(path: Path) -> PackedHeader:
    """Read and check the header of a packed file, without torch and without reading any weight.

    Raises:
        UnsupportedWeightsError: absent, cut short, not a packed file, of another version, or its
            tensors do not fit its architecture.  The message says how to make it again.
    """
    fix = "make it again with: truepenny pull"
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            text = file.read(length) if 8 + length <= min(size, MAX_HEADER_BYTES) else b""
        raw: object = json.loads(text)
    except FileNotFoundError as error:
        raise UnsupportedWeightsError(f"{path}: no such packed file; {fix}") from error
    except (OSError, ValueError) as error:
        raise UnsupportedWeightsError(f"{path}: not a packed file, or cut short ({error}); {fix}") from error
    record = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
    noted: object = record.pop("__metadata__", None)
    metadata = cast("dict[str, str]", noted) if isinstance(noted, dict) else {}
    found = (metadata.get("format"), metadata.get("version"))
    if found != (FORMAT, VERSION):
        raise UnsupportedWeightsError(
            f"{path}: format {found[0]} version {found[1]}, this engine reads {FORMAT} {VERSION}; {fix}"
        )
    if missing := {"model", "source_sha256", "architecture"} - metadata.keys():
        raise UnsupportedWeightsError(f"{path}: header lacks {', '.join(sorted(missing))}; {fix}")
    architecture = Architecture.from_json(metadata["architecture"])
    expected = layout(architecture)
    if record != {name: slot.entry for name, slot in expected.items()}:
        raise UnsupportedWeightsError(f"{path}: its tensors do not fit its architecture; {fix}")
    whole = 8 + length + sum(slot.nbytes for slot in expected.values())
    if size != whole:
        raise UnsupportedWeightsError(f"{path}: {size} bytes, should be {whole}: cut short or damaged; {fix}")
    return PackedHeader(metadata["model"], metadata["source_sha256"], architecture)


class PackedModel:
    """A mapped packed file.  Arrays and tensors are views of the mapping: read-only by agreement."""

    def __init__(self, path: Path, header: PackedHeader) -> None:
        self.path = path
        self.model = header.model
        self.source_sha256 = header.source_sha256
        self.architecture = header.architecture
        self._slots = layout(header.architecture)
        self.names = frozenset(self._slots)
        try:
            # Copy on write: a view that is written to by mistake spoils neither the file nor others' views.
            self._bytes = np.memmap(path, dtype=np.uint8, mode="c")
        except OSError as error:
            raise UnsupportedWeightsError(f"{path}: cannot be mapped ({error})") from error
        self._base = 8 + int.from_bytes(self._bytes[:8].tobytes(), "little")

    @property
    def nbytes(self) -> int:
        """Size of the file in bytes."""
        return self.path.stat().st_size

    def array(self, name: str) -> NDArray[Any]:
        """A view of the mapping: int8 for `.weight` of a matrix, float32 for everything else."""
        if name not in self.names:
            raise KeyError(f"{self.path}: no tensor {name!r} in a {self.architecture.family} model")
        slot = self._slots[name]
        start = self._base + slot.start
        values = self._bytes[start : start + slot.nbytes].view(_NUMPY_TYPES[slot.dtype])
        return values.reshape(slot.shape)

    def tensor(self, name: str) -> torch.Tensor:
        """As `array`, for torch."""
        import torch

        return torch.from_numpy(self.array(name))  # pyright: ignore[reportUnknownMemberType]  # torch's stub is partial


def open_packed(path: Path) -> PackedModel:
    """Map a packed file; weights are read from disk only as they are used.

    Raises:
        UnsupportedWeightsError: as `read_header`.
    """
    return PackedModel(path, read_header(path))
