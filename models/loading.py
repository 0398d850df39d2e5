"""A model name and a precision to something that computes logits.

    int8   on CPU: our row-wise kernels on the packed file (the default there)
    fp32   on CPU: the same forward pass on the dequantised weights, the reference
    int8, nf4, bf16 on CUDA: bitsandbytes or plain weights through transformers

What was chosen and why is part of the result; nothing is chosen by hope.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .architecture import Architecture
from .engine import LoadedModel
from .errors import UnsupportedWeightsError
from .hardware import Device, probe
from .language_model import ModelSpec
from .linear import Fp32Linear, Kernel, Linear, int8_linear, probe_kernel
from .packed import PackedModel, open_packed
from .prefix_cache import PrefixCache
from .prompts.chat import ChatTemplate
from .runner import Layer, LeanRunner, Weights
from .store import ModelFolder, require
from .tokens import load_tokenizer
from .wire import Precision


def load(name: str, precision: Precision = "auto", device: Device | None = None) -> LoadedModel:
    """Load a pulled model.

    Raises:
        WeightsMissingError: not pulled; the message says how.
        UnsupportedWeightsError: this machine or file cannot serve that precision.
    """
    device = device or probe()
    folder = require(name)
    if device.kind == "cuda":
        from .transformers_backend import load_on_cuda

        return load_on_cuda(folder, precision, device)
    torch.set_num_threads(device.threads)
    if precision in ("auto", "int8"):
        return _load_int8(folder)
    if precision == "fp32":
        return _load_fp32(folder)
    raise UnsupportedWeightsError(
        f"precision {precision!r} needs an NVIDIA GPU and this machine has none: "
        "use int8 (the default here) or fp32"
    )


def _load_int8(folder: ModelFolder) -> LoadedModel:
    kernel, why = probe_kernel()
    architecture, weights = _int8_weights(folder, kernel)
    spec = _spec(folder.name, architecture, "int8", why, folder.packed.stat().st_size)
    return _lean(folder, architecture, weights, spec)


def _int8_weights(folder: ModelFolder, kernel: Kernel) -> tuple[Architecture, Weights]:
    packed = open_packed(folder.packed)
    architecture = packed.architecture

    def linear(name: str) -> Linear:
        bias = packed.tensor(f"{name}.bias") if f"{name}.bias" in packed.names else None
        # Norms, scales and biases are copied: only the big matrices may stay in the mapping.
        copied = None if bias is None else bias.clone()
        return int8_linear(
            packed.tensor(f"{name}.weight"), packed.tensor(f"{name}.scale").clone(), copied, kernel
        )

    layers = tuple(
        Layer(
            attn_norm=packed.tensor(f"layers.{i}.attn_norm.weight").clone(),
            qkv=linear(f"layers.{i}.qkv"),
            o=linear(f"layers.{i}.o"),
            ffn_norm=packed.tensor(f"layers.{i}.ffn_norm.weight").clone(),
            gate_up=linear(f"layers.{i}.gate_up"),
            down=linear(f"layers.{i}.down"),
        )
        for i in range(architecture.num_layers)
    )
    head = linear("embed" if architecture.tied_embeddings else "lm_head")
    norm = packed.tensor("norm.weight").clone()
    # Mapped afresh: the first mapping, whose pages the packing has touched, is let go.
    return architecture, Weights(_int8_embedding(open_packed(folder.packed)), layers, norm, head)


def _int8_embedding(packed: PackedModel) -> Callable[[Tensor], Tensor]:
    rows, scale = packed.tensor("embed.weight"), packed.tensor("embed.scale")

    def embed(ids: Tensor) -> Tensor:
        return rows[ids].to(torch.float32).mul_(scale[ids][:, None])

    return embed


def _load_fp32(folder: ModelFolder) -> LoadedModel:
    from .gguf_file import GgufFile  # slow to import, and only the reference needs it

    source = GgufFile(folder.weights)
    architecture = source.architecture

    def tensor(name: str) -> Tensor:
        array = source.tensor(name)
        if not array.flags.writeable:  # what needs no dequantising is a view of the file, and small
            array = array.copy()
        return torch.from_numpy(array)  # pyright: ignore[reportUnknownMemberType]  # torch's stub is partial

    def stacked(*names: str) -> Linear:
        bias = torch.cat([tensor(f"{n}.bias") for n in names]) if _has_bias(architecture, names) else None
        return Fp32Linear(torch.cat([tensor(f"{n}.weight") for n in names]), bias)

    layers = tuple(
        Layer(
            attn_norm=tensor(f"layers.{i}.attn_norm.weight"),
            qkv=stacked(*(f"layers.{i}.attn.{part}" for part in "qkv")),
            o=stacked(f"layers.{i}.attn.o"),
            ffn_norm=tensor(f"layers.{i}.ffn_norm.weight"),
            gate_up=stacked(f"layers.{i}.ffn.gate", f"layers.{i}.ffn.up"),
            down=stacked(f"layers.{i}.ffn.down"),
        )
        for i in range(architecture.num_layers)
    )
    table = tensor("embed.weight")
    head = Fp32Linear(table if architecture.tied_embeddings else tensor("lm_head.weight"))
    weights = Weights(lambda ids: table[ids], layers, tensor("norm.weight"), head)
    spec = _spec(folder.name, architecture, "fp32", "asked for: the reference", 4 * architecture.parameters)
    return _lean(folder, architecture, weights, spec)


def _has_bias(architecture: Architecture, names: tuple[str, ...]) -> bool:
    return architecture.qkv_bias and names[0].endswith("attn.q")


def _lean(folder: ModelFolder, architecture: Architecture, weights: Weights, spec: ModelSpec) -> LoadedModel:
    runner = LeanRunner(architecture, weights, spec)
    return LoadedModel(
        runner,
        load_tokenizer(folder.tokenizer, frozenset(architecture.eos_ids)),
        ChatTemplate(architecture.chat_template) if architecture.chat_template else None,
        lambda budget_bytes: PrefixCache(
            budget_bytes, runner.new_kv, lambda kv, length, capacity: kv.copy_prefix(length, capacity)
        ),
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
