"""The source of installed packages, as workspaces: read from the environment, nothing of it is kept."""

from __future__ import annotations

import ast
import re
import shutil
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from .workspace import write_environment

SKIPPED_FOLDERS = {"tests", "test", "testing", "_vendor", "vendor", "__pycache__", "_vendored"}
MAX_LINES = 1_000
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Source:
    package: str
    path: str
    """In the workspace."""
    text: str
    tree: ast.Module


def find(site_packages: Path, package: str) -> Path | None:
    folder = site_packages / package
    return folder if folder.is_dir() else None


def sources(folder: Path, max_lines: int = MAX_LINES) -> list[Source]:
    """Its files that parse, none longer than `max_lines`; in order of their paths."""
    found: list[Source] = []
    for path in sorted(folder.rglob("*.py")):
        if SKIPPED_FOLDERS & set(path.relative_to(folder).parts):
            continue
        try:
            text = path.read_text(encoding="utf-8")
            if "\r" in text or text.count("\n") > max_lines:
                continue
            found.append(Source(folder.name, str(path.relative_to(folder.parent)), text, ast.parse(text)))
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
    return found


def make_workspace(root: Path, folder: Path) -> None:
    """The package as if its authors worked on it in `root`, in the environment it was found in."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, root / folder.name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    write_environment(root, folder.parent)
    listed = ", ".join(f'"{name}"' for name in needed(folder))
    project = f'[project]\nname = "{folder.name}"\nversion = "0"\ndependencies = [{listed}]\n'
    (root / "pyproject.toml").write_text(project, encoding="utf-8")


def needed(folder: Path) -> list[str]:
    """The distributions that the package's own one requires and that are there, without versions."""
    found: list[str] = []
    for one in metadata.distributions(path=[str(folder.parent)]):
        top = {Path(str(file)).parts[0] for file in one.files or ()}
        if folder.name in top:
            lines = [line for line in one.requires or () if "extra ==" not in line and ";" not in line]
            found += [_name(line) for line in lines]
    return sorted(set(found))


def _name(requirement: str) -> str:
    end = next((at for at, letter in enumerate(requirement) if letter in " <>=!~[("), len(requirement))
    return requirement[:end]


@cache
def library_words() -> frozenset[str]:
    folder = Path(sysconfig.get_path("stdlib"))
    builtin = {name for each in (str, bytes, list, dict, set, int, float, object) for name in dir(each)}
    own = (path for path in folder.rglob("*.py") if "site-packages" not in path.parts)
    return words_of(own) | builtin


_UNREAD = {"test", "tests", "idlelib", "lib2to3", "turtledemo"}


def words_of(paths: Iterable[Path]) -> frozenset[str]:
    found: set[str] = set()
    for path in paths:
        if not _UNREAD & set(path.parts):
            found.update(_WORD.findall(path.read_text("utf-8", errors="replace")))
    return frozenset(found)
