"""From published weights to what the engine maps: `packed` and `tokenizer.json`.  Done once per model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .catalogue import ModelEntry
from .errors import DiskFullError, WeightsMissingError
from .gguf_file import GgufFile
from .gguf_tokenizer import write_tokenizer
from .packed import layout, write_packed
from .pull import FULL, MARGIN_BYTES, free_bytes
from .sources import Progress
from .store import ModelFolder

_HF_LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn.q": "self_attn.q_proj",
    "attn.k": "self_attn.k_proj",
    "attn.v": "self_attn.v_proj",
    "attn.o": "self_attn.o_proj",
    "ffn.gate": "mlp.gate_proj",
    "ffn.up": "mlp.up_proj",
    "ffn.down": "mlp.down_proj",
}


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
    file = GgufFile(folder.weights)
    total = sum(slot.nbytes for slot in layout(file.architecture).values())
    needed = total + MARGIN_BYTES
    if (room := free(folder.root)) < needed:
        raise DiskFullError(_too_full(folder.root, needed, room))
    try:
        write_tokenizer(file, folder.tokenizer)
        progress.start(total, "converting")
        write_packed(
            folder.packed,
            file.architecture,
            file.tensor,
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


def hub_name(name: str) -> str:
    """The name that transformers gives to one of our canonical names, for `qwen2` and `llama`."""
    top = {
        "embed.weight": "model.embed_tokens.weight",
        "norm.weight": "model.norm.weight",
        "lm_head.weight": "lm_head.weight",
    }
    if name in top:
        return top[name]
    match = re.fullmatch(r"layers\.(\d+)\.(.+)\.(weight|bias)", name)
    assert match is not None, name
    return f"model.layers.{match[1]}.{_HF_LAYER[match[2]]}.{match[3]}"


def reference_state_dict(folder: ModelFolder) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The weights as published, in float32 under transformers' names: what quantisation is judged by."""
    file = GgufFile(folder.weights)
    for name, _ in file.architecture.tensor_shapes():
        yield hub_name(name), file.tensor(name)
