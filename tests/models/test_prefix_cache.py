"""What a prompt finds, what is kept, what is given up.

The ids in a FakeKV stand for keys and values: a wrong reuse is a wrong list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from truepenny.models.prefix_cache import MAX_IDLE, Lease, PrefixCache
from truepenny.models.testing import FAKE_ROW_BYTES, FakeKV, FakeRows


@dataclass(slots=True)
class RoomyKV(FakeKV):
    """Takes memory for what it has room for, as slabs do; `fails` times there is none for a copy."""

    capacity: int = 0
    num_copied: int = 0
    fails: list[bool] = field(default_factory=list[bool])

    @property
    def nbytes(self) -> int:
        return FAKE_ROW_BYTES * max(self.capacity, len(self.ids))

    def copy_in(self, rows) -> None:
        if self.fails and self.fails.pop():
            raise MemoryError
        FakeKV.copy_in(self, rows)
        self.num_copied += rows.num_rows


def new_cache(budget_tokens: int = 100_000, grid_tokens: int = 1) -> PrefixCache[RoomyKV]:
    return PrefixCache(
        budget_tokens * FAKE_ROW_BYTES,
        lambda capacity: RoomyKV(capacity=capacity),
        grid_tokens=grid_tokens,
    )


def compute(lease: Lease[RoomyKV], ids: Sequence[int]) -> None:
    """What a forward pass does."""
    lease.kv.ids.extend(ids)
    lease.ids.extend(ids)


def serve(
    cache: PrefixCache[RoomyKV],
    prompt: list[int],
    output: Sequence[int] = (),
    *,
    namespace: str = "",
    document: str = "",
) -> int:
    """One whole request; how many tokens it found."""
    capacity = len(prompt) + len(output)
    lease = cache.acquire(prompt, capacity, namespace=namespace, document=document)
    reused = lease.reused_tokens
    assert lease.kv.ids == lease.ids == prompt[:reused]
    compute(lease, prompt[reused:])
    cache.commit(lease, len(prompt))
    compute(lease, output)
    cache.release(lease)
    check(cache)
    return reused


def check(cache: PrefixCache[RoomyKV]) -> None:
    """Integrity, and that every row is under its id."""
    cache.check_integrity()
    for _, node in cache._tree.nodes():
        assert isinstance(node.rows, FakeRows)
        assert node.rows.ids == node.ids
    for lease in (*cache._idle, *cache._leased):
        assert lease.ids == lease.kv.ids


# -- any order of requests --------------------------------------------------------------------------

# Runs, so that short examples make endings long enough to be worth keeping.
prompts = st.lists(st.sampled_from([1, 2]), min_size=1, max_size=6).map(
    lambda symbols: [s for symbol in symbols for s in (symbol, *[3] * 40)]
)
spaces = st.sampled_from(["", "other"])


class CacheMachine(RuleBasedStateMachine):
    """Several requests at once, some of which fail or are cancelled: always the truth, never over budget."""

    grid_tokens = 1
    budget_tokens = 600

    def __init__(self) -> None:
        super().__init__()
        self.cache = new_cache(self.budget_tokens, self.grid_tokens)
        self.held: list[tuple[Lease[RoomyKV], list[int], list[int]]] = []
        self.seen: dict[str, list[list[int]]] = {"": [], "other": []}

    @rule(prompt=prompts, namespace=spaces, document=st.sampled_from(["", "x", "y"]), room=st.integers(0, 99))
    def begin(self, prompt, namespace, document, room):
        lease = self.cache.acquire(prompt, len(prompt) + room, namespace=namespace, document=document)
        assert lease.reused_tokens < len(prompt)
        assert lease.reused_tokens % self.grid_tokens == 0
        assert lease.kv.ids == lease.ids == prompt[: lease.reused_tokens]
        longest = max((common(ids, prompt) for ids in self.seen[namespace]), default=0)
        assert lease.reused_tokens <= longest, "from nowhere, or from another namespace"
        assert all(lease.kv is not other.kv for other, _, _ in self.held)
        self.held.append((lease, prompt, list(lease.ids)))

    def _write(self, index: int, ids: list[int]) -> None:
        lease, prompt, rows = self.held[index]
        compute(lease, ids)
        self.held[index] = lease, prompt, rows + ids
        self.seen[lease.namespace].append(rows + ids)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), count=st.integers(1, 200))
    def prefill(self, data, count):
        index = data.draw(st.integers(0, len(self.held) - 1))
        lease, prompt, rows = self.held[index]
        if len(rows) < len(prompt):
            self._write(index, prompt[len(rows) :][:count])
            if len(lease.ids) == len(prompt):
                self.cache.commit(lease, len(prompt))

    @precondition(lambda self: self.held)
    @rule(
        data=st.data(),
        output=st.lists(st.sampled_from([1, 2]), min_size=1, max_size=80),
        kept=st.integers(0, 80),
    )
    def write_on(self, data, output, kept):
        """Some of a draft is taken back."""
        index = data.draw(st.integers(0, len(self.held) - 1))
        lease, prompt, rows = self.held[index]
        if len(rows) >= len(prompt):
            self._write(index, output)
            length = len(rows) + min(kept, len(output))
            lease.kv.truncate(length)
            del lease.ids[length:]
            self.held[index] = lease, prompt, list(lease.ids)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), room=st.integers(0, 99))
    def another(self, data, room):
        lease, prompt, rows = self.held[data.draw(st.integers(0, len(self.held) - 1))]
        fork = self.cache.fork(lease, len(rows) + room)
        assert fork.kv is not lease.kv
        assert fork.kv.ids == fork.ids == rows
        self.held.append((fork, prompt, rows))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), num_lost=st.integers(0, 3))
    def end(self, data, num_lost):
        """A forward pass that failed after writing some rows leaves rows without ids."""
        lease, _, _ = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        lease.kv.ids.extend([99] * num_lost)
        self.cache.release(lease)

    @rule(documents=st.sets(st.sampled_from(["x", "y", "z"])), namespace=spaces)
    def open(self, documents, namespace):
        self.cache.pin(documents, namespace)

    @invariant()
    def what_is_leased_is_left_alone(self):
        for lease, _, rows in self.held:
            assert lease.kv.ids == lease.ids == rows

    @invariant()
    def the_books_are_right(self):
        check(self.cache)
        stats = self.cache.stats
        assert stats.num_leased == len(self.held)
        assert stats.tree_bytes + stats.live_bytes == self.cache.nbytes
        if not self.held:
            assert self.cache.nbytes <= self.cache.budget_bytes
        assert not any(99 in ids for ids in (lease.ids for lease in self.cache._idle))


class TightCacheMachine(CacheMachine):
    budget_tokens = 90


class ExactCacheMachine(CacheMachine):
    grid_tokens = 64


def common(a: Sequence[int], b: Sequence[int]) -> int:
    length = 0
    while length < min(len(a), len(b)) and a[length] == b[length]:
        length += 1
    return length


class_settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestCacheMachine = CacheMachine.TestCase
TestTightCacheMachine = TightCacheMachine.TestCase
TestExactCacheMachine = ExactCacheMachine.TestCase
for case in (TestCacheMachine, TestTightCacheMachine, TestExactCacheMachine):
    case.settings = class_settings


@given(st.lists(st.tuples(prompts, st.lists(st.integers(1, 3), max_size=9)), max_size=8))
@settings(max_examples=100, deadline=None)
def test_with_room_nothing_is_computed_twice(requests):
    """What is found is the longest beginning that was ever computed."""
    cache = new_cache()
    computed: list[list[int]] = []
    for prompt, output in requests:
        longest = max((common(ids, prompt[:-1]) for ids in computed), default=0)
        assert serve(cache, prompt, output) == longest
        computed.append(prompt + output)


# -- cases with names -------------------------------------------------------------------------------

TEXT = list(range(1000, 2000))
OTHER = list(range(5000, 6000))
HEADER = list(range(10))

CASES: dict[str, tuple[list[list[int]], int]] = {
    "full hit": ([TEXT, TEXT], 999),
    "cache longer than prompt": ([TEXT, TEXT[:300]], 299),
    "one token": ([TEXT, TEXT[:1]], 0),
    "typing on": ([TEXT[:990], TEXT], 990),
    "delete then retype": ([TEXT, TEXT[:995], TEXT], 999),
    "undo of a large deletion": ([TEXT, TEXT[:300] + OTHER[:100], TEXT], 999),
    "undo, redo": ([TEXT, TEXT[:300] + OTHER, TEXT, TEXT[:300] + OTHER], 1299),
    "two documents in turn": ([HEADER + TEXT, HEADER + OTHER, HEADER + TEXT, HEADER + OTHER], 1009),
    "two documents, one typed in": ([TEXT[:900], OTHER, TEXT[:910], OTHER, TEXT[:920]], 910),
    "two context files swapped": (
        [HEADER + TEXT + OTHER, HEADER + OTHER + TEXT, HEADER + TEXT + OTHER],
        2009,
    ),
    "a context file put before": ([TEXT + OTHER, HEADER + TEXT + OTHER], 0),
    "many documents": ([[i] * 400 for i in range(12)] + [[3] * 400], 399),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("output", [[], [7] * 50], ids=["", "with output"])
def test_found(name, output):
    """By the last of some requests, one after the other, with room enough."""
    requests, expected = CASES[name]
    cache = new_cache()
    for prompt in requests[:-1]:
        serve(cache, prompt, output)
    assert serve(cache, requests[-1], output) == expected


@pytest.mark.parametrize("name", CASES)
def test_found_on_a_grid(name):
    """Where rows depend on the shape of a call: whole cells of prompts, nothing else."""
    requests, expected = CASES[name]
    cache = new_cache(grid_tokens=64)
    for prompt in requests[:-1]:
        serve(cache, prompt, [7] * 50)
    assert serve(cache, requests[-1]) == min(expected, len(requests[-1]) - 1) // 64 * 64


def test_output_is_found():
    """An accepted suggestion, and a chat that goes on; not where rows depend on calls."""
    for grid_tokens, found in ((1, 1050), (64, 960)):
        cache = new_cache(grid_tokens=grid_tokens)
        serve(cache, TEXT, [7] * 50)
        serve(cache, OTHER)
        assert serve(cache, TEXT + [7] * 50 + OTHER) == found


def test_typing_copies_nothing_in():
    """The sequence continues in place; only the end of what was suggested is cut off."""
    cache = new_cache()
    for typed in range(30):
        serve(cache, TEXT + [50 + typed] * typed, [9] * 40)
    assert cache.stats.num_live == 1
    assert cache._idle[0].kv.num_copied == 0


def test_documents_in_turn_have_sequences_of_their_own():
    """While there is room; beyond, one is used again rather than made anew."""
    cache = new_cache()
    for i in range(2 * MAX_IDLE):
        serve(cache, [i] * 400)
    kvs = [lease.kv for lease in cache._idle]
    assert len(kvs) == MAX_IDLE
    for i in range(MAX_IDLE, 2 * MAX_IDLE):
        serve(cache, [i] * 400)
    assert [lease.kv for lease in cache._idle] == kvs
    assert not any(kv.num_copied for kv in kvs)
    serve(cache, [0] * 300)
    assert cache._idle[-1].kv is kvs[0]
    assert kvs[0].num_copied == 299


def test_a_sequence_that_is_too_small_is_not_grown_for_another_document():
    """Growing doubles: the memory of a small one would be spent three times."""
    cache = new_cache()
    for i in range(MAX_IDLE):
        serve(cache, [i] * 100)
    serve(cache, TEXT)
    assert cache._idle[-1].kv.capacity == 1000


def test_a_prompt_being_computed_is_shared_as_far_as_it_is():
    """A keystroke may interrupt a chat answer that has the same beginning."""
    cache = new_cache()
    paused = cache.acquire(TEXT, 1000)
    compute(paused, TEXT[:100])
    other = cache.acquire(TEXT[:120], 120)
    assert other.kv is not paused.kv
    assert other.reused_tokens == 100
    compute(other, OTHER)
    assert paused.kv.ids == TEXT[:100]
    check(cache)


def test_cancelled_work_is_kept():
    """However far it got; the document's newest whole prompt remains the one that is kept longest."""
    cache = new_cache()
    serve(cache, TEXT, document="x")
    lease = cache.acquire(TEXT[:500] + OTHER, 2000, document="x")
    compute(lease, OTHER[:100])
    cache.release(lease)
    check(cache)
    assert cache.acquire(TEXT[:500] + OTHER, 2000).reused_tokens == 600
    cache.pin(["x"])
    assert cache.stats.num_pinned_rows == 1000


