"""What the document says round the cursor.  Text and facts of one file; nothing of the index."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..extraction import extract
from ..facts import TYPE_KINDS, Binding, Definition, FileFacts, Import
from ..languages import find_language
from .chains import Chain, chain_before, open_call, separator_before
from .question import Question

NEAR_LINES_BEFORE, NEAR_LINES_AFTER = 80, 30
"""Round the cursor: where names count by how near they are."""
_HALF_LINES = 12.0
"""So many lines away a name counts half."""

_NAME = re.compile(r"[^\W\d]\w*")
_PARTIAL = re.compile(r"[^\W\d]\w*$")
_FROM_IMPORT = re.compile(r"\s*from\s+(?P<dots>\.*)(?P<module>[\w.]*)\s+import\b")
"""Python's; while it is being written the grammar makes nothing of it."""
_IMPORT_LINE = re.compile(r"\s*(?:import|from|use|using|require|#include|pub use|export)\b")


@dataclass(frozen=True)
class Scene:
    """One question, read."""

    question: Question
    facts: FileFacts
    partial: str
    """What is typed already of the name at the cursor."""
    at: int
    """Where that begins."""
    receiver: Chain | None
    """What stands before the dot the cursor is behind."""
    callee: Chain | None
    """What is called, where the cursor is among the arguments."""
    importing: Import | None
    """The import the cursor is in, as far as it is written."""

    @property
    def path(self) -> str:
        return self.question.path

    @cached_property
    def enclosing(self) -> tuple[Definition, ...]:
        """The definitions the cursor is in, innermost first."""
        at = self.at
        found = [one for one in self.facts.definitions if one.start < at <= one.end]
        return tuple(reversed(found)) or self._by_indent

    @cached_property
    def _by_indent(self) -> tuple[Definition, ...]:
        """Where code under way has cut a definition short: the last one before, if indented less."""
        line_start = self.question.text.rfind("\n", 0, self.at) + 1
        indent = _width(self.question.text[line_start : self.at])
        found: list[Definition] = []
        for one in reversed(self.facts.definitions):
            if one.start >= self.at or one.kind in ("field", "variant", "variable"):
                continue
            begin = self.question.text.rfind("\n", 0, one.start) + 1
            width = _width(self.question.text[begin : one.start])
            if width < indent:
                found.append(one)
                indent = width
            if indent == 0:
                break
        return tuple(found)

    @cached_property
    def own_type(self) -> str:
        """The qualified name of the type whose body the cursor is in; empty outside of types."""
        for one in self.enclosing:
            if one.kind in TYPE_KINDS:
                return one.qualified_name
            if one.kind in ("method", "function") and one.parent:
                return one.parent
        return ""

    @cached_property
    def names(self) -> Mapping[str, float]:
        """Names near the cursor with what each counts: 1 on its line, less further away.  In that order."""
        text = self.question.text
        line_start = text.rfind("\n", 0, self.at) + 1
        line_end = text.find("\n", self.question.offset)
        line_end = len(text) if line_end < 0 else line_end
        counts: dict[str, float] = {}
        _count_names(
            counts, [text[line_start : self.at] + " " + text[self.question.offset : line_end]], 0, 1.0
        )
        before = text[:line_start].split("\n")[-NEAR_LINES_BEFORE - 1 : -1]
        after = text[line_end + 1 :].split("\n", NEAR_LINES_AFTER)[:NEAR_LINES_AFTER]
        _count_names(counts, list(reversed(before)), 1, 1.0)
        _count_names(counts, after, 1, 0.6)
        for one in self.enclosing[:2]:  # the heading of what is being written is near, however long it is
            for name in _NAME.findall(f"{one.name} {one.signature}"):
                counts[name] = max(counts.get(name, 0.0), 0.7)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def used(self) -> Mapping[str, int]:
        """How often each name stands in the text, imports not counted."""
        counts: dict[str, int] = {}
        for name in self.facts.references.names:
            counts[name] = counts.get(name, 0) + 1
        return counts

    @cached_property
    def local_names(self) -> frozenset[str]:
        """What this file defines itself."""
        return frozenset(one.name for one in self.facts.definitions)

    @cached_property
    def _bindings(self) -> dict[str, list[Binding]]:
        found: dict[str, list[Binding]] = {}
        for one in self.facts.bindings:
            found.setdefault(one.name, []).append(one)
        return found

    def bindings_of(self, name: str) -> tuple[Binding, ...]:
        """Those that may hold at the cursor, the likeliest first: before it, in the nearest scope."""
        scopes = [one.qualified_name for one in self.enclosing] + [""]
        here: list[tuple[int, int, Binding]] = []
        for one in self._bindings.get(name, ()):
            if one.start > self.at:
                continue
            depth = next((nth for nth, scope in enumerate(scopes) if scope == one.scope), None)
            if depth is None:
                depth = 50 if any(one.scope.startswith(scope) for scope in scopes if scope) else 99
            here.append((depth, -one.start, one))
        here.sort(key=lambda item: item[:2])
        return tuple(one for depth, _, one in here if depth < 99 or len(here) == 1)

    @cached_property
    def imported(self) -> Mapping[str, tuple[Import, str]]:
        """By the name it has here: the import, and the name in its module; empty for the module itself."""
        found: dict[str, tuple[Import, str]] = {}
        for one in self.facts.imports:
            for name in one.names:
                if name.name == "self":  # Rust's `use a::b::{self}`
                    found.setdefault(name.alias or re.findall(r"\w+", one.module)[-1:][0], (one, ""))
                    continue
                found.setdefault(name.local_name, (one, "" if name.name == "*" else name.name))
            if one.alias:
                found.setdefault(one.alias, (one, ""))
            elif not one.names and not one.wildcard:
                for local in _bound_by(one):
                    found.setdefault(local, (one, ""))
        return found


