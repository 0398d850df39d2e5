"""Cross-file cases: a place in a file of a public repository, and a name that another file defines.

One JSON object a line (`.jsonl`, or `.jsonl.gz`): `task_id, language, repo, commit, file`, the file's
text in three parts `prompt, groundtruth, right_context`, the `identifier` that `groundtruth` begins
with, and its `definition` as `{file, snippet}`.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

from .cases import CasesError

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, order=True)
class Checkout:
    """A repository as it was at one commit."""

    repository: str
    """`owner/name`."""
    commit: str
    """40 hexadecimal digits."""

    @property
    def folder_name(self) -> str:
        """`owner+name@` and 12 digits of the commit."""
        return f"{self.repository.replace('/', '+')}@{self.commit[:12]}"


@dataclass(frozen=True, slots=True)
class XFileCase:
    """The cursor stands between `before` and `after`; `expected` was there, up to the line's end."""

    id: str
    language: str
    """A language id as in LSP."""
    checkout: Checkout
    path: str
    """Of the file, in its repository."""
    before: str
    after: str
    expected: str
    identifier: str
    """The name that `expected` begins with."""
    definition_path: str
    definition_text: str
    """Some lines round the definition of `identifier`, in another file."""

    @property
    def text(self) -> str:
        """The file as the person has it, without what is expected."""
        return self.before + self.after


def read_xfile_cases(
    path: Path, *, limit: int | None = None, language: str | None = None
) -> tuple[XFileCase, ...]:
    """The first `limit` cases in `language`, in the file's order; CasesError if one is unusable."""
    of_all = (_case(line, f"{path}:{number}") for number, line in enumerate(_lines(path), 1) if line.strip())
    seen: set[str] = set()

    def wanted() -> Iterator[XFileCase]:
        for case in of_all:
            seen.add(case.language)
            if language is None or case.language == language:
                yield case

    cases = tuple(islice(wanted(), limit))
    if not cases and seen:
        raise CasesError(f"{path}: no cases in {language}; it has {', '.join(sorted(seen))}")
    if not cases:
        raise CasesError(f"{path}: no cases in it; give a file with one JSON object a line")
    ids = [case.id for case in cases]
    if len(set(ids)) < len(ids):
        raise CasesError(f"{path}: a task_id comes twice; results are told apart by it")
    return cases


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file, gzip.open(file) if path.suffix == ".gz" else file as plain:
            yield from io.TextIOWrapper(plain, encoding="utf-8", newline="\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise CasesError(
            f"{path}: cannot be read ({error}); give a .jsonl or .jsonl.gz set of cross-file cases"
        ) from error


def _case(line: str, place: str) -> XFileCase:
    try:
        raw: object = json.loads(line)
    except json.JSONDecodeError as error:
        raise CasesError(f"{place}: not JSON ({error.msg}); each line must be one JSON object") from error
    if not isinstance(raw, dict):
        raise CasesError(f"{place}: a {type(raw).__name__}; each line must be one JSON object")
    values = cast("dict[str, object]", raw)
    definition = values.get("definition")
    inner = cast("dict[str, object]", definition) if isinstance(definition, dict) else {}

    def text(name: str, source: dict[str, object] = values) -> str:
        value = source.get(name)
        if not isinstance(value, str):
            whole = name if source is values else f"definition.{name}"
            raise CasesError(
                f"{place}: field {whole!r} is missing or no text; is it a set of cross-file cases?"
            )
        return value

    repository, commit = text("repo"), text("commit")
    if not _REPOSITORY.fullmatch(repository) or not _COMMIT.fullmatch(commit):
        raise CasesError(
            f"{place}: {repository!r} at {commit!r}; give 'repo' as owner/name and 'commit' as 40 digits"
        )
    case = XFileCase(
        id=text("task_id"),
        language=text("language"),
        checkout=Checkout(repository, commit),
        path=text("file"),
        before=text("prompt"),
        after=text("right_context"),
        expected=text("groundtruth"),
        identifier=text("identifier"),
        definition_path=text("file", inner),
        definition_text=text("snippet", inner),
    )
    if not case.identifier or not case.expected.startswith(case.identifier):
        raise CasesError(f"{place}: 'groundtruth' does not begin with 'identifier' ({case.identifier!r})")
    if "\n" in case.expected:
        raise CasesError(f"{place}: 'groundtruth' has several lines; cross-file cases end with their line")
    return case
