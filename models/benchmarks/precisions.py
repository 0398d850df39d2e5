"""Every way of holding the weights that this machine can run, and what each costs in quality.

    int8        what the engine runs on a CPU: row-wise, compiled for the processor where that is possible
    int8-torch  the same arithmetic through torch's own kernels, the fallback
    bf16, nf4   on a CPU through transformers, nf4 by bitsandbytes: slow there, and what a GPU runs
    int8-bnb    LLM.int8() of bitsandbytes: on a GPU `int8` is that
    fp32        ours, of the reference's weights

The engine does not offer the slow ones on a CPU (`loading`); here they can be looked at all the same.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..engine import LoadedModel
from ..errors import DiskFullError, UnsupportedWeightsError
from ..hardware import Device
from ..store import ModelFolder
from ..wire import Precision
from .quality import Quality, Reading, compare, read

Variant = Literal["auto", "fp32", "bf16", "int8", "nf4", "int8-torch", "int8-bnb"]
VARIANTS: tuple[Variant, ...] = ("auto", "fp32", "bf16", "int8", "nf4", "int8-torch", "int8-bnb")
ALL_ON_CPU: tuple[Variant, ...] = ("int8", "int8-torch", "bf16", "nf4", "int8-bnb")
ALL_ON_CUDA: tuple[Variant, ...] = ("bf16", "int8", "nf4")

_SLOW = {"bf16", "nf4", "int8-bnb"}


@dataclass(frozen=True, slots=True)
class PrecisionQuality:
    """`quality` is None where it could not be run: then `why` says so."""

    precision: str
    why: str
    is_slow: bool
    """Through transformers on a CPU: nobody would be served so."""
    weights_bytes: int
    tokens_per_s: float
    """Reading, logits of a block at a time: to be compared with each other only."""
    quality: Quality | None


def all_variants(device: Device) -> tuple[Variant, ...]:
    return ALL_ON_CUDA if device.kind == "cuda" else ALL_ON_CPU


def engine_offers(variant: Variant, device: Device) -> bool:
    """Would an engine process serve it here?"""
    return variant not in ("int8-torch", "int8-bnb") and (device.kind == "cuda" or variant not in _SLOW)


def load_variant(folder: ModelFolder, variant: Variant, device: Device) -> LoadedModel:
    """Raises UnsupportedWeightsError where this machine cannot, DiskFullError for unpacked weights."""
    from ..loading import load  # imports torch

    if device.kind == "cuda":
        if variant in ("int8-torch", "int8-bnb"):
            raise UnsupportedWeightsError(f"precision {variant!r} is for a CPU: on a GPU use int8")
        return load(folder.name, variant, device)
    if variant == "int8-torch":
        return _through_torch(load(folder.name, "int8", device))
    if variant in ("bf16", "nf4", "int8-bnb"):
        import torch

        from ..hub_folder import hub_folder
        from ..transformers_backend import load_from

        torch.set_num_threads(device.threads)
        precision: Precision = "int8" if variant == "int8-bnb" else variant
        why = "through transformers on a CPU, to be compared"
        return load_from(folder, hub_folder(folder), precision, why, "cpu")
    return load(folder.name, variant, device)


def measure_precisions(
    folder: ModelFolder,
    variants: Sequence[Variant],
    device: Device,
    reference: Reading,
    texts: Sequence[Sequence[int]],
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[PrecisionQuality, ...]:
    """One after the other; what cannot be loaded is listed with the reason."""
    return tuple(_measured(folder, variant, device, reference, texts, tell) for variant in variants)


def _measured(
    folder: ModelFolder,
    variant: Variant,
    device: Device,
    reference: Reading,
    texts: Sequence[Sequence[int]],
    tell: Callable[[str], None],
) -> PrecisionQuality:
    is_slow = variant in _SLOW and device.kind == "cpu"
    tell(f"loading {variant} for quality" + (", which is slow on a CPU" if is_slow else ""))
    try:
        loaded = load_variant(folder, variant, device)
    except (UnsupportedWeightsError, DiskFullError) as error:
        return PrecisionQuality(variant, str(error), is_slow, 0, 0.0, None)
    reading = read(loaded.model, texts, len(reference.came), name=variant, tell=tell)
    spec = loaded.model.spec
    found = PrecisionQuality(
        precision=variant if variant != "auto" else spec.precision,
        why=spec.why_precision,
        is_slow=is_slow,
        weights_bytes=spec.weights_bytes,
        tokens_per_s=reading.tokens / reading.seconds,
        quality=compare(reading, reference),
    )
    del loaded
    gc.collect()  # the next may need its memory
    return found


def _through_torch(loaded: LoadedModel) -> LoadedModel:
    """The packed weights in torch's kernels, whatever the engine would choose."""
    from ..kv import SlabKV
    from ..lean_weights import int8_weights
    from ..linear import probe_kernel
    from ..packed import open_packed
    from ..prefix_cache import PrefixCache
    from ..runner import LeanRunner
    from ..store import require

    if isinstance(loaded.model, LeanRunner):
        return loaded
    packed = open_packed(require(loaded.model.spec.name).packed)
    kernel, why = probe_kernel()
    spec = replace(loaded.model.spec, why_precision=why, chunk_tokens=64)
    runner = LeanRunner(packed.architecture, int8_weights(packed, kernel), spec)

    def new_cache(budget_bytes: int) -> PrefixCache[SlabKV]:
        return PrefixCache(budget_bytes, runner.new_kv)

    return replace(loaded, model=runner, new_cache=new_cache)
