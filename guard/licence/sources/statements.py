"""Which licence each file of a tree stands under: the nearest statement that says so.

In this order:
1. an `SPDX-License-Identifier` in the file,
2. the licence notice at its head (`This program is free software …`), which is the same in prose,
3. REUSE: `FILE.license` beside it, `REUSE.toml`, `.reuse/dep5`,
4. Debian's copyright file,
5. a licence text in a folder below the top that the file is in (a part with a licence of its own),
6. the package's metadata, then `package.json` and its like, from the nearest folder outwards,
7. the licence texts at the top.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, cast

from . import debian_copyright, metadata
from .debian_copyright import CopyrightFile
from .expressions import spdx_of, strictest
from .globs import matches
from .metadata import Package
from .recognise import UNKNOWN, licence_of_notice, licence_of_text

HEAD_CHARS = 6_000
MAX_STATEMENT_BYTES = 4_000_000
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([^\n*\"']+?)[ \t]*(?:\*/|-->|#}|\"|'|$)", re.MULTILINE)
_TEXT_NAME = re.compile(
    r"^(?:un)?(?:licen[cs]e|copying)(?:[-_.](?!py$|c$|h$|js$|ts$|java$|php$|go$|rb$|rs$|cs$|cpp$)[\w.+-]+)?$",
    re.IGNORECASE,
)
_CHOICE_NAME = re.compile(
    r"^licen[cs]e[-_.](?:mit|apache|bsd|gpl|lgpl|mpl|isc|zlib|unlicense)", re.IGNORECASE
)


def is_statement(path: str) -> bool:
    """May a file say something about licences?  (Then it is read, whatever its language.)"""
    name = PurePosixPath(path).name
    return (
        name in metadata.NAMES
        or name == "REUSE.toml"
        or path.endswith((".reuse/dep5", "debian/copyright"))
        or (name.endswith(".license"))
        or _TEXT_NAME.match(name) is not None
    )


@dataclass(slots=True)
class Statements:
    """Everything a tree says about licences; `of` answers for one file."""

    debian: CopyrightFile | None = None
    reuse: CopyrightFile | None = None
    annotations: list[tuple[tuple[str, ...], str, str]] = field(
        default_factory=list[tuple[tuple[str, ...], str, str]]
    )
    """REUSE.toml: globs, licence, precedence."""
    beside: dict[str, str] = field(default_factory=dict[str, str])
    """Licence by file, from `FILE.license`."""
    texts: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """(file name, licence) of licence texts, by folder."""
    packages: dict[str, list[Package]] = field(default_factory=dict[str, list[Package]])
    """Metadata by folder, in the order in which it counts."""

    @property
    def package(self) -> Package:
        """What the tree says of itself at its top."""
        return next((one for one in self.packages.get("", []) if one.name), Package())

    def of(self, path: str, text: str) -> tuple[str, str]:
        """(SPDX expression or `unknown`, what said so) for one file."""
        head = text[:HEAD_CHARS]
        override = self._annotation(path, "override")
        if override != UNKNOWN:
            return override, "reuse"
        if tags := _TAG.findall(head):
            licence = strictest([spdx_of(one) for one in tags])
            if licence != UNKNOWN:
                return licence, "tag"
        if (notice := licence_of_notice(head)) != UNKNOWN:
            return notice, "notice"
        for found, stated in (
            (self.beside.get(path, UNKNOWN), "reuse"),
            (self._annotation(path, "closest"), "reuse"),
            (self.reuse.licence_of(path) if self.reuse else UNKNOWN, "reuse"),
            (self.debian.licence_of(path) if self.debian else UNKNOWN, "debian"),
        ):
            if found != UNKNOWN:
                return found, stated
        return self._of_folders(path)

    def _annotation(self, path: str, kind: str) -> str:
        for globs, licence, precedence in reversed(self.annotations):
            wanted = precedence == "override" if kind == "override" else precedence != "override"
            if wanted and any(matches(glob, path, slashes=False) for glob in globs):
                return licence
        return UNKNOWN

    def _of_folders(self, path: str) -> tuple[str, str]:
        folders = [str(one) for one in PurePosixPath(path).parents]
        for folder in ("" if one == "." else one for one in folders):
            text = _of_texts(self.texts.get(folder, []))
            said = next(
                (one.licence for one in self.packages.get(folder, []) if one.licence != UNKNOWN), UNKNOWN
            )
            if said != UNKNOWN:
                return said, "metadata"
            if text != UNKNOWN:
                return text, "text"
        return UNKNOWN, "nothing"


def read_statements(files: dict[str, str]) -> Statements:
    """From the texts of the files that `is_statement` named, by path."""
    found = Statements()
    for path, text in sorted(files.items()):
        where = PurePosixPath(path)
        folder = "" if str(where.parent) == "." else str(where.parent)
        if (
            folder.endswith((".dist-info", ".egg-info", "dist-info/licenses", "EGG-INFO"))
            or folder == "LICENSES"
        ):
            folder = ""  # what lies there speaks for the whole
        if path.endswith("debian/copyright"):
            found.debian = debian_copyright.parse(text) or found.debian
        elif path == ".reuse/dep5":
            found.reuse = debian_copyright.parse(text)
        elif where.name == "REUSE.toml":
            found.annotations += _reuse_toml(folder, text)
        elif where.name.endswith(".license"):
            licence = strictest([spdx_of(one) for one in _TAG.findall(text)])
            found.beside[path.removesuffix(".license")] = licence
        elif where.name in metadata.NAMES:
            if package := metadata.read(where.name, text):
                found.packages.setdefault(folder, []).append(package)
        elif (licence := licence_of_text(text)) != UNKNOWN or (licence := licence_of_notice(text)) != UNKNOWN:
            found.texts.setdefault(folder, []).append((where.name, licence))
    return found


def _of_texts(found: list[tuple[str, str]]) -> str:
    """Several texts side by side: a choice where their names say so; the LGPL brings the GPL along."""
    licences = list(dict.fromkeys(licence for _, licence in found))
    if len(licences) > 1 and all(_CHOICE_NAME.match(name) for name, _ in found):
        return " OR ".join(sorted(licences))
    if set(licences) == {"GPL-3.0-only", "LGPL-3.0-only"}:
        return "LGPL-3.0-only"
    return strictest(licences)


def _reuse_toml(folder: str, text: str) -> list[tuple[tuple[str, ...], str, str]]:
    try:
        raw: object = tomllib.loads(text).get("annotations", [])
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    found: list[tuple[tuple[str, ...], str, str]] = []
    for one in cast("list[object]", raw) if isinstance(raw, list) else []:
        if not isinstance(one, dict):
            continue
        annotation = cast("dict[str, Any]", one)
        paths = annotation.get("path", [])
        globs = [paths] if isinstance(paths, str) else [str(each) for each in paths]
        said = annotation.get("SPDX-License-Identifier", [])
        licences = [said] if isinstance(said, str) else [str(each) for each in said]
        prefix = f"{folder}/" if folder else ""
        licence = strictest([spdx_of(each) for each in licences])
        found.append(
            (tuple(prefix + glob for glob in globs), licence, str(annotation.get("precedence", "closest")))
        )
    return found
