"""The syntax trees of the documents a person types in, kept up with the typing.

Process-wide and keyed by content: what is asked for is the tree of a text, and the texts before it only
make it cheaper.  Of a large file the part round the cursor is parsed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ...context.errors import GrammarError
from ...context.languages import find_language
from ...context.parsing import Tree, parse, reparse
from ...context.records import Language
from ..snapshot import Snapshot

MAX_WHOLE_CHARS = 120_000
"""Longer texts are parsed in part: three windows of the length below, the cursor in the second."""
_WINDOW_CHARS = 30_000
_MAX_AFRESH_CHARS = 3_000
"""Up to here a broken text is parsed from nothing, since round an error a tree that was mended depends on
what stood there before."""
_NUM_TREES = 8


@dataclass(frozen=True, slots=True)
class Part:
    """The tree of `[start, start + len(tree.text))` of a document."""

    tree: Tree
    start: int

    def holds(self, offset: int) -> bool:
        return self.start <= offset <= self.start + len(self.tree.text)


class Trees:
    """The trees last asked for, one per document.  For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: OrderedDict[tuple[str, str], Part] = OrderedDict()

    def at(self, snapshot: Snapshot, offset: int) -> Part | None:
        """The tree of what is round `offset`; None: no grammar, or a text that must not be parsed."""
        language = find_language(snapshot.language, snapshot.path)
        if language is None:
            return None
        start, end = span_of(snapshot.text, offset)
        key = (snapshot.path, language.name)
        with self._lock:
            former = self._parts.get(key)
            part = _part(former, snapshot.text[start:end], start, language)
            if part is not None:
                self._parts[key] = part
                self._parts.move_to_end(key)
            while len(self._parts) > _NUM_TREES:
                self._parts.popitem(last=False)
        return part if part is not None and not part.tree.skipped else None


def span_of(text: str, offset: int) -> tuple[int, int]:
    """What of `text` is parsed for the cursor at `offset`; typing there leaves both ends where they are."""
    if len(text) <= MAX_WHOLE_CHARS:
        return 0, len(text)
    start = max(0, offset // _WINDOW_CHARS - 1) * _WINDOW_CHARS
    start = text.rfind("\n", 0, start) + 1
    behind = max(0, (len(text) - offset) // _WINDOW_CHARS - 1) * _WINDOW_CHARS
    end = text.find("\n", len(text) - behind)
    return start, len(text) if end < 0 else end


def _part(former: Part | None, text: str, start: int, language: Language) -> Part | None:
    if former is not None and former.start == start and former.tree.text == text:
        return former
    try:
        if former is None or former.start != start or former.tree.skipped:
            return Part(parse(text, language), start)
        first, last, replacement = difference(former.tree.text, text)
        tree = reparse(former.tree, first, last, replacement)
        if tree.has_errors and len(text) <= _MAX_AFRESH_CHARS:
            tree = parse(text, language)
        return Part(tree, start)
    except GrammarError:  # the installation is incomplete, which `truepenny doctor` tells
        return None


def difference(old: str, new: str) -> tuple[int, int, str]:
    """`[start, end)` of `old` and what stands there instead in `new`; by halving, not by character."""
    most = min(len(old), len(new))
    start = _num_equal(most, lambda low, high: old[low:high] == new[low:high])
    back = _num_equal(
        most - start,
        lambda low, high: old[len(old) - high : len(old) - low] == new[len(new) - high : len(new) - low],
    )
    return start, len(old) - back, new[start : len(new) - back]


def _num_equal(most: int, is_equal: Callable[[int, int], bool]) -> int:
    """How far two texts agree, up to `most`, when `is_equal` compares their parts `[low, high)`."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if is_equal(low, middle):
            low = middle
        else:
            high = middle - 1
    return low
