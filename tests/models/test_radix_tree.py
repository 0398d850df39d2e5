"""The tree of rows and the order in which its leaves go.

`FakeRows` are the ids themselves: rows under the wrong ids are seen at once.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from truepenny.models.eviction import HALF_LIFE_USES, EvictionOrder, Node
from truepenny.models.radix_tree import GRID_TOKENS, Match, RadixTree
from truepenny.models.testing import FakeRows

# Few symbols, long runs: many common beginnings, and edges that cross the grid.
sequences = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 70)), min_size=1, max_size=5).map(
    lambda runs: tuple(symbol for symbol, count in runs for symbol in [symbol] * count)
)


def insert(tree: RadixTree, ids, namespace: str = "", *, is_output: bool = False) -> Node:
    return tree.insert(namespace, tuple(ids), lambda a, b: FakeRows(tuple(ids[a:b])), is_output=is_output)


def request(tree: RadixTree, ids, document: str = "", namespace: str = "") -> Node:
    """What the cache does for a prompt without output."""
    tree.touch(tree.find(namespace, tuple(ids)).nodes)
    tip = insert(tree, ids, namespace)
    if document:
        tree.set_document(namespace, document, tip)
    return tip


def read(match: Match, start: int = 0, end: int | None = None) -> tuple[int, ...]:
    pieces = match.rows(start, match.length if end is None else end)
    return tuple(i for rows in pieces if isinstance(rows, FakeRows) for i in rows.ids)


def common(a, b) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


class TreeMachine(RuleBasedStateMachine):
    """Against a plain list of sequences: every prefix that was put in and not given up is found."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = RadixTree()
        self.known: dict[str, list[tuple[int, ...]]] = {"": [], "b": []}
        self.has_evicted = False
        self.claimed: list[Node] = []

    @rule(ids=sequences, is_output=st.booleans(), namespace=st.sampled_from(["", "b"]))
    def put(self, ids, is_output, namespace):
        tip = insert(self.tree, ids, namespace, is_output=is_output)
        assert tip.start < len(ids) <= tip.end
        self.known[namespace].append(ids)
        assert read(self.tree.find(namespace, ids)) == ids

    @rule(ids=sequences, namespace=st.sampled_from(["", "b"]), data=st.data())
    def look(self, ids, namespace, data):
        match = self.tree.find(namespace, ids)
        longest = max((common(ids, other) for other in self.known[namespace]), default=0)
        assert match.length == longest or (self.has_evicted and match.length < longest)
        start = data.draw(st.integers(0, match.length))
        assert read(match, start) == ids[start : match.length]

    @rule(ids=sequences, fails_at=st.integers(0, 3))
    def fail(self, ids, fails_at):
        """Out of memory while copying: what was put in so far is sound."""
        left = iter(range(fails_at))

        def copy_out(a: int, b: int) -> FakeRows:
            if next(left, None) is None:
                raise MemoryError
            return FakeRows(ids[a:b])

        try:
            self.tree.insert("", ids, copy_out)
        except MemoryError:
            held = self.tree.find("", ids).length
            self.known[""].append(ids[:held])
        else:
            self.known[""].append(ids)

    @rule(ids=sequences, document=st.sampled_from(["x", "y"]), namespace=st.sampled_from(["", "b"]))
    def edit(self, ids, document, namespace):
        request(self.tree, ids, document, namespace)
        self.known[namespace].append(ids)

    @rule(documents=st.sets(st.sampled_from(["x", "y", "z"])), namespace=st.sampled_from(["", "b"]))
    def open(self, documents, namespace):
        self.tree.pin(namespace, documents)

    @rule(ids=sequences)
    def claim(self, ids):
        nodes = self.tree.find("", ids).nodes
        if nodes:
            self.tree.claim(nodes[-1])
            self.claimed.append(nodes[-1])

    @rule()
    def unclaim(self):
        if self.claimed:
            self.tree.unclaim(self.claimed.pop())

    @rule(count=st.integers(1, 4), pinned_too=st.booleans())
    def evict(self, count, pinned_too):
        for _ in range(count):
            before = self.tree.num_rows
            assert self.tree.evict(pinned_too=pinned_too) == before - self.tree.num_rows
        self.has_evicted = True

    @invariant()
    def everything_is_in_order(self):
        self.tree.check_integrity()
        for _, node in self.tree.nodes():
            assert isinstance(node.rows, FakeRows)
            assert node.rows.ids == node.ids
        held = {id(node) for _, node in self.tree.nodes()}
        assert all(id(node) in held for node in self.claimed), "what is claimed stays"


