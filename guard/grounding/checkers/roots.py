"""Which folder a checker of a file has to look at."""

from __future__ import annotations

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
    folder = Path(path).absolute().parent
    marks = _MARKS[kind]
    found = [one for one in _upwards(folder) if any((one / name).exists() for name in marks.nearest)]
    if not found:
        return str(folder)
    return str(found[-1] if marks.outermost else found[0])


def _upwards(folder: Path) -> Iterator[Path]:
    home = Path.home()
    for one in (folder, *folder.parents):
        if one == home or one in home.parents:
            return
        yield one
