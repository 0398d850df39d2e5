"""A model name and a precision to something that computes logits.

    int8   on CPU: row-wise, on the packed file, compiled for the processor (the default there); where
           numba or a width does not allow that, the same arithmetic through torch
    fp32   on CPU: the same forward pass on the dequantised weights, the reference
    int8, nf4, bf16 on CUDA: bitsandbytes or plain weights through transformers

An architecture that is not ours runs on transformers' modules wherever it runs (`foreign`).

What was chosen and why is part of the result; nothing is chosen by hope.  The compiled pass does without
torch, which takes a second to import and two hundred megabytes: it is imported for the others only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .architecture import Architecture
from .engine import LoadedModel
from .errors import UnsupportedWeightsError
from .hardware import Device, probe
from .language_model import ModelSpec
from .packed import PackedModel, open_packed
from .prefix_cache import PrefixCache
from .prompts.chat import ChatTemplate
from .store import ModelFolder, require
from .tokens import load_tokenizer
from .wire import Precision

if TYPE_CHECKING:
    from .compiled.runner import CompiledRunner
    from .runner import LeanRunner


def load(name: str, precision: Precision = "auto", device: Device | None = None) -> LoadedModel:
    """Load a pulled model.

    Raises:
        WeightsMissingError: not pulled; the message says how.
        UnsupportedWeightsError: this machine or file cannot serve that precision.
    """
    device = device or probe()
    folder = require(name)
    if folder.is_foreign:
        from .foreign import load_foreign

        return load_foreign(folder, precision, device)
    if device.kind == "cuda":
        from .transformers_backend import load_on_cuda

        return load_on_cuda(folder, precision, device)
    if precision in ("auto", "int8"):
        return _load_int8(folder, device)
    if precision == "fp32":
        return _load_fp32(folder, device)
    raise UnsupportedWeightsError(
        f"precision {precision!r} needs an NVIDIA GPU and this machine has none: "
        "use int8 (the default here) or fp32"
    )


def _load_int8(folder: ModelFolder, device: Device) -> LoadedModel:
    packed = open_packed(folder.packed)
    refusal = _why_not_compiled(packed.architecture)
    if refusal:
        return _load_int8_through_torch(folder, packed, device, refusal)
    from .compiled.runner import CHUNK_TOKENS, CompiledRunner

    why = "row-wise int8, compiled for this processor"
    spec = _spec(folder.name, packed.architecture, "int8", why, folder.packed.stat().st_size)
    spec = replace(spec, chunk_tokens=CHUNK_TOKENS, num_threads=device.threads)
    runner = CompiledRunner(packed, spec, device.threads)
    return _loaded(folder, packed.architecture, runner)


def _load_int8_through_torch(
    folder: ModelFolder, packed: PackedModel, device: Device, refusal: str
) -> LoadedModel:
    import torch

    from .lean_weights import int8_weights
    from .linear import probe_kernel
    from .runner import LeanRunner

    torch.set_num_threads(device.threads)
    kernel, why = probe_kernel()
    why = f"{why}; {refusal}"
    spec = _spec(folder.name, packed.architecture, "int8", why, folder.packed.stat().st_size)
    runner = LeanRunner(packed.architecture, int8_weights(packed, kernel), spec)
    return _loaded(folder, packed.architecture, runner)


def _why_not_compiled(architecture: Architecture) -> str:
    """Empty when the compiled pass serves this model here, and its numbers are right."""
    if not architecture.is_plain:
        return "not compiled, its norms, biases or positions are not of the plain form"
    from .compiled.probe import why_not

    return why_not(architecture)


def _load_fp32(folder: ModelFolder, device: Device) -> LoadedModel:
    import torch

    from .lean_weights import fp32_weights
    from .published import open_weights
    from .runner import LeanRunner

    torch.set_num_threads(device.threads)
    published = open_weights(folder.weights)
    architecture = published.architecture
    spec = _spec(folder.name, architecture, "fp32", "asked for: the reference", 4 * architecture.parameters)
    return _loaded(folder, architecture, LeanRunner(architecture, fp32_weights(published), spec))


def _loaded(
    folder: ModelFolder, architecture: Architecture, runner: LeanRunner | CompiledRunner
) -> LoadedModel:
    return LoadedModel(
        runner,
        load_tokenizer(folder.tokenizer, frozenset(architecture.eos_ids)),
        ChatTemplate(architecture.chat_template) if architecture.chat_template else None,
        lambda budget_bytes: PrefixCache(budget_bytes, runner.new_kv),
    )


def _spec(name: str, architecture: Architecture, precision: str, why: str, nbytes: int) -> ModelSpec:
    return ModelSpec(
        name=name,
        architecture=architecture.family,
        parameters=architecture.parameters,
        weights_bytes=nbytes,
        precision=precision,
        why_precision=why,
        num_layers=architecture.num_layers,
        vocabulary=architecture.vocabulary,
        context_length=architecture.context_length,
        kv_bytes_per_token=2 * 4 * architecture.num_layers * architecture.kv_width,
    )