def test_cancelled_before_its_first_step():
    """Nothing was computed: nothing is kept, and the sequence waits for the next."""
    cache = new_cache()
    cache.release(cache.acquire(TEXT, 1000))
    check(cache)
    assert (cache.stats.num_rows, cache.stats.num_live) == (0, 1)


def test_five_hundred_cancelled_requests_leave_no_leak():
    """Neither sequences nor claims nor bytes."""
    cache = new_cache(5000)
    for i in range(500):
        prompt = [*TEXT[: i + 1], i]
        lease = cache.acquire(prompt, 1000, document="x")
        compute(lease, prompt[lease.reused_tokens :][: i % 3])
        lease.kv.ids.extend([99] * (i % 2))
        cache.release(lease)
    check(cache)
    assert cache.stats.num_live == 1
    assert cache.nbytes <= cache.budget_bytes
    assert all(node.num_claims == 0 for _, node in cache._tree.nodes())


def test_released_twice_is_a_mistake():
    """Two requests would have one sequence."""
    cache = new_cache()
    lease = cache.acquire(TEXT, 1000)
    cache.release(lease)
    with pytest.raises(AssertionError, match="released twice"):
        cache.release(lease)


@pytest.mark.parametrize("namespace", ["", "a"])
def test_nothing_crosses_a_namespace(namespace):
    """How long an answer takes would tell one workspace what is in another."""
    cache = new_cache()
    serve(cache, TEXT, OTHER, namespace="a" if not namespace else "")
    assert serve(cache, TEXT, namespace=namespace) == 0
    paused = cache.acquire(OTHER, 1000, namespace="c")
    compute(paused, OTHER)
    assert serve(cache, OTHER, namespace=namespace) == 0
    assert serve(cache, TEXT, namespace=namespace) == 999


