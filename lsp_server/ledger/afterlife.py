"""What becomes of a suggestion once it is out: seen, how long, accepted how far, and still there later?

Texts are kept in memory only, and compared with documents that are open.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..editor.documents import Documents
from ..editor.inline import Replacement

KEPT_AFTER_S = (30, 120, 600)
"""When accepted text is looked for again: the times of Cody and Copilot."""
NUM_SHOWN = 64
MARGIN_CHARS = 1500
_MAX_TOKENS = 200
_TOKEN = re.compile(r"\w+|[^\w\s]")

Later = Callable[[float, Callable[[], None]], object]
"""As `loop.call_later`."""


class Diary(Protocol):
    """Who is told.  `id_` is the suggestion's."""

    def displayed(self, id_: str, ms: float) -> None:
        """It was on the screen for so long."""
        ...

    def accepted(self, id_: str, num_chars: int, *, is_whole: bool) -> None:
        """So many of its characters, which the person did not type, are in the document."""
        ...

    def kept(self, id_: str, after_s: int, share: float) -> None:
        """So much of what was accepted is still there: 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A suggestion that was sent: `placed.text` would replace what is there up to the cursor."""

    uri: str
    placed: Replacement
    num_typed: int
    """Characters of `placed.text` that stood before the cursor already."""
    document_length: int


class Afterlife:
    """Belongs to one event loop, and to the session's documents."""

    def __init__(self, documents: Documents, diary: Diary, later: Callable[[], Later]) -> None:
        """`later` is asked for when there is something to look at later, that is, inside the loop."""
        self._documents = documents
        self._diary = diary
        self._later = later
        self._shown: OrderedDict[str, Shown] = OrderedDict()
        self._on_screen: dict[str, tuple[str, float]] = {}
        self._accepted: dict[str, int] = {}

    def sent(self, id_: str, shown: Shown) -> None:
        """It went to the editor; what was on the screen for that document is there no more."""
        self.gone(shown.uri)
        self._shown[id_] = shown
        while len(self._shown) > NUM_SHOWN:
            old, _ = self._shown.popitem(last=False)
            self._accepted.pop(old, None)

    def displayed(self, id_: str) -> None:
        shown = self._shown.get(id_)
        if shown is not None and self._on_screen.get(shown.uri, ("", 0.0))[0] != id_:
            self.gone(shown.uri)
            self._on_screen[shown.uri] = (id_, time.monotonic())

    def gone(self, uri: str) -> None:
        """Nothing is displayed in this document any more: it was edited, closed or answered anew."""
        seen = self._on_screen.pop(uri, None)
        if seen is not None:
            self._diary.displayed(seen[0], (time.monotonic() - seen[1]) * 1000)

    def accepted(self, id_: str, length: int | None = None) -> None:
        """Accepted up to `length` UTF-16 units of its text; None: all of it."""
        shown = self._shown.get(id_)
        if shown is None:
            return
        self.gone(shown.uri)
        text = shown.placed.text
        end = len(text) if length is None else num_points(text, length)
        if end <= self._accepted.get(id_, 0):
            return
        is_first = id_ not in self._accepted
        self._accepted[id_] = end
        self._diary.accepted(id_, max(0, end - shown.num_typed), is_whole=end == len(text))
        if is_first:
            later = self._later()
            for after_s in KEPT_AFTER_S:
                later(after_s, lambda after_s=after_s: self._look(id_, shown, after_s))

    def _look(self, id_: str, shown: Shown, after_s: int) -> None:
        document, end = self._documents.get(shown.uri), self._accepted.get(id_)
        if document is None or end is None:
            return  # not to be known: neither kept nor lost
        moved = len(document.text) - shown.document_length
        low = max(0, shown.placed.start - MARGIN_CHARS + min(0, moved))
        high = shown.placed.start + end + MARGIN_CHARS + max(0, moved)
        window = document.text[low : min(high, low + 6 * MARGIN_CHARS)]
        self._diary.kept(id_, after_s, share_kept(shown.placed.text[:end], window))


def num_points(text: str, units: int) -> int:
    """How many whole characters of `text` its first `units` UTF-16 units are."""
    if text.isascii():
        return max(0, min(units, len(text)))
    for at, character in enumerate(text):
        units -= 2 if character > "\uffff" else 1
        if units < 0:
            return at
    return len(text)


def share_kept(text: str, window: str) -> float:
    """1 minus the edit distance, in tokens, between `text` and the part of `window` most like it.

    White space does not count: a formatter takes nothing away.  Only the first 200 tokens do.
    """
    if text in window:
        return 1.0
    wanted, there = _TOKEN.findall(text)[:_MAX_TOKENS], _TOKEN.findall(window)
    if not wanted:
        return 1.0
    # Sellers: a row per token of the text, and the part may begin and end anywhere.
    above = [0] * (len(there) + 1)
    for number, token in enumerate(wanted, start=1):
        row = [number]
        for at, other in enumerate(there):
            row.append(min(above[at] + (token != other), above[at + 1] + 1, row[at] + 1))
        above = row
    return 1 - min(above) / len(wanted)
