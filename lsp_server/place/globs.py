"""Patterns of paths, as in `.gitignore`, for documents wherever they lie.

A pattern without a `/` is about names of files and folders; one with a `/` is about the end of a path, or,
when it begins with `/`, `~/` or a drive, about the whole of it; one that ends in `/` is about folders and
all that is in them.  The last pattern that matches decides, and `!` takes back.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ...context.index.patterns import Pattern, read_pattern

_DRIVE = re.compile(r"!?[A-Za-z]:[/\\]")


def is_pattern(text: str) -> bool:
    """Can this match anything?  Comments, blanks and broken sets cannot."""
    return read_pattern(text) is not None


def matching_glob(path: str, patterns: tuple[str, ...]) -> str:
    """The pattern, as it was written, by which `path` is left out; empty where it is not."""
    parts = path_parts(path)
    for written in reversed(patterns):
        pattern = _pattern(written)
        if pattern is not None and any(
            pattern.matches(piece, is_folder=is_folder) for piece, is_folder in _pieces(written, parts)
        ):
            return "" if pattern.takes_back else written
    return ""


def path_parts(path: str) -> tuple[str, ...]:
    """The names on the way to a file, given by its path or by a URI of any scheme."""
    if not _DRIVE.match(path) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path):
        with contextlib.suppress(ValueError):  # then it is taken as it is
            path = unquote(urlsplit(path).path)
    return tuple(part for part in path.replace("\\", "/").split("/") if part)


def _pieces(written: str, parts: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """What of a path the pattern may be about, and whether that is a folder."""
    is_whole = written.removeprefix("!").startswith(("/", "~/")) or _DRIVE.match(written) is not None
    for first in range(1 if is_whole else len(parts)):
        for last in range(first + 1, len(parts) + 1):
            yield "/".join(parts[first:last]), last < len(parts)


@lru_cache(maxsize=256)
def _pattern(written: str) -> Pattern | None:
    takes_back = written.startswith("!")
    text = written.removeprefix("!")
    if text.startswith("~/"):
        text = Path(text).expanduser().as_posix() + "/" * text.endswith("/")
    if _DRIVE.match(text):
        text = "/" + text.replace("\\", "/")
    return read_pattern("!" * takes_back + text)
