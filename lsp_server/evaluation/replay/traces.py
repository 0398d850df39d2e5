"""Recorded editing in, one kind of trace out.  Two formats, told apart by their fields:

* editing traces (josephg/editing-traces): `startContent`, `endContent` and `txns` of
  `time, patches = [[position, deleted, inserted], …]`; one file, which the trace does not name.
  A transaction's patches count in the text the one before left, in code points.
* editor recordings (`*.recording.w.json`): a `log` of `documentEncountered`, `setContent` and
  `changed`; several named files.  The edits of one `changed` all count in the text before it, in
  UTF-16 units.  Short insertions were merged when they were recorded; they are typed here one
  character at a time.

Times that are whole seconds throughout are drawn out evenly inside each second.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from ....models.errors import BenchmarkError

KNOWN_NAMES = {"rustcode": "skiplist.rs", "sveltecomponent": "component.svelte"}
"""What to call the file of a trace that does not name it, by the trace's own name."""

_LONGEST_TYPED = 80
"""Characters.  A longer insertion, or one of several lines, was pasted or accepted."""
_KEY_S = 0.15
"""Longest time between two characters of an insertion that was merged."""
PAIRS = ("()", "[]", "{}", "<>", '""', "''", "``")
"""What an editor inserts for one opening character."""


@dataclass(frozen=True, slots=True)
class Change:
    """`text` in place of `[start, start + deleted)`, in code points of the text as it then is."""

    start: int
    deleted: int
    text: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.text + text[self.start + self.deleted :]


@dataclass(frozen=True, slots=True)
class Edit:
    """What happened to one document at one moment.  Each change counts in the text the last one left."""

    document: int
    at_s: float
    changes: tuple[Change, ...]

    def apply(self, text: str) -> str:
        for change in self.changes:
            text = change.apply(text)
        return text


@dataclass(frozen=True, slots=True)
class TracedFile:
    path: str
    """Relative, with forward slashes."""
    text: str
    """Before the first edit."""


@dataclass(frozen=True, slots=True)
class Trace:
    name: str
    files: tuple[TracedFile, ...]
    """`Edit.document` is an index into these."""
    edits: tuple[Edit, ...]

    def texts_after(self, num_edits: int) -> list[str]:
        """Each file's text once the first `num_edits` edits have been made."""
        texts = [file.text for file in self.files]
        for edit in self.edits[:num_edits]:
            texts[edit.document] = edit.apply(texts[edit.document])
        return texts


