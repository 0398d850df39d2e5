"""Syntax trees that never fail: broken code is the normal case.

A thin wrapper over tree-sitter.  Outside, offsets are code points of the text, half open; inside,
tree-sitter counts UTF-8 bytes, and the translation happens here and nowhere else.  Trees are
immutable and may be read from several threads; nothing recurses, so nesting cannot overflow the
stack.  Text over the limits below is not parsed: its tree is marked `skipped` and holds nothing.
"""

from __future__ import annotations

import ctypes
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import tree_sitter

from .language_table import Language
from .languages import grammar_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

# numpy is imported where it is used: most texts do not need it, and a process starts sooner without.

MAX_BYTES = 1_000_000
"""Larger files are generated or data; parsing them costs more than it tells."""

MAX_CPU_MS = 1_000.0
"""Of this thread, so that a busy machine does not change the answer.  Ordinary code of `MAX_BYTES`
takes a fifth of it."""

MAX_OPEN_ANGLES = 2_000
"""Of `<` that no `>` closes, in the grammars below: `a<a<a<…` costs them memory that grows with the
square (20 kB of it, a gigabyte), and within one step, where `MAX_CPU_MS` is not looked at."""

_ANGLES_EXPLODE = frozenset({"java", "csharp"})

MAX_LINE_SQUARES = 200_000_000
"""The sum of the squares of the lengths of lines, in the grammars below: they ask for the column at
every step, which is counted anew from the line's start (40 kB of garbage in one line, 7 s), and within
one step too.  The limit is one line of 14 kB, or many shorter ones."""

_CHUNK_BYTES = 32_768

_COLUMNS_EXPLODE = frozenset({"lua", "ruby", "scala"})


@dataclass(frozen=True, slots=True)
class Flaw:
    """What the grammar could not place, `[start, end)`, or a token it had to invent (`missing`)."""

    start: int
    end: int
    missing: bool
    kind: str
    """`ERROR`, or the token that is missing; empty where the grammar has no name for it (a line end)."""


class ByteMap:
    """Code points to UTF-8 bytes and back, for one text.  Free where the text is ASCII."""

    __slots__ = ("_starts",)

    def __init__(self, text: str) -> None:
        self._starts: NDArray[np.int64] | None = None
        if not text.isascii():
            import numpy as np

            points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            widths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
            self._starts = np.concatenate(([0], np.cumsum(widths, dtype=np.int64)))

    def to_byte(self, offset: int) -> int:
        """The byte where code point `offset` begins; `len(text)` gives the number of bytes."""
        return offset if self._starts is None else int(self._starts[offset])

    def to_offset(self, byte: int) -> int:
        """The code point that holds `byte`."""
        if self._starts is None:
            return byte
        return int(self._starts.searchsorted(byte, side="right")) - 1

    def to_offsets(self, octets: NDArray[np.int64]) -> NDArray[np.int64]:
        """`to_offset` of many; the array itself where the text is ASCII."""
        if self._starts is None:
            return octets
        return self._starts.searchsorted(octets, side="right") - 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """One token, and what the parser made of it."""

    kind: str
    start: int
    end: int
    named: bool
    is_missing: bool
    parent_start: int
    parent_is_error: bool


