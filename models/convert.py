"""From published weights to what the engine maps: `packed` and a tokenizer.  Done once per model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .catalogue import ModelEntry
from .errors import DiskFullError, WeightsMissingError
from .hub_config import hub_name
from .packed import layout, write_packed
from .published import open_weights, write_tokenizer
from .pull import FULL, MARGIN_BYTES, free_bytes
from .sources import Progress
from .store import ModelFolder


def convert(
    entry: ModelEntry,
    folder: ModelFolder,
    progress: Progress,
    *,
    free: Callable[[Path], int] = free_bytes,
) -> bool:
    """Make the packed file and the tokenizer, unless they are there.  True if it had to.

    One matrix is in memory at a time.  A file of another version, cut short, or made from other
    weights is replaced; nobody ever sees a half-written one.

    Raises:
        WeightsMissingError: not pulled.
        UnsupportedWeightsError: weights we cannot run.
        DiskFullError: not enough room.
    """
    if folder.is_converted(entry.sha256):
        return False
    if not folder.is_pulled(entry.sha256):
        raise WeightsMissingError(f"{entry.name} is not on this machine; run: truepenny pull {entry.name}")
    progress.start(0, "reading")
    weights = open_weights(folder.weights)
    total = sum(slot.nbytes for slot in layout(weights.architecture).values())
    needed = total + MARGIN_BYTES
    if (room := free(folder.root)) < needed:
        raise DiskFullError(_too_full(folder.root, needed, room))
    try:
        write_tokenizer(weights, folder)
        progress.start(total, "converting")
        write_packed(
            folder.packed,
            weights.architecture,
            weights.tensor,
            model=entry.name,
            source_sha256=entry.sha256,
            advance=progress.advance,
        )
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFullError(_too_full(folder.root, needed, free(folder.root))) from error
    finally:
        progress.done()
    return True


def _too_full(path: Path, needed: int, room: int) -> str:
    return (
        f"not enough room in {path} to convert: {needed / 1e6:.0f} MB needed, {room / 1e6:.0f} MB free; "
        "make room, or set TRUEPENNY_CACHE to a folder on a larger disk"
    )


def reference_state_dict(folder: ModelFolder) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The weights as published, in float32 under transformers' names: what quantisation is judged by."""
    weights = open_weights(folder.weights)
    for name, _ in weights.architecture.tensor_shapes():
        yield hub_name(name, weights.architecture.family), weights.tensor(name)
