"""Grounding for texts that nobody has open: each is judged as if it stood in its workspace.

For judging in bulk.  Everything is waited for: the checker, the names of what is installed, and a look
at the text without the suggestion, which an editor has done before anybody asks.

A fragment, a function alone that came without its workspace, names what its own file defines: there only
members, modules and arguments are judged that do not depend on it.
"""

from __future__ import annotations

import logging
import re
import sys
import tempfile
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ..context.languages import find_language
from ..guard.errors import CheckError
from ..guard.grounding.assembly import PackagesByProject, grounding_check, python_place
from ..guard.grounding.check import GroundingCheck
from ..guard.grounding.checkers.registry import Checkers
from ..guard.grounding.environment import active_environment
from ..guard.grounding.finding import Fault
from ..guard.grounding.install import InstallCheck
from ..guard.verdict import Check, Passage, Verdict
from ..models.store import cache_root
from .project_names import ProjectNames

logger = logging.getLogger(__name__)

START_S = 20.0
NAMES_S = 180.0
"""For reading all that is installed, the first time; then it is in the cache."""
JUDGE_S = 10.0
MAX_FILES = 5_000
MAX_BYTES = 1_000_000
_IMPORT = re.compile(r"^(?:from\s+\S+\s+import|import)\b|^\s*#\s*include|\brequire\(", re.MULTILINE)
_DEFINES = re.compile(r"(?:async\s+def|def|class|(?:export\s+)?(?:async\s+)?function)\b|\w[\w\s*&:<>,~]*\(")
_HEAD = re.compile(rf"{_DEFINES.pattern}|[@#)}}\]]|//|/\*|\*|\w+:|\w[\w\s*&:<>]*$")
"""The first column of definitions, of what stands above them and of what ends them."""
_TOLD_BY_TYPES = frozenset({"python", "typescript", "typescriptreact", "javascript", "javascriptreact"})
"""Languages in which most of a text can be understood without its project."""
_NAMES = f"grounding/{Fault.MISSING_NAME}"
_WORD = re.compile(r"[^\W\d]\w*")
_LEFT_OUT = frozenset({".git", ".venv", "venv", "node_modules", "__pycache__", ".tox", "build", "dist"})


class WorkspaceWords:
    """The words of a folder's files of code, read when first asked for."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._read: set[Path] = set()
        self.is_all = True
        """Do they have what the text now judged may name?"""

    def read(self, root: Path) -> None:
        """Once for each folder; at most `MAX_FILES` files of it."""
        if root in self._read:
            return
        self._read.add(root)
        for path in _files(root):
            try:
                self._words.update(_WORD.findall(path.read_text("utf-8", "replace")))
            except OSError as error:
                logger.info("%s is left out: %s", path, error)

    def has(self, name: str) -> bool:
        return name in self._words

    def is_read(self) -> bool:
        return self.is_all and bool(self._read)


class _WithoutItsFile:
    """The check, of fragments too."""

    name = GroundingCheck.name
    is_costly: Literal[True] = True

    def __init__(self, check: GroundingCheck) -> None:
        self._check = check
        self.is_fragment = False
        self.is_alone = False
        """It came without a workspace."""

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        if self.is_alone and passage.language not in _TOLD_BY_TYPES:
            return ()
        found = self._check.judge(passage)
        return tuple(one for one in found if not (self.is_fragment and one.rule == _NAMES))


class UnopenedTexts:
    """Close it when done.  Not for several threads."""

    def __init__(self, environment: Path | None = None) -> None:
        """`environment`: of workspaces that have none; else the active one, else that which runs us."""
        cache = cache_root()
        otherwise = environment or active_environment() or Path(sys.prefix)
        self._folder = tempfile.TemporaryDirectory(prefix="truepenny-")
        self._words = WorkspaceWords()
        self._checkers = Checkers(cache / "checkers", python_place(cache, otherwise))
        packages = PackagesByProject(cache, otherwise)
        self._names = ProjectNames(cache, packages, self._words, otherwise)
        self._check = grounding_check(
            cache,
            vocabulary=self._names,
            packages=packages,
            checkers=self._checkers,
            deadline_s=JUDGE_S,
            otherwise=otherwise,
        )
        self._judge = _WithoutItsFile(self._check)
        self.checks: tuple[Check, ...] = (InstallCheck(packages), self._judge)

    def placed(self, passage: Passage, workspace: str | None) -> Passage:
        """The passage with a path in its workspace, for which everything is ready.

        Without a workspace it stands in an empty folder.
        """
        root = Path(workspace).absolute() if workspace else Path(self._folder.name)
        self._judge.is_alone = not workspace
        self._judge.is_fragment = self._judge.is_alone and _is_fragment(passage)
        self._words.is_all = not self._judge.is_fragment
        path = Path(passage.path) if passage.path else Path(f"snippet{_suffix(passage.language)}")
        place = path if path.is_absolute() and path.parent.is_dir() else root / path.name
        if not path.is_absolute() and (root / path).parent.is_dir():
            place = root / path
        placed = replace(passage, path=str(place))
        self._words.read(root)
        is_read = workspace or passage.language in _TOLD_BY_TYPES
        checker = self._checkers.checker_for(passage.language, str(place)) if is_read else None
        if checker is not None:
            self._names.start(str(place))
            self._names.wait(str(place), NAMES_S)
            checker.wait(START_S)
            try:
                self._check.prepare(passage.language, str(place), passage.before + passage.after)
            except CheckError as error:
                logger.info("%s is not checked ahead: %s", place, error)
        return placed

    def close(self) -> None:
        self._names.close()
        self._checkers.close()
        self._folder.cleanup()


def _is_fragment(passage: Passage) -> bool:
    """Functions and classes alone, without one import: cut from a file that had more."""
    text = textwrap.dedent((passage.before + passage.suggestion + passage.after).expandtabs())
    if _IMPORT.search(text):
        return False
    heads = [line for line in text.splitlines() if line.strip() and not line[0].isspace()]
    return any(_DEFINES.match(line) for line in heads) and all(_HEAD.match(line) for line in heads)


def _suffix(language: str) -> str:
    known = find_language(language, None)
    return known.suffixes[0] if known is not None and known.suffixes else ".txt"


def _files(root: Path) -> list[Path]:
    found: list[Path] = []
    waiting = [root]
    while waiting and len(found) < MAX_FILES:
        try:
            entries = sorted(waiting.pop().iterdir())
        except OSError as error:
            logger.info("a folder is left out: %s", error)
            continue
        for entry in entries:
            if entry.is_symlink() or entry.name in _LEFT_OUT:
                continue
            if entry.is_dir():
                waiting.append(entry)
            elif find_language("", str(entry)) is not None and entry.stat().st_size <= MAX_BYTES:
                found.append(entry)
    return found[:MAX_FILES]
