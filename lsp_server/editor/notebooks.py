"""Notebooks: which cells there are, in which order, and what the others say to the one being written.

A cell is a document of its own, with its own positions.  The model is told of the cells around it as
if all were one file: earlier cells of the same language stand before the cell's text, later ones
behind it, and notes between them as comments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..snapshot import Snapshot

MAX_CHARS = 24_000
"""Of other cells, before and behind each; whole cells only, the nearest first."""
_MAX_NOTE_LINES = 8

_COMMENTS = {
    **dict.fromkeys(("python", "r", "julia", "ruby", "perl", "shellscript", "powershell"), "#"),
    **dict.fromkeys(("javascript", "typescript", "java", "kotlin", "scala", "rust", "go", "cpp", "c"), "//"),
    **dict.fromkeys(("csharp", "fsharp", "swift", "php"), "//"),
    **dict.fromkeys(("sql", "lua", "haskell"), "--"),
}
_FOREIGN = re.compile(r"\s*%%(?!time\b|timeit\b|capture\b|prun\b)")
"""A cell that IPython hands to somebody else: `%%bash`, `%%html`."""


class Text(Protocol):
    """What is needed of an open document."""

    @property
    def language(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Cell:
    uri: str
    """Of its text document."""
    is_code: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a document's text for the model, and for nobody else."""

    before: str = ""
    after: str = ""

    def around(self, snapshot: Snapshot) -> Snapshot:
        """The same document, with the frame in its text: offsets move by `len(before)`."""
        if not self.before and not self.after:
            return snapshot
        return replace(snapshot, text=self.before + snapshot.text + self.after)


BARE = Frame()


class Notebooks:
    """The open notebooks.  What a client says of one that is not open is ignored."""

    def __init__(self) -> None:
        self._cells: dict[str, tuple[Cell, ...]] = {}
        self._notebook_of: dict[str, str] = {}

    def open(self, uri: str, cells: Sequence[Cell]) -> None:
        self._cells[uri] = ()
        self.splice(uri, 0, 0, cells)

    def splice(self, uri: str, start: int, num_deleted: int, cells: Sequence[Cell]) -> None:
        """Put `cells` in place of `num_deleted` ones from `start` on; beyond the end is at the end."""
        there = self._cells.get(uri)
        if there is None:
            return
        self._forget(there)
        self._cells[uri] = (*there[:start], *cells, *there[start + num_deleted :])
        self._notebook_of.update((cell.uri, uri) for cell in self._cells[uri])

    def set_kind(self, uri: str, changed: Cell) -> None:
        """A cell of the notebook became code, or stopped being it."""
        there = self._cells.get(uri, ())
        self._cells[uri] = tuple(changed if cell.uri == changed.uri else cell for cell in there)

    def close(self, uri: str) -> None:
        self._forget(self._cells.pop(uri, ()))

    def frame(self, uri: str, text_of: Callable[[str], Text | None]) -> Frame:
        """What stands around the document `uri`; nothing if it is no code cell of a notebook."""
        cells = self._cells.get(self._notebook_of.get(uri, ""), ())
        at = next((number for number, cell in enumerate(cells) if cell.uri == uri and cell.is_code), None)
        here = text_of(uri)
        if at is None or here is None:
            return BARE
        before = _nearest(_told(reversed(cells[:at]), here.language, text_of))
        after = _nearest(_told((cell for cell in cells[at + 1 :] if cell.is_code), here.language, text_of))
        end = "\r\n" if "\r\n" in here.text else "\n"
        gap = end * 2
        return Frame(
            "".join(_with_ends(text, end) + gap for text in reversed(before)),
            "".join(gap + _with_ends(text, end) for text in after),
        )

    def _forget(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            self._notebook_of.pop(cell.uri, None)


def _told(cells: Iterable[Cell], language: str, text_of: Callable[[str], Text | None]) -> Iterable[str]:
    """What each cell says to code of `language`, and nothing of those that say nothing."""
    for cell in cells:
        document = text_of(cell.uri)
        text = document.text.strip("\r\n") if document is not None else ""
        if document is None or not text.strip():
            continue
        if not cell.is_code:
            note = _as_comment(text, language)
            if note:
                yield note
        elif document.language == language and not _FOREIGN.match(text):
            yield text


def _nearest(texts: Iterable[str]) -> list[str]:
    """From the start of `texts`, as many as fit."""
    kept: list[str] = []
    room = MAX_CHARS
    for text in texts:
        room -= len(text)
        if room < 0:
            break
        kept.append(text)
    return kept


def _as_comment(text: str, language: str) -> str:
    leader = _COMMENTS.get(language)
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"{leader} {line}" for line in lines[:_MAX_NOTE_LINES]) if leader else ""


def _with_ends(text: str, end: str) -> str:
    return re.sub(r"\r\n|\r|\n", end, text)
