"""A piece of a trace, made ready to be played: every step with its text, its place and its moment.

All that costs time is done here, beforehand, so that playing disturbs what is measured as little as
can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....context.languages import language_of_path
from ....models.errors import BenchmarkError
from ...editor.convert import LineIndex, Position, Range, apply_change
from .traces import PAIRS, Change, Edit, Trace

ENCODING = "utf-16"
"""What columns count; every editor can."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How recorded time becomes played time."""

    max_gap_s: float = 2.0
    """Longer pauses are cut to this."""
    pace: float = 1.0
    """2: twice as fast as recorded."""

    def __post_init__(self) -> None:
        if self.max_gap_s <= 0 or self.pace <= 0:
            raise BenchmarkError(
                f"gaps of at most {self.max_gap_s} s at pace {self.pace}: both must be above 0"
            )

    def gap_s(self, recorded_s: float) -> float:
        return min(max(0.0, recorded_s), self.max_gap_s) / self.pace


@dataclass(frozen=True, slots=True)
class OpenFile:
    path: str
    language: str
    """A language id as in LSP."""
    text: str


@dataclass(frozen=True, slots=True)
class LspChange:
    range: Range
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One edit.  A keystroke is followed by a request, at `cursor`."""

    number: int
    document: int
    at_s: float
    """From the session's beginning, gaps clipped."""
    pause_s: float
    """Before it, as recorded."""
    changes: tuple[LspChange, ...]
    text: str
    """Of the document, afterwards."""
    cursor: int
    """Offset into `text`, in code points."""
    position: Position
    """The same for LSP."""
    is_keystroke: bool


@dataclass(frozen=True, slots=True)
class Session:
    name: str
    files: tuple[OpenFile, ...]
    """As they are before the first step."""
    steps: tuple[Step, ...]
    first_keystroke: int
    """Its number among the trace's keystrokes: what `start` takes."""
    num_traced: int
    """Keystrokes in the whole trace."""

    @property
    def num_keystrokes(self) -> int:
        return sum(step.is_keystroke for step in self.steps)

    @property
    def duration_s(self) -> float:
        return self.steps[-1].at_s

    def segments(self, size: int) -> list[tuple[Step, ...]]:
        """The steps, cut after every `size` keystrokes: a segment ends with a keystroke."""
        cut: list[tuple[Step, ...]] = []
        current: list[Step] = []
        for step in self.steps:
            current.append(step)
            if step.is_keystroke and sum(one.is_keystroke for one in current) == size:
                cut.append(tuple(current))
                current = []
        return [*cut, tuple(current)] if current else cut


def is_keystroke(edit: Edit) -> bool:
    """One key that inserts: a character, a line end with its indentation, a pair of brackets.

    A closer that takes its line's indentation back with it counts; taking back alone does not.
    """
    if len(edit.changes) != 1:
        return False
    change = edit.changes[0]
    if change.text in PAIRS:
        return True
    typed = change.text.lstrip(" \t\r\n")
    is_growing = bool(typed) or len(change.text) > change.deleted
    return is_growing and len(typed) <= 1 and change.text.count("\n") <= 1


def make_session(trace: Trace, num_keystrokes: int, start: int | None, pacing: Pacing) -> Session:
    """`num_keystrokes` of a trace, from keystroke `start` on, or from where its pace is typical.

    Typical: the median time among the windows in which the file being typed into has at least half
    the size that it ever has.  Raises BenchmarkError when there is nothing to play.
    """
    keys = [at for at, edit in enumerate(trace.edits) if is_keystroke(edit)]
    if num_keystrokes < 1:
        raise BenchmarkError(f"--keystrokes {num_keystrokes}: give at least 1")
    if not keys:
        raise BenchmarkError(f"{trace.name}: nothing is typed in this trace; leave it out")
    if start is not None and not 0 <= start < len(keys):
        raise BenchmarkError(
            f"--start {start}: {trace.name} has {len(keys)} keystrokes; give 0 to {len(keys) - 1}"
        )
    first = _typical_start(trace, keys, num_keystrokes, pacing) if start is None else start
    window = keys[first : first + num_keystrokes]
    texts = trace.texts_after(window[0])
    files = tuple(
        OpenFile(file.path, _language_id(file.path), text)
        for file, text in zip(trace.files, texts, strict=True)
    )
    steps = _steps(trace.edits[window[0] : window[-1] + 1], texts, pacing)
    return Session(trace.name, files, steps, first, len(keys))


def _typical_start(trace: Trace, keys: Sequence[int], num_keystrokes: int, pacing: Pacing) -> int:
    if len(keys) <= num_keystrokes:
        return 0
    sizes = _sizes(trace)
    largest = max(sizes)
    moments = [0.0]
    for before, after in zip(trace.edits, trace.edits[1:], strict=False):
        moments.append(moments[-1] + pacing.gap_s(after.at_s - before.at_s))
    stride = max(1, num_keystrokes // 4)
    candidates = range(0, len(keys) - num_keystrokes + 1, stride)
    large = [first for first in candidates if 2 * sizes[keys[first]] >= largest] or list(candidates)
    ranked = sorted(large, key=lambda first: moments[keys[first + num_keystrokes - 1]] - moments[keys[first]])
    return ranked[len(ranked) // 2]


def _sizes(trace: Trace) -> list[int]:
    """Characters of the file that each edit goes into, after it."""
    now = [len(file.text) for file in trace.files]
    sizes: list[int] = []
    for edit in trace.edits:
        now[edit.document] += sum(len(change.text) - change.deleted for change in edit.changes)
        sizes.append(now[edit.document])
    return sizes


def _steps(edits: Sequence[Edit], texts: Sequence[str], pacing: Pacing) -> tuple[Step, ...]:
    now = list(texts)
    steps: list[Step] = []
    at_s, previous_s = 0.0, edits[0].at_s
    for number, edit in enumerate(edits):
        pause_s = max(0.0, edit.at_s - previous_s)
        at_s, previous_s = at_s + pacing.gap_s(pause_s), edit.at_s
        changes: list[LspChange] = []
        for change in edit.changes:
            changes.append(_lsp_change(now[edit.document], change))
            now[edit.document] = change.apply(now[edit.document])
        cursor = _cursor(edit.changes[-1])
        steps.append(
            Step(
                number=number,
                document=edit.document,
                at_s=at_s,
                pause_s=pause_s,
                changes=tuple(changes),
                text=now[edit.document],
                cursor=cursor,
                position=LineIndex(now[edit.document]).position(cursor, ENCODING),
                is_keystroke=is_keystroke(edit),
            )
        )
    return tuple(steps)


def _lsp_change(text: str, change: Change) -> LspChange:
    r"""The same in LSP's terms.  The whole text, where an edit begins or ends inside a `\r\n`."""
    index = LineIndex(text)
    range_ = index.range(change.start, change.start + change.deleted, ENCODING)
    if apply_change(index, range_, change.text, ENCODING) == change.apply(text):
        return LspChange(range_, change.text)
    return LspChange(index.range(0, len(text), ENCODING), change.apply(text))


def _cursor(change: Change) -> int:
    """Behind what was inserted, or inside a pair."""
    return change.start + (1 if change.text in PAIRS else len(change.text))


def _language_id(path: str) -> str:
    """As an editor would call it; by suffix for languages we have no name for."""
    language = language_of_path(path)
    if language is not None:
        return language.name
    return path.rpartition("/")[2].rpartition(".")[2] or "plaintext"
