"""From what a person names to a project: a folder, an archive, a `.dsc` file, an installed package."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .archives import SUFFIXES, MemoryTree, is_archive, open_archive
from .collect import ALL, Choice, Project, collect
from .debian_source import collect_debian
from .errors import SourceError
from .trees import FolderTree

_ARCHIVE_NAME = re.compile(r"^(?P<name>.+?)[-_](?P<version>v?\d[\w.+!~]*?)(?:-[\w.]+-[\w.]+-[\w.]+)?$")
_MAY_BE_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def open_source(
    named: str,
    *,
    choice: Choice = ALL,
    on_read: Callable[[int], None] = lambda _: None,
    search: Sequence[str] | None = None,
) -> Project:
    """The project behind a name.  A path counts before a package of the same name.

    `search` stands in for `sys.path`: where packages are installed, as for a workspace's own
    environment.  A package is never imported.

    Raises:
        SourceError: there is nothing of that name, or it cannot be used.
    """
    if not named or "\0" in named:
        raise SourceError(f"{named!r} names nothing: name a folder, an archive, or an installed package")
    path = Path(named).expanduser()
    if path.is_dir():
        return _folder(path, choice, on_read)
    if path.name.endswith(".dsc"):
        return collect_debian(path, choice=choice, on_read=on_read)
    if path.is_file() or is_archive(path):
        if not is_archive(path):
            raise SourceError(
                f"{named} is not a kind of archive that is read: one of {', '.join(SUFFIXES)}, .dsc"
            )
        return collect_archive(path, choice=choice, on_read=on_read)
    if _MAY_BE_PACKAGE.fullmatch(named):
        return _installed(named, choice, on_read, search)
    raise SourceError(f"{named} is not there: name a folder, an archive, or an installed package")


def collect_archive(
    path: Path,
    *,
    name: str = "",
    version: str = "",
    url: str = "",
    choice: Choice = ALL,
    on_read: Callable[[int], None] = lambda _: None,
) -> Project:
    """A wheel, or an archive of sources.  Its name says what its contents do not."""
    tree: MemoryTree = open_archive(path, choice.wants)
    project = collect(tree, name=name, version=version, url=url, choice=choice, on_read=on_read)
    stem = path.name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
            break
    match = _ARCHIVE_NAME.match(stem)
    by_name, by_version = (match["name"], match["version"]) if match else (stem, "")
    return _renamed(project, project.name or by_name, project.version or by_version)


def _folder(path: Path, choice: Choice, on_read: Callable[[int], None]) -> Project:
    project = collect(FolderTree(path), choice=choice, on_read=on_read)
    return _renamed(project, project.name or path.resolve().name, project.version)


def _installed(
    named: str, choice: Choice, on_read: Callable[[int], None], search: Sequence[str] | None
) -> Project:
    where = list(search) if search is not None else sys.path
    distribution = next(iter(importlib.metadata.distributions(name=named, path=where)), None)
    if distribution is None:
        raise SourceError(
            f"{named} is neither a path nor an installed package: check the spelling, or name its archive"
        )
    root = Path(str(distribution.locate_file("")))
    listed = [str(one) for one in distribution.files or []]
    inside = tuple(one for one in listed if ".." not in one.split("/") and not one.startswith("/"))
    if not inside:
        raise SourceError(f"{named} does not say which files it installed: name its folder instead")
    project = collect(FolderTree(root, inside), choice=choice, on_read=on_read)
    return _renamed(project, distribution.metadata["Name"], distribution.version)


def _renamed(project: Project, name: str, version: str) -> Project:
    return Project(
        name, version, project.url, project.licence, project.files, project.left_out, project.num_bytes
    )
