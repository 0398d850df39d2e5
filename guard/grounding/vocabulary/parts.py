"""What there is to read: parts, each with a key that tells whether it has been read before.

A distribution's key is its name, its version and the hash of its list of files.  What no distribution
claims goes by the sizes and times of its files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..packages.installed import Site, read_site
from . import builtin_names

Family = Literal["python", "web"]

PYTHON_SUFFIXES = (".py", ".pyi")
BINARY_SUFFIXES = (".so", ".pyd")
DECLARATION_SUFFIXES = (".d.ts", ".d.mts", ".d.cts")
SCRIPT_SUFFIXES = (".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx")
_LEFT_OUT = frozenset(
    {"tests", "test", "__pycache__", "site-packages", "dist-packages", "idlelib", "node_modules"}
)
"""Folders: what tests define nobody can use."""
MAX_FILES = 20_000
"""Of a part."""
MAX_WEB_PACKAGES = 5_000
FORMAT = "1"
"""Raise it when names are found in another way."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where packages and the standard library are.  Absolute folders; what is not known is left out."""

    python: tuple[Path, ...] = ()
    """`site-packages` of the environment, and others that it puts on the path."""
    python_library: Path | None = None
    """The environment's own standard library; ours if not known."""
    web: tuple[Path, ...] = ()
    """`node_modules`, the workspace's own first."""
    web_library: Path | None = None
    """The folder with TypeScript's `lib.*.d.ts`, where none is in `node_modules`."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something to read as a whole."""

    family: Family
    name: str
    """For messages."""
    key: str
    """Equal for equal content; letters, digits, `-` and `.`."""
    files: tuple[Path, ...]
    is_interpreter: bool = False
    """The names of our own interpreter's builtins, instead of files."""


def python_parts(sources: Sources) -> list[Part]:
    """All of one environment; of what is there twice the first."""
    library = sources.python_library or Path(os.__file__).parent
    parts = [
        _part("python", "builtins", builtin_names.key(), (), is_interpreter=True),
        _of_folder("python", library, library),
    ]
    for folder in sources.python:
        site = read_site(folder)
        parts += _of_distributions(site)
        parts += [_of_folder("python", folder, folder / name) for name in site.loose]
        parts += [_of_folder("python", path, path) for path in site.paths]
    return parts


def web_parts(sources: Sources) -> list[Part]:
    parts: list[Part] = []
    if sources.web_library is not None:
        parts.append(_of_folder("web", sources.web_library, sources.web_library))
    seen: set[Path] = set()
    for modules in sources.web:
        for package in _packages(modules):
            if len(seen) >= MAX_WEB_PACKAGES:
                break
            if (real := package.resolve()) not in seen:
                seen.add(real)
                parts.append(_of_package(real))
    return parts


def has_web_library(sources: Sources) -> bool:
    """Whether the names of JavaScript itself, of the browser and of node are among what is read."""
    if not any((modules / "@types" / "node").is_dir() for modules in sources.web):
        return False
    if sources.web_library is not None:
        return True
    return any(
        (package / "lib" / "lib.es5.d.ts").is_file()
        for modules in sources.web
        for package in (modules / "typescript", *_entries(modules / "@typescript"))
    )


def _of_distributions(site: Site) -> Iterator[Part]:
    for one in site.distributions:
        wanted = (*PYTHON_SUFFIXES, *BINARY_SUFFIXES)
        files = [file for file in one.files if file.endswith(wanted) and not _is_left_out(file)]
        if files:
            paths = tuple(site.folder / file for file in _without_stubbed(files)[:MAX_FILES])
            yield _part("python", one.name, one.key, paths)


def _of_folder(family: Family, top: Path, place: Path) -> Part:
    """A folder or a file, told by the sizes and times of what is read in it."""
    suffixes = (*PYTHON_SUFFIXES, *BINARY_SUFFIXES) if family == "python" else DECLARATION_SUFFIXES
    files = sorted(_walk(place, suffixes))
    digest = hashlib.blake2b(str(place).encode("utf-8", "surrogateescape"), digest_size=8)
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        digest.update(f"{file.name} {status.st_size} {status.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    listed = [file.relative_to(top).as_posix() if file != top else file.name for file in files]
    kept = set(_without_stubbed(listed) if family == "python" else listed)
    paths = tuple(file for file, name in zip(files, listed, strict=True) if name in kept)
    return _part(family, place.name, f"folder-{digest.hexdigest()}", paths)


def _of_package(folder: Path) -> Part:
    """Its declarations, or its sources where it has none."""
    try:
        text = (folder / "package.json").read_bytes()[:1_000_000]
        told: object = json.loads(text)
    except (OSError, ValueError, RecursionError):
        text, told = b"", {}
    name = told.get("name") if isinstance(told, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # checked next
    if not isinstance(name, str):
        name, text = folder.name, str(folder).encode("utf-8", "surrogateescape")
    files = sorted(_walk(folder, DECLARATION_SUFFIXES)) or sorted(_walk(folder, SCRIPT_SUFFIXES))
    digest = hashlib.blake2b(text, digest_size=8)
    digest.update(str(len(files)).encode())
    return _part("web", name, f"node-{digest.hexdigest()}", tuple(files))


def _part(
    family: Family, name: str, key: str, files: tuple[Path, ...], *, is_interpreter: bool = False
) -> Part:
    safe = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in key)[:180]
    return Part(family, name, f"{FORMAT}-{safe}", files, is_interpreter)


def _packages(modules: Path) -> Iterator[Path]:
    """Right in a `node_modules`, in its scopes, in pnpm's store, and in those of the packages."""
    pending = [modules]
    while pending:
        folder = pending.pop(0)
        for entry in _entries(folder):
            if entry.name.startswith("@"):
                pending.append(entry)
            elif entry.name == ".pnpm":
                pending += [one / "node_modules" for one in _entries(entry)]
            elif not entry.name.startswith(".") and entry.is_dir():
                yield entry
                if (entry / "node_modules").is_dir() and not entry.is_symlink():
                    pending.append(entry / "node_modules")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _walk(place: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    count = 0
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(one for one in folders if one not in _LEFT_OUT)
        for name in sorted(files):
            if name.endswith(suffixes):
                count += 1
                if count > MAX_FILES:
                    return
                yield Path(folder) / name


def _is_left_out(file: str) -> bool:
    return not _LEFT_OUT.isdisjoint(file.split("/")[1:-1])


def _without_stubbed(files: Iterable[str]) -> list[str]:
    """Without libraries that no one imports, and without extension modules that have a stub."""
    files = list(files)
    stubs = {file.removesuffix(".pyi").removesuffix("/__init__") for file in files if file.endswith(".pyi")}
    return [
        file
        for file in files
        if file.endswith(PYTHON_SUFFIXES)
        or (
            _stem(file) not in stubs
            and not file.rpartition("/")[2].startswith("lib")
            and ".libs/" not in file
        )
    ]


def _stem(file: str) -> str:
    folder, slash, name = file.rpartition("/")
    return folder + slash + name.partition(".")[0]
