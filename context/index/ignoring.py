"""`.gitignore` and `.gitattributes`, folder by folder, as git reads them.

The last pattern that matches decides, an inner file goes before an outer one, `!` takes back, and
what lies in an ignored folder cannot be taken back.  Of a repository only its own rules count:
`.gitignore` and `info/exclude`, not the user's global excludes, so that the index of a workspace
depends on the workspace alone.  Where a repository lies inside another, the outer rules end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

IGNORE_FILE = ".gitignore"
ATTRIBUTES_FILE = ".gitattributes"
_MAX_RULE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Rules:
    """What one folder says; `outer` is the next folder above that says anything."""

    outer: Rules | None
    base: str
    """The folder, relative to the top the paths are relative to, with a `/` at the end; or empty."""
    ignored: GitIgnoreSpec | None
    marked: tuple[tuple[GitIgnoreSpec, str, bool], ...]
    """From `.gitattributes`: pattern, `vendored` or `generated`, and whether it is or is not."""

    def is_ignored(self, path: str) -> bool:
        """For a path below `base`; a folder's ends in `/`.  Its own folders are taken not to be ignored."""
        rules: Rules | None = self
        while rules is not None:
            if rules.ignored is not None:
                verdict = rules.ignored.check_file(path[len(rules.base) :]).include
                if verdict is not None:
                    return verdict
            rules = rules.outer
        return False

    def mark(self, path: str, kind: str) -> bool | None:
        """Whether the repository itself says the path is `vendored` or `generated`; `None`: says nothing."""
        rules: Rules | None = self
        while rules is not None:
            for spec, what, value in reversed(rules.marked):
                if what == kind and spec.match_file(path[len(rules.base) :]):
                    return value
            rules = rules.outer
        return None


def rules_of(folder: Path, base: str, outer: Rules | None, names: frozenset[str]) -> Rules | None:
    """The rules inside `folder`, which has entries `names`; `outer` itself where it adds none."""
    if ".git" in names:
        outer = None  # a repository of its own
    lines: list[str] = []
    if ".git" in names:
        lines += _lines(folder / ".git" / "info" / "exclude")
    if IGNORE_FILE in names:
        lines += _lines(folder / IGNORE_FILE)
    marked = _marks(_lines(folder / ATTRIBUTES_FILE)) if ATTRIBUTES_FILE in names else ()
    spec = _spec(lines)
    if spec is None and not marked:
        return outer
    return Rules(outer, base, spec, marked)


def _lines(path: Path) -> list[str]:
    """Those of a file that may be absent, unreadable or anything else: then none, as for git."""
    try:
        if path.is_symlink() or not path.is_file():  # git does not follow links here either
            return []
        with path.open("rb") as file:
            data = file.read(_MAX_RULE_BYTES)
    except OSError:
        return []
    return data.decode("utf-8-sig", "surrogateescape").split("\n")


def _spec(lines: list[str]) -> GitIgnoreSpec | None:
    kept = [line.removesuffix("\r") for line in lines if line.strip() and not line.startswith("#")]
    if not kept:
        return None
    try:
        return _compiled(kept)
    except GitIgnorePatternError:  # git skips the patterns it cannot read, and takes the others
        return _compiled([line for line in kept if _is_pattern(line)])


def _compiled(lines: list[str]) -> GitIgnoreSpec:
    # One engine of regular expressions, whatever else is installed: the same answer everywhere.
    return GitIgnoreSpec.from_lines(lines, backend="simple")


def _is_pattern(line: str) -> bool:
    try:
        _compiled([line])
    except GitIgnorePatternError:
        return False
    return True


def _marks(lines: list[str]) -> tuple[tuple[GitIgnoreSpec, str, bool], ...]:
    found: list[tuple[GitIgnoreSpec, str, bool]] = []
    for line in lines:
        pattern, *attributes = line.split() or ["#"]
        if pattern.startswith(("#", "[", '"', "!")):
            continue
        for attribute in attributes:
            name, _, value = attribute.lstrip("-").partition("=")
            what = name.removeprefix("linguist-")
            if what in ("vendored", "generated") and name != what and _is_pattern(pattern):
                is_so = not attribute.startswith("-") and value.lower() not in ("false", "0")
                found.append((_compiled([pattern]), what, is_so))
    return tuple(found)