TestTreeMachine = TreeMachine.TestCase
TestTreeMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@given(st.lists(sequences, min_size=1, max_size=6))
def test_beginnings_are_held_once(prompts):
    """As many rows as there are different prefixes."""
    tree = RadixTree()
    for ids in prompts:
        insert(tree, ids)
    assert tree.num_rows == len({ids[:end] for ids in prompts for end in range(1, len(ids) + 1)})
    assert tree.nbytes == 16 * tree.num_rows


def test_parting_copies_little():
    """Of two long prompts that part in the middle only the cell in which they part is cut."""
    tree = RadixTree()
    insert(tree, [1] * 1000)
    before = {id(node.rows) for _, node in tree.nodes()}
    insert(tree, [1] * 500 + [2] * 500)
    fresh = [node for _, node in tree.nodes() if id(node.rows) not in before and node.end <= 500]
    assert [(node.start, node.end) for node in fresh] == [(448, 500)]
    tree.check_integrity()


def test_typing_does_not_make_a_node_for_every_token():
    """A leaf grows up to the next multiple of the grid."""
    tree = RadixTree()
    for length in range(1, 300):
        insert(tree, [1] * length)
    assert tree.num_nodes == -(-299 // GRID_TOKENS)


def test_nothing_is_copied_that_is_there():
    """The second time costs a walk."""
    tree = RadixTree()
    insert(tree, range(300))
    insert(tree, range(200))
    tree.insert("", tuple(range(300)), lambda _a, _b: pytest.fail("copied again"))


def test_namespaces_see_nothing_of_each_other():
    """Not even the time that a common beginning would save."""
    tree = RadixTree()
    insert(tree, range(100), "a")
    assert tree.find("b", tuple(range(100))).length == 0
    insert(tree, range(100), "b")
    assert tree.num_rows == 200
    while tree.evict():
        tree.check_integrity()
    assert (tree.num_nodes, tree.num_rows, tree.nbytes, tree._roots) == (0, 0, 0, {})


# -- who goes first -------------------------------------------------------------------------------


def order_of_going(tree: RadixTree, **prompts: list[int]) -> list[str]:
    """Names of prompts in the order in which they lose their last row."""
    gone: list[str] = []
    while tree.evict(pinned_too=True):
        gone += [
            name for name, ids in prompts.items() if name not in gone and not tree.find("", tuple(ids)).length
        ]
    return gone


def test_least_recently_used():
    """Among equals."""
    tree = RadixTree()
    a, b, c = ([i] * 100 for i in range(3))
    for ids in (a, b, c, a):
        request(tree, ids)
    assert order_of_going(tree, a=a, b=b, c=c) == ["b", "c", "a"]


def test_output_before_prompts_and_open_documents_last():
    """However long ago a prompt was used."""
    tree = RadixTree()
    old, opened, prompt = [1] * 100, [2] * 100, [3] * 100
    request(tree, old)
    request(tree, opened, "opened")
    request(tree, prompt)
    insert(tree, prompt + [4] * 100, is_output=True)
    tree.pin("", ["opened"])
    assert tree.num_pinned_rows == 100
    assert tree.evict() == 200 % GRID_TOKENS  # the output, from its end
    assert tree.evict() == GRID_TOKENS
    while tree.find("", tuple(prompt + [4] * 100)).length > 100:
        tree.evict()
    assert tree.find("", tuple(prompt)).length == 100
    while tree.evict():
        pass
    assert [tree.find("", tuple(ids)).length for ids in (old, prompt, opened)] == [0, 0, 100]
    tree.pin("", [])
    assert order_of_going(tree, opened=opened) == ["opened"]


def test_output_that_became_a_prompt_is_no_output():
    """An accepted suggestion, or an answer in a chat that goes on."""
    tree = RadixTree()
    request(tree, [1] * 64)
    insert(tree, [1] * 64 + [2] * 30, is_output=True)
    request(tree, [9] * 64)
    assert [node.is_output for _, node in tree.nodes()].count(True) == 1
    request(tree, [1] * 64 + [2] * 30 + [3])
    assert not any(node.is_output for _, node in tree.nodes())


def test_a_version_left_behind_goes_before_what_is_older():
    """Nobody asks for it again unless by undo; the header both versions have is not touched."""
    tree = RadixTree()
    header, other = [1] * 64, [5] * 128
    request(tree, other, "other")
    request(tree, header + [2] * 64, "doc")
    request(tree, header + [3] * 64, "doc")
    assert tree.evict() == 64
    assert tree.find("", tuple(header + [2] * 64)).length == 64
    request(tree, header + [4] * 64, "doc")
    tree.evict()
    assert tree.find("", tuple(header + [3] * 64)).length == 64
    assert tree.find("", tuple(header + [4] * 64)).length == 128
    assert tree.find("", tuple(other)).length == 128


def test_a_superseded_branch_goes_whole():
    """Its leaves hide the nodes above them."""
    tree = RadixTree()
    request(tree, [5] * 64, "other")
    request(tree, [2] * 300, "doc")
    request(tree, [3] * 64, "doc")
    for _ in range(5):
        tree.evict()
    assert [tree.find("", (i,) * 64).length for i in (2, 3, 5)] == [0, 64, 64]


def test_typing_on_supersedes_nothing():
    """The former prompt is the beginning of the new one."""
    tree = RadixTree()
    for length in range(60, 140, 7):
        request(tree, [1] * length, "doc")
    assert not any(node.is_superseded for _, node in tree.nodes())
    request(tree, [1] * 60, "doc")
    assert [node.is_superseded for _, node in tree.nodes() if not node.children] == [True]


def test_rows_deep_in_a_prompt_cost_more_and_stay_longer():
    """At the same age."""
    tree = RadixTree()
    deep, shallow = [1] * 8192, [2] * 64
    request(tree, deep)
    request(tree, shallow)
    assert tree.evict() == 64
    assert tree.find("", tuple(shallow)).length == 0
    for _ in range(HALF_LIFE_USES + 1):
        request(tree, shallow)
    tree.evict()
    assert tree.find("", tuple(shallow)).length == 64


def test_what_is_claimed_stays_and_what_hangs_below_it_goes():
    """A request is reading its own rows."""
    tree = RadixTree()
    tip = request(tree, [1] * 128)
    request(tree, [1] * 128 + [2] * 100)
    tree.claim(tip)
    while tree.evict(pinned_too=True):
        tree.check_integrity()
    assert tree.num_rows == 128
    tree.unclaim(tip)
    assert tree.evict() == 64


def test_the_order_does_not_grow_with_use():
    """Entries that are out of date are thrown away, and the rows they knew with them."""
    tree = RadixTree()
    chance = random.Random(0)
    for _ in range(3000):
        request(tree, [chance.randrange(4) for _ in range(4)])
        if tree.num_rows > 100:
            tree.evict()
    assert len(tree._order._heap) < 2 * tree.num_nodes + 300
    tree.check_integrity()


def test_what_is_given_up_is_freed_at_once():
    """Though the order may still have old entries of it: bytes not in the books must not be held."""
    tree = RadixTree()
    for _ in range(5):
        request(tree, [1] * 64)
    (node,) = (node for _, node in tree.nodes())
    tree.evict()
    assert node.rows is None
    assert len(tree._order._heap) <= 5


# -- a check that cannot fail is worth nothing -------------------------------------------------------


def nodes_of(tree: RadixTree) -> list[Node]:
    return [node for _, node in tree.nodes()]


def break_link(tree: RadixTree) -> None:
    nodes_of(tree)[1].parent = nodes_of(tree)[2]


def break_key(tree: RadixTree) -> None:
    parent = nodes_of(tree)[0]
    parent.children[77] = parent.children.popitem()[1]


def break_rows(tree: RadixTree) -> None:
    nodes_of(tree)[0].rows = FakeRows((1,))


def break_start(tree: RadixTree) -> None:
    nodes_of(tree)[1].start += 1


def break_grid(tree: RadixTree) -> None:
    node = nodes_of(tree)[-1]
    node.ids += (1,) * 64
    node.rows = FakeRows(node.ids)


def break_books(tree: RadixTree) -> None:
    tree.nbytes -= 1


def break_pin(tree: RadixTree) -> None:
    tree._pinned[""] = frozenset({"doc"})


def break_document(tree: RadixTree) -> None:
    tree._documents["", "gone"] = Node()


def break_rank(tree: RadixTree) -> None:
    next(node for node in nodes_of(tree) if node.entry).last_used += 1


def break_order(tree: RadixTree) -> None:
    tree._order = EvictionOrder()


def break_namespace(tree: RadixTree) -> None:
    tree._roots["other"] = tree._roots[""]


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (break_link, "not where its parent looks"),
        (break_key, "not where its parent looks"),
        (break_rows, "64 ids for 1 rows"),
        (break_start, "begins where its parent does not end"),
        (break_grid, "crosses a multiple of 64"),
        (break_books, "in the books"),
        (break_pin, "pinned is False, should be True"),
        (break_document, "is not in the tree"),
        (break_rank, "is ranked as"),
        (break_order, "is ranked as"),
        (break_namespace, "twice"),
    ],
)
def test_integrity_is_really_checked(break_it, said):
    """Each way of being wrong is noticed."""
    tree = RadixTree()
    request(tree, [1] * 64 + [2] * 64, "doc")
    request(tree, [1] * 64 + [3] * 100)
    tree.check_integrity()
    break_it(tree)
    with pytest.raises(AssertionError, match=said):
        tree.check_integrity()
