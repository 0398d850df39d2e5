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
    num_threads: int = 0
    """That multiply; 0: as many as torch was told."""
    chunk_tokens: int = 64
    """A prompt is computed in chunks that end at multiples of this; between them others get their turn."""
    rows_independent: bool = True
    """A token's rows do not depend, in any bit, on what else a pass computes."""


class Rows(Protocol):
    """A copy of consecutive rows of a `KV`, for the prefix cache to keep.  Never written again."""

    @property
    def num_rows(self) -> int: ...

    @property
    def nbytes(self) -> int: ...

    def part(self, start: int, end: int) -> Rows:
        """A copy of rows `[start, end)` of these, which shares no memory with them."""
        ...


class KV(Protocol):
    """Keys and values of one sequence.  Rows `[0, length)` are valid; rows beyond may be overwritten."""

    @property
    def length(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Memory held, by valid rows and by room for more."""
        ...

    def truncate(self, length: int) -> None:
        """Forget rows `[length, …)`.  O(1).  `0 <= length <= self.length`."""
        ...

    def copy_out(self, start: int, end: int) -> Rows:
        """A copy of rows `[start, end)`, `0 <= start < end <= self.length`."""
        ...

    def copy_in(self, rows: Rows) -> None:
        """Append rows that `copy_out` of a KV of the same model gave, at the position they had there."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """What one sequence contributes to a forward pass.

    `ids` (at least one) are appended at `kv.length`.  Logits are wanted after each of the last
    `num_logits` of them: 0 in the middle of a prompt, 1 to go on, all of them to check a draft.
    """

    ids: Sequence[int]
    kv: KV
    num_logits: int = 1


class Cancelled(Exception):  # noqa: N818  (cancelled is not an error)
    """Raised inside `forward` when the caller's `is_cancelled` says so; every `kv.length` is unchanged."""


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
        self, spans: Sequence[Span], is_cancelled: Callable[[], bool] = never
    ) -> list[NDArray[np.float32]]:
        """One pass for several sequences (each at most once): logits `(num_logits, vocabulary)` of each.

        What a sequence gets does not depend on who shares the pass.  Tests `is_cancelled` between
        layers where that is cheap, and raises `Cancelled` with every KV as it was.
        """
        ...


def feed(
    model: LanguageModel, ids: Sequence[int], kv: KV, is_cancelled: Callable[[], bool] = never
) -> NDArray[np.float32]:
    """Append `ids` to one sequence; logits `(vocabulary,)` after the last of them."""
    return model.forward([Span(ids, kv)], is_cancelled)[0][0]
