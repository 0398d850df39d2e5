"""Debian source packages: a `.dsc` file that names tarballs beside it, with their hashes.

The packager's tarball brings `debian/copyright`, which says the licence of every file of the
upstream ones.  Patches are not applied: what others copied is the original.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .archives import MemoryTree, open_archive
from .collect import Choice, Project, collect
from .errors import ArchiveError
from .files import decoded
from .statements import is_statement, read_statements

MAX_DSC_BYTES = 200_000
_PAGE = "https://sources.debian.org/src/{name}/{version}/"


@dataclass(frozen=True, slots=True)
class Dsc:
    """What a `.dsc` file says."""

    name: str
    version: str
    files: tuple[tuple[str, str, int], ...]
    """(file name, sha256, bytes)."""


def read_dsc(path: Path) -> Dsc:
    """Raises `ArchiveError` where it is none.  Signatures are apt's business, not ours."""
    if not path.is_file() or path.stat().st_size > MAX_DSC_BYTES:
        raise ArchiveError(f"{path} is not a Debian source description: name the .dsc file")
    text = decoded(path.read_bytes())
    name = re.search(r"^Source: *(\S+)", text, re.MULTILINE)
    version = re.search(r"^Version: *(\S+)", text, re.MULTILINE)
    sums = re.search(r"^Checksums-Sha256:\s*\n((?: .+\n?)+)", text, re.MULTILINE)
    if not (name and version and sums):
        raise ArchiveError(f"{path.name} has no Source, Version or Checksums-Sha256: fetch it again")
    files: list[tuple[str, str, int]] = []
    for line in sums[1].splitlines():
        words = line.split()
        if len(words) != 3 or not words[1].isdigit() or "/" in words[2] or words[2].startswith("."):
            raise ArchiveError(
                f"{path.name} names a file in a way it cannot ({line.strip()!r}): fetch it again"
            )
        files.append((words[2], words[0], int(words[1])))
    return Dsc(name[1], version[1], tuple(files))


def collect_debian(
    path: Path, *, choice: Choice, on_read: Callable[[int], None] = lambda _: None, check: bool = True
) -> Project:
    """The code of a source package, tarballs beside its `.dsc`; hashes are checked first."""
    dsc = read_dsc(path)
    tarballs = [one for one in dsc.files if not one[0].endswith((".asc", ".sig", ".diff.gz"))]
    members: dict[str, bytes] = {}
    others: dict[str, int] = {}
    unsafe: list[str] = []
    for name, sha256, _ in tarballs:
        archive = path.parent / name
        if check:
            _check(archive, sha256)
        tree = open_archive(archive, choice.wants)
        prefix = _prefix(name)
        if prefix == "debian/":  # the packager's own: only what it says about licences
            members |= {f"debian/{one}": data for one, data in tree.members.items() if one == "copyright"}
            continue
        members |= {prefix + member: data for member, data in tree.members.items()}
        others |= {prefix + member: size for member, size in tree.others.items()}
        unsafe += tree.unsafe
    tree = MemoryTree(members, tuple(unsafe), others)
    said = read_statements({name: decoded(data) for name, data in members.items() if is_statement(name)})
    url = _PAGE.format(name=dsc.name, version=dsc.version)
    return collect(
        tree, name=dsc.name, version=dsc.version, url=url, choice=choice, statements=said, on_read=on_read
    )


def _prefix(file_name: str) -> str:
    """Where a tarball's files go: a second upstream one into a folder of its name."""
    if re.search(r"\.debian\.tar\.\w+$", file_name):
        return "debian/"
    part = re.search(r"\.orig-([A-Za-z0-9-]+)\.tar\.\w+$", file_name)
    return f"{part[1]}/" if part else ""


def _check(archive: Path, sha256: str) -> None:
    try:
        with archive.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise ArchiveError(
            f"{archive.name} is not beside its .dsc file: fetch it with apt-get source"
        ) from error
    if found != sha256:
        raise ArchiveError(
            f"{archive.name} has sha256 {found[:12]}…, its .dsc says {sha256[:12]}…: fetch it again"
        )
