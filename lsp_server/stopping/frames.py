"""What is open at each line end of generated text: brackets, blocks that end in a word, strings.

Read from the tokens of a syntax tree, which know strings and comments for what they are.  The tree is
of a window before the cursor and the generated text, and grows with it.  What follows the cursor is
left out on purpose: a parser would mend with it what the generated text has left open, a docstring
with the beginning of the next, say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...context.language_table import Language
from ...context.parsing import Leaf, Tree, parse, reparse
from .table import Ends

WINDOW_CHARS = 3_000
"""Of the text before the cursor; beyond it, indentation tells enough."""

_PAIRS = {")": "(", "]": "[", "}": "{"}
_CLOSER_OF = {opener: closer for closer, opener in _PAIRS.items()}
_PUNCTUATION = frozenset("()[]{}$#@%|:;,.!?<>=*+-/&^~\\")
_COMMENT = "/*"
_TEXT_ENDS = frozenset({"string_end", "heredoc_end"})
_TEXT_STARTS = frozenset({"string_start", "heredoc_start", "heredoc_beginning"})


@dataclass(frozen=True, slots=True)
class Frame:
    """Something open.  `at` counts from the cursor: negative before it."""

    closer: str
    at: int
    is_block: bool
    """It holds statements, and not the parts of one."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How things stand at one place of the generated text."""

    opened: tuple[Frame, ...] = ()
    """Opened by the generated text and still open, outermost first."""
    outer: int = 0
    """How many of the frames open at the cursor are still open."""
    is_text: bool = False
    """Inside a string or a comment that goes on over line ends."""

    @property
    def is_balanced(self) -> bool:
        return not self.opened and not self.is_text


@dataclass(frozen=True, slots=True)
class Closing:
    """Where the generated text closed a frame that stood open at the cursor."""

    at: int
    frame: Frame


class Frames:
    """Belongs to one stream.  `outer` are the frames open at the cursor, outermost first."""

    def __init__(self, before: str, language: Language, ends: Ends) -> None:
        self._ends = ends
        window = _window(before)
        self._tree: Tree = parse(window, language)
        self._cursor = len(window)
        reading = _Reading(self._ends, self._cursor, window)
        reading.read_all(self._tree, 0)
        self.outer: tuple[Frame, ...] = tuple(reading.stack)
        self._text_at = reading.text_at
        self.is_text = reading.text_at is not None
        """The cursor stands in a string or comment that may go on over line ends."""

    @property
    def is_usable(self) -> bool:
        return not self._tree.skipped

    def read(self, generated: str, places: list[int]) -> tuple[list[Balance], list[Closing]]:
        """The balance at each of `places` (rising offsets of `generated`), and what was closed."""
        old = self._tree.text[self._cursor :]
        same = _common_length(old, generated)
        start = self._cursor + same
        self._tree = reparse(self._tree, start, len(self._tree.text), generated[same:])
        reading = _Reading(self._ends, self._cursor, self._tree.text, self.outer)
        first = self._cursor if self._text_at is None else self._text_at
        balances: list[Balance] = []
        for leaf in self._tree.leaves(first):
            while len(balances) < len(places) and leaf.end > self._cursor + places[len(balances)]:
                place = places[len(balances)]
                # A token that holds a line end is of a string or a comment; of the latter some end with it.
                behind = self._cursor + place + ("comment" in leaf.kind)
                spans = leaf.start <= self._cursor + place and leaf.end > behind
                if not spans and leaf.start < self._cursor + place:
                    break
                balances.append(reading.balance(place, is_text=spans and leaf.named))
            reading.read(leaf)
        while len(balances) < len(places):
            balances.append(reading.balance(places[len(balances)]))
        return balances, reading.closings