def test_a_pin_is_of_one_namespace():
    """A document of the same name elsewhere is another document."""
    cache = new_cache()
    serve(cache, TEXT, namespace="a", document="x")
    serve(cache, OTHER, namespace="b", document="x")
    cache.pin(["x"], "a")
    assert cache.stats.num_pinned_rows == 1000
    cache.pin(["x", "gone"], "b")
    assert cache.stats.num_pinned_rows == 2000
    cache.pin([], "a")
    assert cache.stats.num_pinned_rows == 1000


# -- memory -----------------------------------------------------------------------------------------


def test_the_budget_holds_and_what_was_just_used_stays():
    """Least recently used first."""
    cache = new_cache(budget_tokens=450)
    a, b, c = ([symbol] * 128 for symbol in (1, 2, 3))
    for prompt in (a, b, a, c):
        serve(cache, prompt)
    assert cache.nbytes <= cache.budget_bytes
    assert serve(cache, a) == 127
    assert serve(cache, b) < 127


def test_open_documents_are_given_up_last():
    """A long chat does not push out the file that is being edited."""
    cache = new_cache(budget_tokens=3000)
    serve(cache, TEXT, document="x")
    cache.pin(["x"])
    for i in range(5):
        serve(cache, [i] * 2500, [9] * 200)
    assert serve(cache, TEXT, document="x") == 999


