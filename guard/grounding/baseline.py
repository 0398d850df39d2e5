"""What a checker said of a file before the suggestion: that much is not the suggestion's fault.

The findings of the last text of each file are kept.  The text a suggestion comes for is often a few
keystrokes on from it, so findings are compared by what they say and by the line they stand on, not by
where that line is.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from .finding import Finding

NUM_KEPT = 64
"""Files."""

Said: TypeAlias = tuple[str, str, str]
"""Fault, receiver and name."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Of one text of one file."""

    digest: bytes
    said: frozenset[Said]
    by_line: Counter[tuple[str, str, str, str]]

    @classmethod
    def of(cls, text: str, findings: Iterable[Finding]) -> Baseline:
        kept = tuple(findings)
        return cls(digest(text), said(kept), Counter(_placed(one, text) for one in kept))

    def new(self, findings: Iterable[Finding], text: str) -> list[Finding]:
        """Those of `findings`, which are of `text`, that were not there before."""
        left = Counter(self.by_line)
        fresh: list[Finding] = []
        for one in findings:
            key = _placed(one, text)
            if left[key] > 0:
                left[key] -= 1
            else:
                fresh.append(one)
        return fresh


class Baselines:
    """The last of each file.  Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Baseline] = OrderedDict()

    def get(self, path: str) -> Baseline | None:
        with self._lock:
            return self._kept.get(path)

    def has(self, path: str, text: str) -> bool:
        found = self.get(path)
        return found is not None and found.digest == digest(text)

    def put(self, path: str, baseline: Baseline) -> None:
        with self._lock:
            self._kept[path] = baseline
            self._kept.move_to_end(path)
            while len(self._kept) > NUM_KEPT:
                self._kept.popitem(last=False)


def said(findings: Iterable[Finding]) -> frozenset[Said]:
    return frozenset((one.fault.value, one.receiver, one.name) for one in findings)


def digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _placed(finding: Finding, text: str) -> tuple[str, str, str, str]:
    first = text.rfind("\n", 0, finding.start) + 1
    last = text.find("\n", finding.start)
    line = text[first : last if last != -1 else len(text)].strip()
    return finding.fault.value, finding.receiver, finding.name, line
