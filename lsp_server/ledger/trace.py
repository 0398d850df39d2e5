"""A file for bug reports: the last requests with all their figures, and text as nothing but its shape.

Nothing of it can be read back: `redaction` is applied when a request is remembered, not when the file
is written.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from ..editor.convert import Encoding
from ..editor.inline import Replacement
from ..settings import Settings
from ..snapshot import Query
from .journal import Record
from .redaction import redacted
from .timing import Span

NUM_REQUESTS = 50
NUM_FILES = 5
WINDOW_CHARS = 2000
"""Before and after the cursor, each."""


@dataclass(frozen=True, slots=True)
class Traced:
    """One request.  Texts are redacted; offsets count from the start of the document."""

    record: Record
    timing: Span | None
    offset: int | None = None
    """None where no document was open."""
    num_chars: int = 0
    before: str = ""
    after: str = ""
    selected: Replacement | None = None
    placed: Replacement | None = None


class Trace:
    """The last requests of a session."""

    def __init__(self) -> None:
        self._last: deque[Traced] = deque(maxlen=NUM_REQUESTS)

    def add(
        self,
        record: Record,
        timing: Span | None,
        query: Query | None,
        selected: Replacement | None,
        placed: Replacement | None,
    ) -> None:
        """`query` is what the assistant was asked, where it was."""
        if query is None:
            self._last.append(Traced(record, timing))
            return
        text, at = query.snapshot.text, query.offset
        self._last.append(
            Traced(
                record=record,
                timing=timing,
                offset=at,
                num_chars=len(text),
                before=redacted(text[max(0, at - WINDOW_CHARS) : at]),
                after=redacted(text[at : at + WINDOW_CHARS]),
                selected=_shape(selected),
                placed=_shape(placed),
            )
        )

    def write(
        self,
        folder: Path,
        encoding: Encoding,
        settings: Mapping[str, Any],
        plain: Callable[[Any], Any],
    ) -> Path:
        """A new file that only this user can read.  `plain` makes JSON values of our records."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in sorted(folder.glob("trace-*.json"))[: -(NUM_FILES - 1)]:
            old.unlink(missing_ok=True)
        path = folder / f"trace-{time.time_ns()}.json"
        document = {
            "about": "Truepenny: the last requests, newest last; letters are x, digits 0",
            "truepenny": version("truepenny"),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "encoding": encoding,
            "settings": settings,
            "requests": [plain(traced) for traced in self._last],
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
        return path

    def __len__(self) -> int:
        return len(self._last)


def public_settings(settings: Settings) -> dict[str, Any]:
    """What was chosen, but for names, addresses and patterns, which are anybody's guess: `(changed)`."""
    return _public(asdict(settings), asdict(Settings()))


def _public(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            shown[key] = _public(cast("Mapping[str, Any]", value), defaults[key])
        else:
            is_harmless = value == defaults[key] or isinstance(value, bool | int | float)
            shown[key] = value if is_harmless else "(changed)"
    return shown


def _shape(change: Replacement | None) -> Replacement | None:
    return None if change is None else Replacement(change.start, change.end, redacted(change.text))
