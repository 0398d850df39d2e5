"""Where there was nothing to suggest a moment ago, and what a person has typed over.

Both spare people and the engine the same question: a text that the model had nothing for is not asked
about again for some seconds, and a suggestion that was looked at and typed over is not offered again.
Only an automatic request is refused so; somebody who asks gets an answer.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ..snapshot import Lines, Query
from .proposal import Proposal, Spot

SILENT_S = 5.0
MAX_SILENCES = 128
MAX_REJECTIONS = 20


@dataclass(frozen=True, slots=True)
class Silence:
    """`reason` is what was answered, `at_s` when."""

    reason: str
    at_s: float


_Key = tuple[str, str, Lines, Spot]


class Silences:
    """Belongs to one event loop.  `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._silences: OrderedDict[_Key, Silence] = OrderedDict()

    def find(self, query: Query) -> str:
        """Why this text is not asked about now; empty where it may be."""
        silence = self._silences.get(_key(query))
        if silence is None or self._clock() - silence.at_s >= SILENT_S:
            return ""
        return f"{silence.reason} (the same text was asked about less than {SILENT_S:.0f} s ago)"

    def keep(self, query: Query, reason: str) -> None:
        self._silences[_key(query)] = Silence(reason, self._clock())
        self._silences.move_to_end(_key(query))
        while len(self._silences) > MAX_SILENCES:
            self._silences.popitem(last=False)


class Rejections:
    """The last proposals that were typed over, of all documents."""

    def __init__(self) -> None:
        self._rejected: OrderedDict[tuple[str, Proposal], None] = OrderedDict()

    def add(self, path: str, proposal: Proposal) -> None:
        self._rejected[path, proposal] = None
        self._rejected.move_to_end((path, proposal))
        while len(self._rejected) > MAX_REJECTIONS:
            self._rejected.popitem(last=False)

    def holds(self, path: str, proposal: Proposal) -> bool:
        """Would it leave the text that one of them would have left?"""
        return any(where == path and other.is_same_text(proposal) for where, other in self._rejected)


def _key(query: Query) -> _Key:
    snapshot = query.snapshot
    return snapshot.path, snapshot.language, query.lines, Spot.of(snapshot.text, query.offset, query.offset)
