"""A language server that misbehaves in one of many ways, run by our Python."""

from __future__ import annotations

import sys
from pathlib import Path

from truepenny.guard.grounding.checkers.dialect import Diagnostic, Dialect
from truepenny.guard.grounding.finding import Fault, Finding

SCRIPT = Path(__file__).parents[3] / "fixtures" / "grounding" / "hostile_server.py"


def dialect(folder: Path, way: str, patience_s: float = 20.0) -> Dialect:
    return Dialect(
        name=way,
        argv=(sys.executable, "-I", str(SCRIPT), way, str(folder / "started")),
        root=str(folder),
        language_ids={".txt": "text"},
        read=read,
        settings={"its": {"on": True}},
        patience_s=patience_s,
    )


def read(said: Diagnostic, text: str, path: str) -> Finding | None:
    return Finding(Fault.MISSING_NAME, said.start, said.end, text[said.start : said.end], "", said.message)


def starts(folder: Path) -> list[int]:
    """The processes that were started, in order."""
    mark = folder / "started"
    return [int(pid) for pid in mark.read_text().split()] if mark.exists() else []
