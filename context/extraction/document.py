"""The facts of an open buffer, kept up with its edits."""

from __future__ import annotations

from ..facts import FileFacts
from ..parsing import Tree, parse, reparse
from ..records import Language
from .file_facts import extract_tree


class FactsOf:
    """One document.  `facts` are those a fresh `extract` of `text` gives; only parsing is saved.

    Not thread-safe: the owner of the buffer edits and asks.
    """

    def __init__(self, text: str, language: Language) -> None:
        self._tree: Tree = parse(text, language)
        self._facts: FileFacts | None = None
        self._is_edited = False

    @property
    def text(self) -> str:
        return self._tree.text

    @property
    def tree(self) -> Tree:
        return self._tree

    @property
    def facts(self) -> FileFacts:
        """Made when asked for, once per state of the text."""
        if self._facts is None:
            if self._is_edited and self._tree.has_errors:
                # Around an error the tree depends on what stood there before; facts must not.
                self._tree = parse(self.text, self._tree.language)
            self._is_edited = False
            self._facts = extract_tree(self._tree)
        return self._facts

    def edit(self, start: int, end: int, replacement: str) -> None:
        """`[start, end)`, in code points, becomes `replacement`."""
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"edit [{start}, {end}) is outside the text of {len(self.text)} characters")
        self._tree = reparse(self._tree, start, end, replacement)
        self._facts = None
        self._is_edited = True

    def replace(self, text: str) -> None:
        """The whole text at once, where an editor sends it so; parses what differs."""
        old = self.text
        if old == text:
            return
        start, most = 0, min(len(old), len(text))
        while start < most and old[start] == text[start]:
            start += 1
        end = 0
        while end < most - start and old[-1 - end] == text[-1 - end]:
            end += 1
        self.edit(start, len(old) - end, text[start : len(text) - end])
