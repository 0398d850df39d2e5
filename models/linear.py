"""One `Linear` interface, three ways to multiply: fp32, packed int8 (FBGEMM), plain int8 (`_int_mm`).

Both int8 ways are the same arithmetic: weights int8 with one scale per output channel, activations
int8 with one scale per row (token), exact int32 accumulation, one float multiply at the end.  A
token's result therefore does not depend on which other tokens share its chunk: a KV cache built in
one chunking may be continued in another.  (LLM.int8() chooses outlier columns over all rows of a
call and has no such property.)

`PackedInt8Linear` is fastest for few rows: 8 rows cost 1.2–1.7 times one row.  Its operators live in
`torch.ops.quantized`, which our torch range pins; `IntMatmulLinear` is the fallback where they
are missing, and needs no second copy of the weights.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

Kernel = Literal["packed", "int_mm"]

_LEVELS = 127.0
_PACKED_ROWS = 19_456
_ZERO_POINT = 128
"""FBGEMM wants unsigned activations: q = round(x · 127) + 128 for x in [-1, 1]."""


class Linear(Protocol):
    """`(rows, in_features) float32 -> (rows, out_features) float32`; rows are independent."""

    def __call__(self, x: Tensor) -> Tensor: ...


class Fp32Linear:
    """The reference."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self._weight = weight  # (out, in)
        self._bias = bias  # (out,)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self._weight, self._bias)


class PackedInt8Linear:
    """FBGEMM-packed weights; every row is divided by its own absolute maximum first.

    The activation range is pinned to [-1, 1] by `linear_with_input_q_dq_qweight_dq_output_fp32`,
    whose scale is given, not measured over the call: rows stay independent.  A vocabulary's matrix
    is packed in parts: in one piece it would take twice as long, a second of the engine's start.
    """

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None = None) -> None:
        self._packed: list[Any] = []
        for start in range(0, weight.shape[0], _PACKED_ROWS):
            rows = slice(start, start + _PACKED_ROWS)
            quantised = _per_channel(weight[rows], scale[rows])
            self._packed.append(torch.ops.quantized.linear_prepack(quantised, None))
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        peak = x.abs().amax(dim=1, keepdim=True).clamp_min_(1e-12)  # (rows, 1)
        scaled = x / peak
        parts: list[Tensor] = [
            torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
                scaled, 1.0 / _LEVELS, _ZERO_POINT, packed
            )
            for packed in self._packed
        ]
        y = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        y.mul_(peak)
        return y if self._bias is None else y.add_(self._bias)


class IntMatmulLinear:
    """`torch._int_mm` on row-major weights, which may stay in the memory-mapped file."""

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None = None) -> None:
        # A transposed *view*: a contiguous transpose is 2–5 times slower for one row.
        self._weight_t = weight.t()  # (in, out)
        self._scale = scale
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        peak = x.abs().amax(dim=1, keepdim=True).clamp_min_(1e-12)
        rows = torch.mul(x, _LEVELS / peak).round_().to(torch.int8)
        y = torch._int_mm(rows, self._weight_t).to(torch.float32)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]  # the only int8 matmul torch exposes
        y.mul_(self._scale).mul_(peak / _LEVELS)
        return y if self._bias is None else y.add_(self._bias)


def int8_linear(weight: Tensor, scale: Tensor, bias: Tensor | None, kernel: Kernel) -> Linear:
    """`weight` (out, in) int8 and `scale` (out,) float32: the matrix is `weight * scale[:, None]`."""
    if kernel == "packed":
        return PackedInt8Linear(weight, scale, bias)
    return IntMatmulLinear(weight, scale, bias)


def probe_kernel() -> tuple[Kernel, str]:
    """Which int8 kernel this machine runs, and why: tries the packed one on a small matrix.

    It is used only if it gives the right numbers; a processor without the instructions saturates
    its 16-bit accumulators, and other architectures lack the operator.
    """
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        return "int_mm", "this torch build has no FBGEMM"
    torch.backends.quantized.engine = "fbgemm"
    generator = torch.Generator().manual_seed(0)
    weight = torch.randint(-127, 128, (64, 256), generator=generator, dtype=torch.int8)
    x = torch.randn(4, 256, generator=generator)
    weight[0], x[0] = 127, 1.0  # the largest products there are, side by side
    scale = torch.full((64,), 0.01)
    exact = IntMatmulLinear(weight, scale)(x)
    try:
        packed = PackedInt8Linear(weight, scale)(x)
    except (RuntimeError, AttributeError, NotImplementedError) as error:
        return "int_mm", f"FBGEMM refused: {error}"
    if not torch.allclose(packed, exact, rtol=0.02, atol=0.02 * float(exact.abs().max())):
        return "int_mm", "FBGEMM saturates on this processor"
    return "packed", "FBGEMM packed int8 is exact on this processor"


def _per_channel(weight: Tensor, scale: Tensor) -> Tensor:
    zero_points = torch.zeros(scale.shape[0], dtype=torch.long)
    with warnings.catch_warnings():
        # torch announces the end of quantised tensors; our torch range is pinned and `probe_kernel`
        # falls back when they are gone.
        warnings.simplefilter("ignore", UserWarning)
        make: Any = torch._make_per_channel_quantized_tensor  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage, reportUnknownMemberType, reportUnknownVariableType]  # wraps int8 as is, no requantising
        return make(weight, scale.double(), zero_points, 0)
