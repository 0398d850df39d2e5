"""Where the grammar refused a token: the exact place where text stops being the start of a program.

A tree says that something is wrong and, by way of repair, roughly where.  The parser knows better:
the grammars are LR, so the first token it refuses is the first that no program could have there, and
everything before it could still have become sound.  That tells *wrong* from *unfinished*: unfinished
text is refused only at its end.

tree-sitter gives no event for this, but it logs each step; `_Listener` reads the few messages that
matter (`process version`, `lexed_lookahead`, `detect_error`, `resume version`: tree-sitter's
lib/src/parser.c).  A version of the parser that fails while another goes on is no refusal; only when
all have failed is one resumed.  Listening costs some 2 µs per character, so it is done against an
old tree, whose untouched parts are taken over in silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import tree_sitter

from .languages import grammar_of
from .parsing import Tree, edited, encoded

_PROCESS = re.compile(r"process version:\d+, version_count:\d+, state:\d+, row:(\d+), col:(\d+)")
_LEXED = re.compile(r"lexed_lookahead sym:(.*), size:(\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A token that could not stand at `[start, end)`, code points.

    Empty for tokens without width (the end of a line or of an indented block).  `symbol` is the
    grammar's name for it: punctuation and keywords as they are written.
    """

    start: int
    end: int
    symbol: str
    at_end: bool
    """The text was over: nothing is wrong with it so far."""


def refusals(tree: Tree, start: int, end: int, replacement: str) -> tuple[Refusal, ...]:
    """What is refused in the text of `tree` after `[start, end)` became `replacement`.

    Complete on and after the edit, up to where parsing gets back in step; errors the old tree has
    elsewhere may be left out.  A skipped tree has none.
    """
    if tree.parsed is None:
        return ()
    text = tree.text[:start] + replacement + tree.text[end:]
    source = encoded(text)
    listener = _Listener()
    parser = tree_sitter.Parser(grammar_of(tree.language), logger=listener)
    parser.parse(source, edited(tree, start, end, replacement))
    placed = Tree(text, tree.language, None).byte_map
    line_ends = np.flatnonzero(np.frombuffer(source, dtype=np.uint8) == ord("\n"))
    line_starts = np.concatenate(([0], line_ends + 1))
    found: list[Refusal] = []
    for stop in listener.stops:
        begin = int(line_starts[stop.row]) + stop.column
        first = placed.to_offset(begin)
        last = placed.to_offset(min(begin + stop.size_bytes, len(source)))
        found.append(Refusal(_token_start(text, first, last), last, stop.symbol, at_end=stop.symbol == "end"))
    return tuple(sorted(found, key=lambda refusal: refusal.start))


def _token_start(text: str, first: int, last: int) -> int:
    """The parser counts the space before a token to it; we do not."""
    blank = " \t" if first == last else " \t\r\n\f"
    limit = len(text) if first == last else last
    while first < limit and text[first] in blank:
        first += 1
    return first


@dataclass(frozen=True, slots=True)
class _Stop:
    row: int
    column: int
    size_bytes: int
    symbol: str


class _Listener:
    """Collects the stops of one parse from its log."""

    def __init__(self) -> None:
        self.stops: list[_Stop] = []
        self._row = self._column = self._size_bytes = 0
        self._failed: list[_Stop] = []

    def __call__(self, kind: tree_sitter.LogType, message: str) -> None:
        if kind != tree_sitter.LogType.PARSE:
            return
        if message.startswith("process "):
            if place := _PROCESS.match(message):
                self._row, self._column = int(place[1]), int(place[2])
        elif message.startswith("lexed_lookahead "):
            if token := _LEXED.match(message):
                self._size_bytes = int(token[2])
        elif message.startswith("reuse_node "):
            self._size_bytes = 0
        elif message.startswith("detect_error "):
            symbol = message.removeprefix("detect_error lookahead:")
            self._failed.append(_Stop(self._row, self._column, self._size_bytes, symbol))
        elif message.startswith("resume ") and self._failed:
            self.stops.append(max(self._failed, key=lambda stop: (stop.row, stop.column)))
            self._failed.clear()
