"""Can the compiled pass be trusted here?  A tiny model is computed and compared with plain numpy.

Compiling for a processor nobody has tried may fail, and might give wrong numbers; then the engine says so
and multiplies through torch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..architecture import Architecture
from ..language_model import ModelSpec, Span

_log = logging.getLogger(__name__)

_TINY = Architecture(
    family="qwen2",
    num_layers=2,
    hidden=64,
    intermediate=128,
    num_heads=2,
    num_kv_heads=1,
    head_dim=64,
    rope_theta=1e4,
    rms_eps=1e-6,
    vocabulary=64,
    context_length=128,
    tied_embeddings=True,
    qkv_bias=True,
    bos_id=None,
    add_bos=False,
    eos_ids=(0,),
    chat_template=None,
)
_NUM_TOKENS = 40
_TOLERANCE = 0.02
"""Of the largest logit: an activation may be rounded to the next of 127 levels, and the error goes on."""

Floats = NDArray[np.float32]


def _say() -> None:
    _log.info("compiling the engine's code for this processor: some seconds, the first time only")


def prepare(announce: Callable[[], None] = _say) -> bool:
    """Compile everything, or load what was compiled before.  True if it had to compile, once announced.

    Raises:
        ImportError: there is no numba here.
        Exception: whatever numba and LLVM fail with.
    """
    from .compiling import CODE

    was_whole, start = CODE.is_whole, time.perf_counter()
    if not was_whole:
        announce()
    import_module(".runner", __package__)  # importing is what compiles
    CODE.finish()
    if not was_whole:
        _log.info("compiled in %.1f s", time.perf_counter() - start)
    return not was_whole


def why_not(architecture: Architecture) -> str:
    """Empty when the compiled pass serves this model on this machine, else the reason."""
    if refusal := _why_not_here():
        return refusal
    from .weights import supports

    return "" if supports(architecture) else "not compiled, its widths are not whole blocks"


@cache
def _why_not_here() -> str:
    try:
        prepare()
        if refusal := _missing_instructions():
            return f"not compiled, {refusal}"
        wrong = check()
    except ImportError as error:  # a platform without numba
        return f"not compiled, {error}"
    except Exception as error:  # noqa: BLE001  (whatever numba, LLVM or a platform fail with: torch serves)
        _log.warning("the compiled pass cannot be used", exc_info=True)
        return f"not compiled, {type(error).__name__}: {error}".splitlines()[0]
    return f"not compiled, {wrong}" if wrong else ""


def _missing_instructions() -> str:
    """Fused products are part of the arithmetic; one at a time, in software, they would take for ever."""
    from .vector_ir import target

    triple, features = target()
    return "this processor has no FMA" if triple.startswith("x86_64") and "fma" not in features else ""


def check() -> str:
    """Compute a tiny model; empty, or what is wrong with the result."""
    from .runner import CompiledRunner

    tensors = _tensors(_TINY)
    ids = [(7 * i) % _TINY.vocabulary for i in range(_NUM_TOKENS)]
    spec = ModelSpec("probe", _TINY.family, 0, 0, "", "", _TINY.num_layers, _TINY.vocabulary, 128, 1)
    runner = CompiledRunner(_InMemory(tensors), spec, num_threads=2)
    try:
        at_once, in_parts = runner.new_kv(1), runner.new_kv(1)
        (large,) = runner.forward([Span(ids, at_once, _NUM_TOKENS)])
        parts = [runner.forward([Span(ids[i : i + 5], in_parts, 5)])[0] for i in range(0, _NUM_TOKENS, 5)]
    finally:
        runner.close()
    if not np.array_equal(large, np.concatenate(parts)):
        return "many rows at once and few give other numbers"
    expected = _reference(tensors, ids)
    worst = float(np.abs(large - expected).max() / np.abs(expected).max())
    return "" if worst < _TOLERANCE else f"its numbers are wrong by {worst:.2g} of the largest"


class _InMemory:
    """A `PackedArrays`."""

    architecture = _TINY

    def __init__(self, tensors: dict[str, NDArray[Any]]) -> None:
        self._tensors = tensors

    def array(self, name: str) -> NDArray[Any]:
        return self._tensors[name]


def _tensors(a: Architecture) -> dict[str, NDArray[Any]]:
    """Weights of a tiny model, the same every time; two rows hold the largest numbers there are."""
    random = np.random.default_rng(5)
    tensors: dict[str, NDArray[Any]] = {"norm.weight": np.ones(a.hidden, dtype=np.float32)}

    def matrix(name: str, num_out: int, num_in: int) -> None:
        weight = random.integers(-127, 128, (num_out, num_in)).astype(np.int8)
        weight[0], weight[1] = 127, -127
        tensors[f"{name}.weight"] = weight
        tensors[f"{name}.scale"] = (random.random(num_out) / (50 * num_in**0.5)).astype(np.float32)

    matrix("embed", a.vocabulary, a.hidden)
    for index in range(a.num_layers):
        at = f"layers.{index}"
        for norm in ("attn_norm", "ffn_norm"):
            tensors[f"{at}.{norm}.weight"] = (0.5 + random.random(a.hidden)).astype(np.float32)
        matrix(f"{at}.qkv", a.qkv_width, a.hidden)
        tensors[f"{at}.qkv.bias"] = random.standard_normal(a.qkv_width).astype(np.float32)
        matrix(f"{at}.o", a.hidden, a.q_width)
        matrix(f"{at}.gate_up", 2 * a.intermediate, a.hidden)
        matrix(f"{at}.down", a.hidden, a.intermediate)
    return tensors


def _reference(tensors: dict[str, NDArray[Any]], ids: Sequence[int]) -> Floats:
    """The same arithmetic in numpy: logits `(len(ids), vocabulary)`."""
    a, n = _TINY, len(ids)

    def linear(x: Floats, name: str) -> Floats:
        step = np.maximum(np.abs(x).max(axis=1, keepdims=True), 1e-12) / np.float32(127)
        levels = np.rint(x / step).astype(np.int64)
        sums = levels @ tensors[f"{name}.weight"].astype(np.int64).T
        return (sums * tensors[f"{name}.scale"] * step).astype(np.float32)

    def norm(x: Floats, name: str) -> Floats:
        size = np.sqrt((x**2).mean(axis=1, keepdims=True) + a.rms_eps)
        return (x / size * tensors[f"{name}.weight"]).astype(np.float32)

    frequencies = a.rope_theta ** -(np.arange(0, a.head_dim, 2) / a.head_dim)
    turn = np.exp(1j * np.outer(np.arange(n), frequencies))[:, None]  # (n, 1, head_dim / 2)

    def turned(heads: Floats) -> Floats:
        low, high = np.split(heads, 2, axis=2)
        both = (low + 1j * high) * turn
        return np.concatenate((both.real, both.imag), axis=2).astype(np.float32)

    x = tensors["embed.weight"][list(ids)] * tensors["embed.scale"][list(ids)][:, None]
    for index in range(a.num_layers):
        at = f"layers.{index}"
        qkv = linear(norm(x, f"{at}.attn_norm"), f"{at}.qkv") + tensors[f"{at}.qkv.bias"]
        q, k, v = np.split(
            qkv.reshape(n, -1, a.head_dim), [a.num_heads, a.num_heads + a.num_kv_heads], axis=1
        )
        group = a.num_heads // a.num_kv_heads
        q, k, v = turned(q), np.repeat(turned(k), group, axis=1), np.repeat(v, group, axis=1)
        scores = np.einsum("ihd,jhd->hij", q, k) / a.head_dim**0.5
        weights = np.exp(scores - scores.max(axis=2, keepdims=True)) * np.tril(np.ones((n, n)))
        attended = np.einsum("hij,jhd->ihd", weights / weights.sum(axis=2, keepdims=True), v)
        x = x + linear(attended.reshape(n, -1).astype(np.float32), f"{at}.o")
        gate, up = np.split(linear(norm(x, f"{at}.ffn_norm"), f"{at}.gate_up"), 2, axis=1)
        x = x + linear((gate / (1 + np.exp(-gate)) * up).astype(np.float32), f"{at}.down")
    return linear(norm(x, "norm"), "embed")
