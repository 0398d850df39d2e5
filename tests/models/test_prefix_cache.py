"""Which sequences are kept, and which one a new prompt continues.

The ids in a FakeKV stand for keys and values: a wrong reuse is a wrong list.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from truepenny.models.prefix_cache import Lease, PrefixCache
from truepenny.models.testing import FakeKV

BYTES_PER_TOKEN = 16


def new_cache(budget_tokens: int = 10_000) -> PrefixCache[FakeKV]:
    return PrefixCache(
        budget_tokens * BYTES_PER_TOKEN,
        lambda _capacity: FakeKV(),
        lambda kv, n, _capacity: FakeKV(kv.ids[:n]),
    )


def compute(lease: Lease[FakeKV], ids: list[int]) -> None:
    """What a forward pass does."""
    lease.kv.ids.extend(ids)
    lease.ids.extend(ids)


def serve(cache: PrefixCache[FakeKV], prompt: list[int], output: Sequence[int] = ()) -> int:
    """One whole request; how many tokens it found in the cache."""
    lease = cache.acquire(prompt, len(prompt) + len(output))
    reused = lease.reused_tokens
    assert lease.kv.ids == prompt[:reused]
    compute(lease, prompt[reused:])
    compute(lease, list(output))
    cache.release(lease)
    cache.check_integrity()
    return reused


def common(a: list[int], b: list[int]) -> int:
    length = 0
    while length < min(len(a), len(b)) and a[length] == b[length]:
        length += 1
    return length


# Runs, so that short examples make endings long enough to be worth keeping.
prompts = st.lists(st.sampled_from([1, 2]), min_size=1, max_size=6).map(
    lambda symbols: [s for symbol in symbols for s in (symbol, *[3] * 40)]
)


class CacheMachine(RuleBasedStateMachine):
    """Any order of requests, several at once, some of which fail: always the truth, never over budget."""

    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.cache = new_cache(budget_tokens=600)
        self.held: dict[int, tuple[Lease[FakeKV], list[int]]] = {}

    @rule(target=leases, prompt=prompts, output=st.lists(st.sampled_from([1, 2]), max_size=3))
    def begin(self, prompt, output):
        known = [list(lease.kv.ids) for lease in self.cache._sequences]
        lease = self.cache.acquire(prompt, len(prompt))
        longest = max((common(ids, prompt[:-1]) for ids in known), default=0)
        assert lease.reused_tokens == longest
        assert lease.kv.ids == lease.ids == prompt[:longest]
        assert all(lease is not other for other, _ in self.held.values())
        compute(lease, prompt[longest:] + output)
        self.held[id(lease)] = lease, list(lease.kv.ids)
        return lease

    @rule(lease=leases, output=st.lists(st.sampled_from([1, 2]), min_size=1, max_size=50))
    def write_on(self, lease, output):
        if id(lease) in self.held:
            compute(lease, output)
            self.held[id(lease)] = lease, list(lease.kv.ids)

    @rule(lease=consumes(leases), num_lost=st.integers(0, 3))
    def end(self, lease, num_lost):
        """A forward pass that failed after writing some rows leaves rows without ids."""
        _, expected = self.held.pop(id(lease))
        lease.kv.ids.extend([99] * num_lost)
        self.cache.release(lease)
        assert lease.kv.ids == lease.ids == expected
        assert self.cache.nbytes <= self.cache.budget_bytes or self.held or len(self.cache._sequences) == 1

    @invariant()
    def what_is_leased_is_left_alone(self):
        for lease, ids in self.held.values():
            assert lease.kv.ids == ids
            assert any(lease is kept for kept in self.cache._sequences)

    @invariant()
    def the_books_are_right(self):
        self.cache.check_integrity()

    @precondition(lambda self: not self.held)
    @invariant()
    def nothing_is_leased_for_ever(self):
        assert not any(lease.is_leased for lease in self.cache._sequences)


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=20)), max_size=12))
def test_what_is_reused_is_really_common(requests):
    """`serve` compares the rows with the prompt each time."""
    cache = new_cache()
    for (prompt,) in requests:
        serve(cache, prompt, [9])


def test_one_token_is_left_to_compute():
    """A prompt seen before needs logits as much as a new one."""
    cache = new_cache()
    prompt = list(range(100))
    assert serve(cache, prompt) == 0
    assert serve(cache, prompt) == 99
    assert serve(cache, prompt) == 99


@pytest.mark.parametrize(("length", "reused"), [(1, 0), (2, 1), (50, 49), (99, 98)])
def test_a_prompt_shorter_than_what_is_cached(length, reused):
    """Deleting text is as cheap as typing it."""
    cache = new_cache()
    serve(cache, list(range(100)), [7] * 10)
    assert serve(cache, list(range(length))) == reused


def test_deleted_and_typed_again():
    """Backspace and retype costs what was retyped."""
    cache = new_cache()
    text = list(range(500))
    serve(cache, text, [1] * 20)
    assert serve(cache, text[:495], [2] * 20) == 494
    assert serve(cache, text, [1] * 20) == 495


def test_undo_finds_the_long_ending_again():
    """A large deletion keeps the old sequence, so that undoing it is free."""
    cache = new_cache()
    whole, cut = list(range(1000)), [*range(300), *range(5000, 5100)]
    serve(cache, whole)
    assert serve(cache, cut) == 300
    assert serve(cache, whole) == 999


@pytest.mark.parametrize("length", [100, 200, 600])
def test_two_documents_in_turn(length):
    """Switching between files that begin alike must not compute them anew each time."""
    cache = new_cache()
    header = list(range(5))
    a, b = header + [6] * length, header + [7] * length
    serve(cache, a)
    serve(cache, b)
    for _ in range(3):
        assert serve(cache, a, [8] * 20) == len(a) - 1
        assert serve(cache, b, [8] * 20) == len(b) - 1


def test_typing_on_does_not_multiply_sequences():
    """A long prompt whose end changes continues in place: copies cost memory."""
    cache = new_cache()
    text = list(range(800))
    for typed in range(30):
        serve(cache, text + [typed] * typed, [9] * 40)
    assert len(cache._sequences) == 1


def test_a_leased_sequence_is_copied():
    """A keystroke may interrupt a chat answer that has the same beginning."""
    cache = new_cache()
    paused = cache.acquire(list(range(10)), 10)
    compute(paused, list(range(10)))
    other = cache.acquire(list(range(12)), 12)
    assert other is not paused
    assert other.reused_tokens == 10
    compute(other, [77])
    assert paused.kv.ids == list(range(10))


def test_the_least_recently_used_goes_first():
    """The budget holds, and what was just used stays."""
    cache = new_cache(budget_tokens=250)
    a, b, c = ([symbol] * 100 for symbol in (1, 2, 3))
    serve(cache, a)
    serve(cache, b)
    serve(cache, a)
    serve(cache, c)
    assert cache.nbytes <= cache.budget_bytes
    assert serve(cache, a) == 99
    assert serve(cache, b) == 0


def test_one_sequence_larger_than_the_budget_is_served_and_kept():
    """A long file on a small machine still works, and typing in it is still cheap."""
    cache = new_cache(budget_tokens=50)
    assert serve(cache, list(range(200))) == 0
    assert serve(cache, list(range(200))) == 199


def broken_ids(cache):
    cache._sequences[0].ids.append(1)


def broken_rows(cache):
    cache._sequences[0].kv.ids.append(1)


def broken_budget(cache):
    cache._budget_bytes = 20 * BYTES_PER_TOKEN


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (broken_ids, "31 ids for 30 rows"),
        (broken_rows, "30 ids for 31 rows"),
        (broken_budget, "idle bytes held"),
    ],
)
def test_integrity_is_really_checked(break_it, said):
    """A check that cannot fail is worth nothing."""
    cache = new_cache()
    serve(cache, [1] * 30)
    serve(cache, [2] * 30)
    cache.check_integrity()
    break_it(cache)
    with pytest.raises(AssertionError, match=said):
        cache.check_integrity()
