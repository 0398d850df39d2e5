"""Where weights live on this machine, and in which state they are.

    <cache>/models/<name>/weights.gguf                   as published, hash checked
                          packed-int8-v1.safetensors     what the engine maps (`packed`)
                          tokenizer.json
                          model.json                     what was checked, and when the file was written

`<cache>` is `$TRUEPENNY_CACHE` or the platform's cache folder.  Nothing here imports torch.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from platformdirs import user_cache_path

from .catalogue import find
from .errors import UnsupportedWeightsError, WeightsMissingError
from .packed import VERSION, read_header


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was verified: the hash held for a file of this size and modification time."""

    name: str
    bytes: int
    sha256: str
    source: str
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The files of one model.  They may not exist; `is_pulled` and `is_converted` say."""

    name: str
    root: Path

    @property
    def weights(self) -> Path:
        return self.root / "weights.gguf"

    @property
    def packed(self) -> Path:
        return self.root / f"packed-int8-v{VERSION}.safetensors"

    @property
    def tokenizer(self) -> Path:
        return self.root / "tokenizer.json"

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
        try:
            stat = self.weights.stat()
        except FileNotFoundError:
            return False
        return (stat.st_size, stat.st_mtime_ns) == (pulled.bytes, pulled.mtime_ns)

    def is_converted(self, sha256: str) -> bool:
        """Is there a whole packed file of this version, made from weights with this hash?"""
        try:
            header = read_header(self.packed)
        except UnsupportedWeightsError:
            return False
        return header.source_sha256 == sha256 and self.tokenizer.is_file()


def cache_root() -> Path:
    """`$TRUEPENNY_CACHE` or the platform's cache folder; not created."""
    chosen = os.environ.get("TRUEPENNY_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("truepenny", appauthor=False)


def folder_of(name: str) -> ModelFolder:
    """The folder of a catalogue model (by name or alias); it need not exist.

    Raises:
        UnknownModelError: not in the catalogue.
    """
    entry = find(name)
    return ModelFolder(entry.name, cache_root() / "models" / entry.name)


def require(name: str) -> ModelFolder:
    """The folder of a model that is ready to run.

    Raises:
        UnknownModelError: not in the catalogue.
        WeightsMissingError: not pulled or not converted; the message says what to run.
    """
    entry, folder = find(name), folder_of(name)
    if folder.is_converted(entry.sha256):
        return folder
    state = "is pulled but not converted" if folder.is_pulled(entry.sha256) else "is not on this machine"
    raise WeightsMissingError(f"{entry.name} {state} ({folder.root}); run: truepenny pull {entry.name}")
