"""A person's own model: a folder of safetensors, or a GGUF file, made ready where it is.

It is named by its path.  The weights are not copied: they are hashed, and the packed file and the
tokenizer go into the cache under the model's short name.  The hash is its identity there: weights that
have changed must be made ready again.  An architecture that the lean runner does not know keeps its
weights as they are and runs through transformers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from .catalogue import find
from .convert import convert
from .errors import WeightsMissingError
from .published import copy_tokenizer
from .pull import PullReport, free_bytes, sha256_of
from .safetensors_folder import ModelFiles
from .sources import Progress
from .store import Pulled, folder_of, model_files, size_and_time


def make_ready(
    name: str, progress: Progress, *, verify: bool = False, free: Callable[[Path], int] = free_bytes
) -> PullReport:
    """Check the model at a path (or of a short name known here), hash it, and convert it.

    What is ready and unchanged is not touched, unless `verify` asks to hash it again.

    Raises:
        WeightsMissingError: nothing is there.
        UnsupportedWeightsError: not a model, incomplete, or one that cannot be run safely.
        DiskFullError: not enough room.
    """
    entry, folder = find(name), folder_of(name)
    weights = folder.weights
    stamp = size_and_time(weights)
    if folder.source is None or stamp is None:
        raise WeightsMissingError(
            f"{folder.source or name}: no such folder or file; give the path of a model"
        )
    files = ModelFiles(weights) if weights.is_dir() else None
    folder.root.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.lock):
        pulled = folder.read_record()
        if verify or pulled is None or not folder.is_pulled(pulled.sha256):
            runs = "transformers" if files and files.why_foreign else "packed"
            size, time_ns = stamp
            pulled = Pulled(entry.name, size, _identity(weights, progress), str(weights), time_ns, runs)
            folder.write_record(pulled)
        try:
            if files and pulled.runs == "transformers":
                copy_tokenizer(files, folder)
            else:
                convert(replace(entry, sha256=pulled.sha256), folder, progress, free=free)
        except BaseException:
            folder.record.unlink()  # or it would count as ready
            raise
    return PullReport(entry.name, weights, pulled.bytes, pulled.sha256, "local")


def _identity(weights: Path, progress: Progress) -> str:
    """The hash of a file; of a folder, that of its files' names and hashes."""
    if not weights.is_dir():
        return sha256_of(weights, progress)
    lines = [f"{path.name} {sha256_of(path, progress)}\n" for path in model_files(weights)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
