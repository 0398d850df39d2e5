"""The functions everything else here is for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate

from ..facts import FileFacts, Import, References
from ..parsing import Tree, parse
from ..records import Language
from . import wording
from .captures import MAX_DEPTH, MAX_RUN, Captures, captures_of
from .definitions import Reading, read_definitions
from .frames import Frame, Span, frames_of
from .queries import USES
from .statements import imports_of
from .wording import Remarks

MAX_LINE = 20_000
"""Code points of a line; longer ones are generated or minified."""


@dataclass(frozen=True, slots=True)
class CountedFacts:
    """What an index keeps of a text."""

    facts: FileFacts
    """Without references and bindings."""
    uses: dict[str, int]
    """How often the references that were left out name each name."""


def extract(text: str, language: Language) -> FileFacts:
    """The facts of `text`.  Raises only `GrammarError`, when the installation is incomplete.

    A text over the limits gives empty facts that say why, in `skipped`.
    """
    line_starts = _line_starts(text)
    return _refused(text, language, line_starts) or _whole(parse(text, language), line_starts)


def extract_tree(tree: Tree) -> FileFacts:
    """`extract` for a text that has been parsed."""
    line_starts = _line_starts(tree.text)
    return _refused(tree.text, tree.language, line_starts) or _whole(tree, line_starts)


def extract_counted(text: str, language: Language) -> CountedFacts:
    """`extract` for who counts the references and asks nothing else of them: several times as fast."""
    line_starts = _line_starts(text)
    refused = _refused(text, language, line_starts)
    if refused is not None:
        return CountedFacts(refused, {})
    read = _read(parse(text, language), line_starts)
    if isinstance(read, FileFacts):
        return CountedFacts(read, {})
    return CountedFacts(read.facts(References(), bindings=False), _counted(read))


def _refused(text: str, language: Language, line_starts: list[int]) -> FileFacts | None:
    ends = [*line_starts[1:], len(text) + 1]
    if max(map(int.__sub__, ends, line_starts)) > MAX_LINE + 1:  # with its end
        return FileFacts(language.name, skipped=f"a line is longer than {MAX_LINE:,} characters")
    return None


@dataclass(frozen=True, slots=True)
class _Read:
    """A text that has been read, but for its references."""

    reading: Reading
    captures: Captures
    file: Frame
    imports: list[Import]

    def unused_spans(self) -> list[Span]:
        """Where names are no uses: imports and the package, sorted."""
        return sorted({(one.start, one.end) for one in self.imports} | set(self.file.all("package")))

    def facts(self, references: References, *, bindings: bool) -> FileFacts:
        reading = self.reading
        full = reading.full or self.captures.truncated
        return FileFacts(
            language=reading.language.name,
            definitions=tuple(reading.definitions),
            references=references,
            imports=tuple(self.imports),
            bindings=tuple(reading.bindings) if bindings else (),
            package=wording.one_line(reading.at(self.file.first("package"))),
            doc=_file_doc(reading, self.file.first("doc")),
            truncated="too many definitions or too deep nesting" if full else "",
        )


def _read(tree: Tree, line_starts: list[int]) -> _Read | FileFacts:
    """Empty facts where the text is not read, and why."""
    text, language = tree.text, tree.language
    if tree.skipped:
        return FileFacts(language.name, skipped="over the limits of size, time or nesting for parsing")
    captures = captures_of(tree)
    if captures is None:
        return FileFacts(language.name, skipped=f"over {MAX_RUN:,} tokens in a row without a name")
    frames = frames_of(captures, len(text))
    after = captures.spans("after")
    reading = Reading(
        text=text,
        language=language,
        line_starts=line_starts,
        remarks=_remarks(captures),
        after={
            bisect_right(line_starts, start) - 1: (start, end)
            for start, end in zip(after.starts, after.ends, strict=True)
        },
    )
    read_definitions(reading, frames)
    return _Read(reading, captures, frames[0], imports_of(reading, frames))


def _whole(tree: Tree, line_starts: list[int]) -> FileFacts:
    from .references import references_of  # with numpy, which `extract_counted` does without

    read = _read(tree, line_starts)
    if isinstance(read, FileFacts):
        return read
    references = references_of(tree.text, read.captures, read.reading.used, read.unused_spans(), line_starts)
    return read.facts(references, bindings=True)


def _counted(read: _Read) -> dict[str, int]:
    """What counting the names of `references_of` gives; a test compares them."""
    ends: dict[int, int] = {}
    for name in USES:
        spans = read.captures.spans(name)
        ends.update(zip(spans.starts, spans.ends, strict=True))
    for start in read.reading.used.union(read.captures.spans("ignore").starts):
        ends.pop(start, None)
    unused = read.unused_spans()
    if unused:
        starts = sorted(ends)
        limits = [start for start, _end in unused[1:]] + [len(read.reading.text)]
        for (first, end), limit in zip(unused, limits, strict=True):
            for start in starts[bisect_left(starts, first) : bisect_left(starts, min(end, limit))]:
                del ends[start]
    text = read.reading.text
    return Counter([text[start:end] for start, end in ends.items()])


def _line_starts(text: str) -> list[int]:
    """In code points."""
    starts = [0, *accumulate([len(line) + 1 for line in text.split("\n")])]
    starts.pop()
    return starts


def _remarks(captures: Captures) -> Remarks:
    """All comments and preludes in order."""
    every: list[tuple[int, int, int]] = []
    for name, kind in (
        ("remark", wording.REMARK),
        ("prelude", wording.PRELUDE),
        ("comment", wording.COMMENT),
    ):
        spans = captures.spans(name)
        every += [(start, end, kind) for start, end in zip(spans.starts, spans.ends, strict=True)]
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


__all__ = ["MAX_DEPTH", "MAX_LINE", "CountedFacts", "extract", "extract_counted", "extract_tree"]
