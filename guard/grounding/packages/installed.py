"""What is installed in a folder of packages, by reading its metadata: nothing is imported or run.

A distribution is what an installer puts there (`opencv-python`), a module what is imported (`cv2`).
"""

from __future__ import annotations

import ast
import csv
import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from .naming import normalized

log = logging.getLogger(__name__)

_IMPORTED = (".py", ".pyi", ".so", ".pyd")
MAX_METADATA_BYTES = 20_000_000
_MODULE = re.compile(r"^([A-Za-z_]\w*)(?:\.(?:[\w-]+\.)?(?:pyi?|so|pyd|pyc))?$")
_METADATA = re.compile(r"^(?P<name>.+?)(?:-(?P<version>[^-]+))?(?:-py\d[\d.]*)?\.(?:dist|egg)-info$")
_MAPPING = re.compile(r"^MAPPING[^=\n]*=\s*(\{.*?\})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution."""

    name: str
    """Normalized."""
    version: str
    folder: Path
    """The folder of packages that it is in."""
    modules: tuple[str, ...]
    """Top-level names that can be imported from it, sorted."""
    files: tuple[str, ...]
    """What it put below `folder`, relative, with `/`; empty where its metadata lacks a list."""
    key: str
    """Changes when another build of it is installed."""


@dataclass(frozen=True, slots=True)
class Site:
    """One folder of packages."""

    folder: Path
    distributions: tuple[Distribution, ...]
    loose: tuple[str, ...]
    """Files and folders at the top that are in no distribution's list, sorted."""
    modules: frozenset[str]
    """All top-level names that can be imported, loose ones and those of editable installs too."""
    paths: tuple[Path, ...]
    """Folders outside that are importable from too: editable installs."""


def read_site(folder: Path) -> Site:
    """An empty one where there is no such folder."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return Site(folder, (), (), frozenset(), ())
    distributions = [found for one in entries if (found := _distribution(one)) is not None]
    modules = {module for one in distributions for module in one.modules}
    claimed = {file.partition("/")[0] for one in distributions for file in one.files}
    loose: list[str] = []
    paths: list[Path] = []
    for entry in entries:
        if entry.name.endswith(".pth"):
            paths += _paths_of(entry)
        elif entry.name.startswith("__editable__") and entry.suffix == ".py":
            modules.update(_mapping_of(entry))
        elif (name := module_of(entry.name)) and not _METADATA.match(entry.name):
            if entry.name not in claimed:
                loose.append(entry.name)
            modules.add(name)
    for path in paths:
        modules.update(_importable(path))
    return Site(folder, tuple(distributions), tuple(loose), frozenset(modules), tuple(paths))


def module_of(name: str) -> str:
    """The top-level module that a file or folder of this name is; empty if none."""
    found = _MODULE.match(name)
    return "" if found is None or found[1] == "__pycache__" else found[1].removesuffix("-stubs")


def _distribution(entry: Path) -> Distribution | None:
    match = _METADATA.match(entry.name)
    if match is None:
        return None
    record = _read(entry / "RECORD") or _read(entry / "installed-files.txt")
    files = _files_of(record) if record else ()
    top = {module_of(file.partition("/")[0]) for file in files if file.endswith(_IMPORTED)}
    listed = _read(entry / "top_level.txt").decode("utf-8", "replace").split()
    modules = {one for one in (*top, *listed) if one.isidentifier()}
    name, version = match["name"], match["version"] or ""
    if not modules and (guess := name.replace("-", "_")).isidentifier() and (entry.parent / guess).is_dir():
        modules.add(guess)
    digest = hashlib.blake2b(record or entry.name.encode(), digest_size=8).hexdigest()
    name = normalized(name)
    return Distribution(
        name, version, entry.parent, tuple(sorted(modules)), files, f"{name}-{version}-{digest}"
    )


def _files_of(record: bytes) -> tuple[str, ...]:
    """The files below the folder; what a list names elsewhere (`../../bin`) is not ours to read."""
    text = record.decode("utf-8", "replace")
    try:
        rows = [row[0] for row in csv.reader(text.splitlines()) if row]
    except csv.Error:
        rows = [line.partition(",")[0] for line in text.splitlines()]
    return tuple(
        file
        for row in rows
        if (file := row.replace("\\", "/")) and not file.startswith("/") and ".." not in file.split("/")
    )


def _paths_of(pth: Path) -> list[Path]:
    """The folders that a `.pth` file names; lines that run something do not count."""
    lines = _read(pth).decode("utf-8", "replace").splitlines()
    named = [line.strip() for line in lines if line.strip() and not line.startswith(("#", "import"))]
    folders = [pth.parent / line for line in named]
    return [folder for folder in folders if _is_folder(folder)]


def _mapping_of(finder: Path) -> set[str]:
    """The modules of an editable install, from the table that its finder holds."""
    found = _MAPPING.search(_read(finder).decode("utf-8", "replace"))
    try:
        table: object = ast.literal_eval(found[1]) if found else {}
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        log.warning("%s: its table of modules cannot be read: they count as not installed", finder)
        return set()
    keys = list(cast("dict[object, object]", table)) if isinstance(table, dict) else []
    return {key.partition(".")[0] for key in keys if isinstance(key, str)}


def _importable(folder: Path) -> set[str]:
    """Modules and packages right in `folder`."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return set()
    return {
        name
        for one in entries
        if (name := module_of(one.name)) and ("." in one.name or (one / "__init__.py").is_file())
    }


def _read(path: Path) -> bytes:
    """Empty where there is no such file."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_METADATA_BYTES)
    except OSError:
        return b""


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
