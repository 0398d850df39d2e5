"""Results as they come, one JSON line each, so that a long measurement can be gone on with.

The first line says how was measured; a file measured otherwise is refused.  What `ours` finds depends
on our own code: its results count only while that is the same, the others stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from .xfile_errors import JournalError
from .xfile_scores import Context, XFileAnswer

_HOW = "how"
_CODE = "code"


class Journal(AbstractContextManager["Journal"]):
    """Of one file; without a path, of none.  `how` are plain JSON values; `code` names our own code.

    Raises JournalError: the file cannot be used; the message says why.
    """

    def __init__(self, path: Path | None, how: Mapping[str, object], code: str) -> None:
        self._code = code
        self._file: TextIO | None = None
        self.answers: dict[tuple[str, Context], XFileAnswer] = {}
        """What is known already, by case and context."""
        if path is None:
            return
        try:
            self._read(path, dict(how))
            self._file = path.open("a", encoding="utf-8", newline="\n")
            if path.stat().st_size == 0:
                self._write({_HOW: dict(how)})
        except (OSError, UnicodeDecodeError) as error:
            raise JournalError(
                f"--resume {path}: {error}; give a file of your own in a folder that exists"
            ) from error

    def add(self, answer: XFileAnswer) -> None:
        self.answers[answer.id, answer.context] = answer
        self._write({**asdict(answer), _CODE: self._code_for(answer.context)})

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _read(self, path: Path, how: dict[str, object]) -> None:
        if not path.exists():
            return
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]  # a power cut may have left half a line
        lines = whole.decode("utf-8").split("\n")[:-1]
        for number, line in enumerate(lines, 1):
            try:
                row: dict[str, Any] = json.loads(line)
                if number == 1:
                    _compare(path, row[_HOW], how)
                    continue
                code = row.pop(_CODE)
                answer = XFileAnswer(**row)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise JournalError(
                    f"--resume {path}:{number} is not a result of this command; give another file"
                ) from error
            if code == self._code_for(answer.context):
                self.answers[answer.id, answer.context] = answer
        if len(whole) < len(data):
            if not lines:
                raise JournalError(f"--resume {path} is not a file of results; give another file")
            with path.open("r+b") as file:
                file.truncate(len(whole))

    def _code_for(self, context: Context) -> str:
        return self._code if context == "ours" else ""

    def _write(self, row: Mapping[str, object]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
            self._file.flush()


def _compare(path: Path, found: dict[str, object], how: dict[str, object]) -> None:
    differing = sorted(name for name in found.keys() | how.keys() if found.get(name) != how.get(name))
    if differing:
        said = "; ".join(f"{name} was {found.get(name)!r} and is {how.get(name)!r}" for name in differing)
        raise JournalError(f"--resume {path} was measured otherwise: {said}.  Give another file")
