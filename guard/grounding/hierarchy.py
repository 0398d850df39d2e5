"""What classes that are derived from one define: read from the sources of a package, by their text.

Code that walks a tree or keeps a state knows more of its values than their declared type says: the
member is one of a class derived from it.  A stub may lack what the class itself has, too.
"""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

MAX_BYTES = 16_000_000
"""Of one package.  What comes after it is not read."""
_KEPT_S = 20.0
"""For how long an answer holds; the files of a workspace change."""
_NUM_KEPT = 16
_LEFT_OUT = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})
_CLASS = re.compile(r"^([ \t]*)class[ \t]+(\w+)[ \t]*(?:\(([^:]*?)\))?[ \t]*:", re.MULTILINE)
_LINE = re.compile(r"[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)")
_BASE = re.compile(r"(?:^|,)\s*(?:\w+\s*\.\s*)*(\w+)\s*(?=[,\[]|$)")


def defines(folders: Iterable[Path], kind: str, name: str, *, by_itself: bool = True) -> bool:
    """Whether a class derived from `kind` in the same folder has a member `name` there.

    Or, `by_itself`, class `kind`.
    """
    moment = int(time.monotonic() / _KEPT_S)
    return any(_package(folder, name, moment).has(kind, by_itself=by_itself) for folder in folders)


@dataclass(frozen=True, slots=True)
class _Package:
    """What its classes are derived from, and which of them have the member that is looked for."""

    derived: dict[str, set[str]]
    owners: frozenset[str]

    @classmethod
    def of(cls, folder: Path, name: str) -> _Package:
        derived: dict[str, set[str]] = defaultdict(set)
        owners: set[str] = set()
        bound = _binding(name)
        for text in _texts(folder):
            headers = list(_CLASS.finditer(text))
            for one in headers:
                for base in _BASE.findall(one[3] or ""):
                    derived[base].add(one[2])
            if name in text:
                owners.update(_owners(text, headers, bound))
        return cls(derived, frozenset(owners))

    def has(self, kind: str, *, by_itself: bool) -> bool:
        seen, left = {kind}, [kind]
        while left:
            fresh = self.derived.get(left.pop(), set()) - seen
            seen |= fresh
            left += fresh
        return not (seen if by_itself else seen - {kind}).isdisjoint(self.owners)


@lru_cache(maxsize=_NUM_KEPT)
def _package(folder: Path, name: str, moment: int) -> _Package:  # noqa: ARG001  # part of what is kept for how long
    """The same name is asked about at every key that is pressed behind it."""
    return _Package.of(folder, name)


def _binding(name: str) -> re.Pattern[str]:
    word = re.escape(name)
    return re.compile(
        rf"^([ \t]+)(?:(?:async[ \t]+)?def[ \t]+{word}\b|(?P<own>self|cls)\.{word}[ \t]*(?::[^=\n]+)?=(?!=)"
        rf"|{word}(?::|[ \t]*=(?!=)))",
        re.MULTILINE,
    )


def _owners(text: str, headers: list[re.Match[str]], bound: re.Pattern[str]) -> Iterator[str]:
    for match in bound.finditer(text):
        for one in reversed(headers):
            if one.start() < match.start() and len(one[1]) < len(match[1]):
                if match["own"] or match[1] == _indent_of_body(text, one):
                    yield one[2]
                break


def _indent_of_body(text: str, header: re.Match[str]) -> str:
    """That of the first line in a class: what stands deeper is a name of a function's own."""
    first = _LINE.match(text, header.end())
    return first[1] if first is not None else ""


def _texts(folder: Path) -> Iterator[str]:
    left = MAX_BYTES
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in _LEFT_OUT and not one.startswith("."))
        for name in sorted(files):
            if not name.endswith((".py", ".pyi")):
                continue
            file = Path(parent, name)
            try:
                left -= file.stat().st_size
                if left < 0:
                    return
                yield file.read_text("utf-8", errors="replace")
            except OSError:
                continue  # it went away
