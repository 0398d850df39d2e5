"""Architectures that are not ours: transformers' own modules, behind our loop and our prefix cache.

On a CPU in float32, or in bfloat16 where the processor multiplies it no slower; on a GPU in the precisions
that `transformers_backend` offers.  What a warm cache gives equals what a cold one gives within rounding,
not bit for bit: the modules' sums have no fixed order.
"""

from __future__ import annotations

import time
from math import prod
from pathlib import Path
from typing import Any, Literal

import torch

from .engine import LoadedModel
from .errors import UnsupportedWeightsError
from .hardware import Device
from .language_model import ModelSpec
from .prompts.chat import ChatTemplate
from .safetensors_folder import ModelFiles
from .store import ModelFolder
from .tokens import load_tokenizer
from .transformers_backend import EXACT_GRID_TOKENS, TransformersRunner, build, choose_precision
from .wire import Precision

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def load_foreign(folder: ModelFolder, precision: Precision, device: Device) -> LoadedModel:
    """Load a model that was made ready to run through transformers.

    Raises:
        UnsupportedWeightsError: a precision that this machine or library does not offer, or a model
            whose state cannot be rewound.
    """
    files = ModelFiles(folder.weights)
    if device.kind == "cuda":
        chosen, why = choose_precision(precision, _parameters(files.weight_files), device)
        module = build(folder.weights, chosen, "cuda:0", attention=_attention(files))
    else:
        torch.set_num_threads(device.threads)
        chosen, why = _on_cpu(precision)
        module = build(folder.weights, chosen, "cpu", _TYPES[chosen], _attention(files))
    spec = _spec(folder.name, module, files, chosen, f"{why}; not lean: {files.why_foreign}")
    runner = TransformersRunner(module, spec)
    return LoadedModel(
        runner,
        load_tokenizer(folder.tokenizer, frozenset(files.eos_ids)),
        ChatTemplate(files.chat_template) if files.chat_template else None,
        runner.new_cache,
    )


def _attention(files: ModelFiles) -> Literal["sdpa", "eager"]:
    """Some modules do with scores what torch's own attention does not know (Gemma 2 caps them)."""
    import transformers

    mapping: Any = transformers.MODEL_FOR_CAUSAL_LM_MAPPING
    return "sdpa" if mapping[type(files.config)]._supports_sdpa else "eager"  # noqa: SLF001  (nothing public tells)


def _on_cpu(precision: Precision) -> tuple[Precision, str]:
    if precision == "auto":
        return _faster()
    if precision in _TYPES:
        return precision, "asked for"
    raise UnsupportedWeightsError(
        f"precision {precision!r} on a CPU is for architectures of the lean runner, which this model's is "
        "not: use auto, fp32 or bf16"
    )


def _faster() -> tuple[Precision, str]:
    """bfloat16 halves what is read for each token, but most processors have no instructions for it."""
    ms = {name: _product_ms(dtype) for name, dtype in _TYPES.items()}
    told = f"a product takes {ms['bf16']:.1f} ms in bf16, {ms['fp32']:.1f} ms in fp32"
    return ("bf16", told) if ms["bf16"] <= ms["fp32"] else ("fp32", told)


def _product_ms(dtype: torch.dtype) -> float:
    """The best of a few products of a chunk and a matrix."""
    rows, matrix = torch.ones(EXACT_GRID_TOKENS, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
    times: list[float] = []
    for _ in range(6):
        started = time.perf_counter()
        torch.mm(rows, matrix)
        times.append(time.perf_counter() - started)
    return 1e3 * min(times)


def _spec(name: str, module: Any, files: ModelFiles, precision: str, why: str) -> ModelSpec:
    config: Any = module.config.get_text_config(decoder=True)
    num_heads = int(config.num_attention_heads)
    num_kv_heads = int(getattr(config, "num_key_value_heads", None) or num_heads)
    head_dim = int(getattr(config, "head_dim", None) or config.hidden_size // num_heads)
    row_bytes = 2 * module.dtype.itemsize * int(config.num_hidden_layers) * num_kv_heads * head_dim
    return ModelSpec(
        name=name,
        architecture=str(config.model_type),
        parameters=int(module.num_parameters()),
        weights_bytes=int(module.get_memory_footprint()),
        precision=precision,
        why_precision=why,
        num_layers=int(config.num_hidden_layers),
        vocabulary=int(config.vocab_size),
        context_length=files.context_length,
        kv_bytes_per_token=row_bytes,
        chunk_tokens=EXACT_GRID_TOKENS,
        rows_independent=False,
    )


def _parameters(weight_files: list[Path]) -> int:
    from safetensors import safe_open

    total = 0
    for file in weight_files:
        handle: Any = safe_open(str(file), framework="np")
        total += sum(prod(handle.get_slice(name).get_shape()) for name in handle.keys())  # noqa: SIM118  (not a mapping)
    return total