class _Reading:
    """Walks tokens in order and keeps the stack of what is open."""

    def __init__(self, ends: Ends, cursor: int, text: str, outer: tuple[Frame, ...] | None = None) -> None:
        """Of `outer`, frames open at the cursor, None: everything from the beginning is to be read."""
        self._ends = ends
        self._cursor = cursor
        self._since = 0 if outer is None else cursor
        self._text = text
        self.stack: list[Frame] = list(outer or ())
        self._num_outer = len(self.stack)
        self.closings: list[Closing] = []
        self.text_at: int | None = None
        self._previous: Leaf | None = None

    def read_all(self, tree: Tree, start: int) -> None:
        for leaf in tree.leaves(start):
            self.read(leaf)

    def balance(self, place: int, *, is_text: bool = False) -> Balance:
        at = self.text_at
        return Balance(
            opened=tuple(self.stack[self._num_outer :]),
            outer=self._num_outer,
            is_text=is_text or (at is not None and at < self._cursor + place),
        )

    def read(self, leaf: Leaf) -> None:
        if self.text_at is not None:
            return
        if self._opens_text(leaf):
            self.text_at = leaf.parent_start if leaf.kind in _TEXT_ENDS or leaf.is_missing else leaf.start
        elif leaf.start >= leaf.end or leaf.named or leaf.start < self._since:
            pass
        elif leaf.kind.isalpha():
            self._read_word(leaf)
        elif all(c in _PUNCTUATION for c in leaf.kind):
            for c in leaf.kind:
                self._read_bracket(c, leaf)
        if leaf.end > leaf.start:
            self._previous = leaf

    def _opens_text(self, leaf: Leaf) -> bool:
        """A string or comment whose end has not come: the parser found no use for its beginning."""
        if leaf.kind in _TEXT_ENDS:
            return leaf.start >= leaf.end
        if leaf.is_missing:
            return leaf.kind in self._ends.long_texts
        if leaf.named and leaf.kind not in _TEXT_STARTS:
            return False
        if not leaf.parent_is_error and not self._text.startswith(_COMMENT, leaf.start):
            return False  # some grammars make a pattern of a comment without an end
        return self._may_span(leaf.start)

    def _may_span(self, start: int) -> bool:
        return self._text.startswith(self._ends.long_texts, start)

    def _read_bracket(self, char: str, leaf: Leaf) -> None:
        if char in _CLOSER_OF:
            is_block = char == "{" and self._ends.braces_are_blocks
            self.stack.append(Frame(_CLOSER_OF[char], leaf.start - self._cursor, is_block))
        elif char in _PAIRS:
            self._close(char, leaf)

    def _read_word(self, leaf: Leaf) -> None:
        closer = self._ends.words.get(leaf.kind)
        if closer is not None and not self._is_modifier(leaf):
            self.stack.append(Frame(closer, leaf.start - self._cursor, is_block=True))
        elif leaf.kind in self._ends.words.values():
            self._close(leaf.kind, leaf)

    def _close(self, closer: str, leaf: Leaf) -> None:
        """What was left open inside is closed along; a closer of nothing is ignored."""
        for depth in range(len(self.stack) - 1, -1, -1):
            if self.stack[depth].closer != closer:
                if depth < self._num_outer:
                    return  # generated text does not skip frames that somebody else opened
                continue
            frame = self.stack[depth]
            del self.stack[depth:]
            if depth < self._num_outer:
                self._num_outer = depth
                self.closings.append(Closing(leaf.start - self._cursor, frame))
            return

    def _is_modifier(self, leaf: Leaf) -> bool:
        line_start = self._text.rfind("\n", 0, leaf.start) + 1
        line = self._text[line_start : leaf.start]
        if leaf.kind == "do" and self._ends.loops:
            return any(word in self._ends.loops for word in line.split())
        if leaf.kind not in self._ends.modifiers or not line.strip():
            return False
        before = line.rstrip()[-1]
        return before not in "=(,[{;|&!?:" or (before in "?!" and line.rstrip()[-2:-1].isalnum())


def _window(before: str) -> str:
    """The end of the text, from a line at the margin where there is one."""
    if len(before) <= WINDOW_CHARS:
        return before
    for at in _line_starts(before, len(before) - WINDOW_CHARS):
        if before[at : at + 1].isalpha() or before[at : at + 1] in ("@", "#", "_"):
            return before[at:]
    return before[before.rfind("\n", 0, len(before) - WINDOW_CHARS) + 1 :]


def _line_starts(text: str, start: int) -> Iterator[int]:
    at = text.find("\n", start)
    while at != -1:
        yield at + 1
        at = text.find("\n", at + 1)


def _common_length(a: str, b: str) -> int:
    length = min(len(a), len(b))
    if a[:length] == b[:length]:
        return length
    return next(i for i in range(length) if a[i] != b[i])
