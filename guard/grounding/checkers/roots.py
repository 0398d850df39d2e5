"""Which folder a checker of a file has to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["python", "typescript", "go", "rust", "clang"]

KINDS: dict[str, Kind] = {
    "python": "python",
    "typescript": "typescript",
    "typescriptreact": "typescript",
    "javascript": "typescript",
    "javascriptreact": "typescript",
    "go": "go",
    "rust": "rust",
    "c": "clang",
    "cpp": "clang",
}
"""By language id."""


@dataclass(frozen=True, slots=True)
class _Marks:
    nearest: tuple[str, ...]
    """The nearest folder upwards with one of these, …"""
    outermost: bool = False
    """… or the farthest: where projects are parts of a larger one that is read as a whole."""


_MARKS: dict[Kind, _Marks] = {
    "python": _Marks(("pyproject.toml", "setup.cfg", "setup.py", "ty.toml", ".git")),
    "typescript": _Marks(("tsconfig.json", "jsconfig.json", "package.json", ".git")),
    "go": _Marks(("go.work", "go.mod", ".git")),
    "rust": _Marks(("Cargo.toml",), outermost=True),
    "clang": _Marks(("compile_commands.json", "compile_flags.txt", ".clangd", ".git")),
}


def root_of(kind: Kind, path: str) -> str:
    """The folder of the project, absolute; that of the file where nothing marks one.

    Never the home folder or one above it, whatever lies there: it is no project.
    """
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120  # for each suggestion, and ten times as fast
    marks = _MARKS[kind]
    found = (one for one in _upwards(folder) if _is_marked(one, marks.nearest))
    return min(found, key=len, default=folder) if marks.outermost else next(found, folder)


def _is_marked(folder: str, names: tuple[str, ...]) -> bool:
    """Whether a mark lies in it.  `setup.py` in a package is a module like any other."""
    for mark in filter(os.path.exists, _within(folder, names)):
        is_module = mark.endswith(f"{os.sep}setup.py") and any(
            map(os.path.exists, _within(folder, ("__init__.py",)))
        )
        if not is_module:
            return True
    return False


def _within(folder: str, names: tuple[str, ...]) -> Iterator[str]:
    return (f"{folder}{os.sep}{name}" for name in names)


def _upwards(folder: str) -> Iterator[str]:
    """The folders of the path, the innermost first, up to the home folder or the root of the disk."""
    home = str(Path.home())
    while folder != home and not home.startswith(folder.rstrip(os.sep) + os.sep):
        yield folder
        folder, below = os.path.dirname(folder), folder  # noqa: PTH120  # as above
        if folder == below:
            return