class Node:
    """One node of a tree, with code-point offsets.  Cheap: made on the way, thrown away after."""

    __slots__ = ("_bytes", "_node")

    def __init__(self, node: tree_sitter.Node, byte_map: ByteMap) -> None:
        self._node = node
        self._bytes = byte_map

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self._node == other._node

    def __hash__(self) -> int:
        return hash(self._node)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.start}..{self.end}>"

    @property
    def kind(self) -> str:
        return self._node.type

    @property
    def start(self) -> int:
        return self._bytes.to_offset(self._node.start_byte)

    @property
    def end(self) -> int:
        return self._bytes.to_offset(self._node.end_byte)

    @property
    def line(self) -> int:
        """The line it starts on, from 0; lines end at a line feed."""
        return self._node.start_point[0]

    @property
    def named(self) -> bool:
        """False for punctuation and keywords."""
        return self._node.is_named

    @property
    def is_error(self) -> bool:
        return self._node.is_error

    @property
    def is_missing(self) -> bool:
        return self._node.is_missing

    @property
    def has_error(self) -> bool:
        """Whether it, or anything in it, is an error or missing."""
        return self._node.has_error

    @property
    def parent(self) -> Node | None:
        return self._wrap(self._node.parent)

    @property
    def children(self) -> tuple[Node, ...]:
        return tuple(Node(child, self._bytes) for child in self._node.children)

    @property
    def named_children(self) -> tuple[Node, ...]:
        return tuple(Node(child, self._bytes) for child in self._node.named_children)

    @property
    def next_sibling(self) -> Node | None:
        return self._wrap(self._node.next_named_sibling)

    @property
    def previous_sibling(self) -> Node | None:
        return self._wrap(self._node.prev_named_sibling)

    def field(self, name: str) -> Node | None:
        """The child the grammar calls `name`: `name`, `body`, `parameters`, …"""
        return self._wrap(self._node.child_by_field_name(name))

    def ancestors(self) -> Iterator[Node]:
        """Parents, innermost first, up to the whole file."""
        parent = self.parent
        while parent is not None:
            yield parent
            parent = parent.parent

    def walk(self, start: int = 0, end: int | None = None) -> Iterator[Node]:
        """This node and all below it that touch `[start, end]`, in order of the text."""
        first = self._bytes.to_byte(start)
        last = None if end is None else self._bytes.to_byte(end)
        cursor = self._node.walk()
        while True:
            node = cursor.node
            inside = node is not None and node.end_byte >= first and (last is None or node.start_byte <= last)
            if inside and node is not None:
                yield Node(node, self._bytes)
            if inside and cursor.goto_first_child():
                continue
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return

    def _wrap(self, node: tree_sitter.Node | None) -> Node | None:
        return None if node is None else Node(node, self._bytes)


class Tree:
    """The tree of one text.  `skipped` trees have no root and answer every question with nothing."""

    def __init__(self, text: str, language: Language, parsed: tree_sitter.Tree | None) -> None:
        self.text = text
        self.language = language
        self.parsed = parsed

    @property
    def skipped(self) -> bool:
        return self.parsed is None

    @cached_property
    def byte_map(self) -> ByteMap:
        return ByteMap(self.text)

    @property
    def root(self) -> Node | None:
        return None if self.parsed is None else Node(self.parsed.root_node, self.byte_map)

    @property
    def has_errors(self) -> bool:
        return self.parsed is not None and self.parsed.root_node.has_error

    def text_of(self, node: Node) -> str:
        return self.text[node.start : node.end]

    def walk(self, start: int = 0, end: int | None = None) -> Iterator[Node]:
        """Every node that touches `[start, end]`, parents before children, in order of the text."""
        if self.root is not None:
            yield from self.root.walk(start, end)

    def leaves(self, start: int = 0) -> Iterator[Leaf]:
        """The tokens that end at `start` or after it, in order of the text; made without a node each."""
        if self.parsed is None:
            return
        first, to_offset = self.byte_map.to_byte(start), self.byte_map.to_offset
        cursor = self.parsed.walk()
        parents: list[tree_sitter.Node] = []
        while True:
            node = cursor.node
            if node is not None and node.end_byte >= first:
                if cursor.goto_first_child():
                    parents.append(node)
                    continue
                parent = parents[-1] if parents else node
                yield Leaf(
                    kind=node.type,
                    start=to_offset(node.start_byte),
                    end=to_offset(node.end_byte),
                    named=node.is_named,
                    is_missing=node.is_missing,
                    parent_start=to_offset(parent.start_byte),
                    parent_is_error=parent.is_error,
                )
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return
                parents.pop()

    def flaws(self) -> tuple[Flaw, ...]:
        """Errors and missing tokens in order of the text; visits only what contains any."""
        if self.parsed is None:
            return ()
        found: list[Flaw] = []
        pending = [self.parsed.root_node]
        to_offset = self.byte_map.to_offset
        while pending:
            node = pending.pop()
            broken = [child for child in node.children if child.has_error]
            if node.is_error or node.is_missing:
                span = to_offset(node.start_byte), to_offset(node.end_byte)
                found.append(Flaw(*span, missing=node.is_missing, kind=node.type))
            elif not broken and node.has_error:  # by a token that trees do not show
                end = to_offset(node.end_byte)
                found.append(Flaw(end, end, missing=True, kind=""))
            pending.extend(reversed(broken))
        return tuple(found)

    def node_at(self, start: int, end: int | None = None) -> Node | None:
        """The smallest named node that holds `[start, end]`."""
        if self.parsed is None:
            return None
        first = self.byte_map.to_byte(start)
        last = first if end is None else self.byte_map.to_byte(end)
        node = self.parsed.root_node.named_descendant_for_byte_range(first, last)
        return None if node is None else Node(node, self.byte_map)

    def ancestors(self, offset: int) -> Iterator[Node]:
        """The nodes that hold `offset`, innermost first."""
        node = self.node_at(offset)
        if node is not None:
            yield node
            yield from node.ancestors()


