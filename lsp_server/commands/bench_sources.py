"""Code that a person names, by language: what the prompts of `truepenny bench engine` are cut from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...context.languages import language_of_path
from ...models.errors import BenchmarkError

if TYPE_CHECKING:
    from ...models.benchmarks.prompts import Code

MOST_CHARACTERS = 1_000_000
"""Of one language; more is not needed for a few prompts."""

_LEFT_OUT = {"node_modules", "target", "build", "dist", "vendor", "__pycache__"}


def code_of(paths: Sequence[Path]) -> tuple[Code, ...]:
    """The source files at `paths` and under them, by language, in the order in which they are met.

    Files that are not UTF-8 and folders of generated or foreign code are passed over.

    Raises:
        BenchmarkError: a path is not there, or nothing of it is in a language we know.
    """
    from ...models.benchmarks.prompts import Code, SourceFile

    files: dict[str, list[SourceFile]] = {}
    room: dict[str, int] = {}
    for root in paths:
        if not root.exists():
            raise BenchmarkError(f"--code {root}: there is no such file or folder")
        for path in _files(root):
            language = language_of_path(path.name)
            if language is None or room.setdefault(language.name, MOST_CHARACTERS) <= 0:
                continue
            text = _read(path)
            if text:
                room[language.name] -= len(text)
                name = path.name if path == root else path.relative_to(root).as_posix()
                files.setdefault(language.name, []).append(SourceFile(name, text))
    if not files:
        raise BenchmarkError(
            f"--code {' '.join(map(str, paths))}: no source file in a language we know is there"
        )
    return tuple(Code(name, tuple(found)) for name, found in files.items())


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for path in sorted(root.iterdir()):
        is_hidden = path.name.startswith(".") or path.name in _LEFT_OUT
        if is_hidden or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _read(path: Path) -> str:
    """Empty where it cannot be read; ends with a line end otherwise."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if text.endswith("\n") or not text else text + "\n"
