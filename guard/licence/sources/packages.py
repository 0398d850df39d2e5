"""Lists of packages to index: names, versions and hashes, committed with the program.

    {"packages": [{"kind": "wheel", "name": "ansible-core", "version": "2.19.14",
                   "file": "ansible_core-2.19.14-py3-none-any.whl", "sha256": "…", "bytes": 2426850,
                   "licence": "GPL-3.0-or-later", "only": ["ansible/plugins/*"]}]}

`licence` is the project's own word, kept so that a person who reads the list sees why it is there;
each file's is read from the file.  `only` names what is much copied.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from .errors import ListError

Kind = Literal["wheel", "sdist", "debian"]
DATA = Path(__file__).parents[1] / "data"
SEED_LIST = DATA / "seed.json"
BUILD_LIST = DATA / "build.json"
SEED_INDEX = DATA / "seed.tplx"

_KEYS = {"kind", "name", "version", "file", "sha256", "licence", "bytes", "only"}


@dataclass(frozen=True, slots=True)
class Package:
    kind: Kind
    name: str
    version: str
    file: str
    """What is fetched: a wheel, an sdist, or a `.dsc`, which names the rest with hashes."""
    sha256: str
    """Of `file`."""
    licence: str
    bytes: int
    """Of everything that is fetched: a Debian source package is several files."""
    only: tuple[str, ...] = ()


def load(path: Path) -> tuple[Package, ...]:
    """Raises `ListError`, which names the file, the package and the fix."""
    try:
        raw: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ListError(
            f"{path.name} cannot be read as a package list ({error}): write it as JSON"
        ) from error
    said = cast("dict[str, Any]", raw).get("packages") if isinstance(raw, dict) else None
    if not isinstance(said, list):
        raise ListError(f'{path.name} has no list of packages: begin it with {{"packages": [')
    return tuple(_package(path, nth, one) for nth, one in enumerate(cast("list[Any]", said), 1))


def _package(path: Path, nth: int, raw: object) -> Package:
    where = f"{path.name}, package {nth}"
    if not isinstance(raw, dict):
        raise ListError(f"{where}: is no object: write name, kind, version, file, sha256 and licence")
    said = cast("dict[str, Any]", raw)
    where = f"{path.name}, {said.get('name', f'package {nth}')}"
    if unknown := sorted(set(said) - _KEYS):
        raise ListError(f"{where}: {unknown[0]!r} is not a key: use {', '.join(sorted(_KEYS))}")
    for key in sorted(_KEYS - {"only", "bytes"}):
        if not isinstance(said.get(key), str) or not said[key]:
            raise ListError(f"{where}: {key!r} is missing or no text: give it")
    num_bytes: Any = said.get("bytes")
    if not isinstance(num_bytes, int) or num_bytes <= 0:
        raise ListError(f"{where}: 'bytes' is {num_bytes!r}: give the number of bytes that are fetched")
    if said["kind"] not in {"wheel", "sdist", "debian"}:
        raise ListError(f"{where}: kind {said['kind']!r} is not known: use wheel, sdist or debian")
    if not re.fullmatch(r"[0-9a-f]{64}", said["sha256"]):
        raise ListError(f"{where}: sha256 {said['sha256']!r} is not 64 hexadecimal digits: give the file's")
    if "/" in said["file"] or "\\" in said["file"] or said["file"].startswith("."):
        raise ListError(f"{where}: file {said['file']!r} is not a plain file name: leave out folders")
    for key in ("name", "version"):  # they stand in commands
        if not re.fullmatch(r"[A-Za-z0-9][\w.+~:-]*", said[key]):
            raise ListError(f"{where}: {key} {said[key]!r} has signs that no package's has: correct it")
    only: Any = said.get("only", [])
    if not isinstance(only, list) or not all(isinstance(one, str) for one in cast("list[Any]", only)):
        raise ListError(f"{where}: 'only' is not a list of patterns: write [\"src/*\"]")
    values = {key: str(said[key]) for key in _KEYS - {"only", "kind", "bytes"}}
    return Package(cast("Kind", said["kind"]), only=tuple(cast("list[str]", only)), bytes=num_bytes, **values)