def read_scene(question: Question) -> Scene:
    """Raises `ValueError` for an offset outside the text, and `GrammarError`."""
    text, offset = question.text, question.offset
    if not 0 <= offset <= len(text):
        raise ValueError(f"offset {offset} is outside the text, which has {len(text)} characters")
    facts = question.facts
    if facts is None:
        language = find_language(question.language, question.path)
        facts = extract(text, language) if language else FileFacts(question.language)
    partial = _PARTIAL.search(text, max(0, offset - 200), offset)
    at = partial.start() if partial else offset
    separator = separator_before(text, at)
    opening = open_call(text, at)
    line_start = text.rfind("\n", 0, at) + 1
    return Scene(
        question=question,
        facts=facts,
        partial=partial[0] if partial else "",
        at=at,
        receiver=chain_before(text, separator) if separator is not None else None,
        callee=chain_before(text, opening) if opening is not None else None,
        importing=_importing(text, line_start, at, facts),
    )


def _importing(text: str, line_start: int, at: int, facts: FileFacts) -> Import | None:
    begun = _FROM_IMPORT.match(text, line_start, at)
    if begun is not None:
        return Import(begun["module"], level=len(begun["dots"]))
    if _IMPORT_LINE.match(text, line_start, at) is None:
        return None
    return next((one for one in facts.imports if one.start <= at <= one.end), None)


def _bound_by(one: Import) -> tuple[str, ...]:
    """What `import a.b` or `import "x/b"` may be called: the last part, and of a dotted name the first."""
    words = [word for word in re.findall(r"\w+", one.module) if not re.fullmatch(r"v\d+", word)]
    firsts = () if "/" in one.module else words[:1]
    return tuple(dict.fromkeys((*words[-1:], *firsts)))


def _count_names(counts: dict[str, float], lines: list[str], first: int, weight: float) -> None:
    for nth, line in enumerate(lines, first):
        worth = weight * 0.5 ** (nth / _HALF_LINES)
        for name in _NAME.findall(line):
            if worth > counts.get(name, 0.0):
                counts[name] = worth


def _width(line: str) -> int:
    bare = line.lstrip(" \t")
    return len(line[: len(line) - len(bare)].expandtabs(8))
