"""Copies of rows under the token ids they were computed from, shared by all prompts that begin alike.

One tree per namespace; a node is an edge of one or more ids and their rows:

    root ─ [0, 64) ─ [64, 128) ─┬─ [128, 140) ─ …      a document as it was
                                └─ [128, 192) ─ …      and as it is

An edge never crosses a multiple of `GRID_TOKENS`: where two prompts part, at most that many rows are
copied, and what is given up goes in small pieces.  Ids are compared, never only hashed.  The tree
knows nothing of budgets: `eviction` says which leaf goes, `prefix_cache` says when.

After the radix tree of SGLang (Zheng et al. 2024, arXiv:2312.07104), which stores indices of slots;
ours holds the rows themselves, because attention here reads one slab per sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from .eviction import EvictionOrder, Node
from .language_model import Rows

GRID_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Match:
    """Nodes from the top down; all but the last lie wholly in the `length` tokens that agree."""

    nodes: tuple[Node, ...] = ()
    length: int = 0

    def rows(self, start: int, end: int) -> Iterator[Rows]:
        """Rows `[start, end)`, `end <= length`, in pieces."""
        for node in self.nodes:
            low, high = max(start, node.start), min(end, node.end)
            if low < high:
                assert node.rows is not None, "only a root has no rows"
                whole = (low, high) == (node.start, node.end)
                yield node.rows if whole else node.rows.part(low - node.start, high - node.start)


class RadixTree:
    """Not for use from several threads; counts may be read from any."""

    def __init__(self) -> None:
        self._roots: dict[str, Node] = {}
        self._documents: dict[tuple[str, str], Node] = {}
        self._pinned: dict[str, frozenset[str]] = {}
        self._order = EvictionOrder()
        self._clock = 0
        self.num_nodes = 0
        self.num_rows = 0
        self.nbytes = 0

    # -- looking ----------------------------------------------------------------------------------

    def find(self, namespace: str, ids: tuple[int, ...]) -> Match:
        """The longest beginning of `ids` that is held.  O(its length)."""
        root = self._roots.get(namespace)
        return Match() if root is None else _descend(root, ids)

    def nodes(self) -> Iterator[tuple[str, Node]]:
        """Every node with its namespace, parents first."""
        for namespace, root in self._roots.items():
            waiting = list(root.children.values())
            while waiting:
                node = waiting.pop()
                waiting.extend(node.children.values())
                yield namespace, node

    @property
    def num_pinned_rows(self) -> int:
        """Rows on the way to pinned documents, each counted once."""
        pinned = list(self._pinned.items())  # another thread may be counting
        tips = (self._documents.get((space, name)) for space, names in pinned for name in names)
        return sum(len(node.ids) for node in with_ancestors(tip for tip in tips if tip is not None))

    def is_pinned(self, namespace: str, document: str) -> bool:
        return document in self._pinned.get(namespace, ())

    # -- keeping ----------------------------------------------------------------------------------

    def touch(self, nodes: Sequence[Node]) -> None:
        """A new request found these of use."""
        self._clock += 1
        self._use(nodes)

    def insert(
        self,
        namespace: str,
        ids: tuple[int, ...],
        copy_out: Callable[[int, int], Rows],
        *,
        is_output: bool = False,
    ) -> Node:
        """Hold the rows of `ids` (at least one); the node in which they end.

        `copy_out(start, end)` is asked for what is missing only.  What fails in it leaves the tree
        sound.  Rows that a prompt has are never output, whoever computed them.
        """
        assert ids, "nothing to insert"
        root = self._roots.setdefault(namespace, Node())
        match = _descend(root, ids)
        path, at = list(match.nodes), match.length
        if path and at < len(ids) and at < path[-1].end:
            path[-1] = self._split(path[-1], at)
        if not is_output:
            for node in path:
                node.is_output = node.is_superseded = False
                self._order.rank(node)
        node = path[-1] if path else root
        if at < len(ids) and self._can_grow(node, is_output=is_output):
            at = min(len(ids), _next_cut(node.start))
            self._replace(node, ids[node.start : at], copy_out(node.start, at))
        while at < len(ids):
            end = min(len(ids), _next_cut(at))
            node = self._add(node, ids[at:end], copy_out(at, end), is_output=is_output)
            path.append(node)
            at = end
        self._use(path)
        return node

    def _use(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            node.last_used = self._clock
            self._order.rank(node)

    def _can_grow(self, node: Node, *, is_output: bool) -> bool:
        is_leaf = node.rows is not None and not node.children
        return is_leaf and node.end % GRID_TOKENS != 0 and node.is_output == is_output

    def _add(self, parent: Node, ids: tuple[int, ...], rows: Rows, *, is_output: bool) -> Node:
        node = Node(ids, parent.end, rows, parent, is_output=is_output, last_used=self._clock)
        assert ids[0] not in parent.children, "a sibling begins with the same token"
        parent.children[ids[0]] = node
        self._order.forget(parent)  # no leaf any more
        self._order.rank(node)
        self._count(node, 1)
        return node

    def _replace(self, node: Node, ids: tuple[int, ...], rows: Rows) -> None:
        self._count(node, -1)
        node.ids, node.rows = ids, rows
        self._count(node, 1)
        self._order.rank(node)

    def _split(self, node: Node, at: int) -> Node:
        """Cut the edge at position `at`; the new upper part.  Claims and documents stay below."""
        assert node.rows is not None and node.parent is not None, "a root has no edge"  # noqa: PT018  (one thought)
        head = at - node.start
        above, below = node.rows.part(0, head), node.rows.part(head, len(node.ids))
        upper = Node(node.ids[:head], node.start, above, node.parent, {node.ids[head]: node}, node.is_output)
        upper.last_used = node.last_used
        self._count(node, -1)
        node.parent.children[node.ids[0]] = upper
        node.ids, node.start, node.rows, node.parent = node.ids[head:], at, below, upper
        self._count(node, 1)
        self._count(upper, 1)
        return upper

    def _count(self, node: Node, sign: int) -> None:
        assert node.rows is not None, "only a root has no rows"
        self.num_nodes += sign
        self.num_rows += sign * len(node.ids)
        self.nbytes += sign * node.rows.nbytes

    # -- claims, documents, pins ------------------------------------------------------------------

    def claim(self, node: Node) -> None:
        """Neither this node nor any above it is evicted until `unclaim`."""
        node.num_claims += 1
        self._order.rank(node)

    def unclaim(self, node: Node) -> None:
        assert node.num_claims > 0, "unclaimed twice"
        node.num_claims -= 1
        self._order.rank(node)

    def set_document(self, namespace: str, document: str, node: Node) -> None:
        """The newest prompt of a document ends in `node`; what only its last one needed is superseded."""
        key = (namespace, document)
        old = self._documents.get(key)
        if old is node:
            return
        if old is not None:
            old.documents.discard(key)
            old.is_superseded = not old.documents and all(
                old is not other for other in with_ancestors([node])
            )
            self._repin(old)
        self._documents[key] = node
        node.documents.add(key)
        node.is_superseded = False
        self._repin(node)

    def pin(self, namespace: str, documents: Collection[str]) -> None:
        """These documents of a namespace are open, and no others."""
        before, now = self._pinned.get(namespace, frozenset()), frozenset(documents)
        self._pinned[namespace] = now
        if not now:
            del self._pinned[namespace]
        for document in before ^ now:
            tip = self._documents.get((namespace, document))
            if tip is not None:
                self._repin(tip)

    def _repin(self, node: Node) -> None:
        node.is_pinned = any(self.is_pinned(*key) for key in node.documents)
        self._order.rank(node)

    # -- giving up --------------------------------------------------------------------------------

    def evict(self, *, pinned_too: bool = False) -> int:
        """Give up the leaf that is worth least; its rows, 0 when there is none that may go."""
        victim = self._order.pop(pinned_too=pinned_too)
        if victim is None:
            return 0
        parent = victim.parent
        assert parent is not None and not victim.children, "only leaves are ranked"  # noqa: PT018  (one thought)
        del parent.children[victim.ids[0]]
        self._count(victim, -1)
        victim.parent = victim.rows = None  # the order may know it a little longer, its rows must go now
        for key in victim.documents:
            if parent.rows is None:
                del self._documents[key]
            else:
                self._documents[key] = parent
                parent.documents.add(key)
        if parent.documents:
            parent.is_superseded = False
        elif victim.is_superseded and not parent.children and parent.last_used <= victim.last_used:
            parent.is_superseded = True  # nothing else has used it since
        if parent.rows is not None:
            self._repin(parent)
        elif not parent.children:
            self._roots = {space: root for space, root in self._roots.items() if root is not parent}
        return len(victim.ids)

    # -- checking ---------------------------------------------------------------------------------

    def check_integrity(self) -> None:
        """Raise AssertionError, with the numbers, if the tree or its accounts are wrong.  O(tree)."""
        num_nodes = num_rows = nbytes = 0
        held: set[int] = set()
        for namespace, node in self.nodes():
            at = f"node [{node.start}, {node.end}) of {namespace!r}"
            parent, rows = node.parent, node.rows
            assert id(node) not in held, f"{at} is in the tree twice"
            held.add(id(node))
            assert parent is not None and rows is not None, f"{at} has no parent or no rows"  # noqa: PT018  (one thought)
            assert node.ids, f"{at} is empty"
            assert parent.children.get(node.ids[0]) is node, f"{at} is not where its parent looks for it"
            assert node.start == parent.end, f"{at} begins where its parent does not end: {parent.end}"
            assert node.end <= _next_cut(node.start), f"{at} crosses a multiple of {GRID_TOKENS}"
            assert rows.num_rows == len(node.ids), f"{at}: {len(node.ids)} ids for {rows.num_rows} rows"
            assert node.num_claims >= 0, f"{at} has {node.num_claims} claims"
            for key in node.documents:
                assert key[0] == namespace, f"{at} is the end of a document of {key[0]!r}"
                assert self._documents.get(key) is node, f"{at} thinks it is the end of {key[1]!r}"
            pinned = any(self.is_pinned(*key) for key in node.documents)
            assert node.is_pinned == pinned, f"{at}: pinned is {node.is_pinned}, should be {pinned}"
            num_nodes, num_rows, nbytes = num_nodes + 1, num_rows + len(node.ids), nbytes + rows.nbytes
        counted = (self.num_nodes, self.num_rows, self.nbytes)
        found = (num_nodes, num_rows, nbytes)
        assert counted == found, f"nodes, rows, bytes: {counted} in the books, {found} found"
        for (namespace, document), node in self._documents.items():
            assert id(node) in held, f"the end of {document!r} of {namespace!r} is not in the tree"
            assert (namespace, document) in node.documents, (
                f"{document!r} ends in a node that knows nothing of it"
            )
        roots = list(self._roots.values())
        assert len({id(root) for root in roots}) == len(roots), "two namespaces share a root"
        self._order.check_integrity(node for _, node in self.nodes())


def with_ancestors(nodes: Iterator[Node] | Sequence[Node]) -> list[Node]:
    """The nodes and all above them, roots left out, each once."""
    seen: dict[int, Node] = {}
    for start in nodes:
        node: Node | None = start
        while node is not None and node.rows is not None and id(node) not in seen:
            seen[id(node)] = node
            node = node.parent
    return list(seen.values())


def _descend(root: Node, ids: tuple[int, ...]) -> Match:
    nodes: list[Node] = []
    node, at = root, 0
    while at < len(ids) and (child := node.children.get(ids[at])) is not None:
        nodes.append(child)
        common = _common_length(child.ids, ids[at : at + len(child.ids)])
        at += common
        if common < len(child.ids):
            break
        node = child
    return Match(tuple(nodes), at)


def _common_length(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    if a == b:
        return len(a)
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _next_cut(position: int) -> int:
    return (position // GRID_TOKENS + 1) * GRID_TOKENS