def test_what_runs_may_take_more_than_there_is_and_open_documents_stay():
    """A sequence as large as the budget pushes out everything else, and only while it runs."""
    cache = new_cache(budget_tokens=3000)
    serve(cache, TEXT, document="x")
    serve(cache, OTHER)
    cache.pin(["x"])
    large = cache.acquire([1], 4000)
    assert cache.stats.num_rows == 1000
    check(cache)
    compute(large, [1] * 4000)
    cache.release(large)
    check(cache)
    assert cache.nbytes <= cache.budget_bytes
    assert serve(cache, TEXT, document="x") == 999


def test_one_sequence_larger_than_the_budget_is_served():
    """A long file on a small machine works, and as much of its beginning is kept as fits."""
    cache = new_cache(budget_tokens=200)
    assert serve(cache, TEXT) == 0
    assert 128 <= serve(cache, TEXT) <= 200
    cache.pin(["x"])
    serve(cache, TEXT, document="x")
    assert 128 <= serve(cache, TEXT, document="x") <= 200


def test_no_budget_at_all():
    """Every prompt is cold, nothing breaks."""
    cache = new_cache(budget_tokens=0)
    assert serve(cache, TEXT) == serve(cache, TEXT) == 0
    assert cache.nbytes == 0


def test_eviction_while_a_sequence_holds_the_path():
    """Another request needs all the memory; what the first one stands on stays and can be built on."""
    cache = new_cache(budget_tokens=1500)
    holder = cache.acquire(TEXT, 1000)
    compute(holder, TEXT)
    cache.commit(holder, 1000)
    rows = cache.stats.num_rows
    for i in range(4):
        serve(cache, [i] * 1000)
    assert holder.kv.ids == TEXT
    assert cache._tree.find("", tuple(TEXT)).length == rows
    compute(holder, OTHER[:10])
    cache.release(holder)
    check(cache)


