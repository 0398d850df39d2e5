"""`.gitignore` and `.gitattributes`, folder by folder, as git reads them.

The last pattern that matches decides, an inner file goes before an outer one, `!` takes back, and
what lies in an ignored folder cannot be taken back.  Of a repository only its own rules count:
`.gitignore` and `info/exclude`, not the user's global excludes, so that the index of a workspace
depends on the workspace alone.  Where a repository lies inside another, the outer rules end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .patterns import Pattern, read_pattern

IGNORE_FILE = ".gitignore"
ATTRIBUTES_FILE = ".gitattributes"
_MAX_RULE_BYTES = 1_000_000

MarkKind = Literal["vendored", "generated"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One attribute of Linguist's: files that match are, or are not, of this kind."""

    pattern: Pattern
    kind: MarkKind
    is_so: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What one folder says; `outer` is the next folder above that says anything."""

    outer: Rules | None
    base: str
    """The folder, relative to the top the paths are relative to, with a `/` at the end; or empty."""
    ignored: tuple[Pattern, ...]
    """The last first."""
    marks: tuple[Mark, ...]
    """The last first."""

    def is_ignored(self, path: str, *, is_folder: bool) -> bool:
        """For a path below `base`, none of whose folders is ignored."""
        for rules in self._from_inside():
            relative = path[len(rules.base) :]
            for pattern in rules.ignored:
                if pattern.matches(relative, is_folder=is_folder):
                    return not pattern.takes_back
        return False

    def mark(self, path: str, kind: MarkKind) -> bool | None:
        """Whether the repository itself says the file is of this kind; `None` where it says nothing."""
        for rules in self._from_inside():
            relative = path[len(rules.base) :]
            for mark in rules.marks:
                if mark.kind == kind and mark.pattern.matches(relative, is_folder=False):
                    return mark.is_so
        return None

    def _from_inside(self) -> Iterator[Rules]:
        rules: Rules | None = self
        while rules is not None:
            yield rules
            rules = rules.outer


def rules_of(folder: Path, base: str, outer: Rules | None, names: frozenset[str]) -> Rules | None:
    """The rules inside `folder`, which has entries `names`; `outer` itself where it adds none."""
    lines: list[str] = []
    if ".git" in names:
        outer = None  # a repository of its own
        lines += _lines(folder / ".git" / "info" / "exclude")
    if IGNORE_FILE in names:
        lines += _lines(folder / IGNORE_FILE)
    ignored = [pattern for line in lines if (pattern := read_pattern(line)) is not None]
    marks = list(_marks(_lines(folder / ATTRIBUTES_FILE))) if ATTRIBUTES_FILE in names else []
    if not ignored and not marks:
        return outer
    return Rules(outer, base, tuple(reversed(ignored)), tuple(reversed(marks)))


def _lines(path: Path) -> list[str]:
    """Those of a file that may be absent, unreadable or anything else: then none, as for git."""
    try:
        if path.is_symlink() or not path.is_file():  # git does not follow links here either
            return []
        with path.open("rb") as file:
            data = file.read(_MAX_RULE_BYTES)
    except OSError:
        return []
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")


def _marks(lines: Iterable[str]) -> Iterator[Mark]:
    for line in lines:
        text, *attributes = line.split() or ["#"]
        pattern = None if text.startswith(("#", "[", '"', "!")) else read_pattern(text)
        if pattern is None:
            continue
        for attribute in attributes:
            name, _, value = attribute.lstrip("-").partition("=")
            is_so = not attribute.startswith("-") and value.lower() not in ("false", "0")
            if name == "linguist-vendored":
                yield Mark(pattern, "vendored", is_so)
            elif name == "linguist-generated":
                yield Mark(pattern, "generated", is_so)
