"""Which sequences are kept, and which one a new prompt may continue.

Bookkeeping on token ids only; the tensors are behind `KV`.  A sequence's rows belong to:

    [0, reused)            this request, found in the cache: the longest common prefix
    [reused, len(prompt))  this request, to be computed
    [len(prompt), length)  this request's output, kept for the next one

At least one prompt token is always left to compute, or there would be no logits.  Ids are compared,
never only hashed.  One sequence is leased to one request at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .language_model import KV

K = TypeVar("K", bound=KV)


@dataclass(slots=True, eq=False)
class Lease(Generic[K]):
    """A claim on one sequence: `ids[:kv.length]` are the tokens its rows were computed from."""

    kv: K
    ids: list[int]
    reused_tokens: int
    last_used: int = 0
    is_leased: bool = field(default=True)


class PrefixCache(Generic[K]):
    """Keeps sequences up to a budget in bytes; the least recently used goes first.

    `fork(kv, length)` copies the first rows of a sequence; it is used when continuing in place would
    throw away a long other ending (another document with the same beginning).
    """

    def __init__(self, budget_bytes: int, new: Callable[[int], K], fork: Callable[[K, int, int], K]) -> None:
        self._budget_bytes = budget_bytes
        self._new = new
        self._fork = fork
        self._sequences: list[Lease[K]] = []
        self._clock = 0

    @property
    def nbytes(self) -> int:
        return sum(lease.kv.nbytes for lease in self._sequences)

    @property
    def budget_bytes(self) -> int:
        return self._budget_bytes

    def acquire(self, prompt: Sequence[int], capacity_tokens: int) -> Lease[K]:
        """Lease a sequence whose first `reused_tokens` rows are right for `prompt`."""
        self._clock += 1
        best, common = self._longest_match(prompt)
        if best is None or common == 0:
            return self._add(self._new(capacity_tokens), [], 0)
        lost = best.kv.length - common
        if best.is_leased or lost > max(common // 2, _SMALL_LOSS_TOKENS):
            return self._add(self._fork(best.kv, common, capacity_tokens), list(best.ids[:common]), common)
        best.kv.truncate(common)
        del best.ids[common:]
        best.reused_tokens, best.last_used, best.is_leased = common, self._clock, True
        return best

    def release(self, lease: Lease[K]) -> None:
        """Give the sequence back; its computed rows, prompt and output, stay for the next prompt.

        A forward pass that failed half-way may have left rows without ids: nobody knows what they are
        of, so they go.
        """
        del lease.ids[lease.kv.length :]
        lease.kv.truncate(len(lease.ids))
        lease.is_leased = False
        if not lease.ids:  # cancelled before its first step: no prompt could ever continue it
            self._sequences.remove(lease)
        self._evict()

    def check_integrity(self) -> None:
        """Raise AssertionError, with the numbers, if ids and rows disagree or the budget is broken.

        To be called between steps.  What is leased may grow over the budget; what is idle may not,
        unless it is all there is.
        """
        for lease in self._sequences:
            assert len(lease.ids) == lease.kv.length, f"{len(lease.ids)} ids for {lease.kv.length} rows"
        idle_bytes = sum(lease.kv.nbytes for lease in self._sequences if not lease.is_leased)
        assert len(self._sequences) <= 1 or idle_bytes <= self._budget_bytes, (
            f"{idle_bytes} idle bytes held, {self._budget_bytes} allowed"
        )

    def _longest_match(self, prompt: Sequence[int]) -> tuple[Lease[K] | None, int]:
        best: Lease[K] | None = None
        longest = 0
        for lease in self._sequences:
            usable = min(len(lease.ids), lease.kv.length, len(prompt) - 1)
            common = _common_length(lease.ids, prompt, usable)
            # Among equal matches an idle sequence, and then the shortest, loses least.
            loses_less = best is not None and (
                (lease.is_leased, lease.kv.length) < (best.is_leased, best.kv.length)
            )
            if common > longest or (common == longest and loses_less):
                best, longest = lease, common
        return best, longest

    def _add(self, kv: K, ids: list[int], reused: int) -> Lease[K]:
        lease = Lease(kv, ids, reused, self._clock)
        self._sequences.append(lease)
        self._evict()
        return lease

    def _evict(self) -> None:
        while self.nbytes > self._budget_bytes:
            idle = [lease for lease in self._sequences if not lease.is_leased]
            if not idle or len(self._sequences) == 1:
                return  # what is leased, or the only one, stays
            self._sequences.remove(min(idle, key=lambda lease: lease.last_used))


_SMALL_LOSS_TOKENS = 64
"""Rows of another ending that may be overwritten rather than copied around: about one completion.

More would let two short documents that begin alike overwrite each other for ever.
"""


def _common_length(a: Sequence[int], b: Sequence[int], limit: int) -> int:
    """Length of the common prefix, at most `limit`: compares slices, then bisects."""
    if list(a[:limit]) == list(b[:limit]):
        return limit
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        if list(a[low:middle]) == list(b[low:middle]):
            low = middle
        else:
            high = middle
    return low
