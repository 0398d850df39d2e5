"""The checks that are measured: ours, and what a type checker says without us."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from truepenny.guard.errors import CheckerError
from truepenny.guard.grounding.assembly import grounding_check, python_place
from truepenny.guard.grounding.checkers.checker import ShadowChecker
from truepenny.guard.grounding.checkers.registry import Checkers
from truepenny.guard.grounding.checkers.ty import ty_checker
from truepenny.guard.grounding.finding import Fault, Finding
from truepenny.guard.grounding.vocabulary.parts import Sources
from truepenny.guard.grounding.vocabulary.vocabulary import BackgroundVocabulary
from truepenny.guard.verdict import Action, Check, Passage, Verdict

from .installed import library_words, words_of

DEADLINE_S = 10.0


class RawTy:
    """Everything new that ty says inside the suggestion, a hint or not.  A `Check`."""

    name = "ty"

    def __init__(self, root: Path) -> None:
        environment = root / ".venv"
        self.root = root
        self.checker: ShadowChecker = ty_checker(
            str(root), str(environment) if environment.exists() else None, (), "3.11"
        )

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        path = str(self.root / (passage.path or "work.py"))
        base = self.checker.findings(path, passage.before + passage.after, DEADLINE_S)
        known = Counter(map(_key, base))
        found: list[Verdict] = []
        start, end = len(passage.before), len(passage.before) + len(passage.suggestion)
        text = passage.before + passage.suggestion + passage.after
        for one in self.checker.findings(path, text, DEADLINE_S):
            if known[_key(one)]:
                known[_key(one)] -= 1
            elif one.start < end and one.end > start and one.fault is not Fault.POSSIBLY_MISSING:
                first, last = max(one.start - start, 0), min(one.end, end) - start
                found.append(Verdict("grounding", Action.WITHHOLD, one.fault.value, first, last, one.message))
        return tuple(found)

    def prepare(self, passage: Passage) -> None:
        path = str(self.root / (passage.path or "work.py"))
        self.checker.findings(path, passage.before + passage.after, DEADLINE_S)

    def wait(self, path: str) -> None:
        self.checker.wait(DEADLINE_S)

    @property
    def memory_bytes(self) -> int:
        return self.checker.memory_bytes

    def close(self) -> None:
        self.checker.close()


def _key(one: Finding) -> tuple[str, str, str]:
    return one.fault.value, one.name, one.receiver


class Judge(Check, Protocol):
    @property
    def memory_bytes(self) -> int: ...

    def prepare(self, passage: Passage) -> None: ...

    def wait(self, path: str) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are that no workspace brings along."""

    site_packages: Path | None
    cache: Path
    """Tables of the vocabulary; made if need be."""
    checkers: Path
    """The folder of checkers that were added: TypeScript's, with what it knows of Node."""


class Words:
    """A `Vocabulary` of every word that stands anywhere in some files."""

    def __init__(self, words: frozenset[str]) -> None:
        self._words = words

    def knows(self, name: str, path: str) -> bool:
        return name in self._words

    def is_complete(self, path: str) -> bool:
        return True


READ = ("anyio", "attr", "attrs", "httpcore", "httpx", "jinja2", "markupsafe", "numpy", "pydantic")
READ += ("pydantic_core", "requests", "rich", "sqlalchemy", "urllib3", "yaml")
"""Packages that cases of the tests use: reading all that is installed takes too long for a test."""


@cache
def installed_words(folder: Path | None) -> frozenset[str]:
    if folder is None:
        return frozenset()
    paths = (path for name in READ for path in (folder / name).rglob("*.py*"))
    return words_of(path for path in paths if path.suffix != ".pyc")


class Grounded:
    """Our check on the files of one workspace, whose cases name their paths in it.  A `Check`."""

    name = "grounding"

    def __init__(self, root: Path, place: Place, *, has_names: bool = True) -> None:
        """Without names, a plain set of words stands in for the vocabulary, which takes a minute to read."""
        self.root = root
        words = words_of(_files(root))
        python = () if place.site_packages is None else (place.site_packages,)
        types = place.checkers / "typescript" / "node_modules"
        library = next(iter(sorted(types.glob("@typescript/typescript-*/lib"))), None)
        sources = Sources(python=python, web=(types,) if types.is_dir() else (), web_library=library)
        self._checkers = Checkers(place.checkers, python_place(place.cache))
        self._names = (
            BackgroundVocabulary(sources, place.cache / "names", words.__contains__) if has_names else None
        )
        plain = None if has_names else Words(words | library_words() | installed_words(place.site_packages))
        self._check = grounding_check(
            place.cache, vocabulary=self._names or plain, checkers=self._checkers, deadline_s=DEADLINE_S
        )

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        return self._check.judge(replace(passage, path=str(self.root / (passage.path or "work.py"))))

    def prepare(self, passage: Passage) -> None:
        """As an editor has a document checked before anybody asks for suggestions in it."""
        path = str(self.root / (passage.path or "work.py"))
        self._check.prepare(passage.language, path, passage.before + passage.after)

    def wait(self, path: str) -> None:
        """Until all that is read in the background is there."""
        language = "python" if path.endswith(".py") else "typescript"
        if self._names is not None:
            self._names.start("python" if language == "python" else "web")
        checker = self._checkers.checker_for(language, str(self.root / path))
        if checker is None:
            raise CheckerError(self._checkers.why_none(language, str(self.root / path)))
        checker.wait(DEADLINE_S)
        if self._names is not None:
            self._names.wait()

    @property
    def memory_bytes(self) -> int:
        return max(one.memory_bytes for one in self._checkers.alive)

    def close(self) -> None:
        if self._names is not None:
            self._names.close()
        self._checkers.close()


def _files(root: Path) -> list[Path]:
    found = [path for path in root.rglob("*.*") if path.suffix in {".py", ".ts", ".js"}]
    return [path for path in found if not {".venv", "node_modules"} & set(path.relative_to(root).parts)]
