"""What of a prompt need not be computed: rows kept in a tree, and sequences that continue from them.

Two places hold rows.  The *tree* (`radix_tree`) has copies, shared by all prompts of a namespace that
begin alike.  A *live sequence* is a slab that attention can read; a request leases one, and idle ones
wait for the next.  A prompt's rows then belong to:

    [0, in place)         the idle sequence chosen, which is cut back to this
    [in place, reused)    copied in from the tree, or from another sequence
    [reused, num_prompt)  this request, to be computed
    [num_prompt, length)  this request's output

At least one prompt token is always left to compute, or there would be no logits.  `commit` and
`release` put what was computed into the tree, so cutting a sequence back loses nothing: an undo, or two
documents in turn, cost a copy and not a computation.

With `grid_tokens` 1 rows must not depend on the shape of a call (`runner`).  Where they do, a larger
grid keeps warm equal to cold: work is resumed at its multiples only, rows are kept in whole cells of a
prompt, and output is not kept.  The prompt must then be fed in pieces that end at these multiples.

The budget is bytes of tree and sequences together.  Over it go, in this order: idle sequences but the
last used, which are only a copy away; leaves of the tree (`eviction`); the last used sequence; and the
open documents' rows, these only for what is idle.  What a request holds is never touched, so while it
runs there may be more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .eviction import Node
from .language_model import KV
from .radix_tree import Match, RadixTree, with_ancestors

K = TypeVar("K", bound=KV)

MAX_IDLE = 3
"""Idle sequences kept when there is room: a document, another one, a chat."""

SMALL_LOSS_TOKENS = 64
"""Rows of another ending that are cut off rather than left to a sequence of their own: about one
completion."""

_COPIED_AT_ONCE = 512
"""Rows, so that a copy of a long sequence does not need its memory a third time."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What is held now, and what it was good for since the start."""

    num_nodes: int
    num_rows: int
    """In the tree."""
    num_pinned_rows: int
    num_live: int
    """Sequences, idle or leased."""
    num_leased: int
    tree_bytes: int
    live_bytes: int
    num_requests: int
    num_hits: int
    """Requests that found anything."""
    prompt_tokens: int
    reused_tokens: int
    evicted_tokens: int


@dataclass(slots=True, eq=False)
class Lease(Generic[K]):
    """A claim on one live sequence: rows `[0, kv.length)` are of `ids[:kv.length]`.

    Whoever leases appends to `ids` what it feeds, and cuts them where it truncates `kv`.
    """

    kv: K
    ids: list[int]
    reused_tokens: int
    num_prompt: int = 0
    namespace: str = ""
    document: str = ""
    capacity_tokens: int = 0
    claim: Node | None = None

    @property
    def num_sound(self) -> int:
        """Rows known to be right; a forward pass that failed half-way may have left others."""
        return min(len(self.ids), self.kv.length)