def test_no_memory_for_a_copy_leaves_everything_as_it_was():
    """The request fails; its sequence is gone, and nobody is left holding it."""
    cache = new_cache()
    serve(cache, TEXT)
    holder = cache.acquire(OTHER, 1000)
    compute(holder, OTHER)
    failing = RoomyKV(capacity=1000, fails=[True])
    cache._new = lambda _capacity: failing
    cache._idle.clear()
    with pytest.raises(MemoryError):
        cache.acquire(TEXT, 1000)
    failing.fails.append(True)
    with pytest.raises(MemoryError):
        cache.fork(holder, 2000)
    check(cache)
    assert cache.stats.num_leased == 1
    cache.release(holder)
    assert serve(cache, TEXT) == 999


def test_many_tokens_held_cost_a_keystroke_nothing():
    """Counted in steps of the tree's own loops: what a request touches is its own path."""
    cache = new_cache(budget_tokens=60_000)
    for i in range(100):
        serve(cache, [i] * 500, document=f"{i}")
    assert cache.stats.num_rows == 50_000
    cache._tree.nodes = lambda: pytest.fail("a walk over the whole tree")
    text = [3] * 500
    for _ in range(20):
        text.append(4)
        lease = cache.acquire(text, 600, document="3")
        assert lease.reused_tokens >= 500 - 1
        compute(lease, text[lease.reused_tokens :])
        cache.commit(lease, len(text))
        cache.release(lease)


def test_figures_say_what_it_was_good_for():
    """Requests, hits and tokens since the start."""
    cache = new_cache(budget_tokens=2100)
    serve(cache, TEXT)
    serve(cache, TEXT)
    stats = cache.stats
    assert (stats.num_requests, stats.num_hits, stats.prompt_tokens, stats.reused_tokens) == (2, 1, 2000, 999)
    assert (stats.num_rows, stats.num_live, stats.evicted_tokens) == (1000, 1, 0)
    serve(cache, OTHER)
    assert cache.stats.evicted_tokens > 0


# -- a check that cannot fail is worth nothing -------------------------------------------------------


def broken_ids(cache):
    cache._idle[0].ids.append(1)


def broken_rows(cache):
    cache._idle[0].kv.ids.append(1)


def broken_budget(cache):
    cache._budget_bytes = 20 * FAKE_ROW_BYTES


def broken_claim(cache):
    next(node for _, node in cache._tree.nodes() if node.children).num_claims += 1


def broken_lease(cache):
    cache._leased[0].claim = None


def broken_tree(cache):
    cache._tree.num_rows += 1


def broken_sequences(cache):
    cache._idle.append(cache._idle[0])


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (broken_ids, "101 ids for 100 rows"),
        (broken_rows, "100 ids for 101 rows"),
        (broken_budget, "idle bytes held"),
        (broken_claim, "1 claims, 0 leases"),
        (broken_lease, "1 claims, 0 leases"),
        (broken_tree, "in the books"),
        (broken_sequences, "two leases have one sequence"),
    ],
)
def test_integrity_is_really_checked(break_it, said):
    """Each way of being wrong is noticed."""
    cache = new_cache()
    serve(cache, [1] * 100)
    serve(cache, [2] * 100)
    cache.acquire([1] * 90, 90)
    check(cache)
    break_it(cache)
    with pytest.raises(AssertionError, match=said):
        cache.check_integrity()
