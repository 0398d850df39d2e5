"""A tree's code with the licence of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .files import SourceFile, decoded, language_of, left_out_by_name, left_out_by_text
from .recognise import UNKNOWN
from .statements import MAX_STATEMENT_BYTES, Statements, is_statement, read_statements
from .trees import Tree


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a project's files are wanted."""

    only: tuple[str, ...] = ()
    """Patterns of paths (`*` crosses slashes); none: all."""
    with_tests: bool = False

    def takes(self, path: str) -> bool:
        return not self.only or any(fnmatchcase(path, pattern) for pattern in self.only)

    def wants(self, path: str, num_bytes: int) -> bool:
        """Must the bytes of this file be at hand for `collect`?"""
        if is_statement(path):
            return num_bytes <= MAX_STATEMENT_BYTES
        return self.takes(path) and left_out_by_name(path, num_bytes, with_tests=self.with_tests) is None


ALL = Choice()


@dataclass(frozen=True, slots=True)
class Project:
    """What a source turned out to be.  `files` can be walked once: a text is read when its turn comes."""

    name: str
    version: str
    url: str
    licence: str
    """Of the whole, as it says itself; each file has its own."""
    files: Iterator[SourceFile]
    left_out: Counter[str] = field(default_factory=Counter[str])
    """How many files stayed out, by reason; complete once `files` has been walked."""
    num_bytes: int = 0
    """Of the files that are read, for a progress bar."""


def collect(
    tree: Tree,
    *,
    name: str = "",
    version: str = "",
    url: str = "",
    choice: Choice = ALL,
    statements: Statements | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> Project:
    """Read a tree.  What is given here counts over what the tree says of itself.

    `statements` are those of another tree that speaks for this one too (Debian's).
    """
    sizes = tree.sizes
    said = statements or read_statements(
        {path: decoded(tree.read(path)) for path, size in sizes.items() if _readable(path, size)}
    )
    package = said.package
    left_out: Counter[str] = Counter({"unsafe name": len(tree.unsafe)} if tree.unsafe else {})
    wanted: dict[str, int] = {}
    for path, num_bytes in sizes.items():
        reason = left_out_by_name(path, num_bytes, with_tests=choice.with_tests)
        if reason is None and not choice.takes(path):
            reason = "not chosen"
        if reason is not None:
            left_out[reason] += 1
        else:
            wanted[path] = num_bytes
    return Project(
        name or package.name,
        version or package.version,
        url or package.url,
        _licence_of_whole(said),
        _walk(tree, wanted, said, left_out, on_read),
        left_out,
        sum(wanted.values()),
    )


def _readable(path: str, num_bytes: int) -> bool:
    return is_statement(path) and num_bytes <= MAX_STATEMENT_BYTES


def _licence_of_whole(said: Statements) -> str:
    if said.package.licence != UNKNOWN:
        return said.package.licence
    return said.of("any", "")[0]


def _walk(
    tree: Tree,
    wanted: dict[str, int],
    said: Statements,
    left_out: Counter[str],
    on_read: Callable[[int], None],
) -> Iterator[SourceFile]:
    for path, num_bytes in wanted.items():
        try:
            text = decoded(tree.read(path))
        except OSError:
            left_out["unreadable"] += 1
            continue
        finally:
            on_read(num_bytes)
        reason = left_out_by_text(text)
        if reason is not None:
            left_out[reason] += 1
            continue
        licence, stated = said.of(path, text)
        yield SourceFile(path, text, language_of(path) or "", licence, stated)