class PrefixCache(Generic[K]):
    """Not for use from several threads; `nbytes` and `stats` may be read from any."""

    def __init__(self, budget_bytes: int, new: Callable[[int], K], *, grid_tokens: int = 1) -> None:
        """`new(capacity_tokens)` makes an empty sequence."""
        self._budget_bytes = budget_bytes
        self._new = new
        self._grid_tokens = grid_tokens
        self._tree = RadixTree()
        self._idle: list[Lease[K]] = []  # least recently used first
        self._leased: list[Lease[K]] = []
        self._row_bytes = 0
        self._num_requests = self._num_hits = 0
        self._prompt_tokens = self._reused_tokens = self._evicted_tokens = 0

    @property
    def nbytes(self) -> int:
        return self._tree.nbytes + _live_bytes([*self._idle, *self._leased])

    @property
    def budget_bytes(self) -> int:
        return self._budget_bytes

    @property
    def stats(self) -> CacheStats:
        return CacheStats(
            num_nodes=self._tree.num_nodes,
            num_rows=self._tree.num_rows,
            num_pinned_rows=self._tree.num_pinned_rows,
            num_live=len(self._idle) + len(self._leased),
            num_leased=len(self._leased),
            tree_bytes=self._tree.nbytes,
            live_bytes=_live_bytes([*self._idle, *self._leased]),
            num_requests=self._num_requests,
            num_hits=self._num_hits,
            prompt_tokens=self._prompt_tokens,
            reused_tokens=self._reused_tokens,
            evicted_tokens=self._evicted_tokens,
        )

    # -- requests ---------------------------------------------------------------------------------

    def acquire(
        self, prompt: Sequence[int], capacity_tokens: int, *, namespace: str = "", document: str = ""
    ) -> Lease[K]:
        """Lease a sequence whose first `reused_tokens` rows are right for `prompt` (at least one id).

        Nothing of another namespace is ever reused.  `capacity_tokens`: rows it will probably need.
        """
        assert prompt, "an empty prompt has nothing to compute"
        ids = tuple(prompt)
        usable = self._on_grid(len(ids) - 1)
        match = self._tree.find(namespace, ids[:usable])
        self._tree.touch(match.nodes)
        lease = self._sequence(ids[:usable], capacity_tokens, namespace)
        if match.nodes:
            lease.claim = match.nodes[-1]
            self._tree.claim(lease.claim)
        self._leased.append(lease)
        try:
            self._fill(lease, ids[:usable], match)
        except BaseException:  # out of memory: nobody will give it back
            self._forget(lease)
            raise
        lease.document, lease.num_prompt, lease.reused_tokens = document, len(ids), lease.kv.length
        self._num_requests += 1
        self._num_hits += lease.reused_tokens > 0
        self._prompt_tokens += len(ids)
        self._reused_tokens += lease.reused_tokens
        self._evict()
        return lease

    def fork(self, lease: Lease[K], capacity_tokens: int) -> Lease[K]:
        """Lease another sequence with the same rows: several answers to one prompt."""
        ids = tuple(lease.ids[: lease.num_sound])
        other = self._sequence(ids, capacity_tokens, lease.namespace)
        other.claim = lease.claim
        if other.claim is not None:
            self._tree.claim(other.claim)
        self._leased.append(other)
        try:
            _copy(lease, other, ids, len(ids))
        except BaseException:  # as in `acquire`
            self._forget(other)
            raise
        other.document, other.num_prompt, other.reused_tokens = lease.document, lease.num_prompt, len(ids)
        self._evict()
        return other

    def commit(self, lease: Lease[K], num_prompt: int) -> None:
        """Put the computed rows into the tree now, for others to find; after `num_prompt` it is output."""
        assert lease in self._leased, "only what is leased can be committed"
        lease.num_prompt = num_prompt
        self._store(lease)
        self._evict()

    def release(self, lease: Lease[K]) -> None:
        """Commit and give the sequence back.  Rows that a failed pass left without ids are dropped."""
        assert lease in self._leased, "released twice"
        try:
            self._store(lease)
        finally:
            self._forget(lease)
        num_kept = self._num_reusable(lease)
        lease.kv.truncate(num_kept)
        # The caller keeps its lease and may look at it; what happens to it no longer matters to us.
        self._idle.append(
            Lease(
                lease.kv,
                lease.ids[:num_kept],
                0,
                lease.num_prompt,
                lease.namespace,
                lease.document,
                max(lease.capacity_tokens, num_kept),
            )
        )
        self._evict()

    def pin(self, documents: Collection[str], namespace: str = "") -> None:
        """The documents of a namespace that are open now: their newest prompts go last."""
        self._tree.pin(namespace, documents)
        self._evict()

    # -- sequences --------------------------------------------------------------------------------

    def _sequence(self, ids: tuple[int, ...], capacity_tokens: int, namespace: str) -> Lease[K]:
        """A sequence nobody has, some of whose rows may be right for `ids` already; the rest is cut off."""
        ranked = [(self._common(idle, ids, namespace), idle) for idle in self._idle]
        common, best = max(ranked, key=lambda pair: pair[0], default=(0, None))
        if best is not None and best.kv.length - common <= max(common // 2, SMALL_LOSS_TOKENS):
            return self._taken(best, common, namespace)
        needed = (
            self.nbytes + 2 * capacity_tokens * self._row_bytes
        )  # what it computes goes into the tree too
        if ranked and (len(ranked) >= MAX_IDLE or needed > self._budget_bytes):
            common, oldest = ranked[0]
            if oldest.capacity_tokens >= capacity_tokens:
                return self._taken(oldest, common, namespace)
            self._idle.remove(oldest)  # before another is made, so that both are never there
        return Lease(self._new(capacity_tokens), [], 0, namespace=namespace, capacity_tokens=capacity_tokens)

    def _taken(self, idle: Lease[K], length: int, namespace: str) -> Lease[K]:
        self._idle.remove(idle)
        idle.kv.truncate(length)
        del idle.ids[length:]
        return Lease(idle.kv, idle.ids, 0, namespace=namespace, capacity_tokens=idle.capacity_tokens)

    def _fill(self, lease: Lease[K], ids: tuple[int, ...], match: Match) -> None:
        """Copy in what is held of `ids` beyond the rows in place."""
        for rows in match.rows(lease.kv.length, self._on_grid(match.length)):
            lease.kv.copy_in(rows)
        lease.ids.extend(ids[len(lease.ids) : lease.kv.length])
        # What the tree has not yet, or no more: another request may be computing this very prompt.
        others = [other for other in (*self._idle, *self._leased) if other is not lease]
        ranked = [(self._common(other, ids, lease.namespace), other) for other in others]
        common, best = max(ranked, key=lambda pair: pair[0], default=(0, None))
        if best is not None and common > lease.kv.length:
            _copy(best, lease, ids, common)

    def _common(self, lease: Lease[K], ids: tuple[int, ...], namespace: str) -> int:
        """Rows of a sequence that are right for `ids`."""
        if lease.namespace != namespace:
            return 0
        return self._on_grid(_common_length(lease.ids, ids, min(self._num_reusable(lease), len(ids))))

    def _num_reusable(self, lease: Lease[K]) -> int:
        if self._grid_tokens == 1:
            return lease.num_sound
        return self._on_grid(min(lease.num_sound, lease.num_prompt))

    def _on_grid(self, length: int) -> int:
        return length // self._grid_tokens * self._grid_tokens

    # -- the tree ---------------------------------------------------------------------------------

    def _store(self, lease: Lease[K]) -> None:
        num_rows = min(self._num_reusable(lease), self._room_tokens(lease))
        num_prompt = min(num_rows, lease.num_prompt)
        ids = tuple(lease.ids[:num_rows])
        if not num_prompt:
            return
        tip = self._tree.insert(lease.namespace, ids[:num_prompt], lease.kv.copy_out)
        if lease.document and lease.num_sound >= lease.num_prompt:  # not cancelled on the way there
            self._tree.set_document(lease.namespace, lease.document, tip)
        if num_rows > num_prompt:
            tip = self._tree.insert(lease.namespace, ids, lease.kv.copy_out, is_output=True)
        self._tree.claim(tip)
        self._unclaim(lease)
        lease.claim = tip
        self._row_bytes = self._row_bytes or -(-self._tree.nbytes // self._tree.num_rows)

    def _room_tokens(self, lease: Lease[K]) -> int:
        """Rows of one sequence worth copying: more would be copied and evicted again with every request."""
        if not self._row_bytes:
            return lease.num_sound
        room = self._budget_bytes
        if lease.kv.nbytes <= room and not self._tree.is_pinned(lease.namespace, lease.document):
            room -= lease.kv.nbytes
        return room // self._row_bytes

    def _unclaim(self, lease: Lease[K]) -> None:
        if lease.claim is not None:
            self._tree.unclaim(lease.claim)
            lease.claim = None

    def _forget(self, lease: Lease[K]) -> None:
        self._unclaim(lease)
        self._leased.remove(lease)

    def _evict(self) -> None:
        num_kept = 0 if self._leased else 1  # of idle sequences: what is leased now will be the last used
        while len(self._idle) > MAX_IDLE or (len(self._idle) > num_kept and self.nbytes > self._budget_bytes):
            del self._idle[0]
        if self._idle and self._idle[-1].kv.nbytes > self._budget_bytes:
            self._idle.clear()
        while self.nbytes > self._budget_bytes and (freed := self._tree.evict()):
            self._evicted_tokens += freed
        if self.nbytes > self._budget_bytes:
            self._idle.clear()
        while self._tree.nbytes > self._budget_bytes and (freed := self._tree.evict(pinned_too=True)):
            self._evicted_tokens += freed

    # -- checking ---------------------------------------------------------------------------------

    def check_integrity(self) -> None:
        """Raise AssertionError, with the numbers, if anything is not as it should be.  O(everything held).

        To be called between steps: a forward pass in progress has rows without ids.
        """
        self._tree.check_integrity()
        live = [*self._idle, *self._leased]
        for lease in live:
            assert len(lease.ids) == lease.kv.length, f"{len(lease.ids)} ids for {lease.kv.length} rows"
        assert len({id(lease.kv) for lease in live}) == len(live), "two leases have one sequence"
        assert len(self._idle) <= MAX_IDLE, f"{len(self._idle)} idle sequences, {MAX_IDLE} allowed"
        claims: dict[int, int] = {}
        for lease in self._leased:
            if lease.claim is not None:
                claims[id(lease.claim)] = claims.get(id(lease.claim), 0) + 1
        for namespace, node in self._tree.nodes():
            expected = claims.pop(id(node), 0)
            at = f"node [{node.start}, {node.end}) of {namespace!r}"
            assert node.num_claims == expected, f"{at}: {node.num_claims} claims, {expected} leases"
        assert not claims, f"{sum(claims.values())} leases claim what is not in the tree"
        claimed = with_ancestors([lease.claim for lease in self._leased if lease.claim is not None])
        held_bytes = sum(node.rows.nbytes for node in claimed if node.rows is not None)
        idle_bytes = self._tree.nbytes - held_bytes + _live_bytes(self._idle)
        assert idle_bytes <= self._budget_bytes, f"{idle_bytes} idle bytes held, {self._budget_bytes} allowed"


def _live_bytes(leases: Sequence[Lease[K]]) -> int:
    return sum(lease.kv.nbytes for lease in leases)


def _copy(source: Lease[K], target: Lease[K], ids: tuple[int, ...], end: int) -> None:
    """Append rows of `ids`, up to `end`, that another sequence has."""
    while (start := target.kv.length) < end:
        stop = min(end, start + _COPIED_AT_ONCE)
        target.kv.copy_in(source.kv.copy_out(start, stop))
        target.ids.extend(ids[start:stop])


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
