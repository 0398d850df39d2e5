"""The part of the document that is looked at: the suggestion, what is round it, and the imports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..verdict import Passage

BEFORE_LINES, BEFORE_CHARS = 60, 4_000
AFTER_LINES, AFTER_CHARS = 20, 1_500
HEADER_CHARS = 4_000
"""Functions are shorter, mostly; and each line costs time with every suggestion."""

MAX_SUGGESTION_CHARS = 200_000

_IMPORT = re.compile(
    r"^[ \t]*(?:import\b|from\b.+\bimport\b|(?:const|let|var)\b.+\brequire\s*\(|#\s*include\b"
    r"|using\b|use\b|require\b).*$",
    re.MULTILINE,
)

_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of characters: what is not UTF-8 is read as these, and no parser takes them."""


@dataclass(frozen=True, slots=True)
class Window:
    """`text[start:end]` is the suggestion."""

    text: str
    start: int
    end: int

    @property
    def without(self) -> str:
        """The same part of the document as it was."""
        return self.text[: self.start] + self.text[self.end :]


def window_of(passage: Passage, language: str) -> Window:
    before, cut = _tail(passage.before)
    after = _head(passage.after)
    header = ""
    if cut:
        lines = _IMPORT.findall(passage.before[:cut][: 4 * HEADER_CHARS])
        header = "".join(f"{line.strip()}\n" for line in lines)[:HEADER_CHARS]
    if language == "python":
        header += _scaffold(before + passage.suggestion + after)
    elif language == "php" and "<?" not in before + passage.suggestion:
        header = "<?php\n" + header
    start = len(header) + len(before)
    text = _HALVES.sub("\ufffd", header + before + passage.suggestion + after)
    return Window(text, start, start + len(passage.suggestion))


def _scaffold(body: str) -> str:
    """Headers for a text that begins inside blocks, so that dedents have something to end."""
    depths: list[int] = []
    for line in body.split("\n"):
        bare = line.lstrip(" \t")
        if bare and not bare.startswith(("#", '"', "'")):
            depth = len(line) - len(bare)
            if not depths or depth < depths[-1]:
                depths.append(depth)
            if depth == 0:
                break
    if not depths or depths[0] == 0:
        return ""
    tab = "\t" if re.match(r"[^\n]*\n*\t", body) else " "
    outer = sorted({0, *depths[1:]})
    return "".join(f"{tab * depth}if 1:\n" for depth in outer)


def _tail(text: str) -> tuple[str, int]:
    start = max(0, len(text) - BEFORE_CHARS)
    lines = text.rsplit("\n", BEFORE_LINES)
    if len(lines) > BEFORE_LINES:
        start = max(start, len(lines[0]) + 1)
    if start > 0 and text[start - 1] != "\n":
        start = text.find("\n", start) + 1 or len(text)
    return text[start:], start


def _head(text: str) -> str:
    if len(text) > AFTER_CHARS:
        text = text[: text.rfind("\n", 0, AFTER_CHARS) + 1]
    return "\n".join(text.split("\n")[:AFTER_LINES])