def parse(text: str, language: Language) -> Tree:
    """The tree of `text`.  Raises only `GrammarError`, when the installation is incomplete."""
    return Tree(text, language, _parsed(encoded(text), language))


def reparse(tree: Tree, start: int, end: int, replacement: str) -> Tree:
    """The tree after `[start, end)` became `replacement`; what did not change is not parsed again."""
    text = tree.text[:start] + replacement + tree.text[end:]
    if tree.parsed is None:
        return parse(text, tree.language)
    old = edited(tree, start, end, replacement)
    return Tree(text, tree.language, _parsed(encoded(text), tree.language, old))


def _parsed(
    source: bytes, language: Language, old: tree_sitter.Tree | None = None
) -> tree_sitter.Tree | None:
    """tree-sitter's tree, or `None` over the limits."""
    grammar = grammar_of(language)
    if (
        len(source) > MAX_BYTES
        or (language.name in _ANGLES_EXPLODE and _open_angles(source) > MAX_OPEN_ANGLES)
        or (language.name in _COLUMNS_EXPLODE and _line_squares(source) > MAX_LINE_SQUARES)
    ):
        return None
    wall_end, cpu_end = time.perf_counter() + MAX_CPU_MS / 1000, time.thread_time() + MAX_CPU_MS / 1000
    out_of_time = False
    view = memoryview(source)
    chunks: list[bytes] = []

    def read(byte: int, _point: tree_sitter.Point) -> bytes:
        chunks.append(bytes(view[byte : byte + _CHUNK_BYTES]))
        return chunks[-1]

    def is_late(_byte: int, _has_error: bool) -> bool:  # noqa: FBT001  (tree-sitter's signature)
        nonlocal out_of_time
        # The wall's clock is the cheaper to read, and never shows less than the thread's.
        out_of_time = time.perf_counter() > wall_end and time.thread_time() > cpu_end
        return out_of_time

    parser = tree_sitter.Parser(grammar)
    try:
        if old is None:
            return parser.parse(read, progress_callback=is_late)
        return parser.parse(read, old, progress_callback=is_late)
    except ValueError:
        if out_of_time:
            return None
        raise
    finally:
        _give_back(chunks)


def _give_back(chunks: list[bytes]) -> None:
    """tree-sitter (0.26.1) keeps a reference too many to what it was given to read: no text is ever freed.

    Taken back only where there is exactly one too many, so nothing happens where this has been mended.
    """
    num_usual = _num_references([bytes(bytearray(2))], 0)
    for number in range(len(chunks)):
        if _num_references(chunks, number) == num_usual + 1:
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(chunks[number]))


def _num_references(chunks: list[bytes], number: int) -> int:
    return sys.getrefcount(chunks[number])


def _open_angles(source: bytes) -> int:
    """The deepest nesting of `<` that is not closed again."""
    import numpy as np

    octets = np.frombuffer(source, dtype=np.uint8)
    steps = (octets == ord("<")).astype(np.int32) - (octets == ord(">"))
    depth = np.cumsum(steps)
    return int((depth - np.minimum.accumulate(depth)).max(initial=0))


def _line_squares(source: bytes) -> int:
    import numpy as np

    ends = np.flatnonzero(np.frombuffer(source, dtype=np.uint8) == ord("\n"))
    lengths = np.diff(ends, prepend=-1, append=len(source)).astype(np.int64)
    return int((lengths * lengths).sum())


def edited(tree: Tree, start: int, end: int, replacement: str) -> tree_sitter.Tree:
    """A copy of tree-sitter's tree that knows of the edit, ready to be parsed against."""
    if tree.parsed is None:
        raise ValueError("a skipped tree cannot be edited: parse the new text instead")
    source = encoded(tree.text)
    first, last = tree.byte_map.to_byte(start), tree.byte_map.to_byte(end)
    new = encoded(replacement)
    old = tree.parsed.copy()
    old.edit(
        start_byte=first,
        old_end_byte=last,
        new_end_byte=first + len(new),
        start_point=_point(source[:first]),
        old_end_point=_point(source[:last]),
        new_end_point=_point(source[:first] + new),
    )
    return old


def encoded(text: str) -> bytes:
    """UTF-8; half a surrogate pair, as a hurried editor may send, is kept and parses as an error."""
    return text.encode("utf-8", "surrogatepass")


def _point(before: bytes) -> tuple[int, int]:
    """Row and byte column of the end of `before`."""
    return before.count(b"\n"), len(before) - (before.rfind(b"\n") + 1)
