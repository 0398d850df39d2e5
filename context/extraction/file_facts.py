"""The one function everything else here is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..facts import FileFacts
from ..parsing import Tree, parse
from ..records import Language
from . import wording
from .captures import MAX_DEPTH, MAX_RUN, NO_SPANS, Captures, Spans, captures_of
from .definitions import Reading, read_definitions
from .frames import Span, frames_of
from .references import references_of
from .statements import imports_of
from .wording import Remarks

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_LINE = 20_000
"""Code points of a line; longer ones are generated or minified."""


def extract(text: str, language: Language) -> FileFacts:
    """The facts of `text`.  Raises only `GrammarError`, when the installation is incomplete.

    A text over the limits gives empty facts that say why, in `skipped`.
    """
    line_starts = _line_starts(text)
    return _refused(text, language, line_starts) or _read(parse(text, language), line_starts)


def extract_tree(tree: Tree) -> FileFacts:
    """`extract` for a text that has been parsed."""
    line_starts = _line_starts(tree.text)
    return _refused(tree.text, tree.language, line_starts) or _read(tree, line_starts)


def _refused(text: str, language: Language, line_starts: NDArray[np.int64]) -> FileFacts | None:
    if int(np.diff(line_starts, append=len(text) + 1).max()) > MAX_LINE + 1:  # with its end
        return FileFacts(language.name, skipped=f"a line is longer than {MAX_LINE:,} characters")
    return None


def _read(tree: Tree, line_starts: NDArray[np.int64]) -> FileFacts:
    text, language = tree.text, tree.language
    if tree.skipped:
        return FileFacts(language.name, skipped="over the limits of size, time or nesting for parsing")
    captures = captures_of(tree)
    if captures is None:
        return FileFacts(language.name, skipped=f"over {MAX_RUN:,} tokens in a row without a name")
    frames = frames_of(captures, len(text))
    after = captures.others.get("after", NO_SPANS)
    lines = (np.searchsorted(line_starts, after.starts, side="right") - 1).tolist()
    reading = Reading(
        text=text,
        language=language,
        line_starts=line_starts.tolist(),
        remarks=_remarks(captures),
        after=dict(zip(lines, _pairs(after), strict=True)),
    )
    read_definitions(reading, frames)
    imports = imports_of(reading, frames)
    file = frames[0]
    spans = sorted({(one.start, one.end) for one in imports} | set(file.all("package")))
    return FileFacts(
        language=language.name,
        definitions=tuple(reading.definitions),
        references=references_of(text, _points(text), captures.others, reading.used, spans, line_starts),
        imports=tuple(imports),
        bindings=tuple(reading.bindings),
        package=wording.one_line(reading.at(file.first("package"))),
        doc=_file_doc(reading, file.first("doc")),
        truncated="too many definitions or too deep nesting" if reading.full or captures.truncated else "",
    )


def _points(text: str) -> NDArray[np.uint8] | NDArray[np.uint32]:
    """The code points of a text."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _line_starts(text: str) -> NDArray[np.int64]:
    """In code points."""
    ends = np.flatnonzero(_points(text) == ord("\n"))
    return np.concatenate((np.zeros(1, np.int64), ends + 1))


def _pairs(spans: Spans) -> list[Span]:
    return list(zip(spans.starts.tolist(), spans.ends.tolist(), strict=True))


def _remarks(captures: Captures) -> Remarks:
    """All comments and preludes in order."""
    every: list[tuple[int, int, int]] = []
    for name, kind in (
        ("remark", wording.REMARK),
        ("prelude", wording.PRELUDE),
        ("comment", wording.COMMENT),
    ):
        every += [(*span, kind) for span in _pairs(captures.others.get(name, NO_SPANS))]
    every.sort()
    return Remarks(
        starts=[start for start, _, _ in every],
        ends=[end for _, end, _ in every],
        kinds=[kind for _, _, kind in every],
        any_before=any(kind != wording.REMARK for _, _, kind in every),
    )


def _file_doc(reading: Reading, docstring: Span | None) -> str:
    if docstring:
        return wording.string_doc(reading.at(docstring))
    first = wording.header(reading.text, reading.remarks)
    if first is None:
        return ""
    attached = any(
        reading.text[first[1] : one.start].count("\n") <= 1
        for one in reading.definitions[:1]
        if one.start >= first[1]
    )
    return "" if attached else wording.comment_doc(reading.at(first))


__all__ = ["MAX_DEPTH", "MAX_LINE", "extract", "extract_tree"]
