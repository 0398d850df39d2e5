"""The one interface between the decoding loop and whatever computes logits.

Implementations: `runner.LeanRunner` (ours), `transformers_backend.TransformersRunner` (any
architecture, and bitsandbytes), `testing.FakeRunner` (no weights).  Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What the loop and a person need to know about a loaded model."""

    name: str
    architecture: str
    parameters: int
    weights_bytes: int
    precision: str
    why_precision: str
    num_layers: int
    vocabulary: int
    context_length: int
    kv_bytes_per_token: int


class KV(Protocol):
    """Keys and values of one sequence.  Rows `[0, length)` are valid; rows beyond may be overwritten."""

    @property
    def length(self) -> int: ...

    @property
    def nbytes(self) -> int: ...

    def truncate(self, length: int) -> None:
        """Forget rows `[length, …)`.  O(1).  `0 <= length <= self.length`."""
        ...


class Cancelled(Exception):  # noqa: N818  (cancelled is not an error)
    """Raised inside `forward` when the caller's `is_cancelled` says so; `kv.length` is then unchanged."""


def never() -> bool:
    """The `is_cancelled` of work that nobody can cancel."""
    return False


class LanguageModel(Protocol):
    """A decoder-only model: appends tokens to a sequence and says what may come next."""

    @property
    def spec(self) -> ModelSpec: ...

    def new_kv(self, capacity_tokens: int) -> KV:
        """An empty sequence that can grow; `capacity_tokens` is a hint for the first allocation."""
        ...

    def forward(
        self, ids: Sequence[int], kv: KV, is_cancelled: Callable[[], bool] = never
    ) -> NDArray[np.float32]:
        """Append `ids` (at least one) at `kv.length`; logits `(vocabulary,)` after the last of them.

        Tests `is_cancelled` between layers where that is cheap, and raises `Cancelled` with `kv` as
        it was.
        """
        ...
