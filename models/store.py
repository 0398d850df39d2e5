"""Where weights live on this machine, and in which state they are.

    <cache>/models/<name>/weights.gguf                   as published, hash checked
                          packed-int8-v1.safetensors     what the engine maps (`packed`)
                          tokenizer.json                 or tokenizer.model
                          model.json                     what was checked, and when the file was written

A person's own model (`local_model`) keeps its weights where they are; `model.json` says where.
`<cache>` is `$TRUEPENNY_CACHE` or the platform's cache folder.  Nothing here imports torch.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from platformdirs import user_cache_path

from .catalogue import find, is_path, local_path
from .errors import UnsupportedWeightsError, WeightsMissingError
from .packed import VERSION, read_header


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was verified: the hash held for a file of this size and modification time."""

    name: str
    bytes: int
    sha256: str
    source: str
    """Which source it came from; of a person's own model, its path."""
    mtime_ns: int
    runs: Literal["packed", "transformers"] = "packed"
    """On the packed file, or as it is through transformers' modules."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The files of one model.  They may not exist; `is_pulled` and `is_converted` say."""

    name: str
    root: Path
    source: Path | None = None
    """Where a person's own weights are."""

    @property
    def weights(self) -> Path:
        """A GGUF file, or a folder of safetensors."""
        return self.source or self.root / "weights.gguf"

    @property
    def packed(self) -> Path:
        return self.root / f"packed-int8-v{VERSION}.safetensors"

    @property
    def tokenizer(self) -> Path:
        own = self.root / "tokenizer.model"
        return own if own.is_file() else self.root / "tokenizer.json"

    @property
    def record(self) -> Path:
        return self.root / "model.json"

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    def partial(self, source: str) -> Path:
        """Where `source` collects bytes that are not verified yet."""
        return self.root / f"weights.gguf.{source}.partial"

    def read_record(self) -> Pulled | None:
        """The last verification, or None if there is none that can be read: then the file is hashed anew."""
        try:
            raw: object = json.loads(self.record.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        if not isinstance(raw, dict):
            return None
        try:
            return Pulled(**cast("dict[str, Any]", raw))
        except TypeError:
            return None

    def write_record(self, pulled: Pulled) -> None:
        partial = self.record.with_suffix(".json.partial")
        partial.write_text(json.dumps(asdict(pulled), indent=1) + "\n", "utf-8")
        partial.replace(self.record)

    def is_pulled(self, sha256: str) -> bool:
        """Is the file here, unchanged since its hash was found to be `sha256`?  Reads no weights."""
        pulled = self.read_record()
        if pulled is None or pulled.sha256 != sha256:
            return False
        return size_and_time(self.weights) == (pulled.bytes, pulled.mtime_ns)

    def is_converted(self, sha256: str) -> bool:
        """Is there a whole packed file of this version, made from weights with this hash?"""
        try:
            header = read_header(self.packed)
        except UnsupportedWeightsError:
            return False
        return header.source_sha256 == sha256 and self.tokenizer.is_file()

    @property
    def is_foreign(self) -> bool:
        """Does it run through transformers, as an architecture that is not ours?"""
        pulled = self.read_record()
        return pulled is not None and pulled.runs == "transformers"


MODEL_FILES = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model")
"""What matters in a folder of safetensors."""


def model_files(weights: Path) -> list[Path]:
    """The files that make a model, in the order of their names."""
    if not weights.is_dir():
        return [weights]
    return sorted(path for pattern in MODEL_FILES for path in weights.glob(pattern) if path.is_file())


def size_and_time(weights: Path) -> tuple[int, int] | None:
    """Bytes of all files, and when the newest was written (ns); None where there are none."""
    try:
        stats = [path.stat() for path in model_files(weights)]
    except FileNotFoundError:
        return None
    return (sum(s.st_size for s in stats), max(s.st_mtime_ns for s in stats)) if stats else None


def cache_root() -> Path:
    """`$TRUEPENNY_CACHE` or the platform's cache folder; not created."""
    chosen = os.environ.get("TRUEPENNY_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("truepenny", appauthor=False)


def folder_of(name: str) -> ModelFolder:
    """The folder of a model (by name, alias or path); it need not exist.

    Raises:
        UnknownModelError: not in the catalogue.
    """
    entry = find(name)
    folder = ModelFolder(entry.name, cache_root() / "models" / entry.name)
    if not entry.is_local:
        return folder
    if is_path(name):
        return replace(folder, source=local_path(name))
    pulled = folder.read_record()
    return replace(folder, source=Path(pulled.source)) if pulled else folder


def require(name: str) -> ModelFolder:
    """The folder of a model that is ready to run.

    Raises:
        UnknownModelError: not in the catalogue.
        WeightsMissingError: not pulled or not converted; the message says what to run.
    """
    entry, folder = find(name), folder_of(name)
    if entry.is_local:
        return _require_local(name, folder)
    if folder.is_converted(entry.sha256):
        return folder
    state = "is pulled but not converted" if folder.is_pulled(entry.sha256) else "is not on this machine"
    raise WeightsMissingError(f"{entry.name} {state} ({folder.root}); run: truepenny pull {entry.name}")


def _require_local(name: str, folder: ModelFolder) -> ModelFolder:
    pulled = folder.read_record()
    shown = folder.source or "the path of its folder or GGUF file"
    if pulled is None:
        state = "has not been made ready"
    elif not folder.is_pulled(pulled.sha256):
        state = "has changed since it was made ready, or is gone"
    elif pulled.runs == "packed" and not folder.is_converted(pulled.sha256):
        state = "has not been converted"
    else:
        return folder
    raise WeightsMissingError(f"{folder.source or name} {state}; run: truepenny pull {shown}")