def read_trace(path: Path, file_name: str | None = None) -> Trace:
    """The trace in a `.json` or `.json.gz` file.

    `file_name` is what to call the one file of an editing trace, which does not say.  Raises
    BenchmarkError, with the path and the fix, for a file that cannot be used.
    """
    raw = _load(path)
    name = path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".recording.w")
    try:
        if "txns" in raw:
            return _editing_trace(raw, name, file_name or KNOWN_NAMES.get(name) or _unnamed(path))
        if "log" in raw:
            return _recording(raw["log"], name)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BenchmarkError(f"{path}: damaged ({error!r}); fetch it again") from error
    raise BenchmarkError(
        f"{path}: neither 'txns' nor 'log' among its fields {sorted(raw)[:8]}; "
        "give an editing trace (it has the one) or an editor's recording (it has the other)"
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        body = path.read_bytes()
        raw: Any = json.loads(gzip.decompress(body) if path.suffix == ".gz" else body)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise BenchmarkError(f"{path}: not gzip ({error}); fetch it again, or drop the .gz") from error
        raise BenchmarkError(
            f"{path}: cannot be read ({error.strerror}); give the path of a .json or .json.gz trace"
        ) from error
    except (ValueError, EOFError, zlib.error) as error:
        raise BenchmarkError(f"{path}: not JSON ({error}); give a .json or .json.gz trace") from error
    if not isinstance(raw, dict):
        raise BenchmarkError(f"{path}: holds a {type(raw).__name__}, not an object; give a trace")
    return cast("dict[str, Any]", raw)


def _unnamed(path: Path) -> str:
    raise BenchmarkError(f"{path}: an editing trace does not name its file; name it, such as --as main.py")


def _editing_trace(raw: Mapping[str, Any], name: str, file_name: str) -> Trace:
    edits = [
        Edit(
            0,
            datetime.fromisoformat(txn["time"]).timestamp(),
            tuple(Change(int(start), int(deleted), str(text)) for start, deleted, text in txn["patches"]),
        )
        for txn in raw["txns"]
    ]
    file = TracedFile(file_name, str(raw["startContent"]))
    return Trace(name, (file,), tuple(drawn_out(edits)))


def drawn_out(edits: Sequence[Edit]) -> list[Edit]:
    """With those of one second spread evenly over it, if no time is finer than a second."""
    if any(edit.at_s % 1 for edit in edits):
        return list(edits)
    spread: list[Edit] = []
    for second, same in groupby(edits, key=lambda edit: edit.at_s):
        group = list(same)
        spread += [replace(edit, at_s=second + (nth + 0.5) / len(group)) for nth, edit in enumerate(group)]
    return spread


def _recording(log: Sequence[Mapping[str, Any]], name: str) -> Trace:
    """In the order of the log; a file is there from the beginning, with its first content."""
    files: list[TracedFile] = []
    texts: list[str] = []
    paths: dict[int, str] = {}
    place: dict[int, int] = {}
    """From the log's ids to our indices."""
    edits: list[Edit] = []
    for entry in log:
        kind, id_ = entry["kind"], entry.get("id")
        if kind == "documentEncountered":
            paths[entry["id"]] = str(entry["relativePath"]).replace("\\", "/")
        elif kind == "setContent" and id_ not in place:
            place[entry["id"]] = len(files)
            files.append(TracedFile(paths[entry["id"]], str(entry["content"])))
            texts.append(files[-1].text)
        elif kind in ("setContent", "changed"):
            at = place[entry["id"]]
            if kind == "changed":
                changes = _changes(texts[at], entry["edit"])
            else:
                changes = (Change(0, len(texts[at]), str(entry["content"])),)
            if changes:
                edit = Edit(at, entry["time"] / 1000, changes)
                texts[at] = edit.apply(texts[at])
                edits += _typed(edit, edits[-1].at_s if edits else None)
    return Trace(name, tuple(files), tuple(edits))


def _changes(text: str, replacements: Sequence[tuple[int, int, str]]) -> tuple[Change, ...]:
    """Last first, so that the others' positions stay what they were."""
    changes: list[Change] = []
    for start, end, inserted in sorted(replacements, key=lambda item: item[0], reverse=True):
        first, last = _code_points(text, start), _code_points(text, end)
        if not 0 <= first <= last <= len(text):
            raise ValueError(f"the edit [{start}, {end}) of a text of {len(text)} characters")
        changes.append(Change(first, last - first, inserted))
    return tuple(changes)


def _code_points(text: str, units: int) -> int:
    """The offset in code points of an offset in UTF-16 units."""
    if text.isascii():
        return units
    return len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le"))


def _typed(edit: Edit, previous_s: float | None) -> list[Edit]:
    """The edit as it was typed: a short insertion in one line, character by character."""
    first = edit.changes[0]
    is_typed = len(edit.changes) == 1 and 1 < len(first.text) <= _LONGEST_TYPED and first.text not in PAIRS
    if not is_typed or "\n" in first.text or "\r" in first.text:
        return [edit]
    pace_s = _KEY_S
    if previous_s is not None:
        pace_s = min(pace_s, max(0.0, edit.at_s - previous_s) / len(first.text))
    start_s = edit.at_s - pace_s * (len(first.text) - 1)
    return [
        Edit(
            edit.document,
            start_s + nth * pace_s,
            (Change(first.start + nth, 0 if nth else first.deleted, character),),
        )
        for nth, character in enumerate(first.text)
    ]
