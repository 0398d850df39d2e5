"""The whole text with a suggestion in its place, and what the syntax tree says about spots in it.

Offsets are code points of the whole text.  The tree is parsed when it is first needed: most
suggestions have no finding and never need it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ...context.languages import find_language
from ...context.parsing import Node, Tree, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..verdict import Passage

_CALLS = frozenset(
    {"call", "call_expression", "method_invocation", "new_expression", "invocation_expression"}
)
_ACCESSES = frozenset(
    {
        "attribute",
        "member_expression",
        "selector_expression",
        "field_expression",
        "field_access",
        "member_access_expression",
        "navigation_expression",
        "nested_type_identifier",
    }
)
_ARGUMENTS = frozenset({"argument_list", "arguments", "value_arguments"})
_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = {closer: opener for opener, closer in _OPEN.items()}
_NAME = re.compile(r"[^\W\d]\w*")
_WITH_TAIL = frozenset({"if_statement", "try_statement", "for_statement", "while_statement"})
_CLAUSES = frozenset({"elif_clause", "else_clause", "except_clause", "finally_clause", "case_clause", "else"})
_NEEDED = frozenset({"except_clause", "finally_clause", "except_group_clause", "catch_clause"})


@dataclass(frozen=True)
class Draft:
    """`text[start:end]` is the suggestion."""

    before: str
    suggestion: str
    after: str
    language: str
    path: str

    @classmethod
    def of(cls, passage: Passage) -> Draft:
        return cls(passage.before, passage.suggestion, passage.after, passage.language, passage.path or "")

    @cached_property
    def text(self) -> str:
        return self.before + self.suggestion + self.after

    @property
    def base(self) -> str:
        """The text without the suggestion."""
        return self.before + self.after

    @property
    def start(self) -> int:
        return len(self.before)

    @property
    def end(self) -> int:
        return len(self.before) + len(self.suggestion)

    @cached_property
    def word_start(self) -> int:
        """Where the word begins that the suggestion goes on with; `start` if it begins anew."""
        at = self.start
        while at > 0 and self.suggestion[:1].isidentifier() and _is_word(self.text[at - 1]):
            at -= 1
        return at

    @cached_property
    def is_at_word_end(self) -> bool:
        """Whether the last word of the suggestion may have been cut off."""
        return _is_word(self.suggestion[-1:]) and not _is_word(self.after[:1])

    @cached_property
    def tree(self) -> Tree | None:
        language = find_language(self.language, self.path)
        if language is None:
            return None
        tree = parse(self.text, language)
        return None if tree.skipped else tree

    @cached_property
    def names(self) -> frozenset[str]:
        """Every word of the text round the suggestion."""
        return frozenset(_NAME.findall(self.before)) | frozenset(_NAME.findall(self.after))

    def line_at(self, offset: int) -> str:
        first = self.text.rfind("\n", 0, offset) + 1
        last = self.text.find("\n", offset)
        return self.text[first : last if last != -1 else len(self.text)]

    def at(self, start: int, end: int) -> Node | None:
        """The smallest node that covers `[start, end)`."""
        found = None
        for node in self.tree.walk(start, end) if self.tree is not None else ():
            if node.start <= start and node.end >= end:
                found = node
        return found

    def access_at(self, start: int, end: int) -> tuple[Node, Node] | None:
        """`receiver.name` whose name is `[start, end)`: the whole of it, and the receiver."""
        node = self.at(start, end)
        while node is not None and node.kind not in _ACCESSES:
            if node.start < start or node.end > end:
                return None
            node = node.parent
        if node is None or node.end != end or not node.named_children:
            return None
        return node, node.named_children[0]

    def call_of(self, callee: Node) -> Call | None:
        """The call of `callee`, if it is called."""
        parent = callee.parent
        if parent is None or parent.kind not in _CALLS:
            return None
        if parent.start != callee.start and parent.kind != "new_expression":
            return None
        for child in parent.named_children:
            if child.kind in _ARGUMENTS:
                return self._call(parent, child)
        return None

    def call_around(self, start: int, end: int) -> Call | None:
        """The innermost call in whose arguments `[start, end)` stands."""
        node = self.at(start, end)
        for one in (node, *node.ancestors()) if node is not None else ():
            if one.kind in _ARGUMENTS and one.start < start and one.parent is not None:
                return self._call(one.parent, one)
        return None

    def calls(self) -> Iterator[Call]:
        """Those of the suggestion that have keywords in it."""
        for node in self.tree.walk(self.start, self.end) if self.tree is not None else ():
            if (
                node.kind in _ARGUMENTS
                and node.parent is not None
                and "=" in self.text[node.start : node.end]
            ):
                call = self._call(node.parent, node)
                if any(self.start <= start < self.end for _, start in call.keywords):
                    yield call

    def _call(self, whole: Node, arguments: Node) -> Call:
        values = tuple(
            self.text[one.start : one.end] for one in arguments.named_children if "comment" not in one.kind
        )
        named = [
            name
            for one in arguments.named_children
            if one.kind == "keyword_argument" and (name := one.field("name"))
        ]
        keywords = tuple((self.text[one.start : one.end], one.start) for one in named)
        return Call(whole, arguments, values, keywords)

    def statement_at(self, offset: int) -> Node | None:
        """The innermost statement that holds `offset`."""
        node = self.at(offset, offset + 1)
        if node is None or self.tree is None:
            return None
        for one in (node, *node.ancestors()):
            if one.kind in self.tree.language.statement_nodes and "block" not in one.kind:
                return one
        return None

    def clean_end(self, offset: int) -> int:
        """Where the text has to be cut so that the statement at `offset` is gone and nothing hangs.

        Not before the suggestion.  A block that would be left empty or open goes with what it is of.
        """
        statement = self.statement_at(offset)
        cut = self._line_start(offset) if statement is None else statement.start
        while statement is not None:
            outer = self._left_hanging(statement)
            if outer is None or outer.start < self.start:
                if outer is not None:
                    cut = self.start
                break
            statement, cut = outer, outer.start
        cut = max(cut, self.start)
        return self.start + len(self.text[self.start : cut].rstrip())

    def _left_hanging(self, statement: Node) -> Node | None:
        """The construct that could not stand if the text ended before `statement`; None if all could."""
        if self.tree is None:
            return None
        parent = statement.parent
        if parent is not None and parent.kind == "decorated_definition":
            return parent
        if self.tree.language.block_style != "indent":
            for one in statement.ancestors():
                if one.start >= self.start and one.kind in self.tree.language.statement_nodes:
                    return one
            return None
        while parent is not None and parent.kind not in self.tree.language.block_nodes:
            parent = parent.parent
        if parent is None or parent.kind == "module":
            return None
        first = next((one for one in parent.named_children if "comment" not in one.kind), None)
        holder = parent.parent
        if holder is None:
            return None
        if first is not None and first.start < statement.start:
            return self._unfinished_try(holder, statement)
        if holder.kind in _NEEDED or holder.kind not in _CLAUSES:
            return holder if holder.kind not in _NEEDED else holder.parent
        return holder  # an `else` can go and leave what is before it whole

    def _unfinished_try(self, holder: Node, statement: Node) -> Node | None:
        """A `try` whose `except` would be cut away with what follows."""
        for one in (holder, *holder.ancestors()):
            if one.start < self.start:
                return None
            if one.kind == "try_statement":
                handlers = [part for part in one.named_children if part.kind in _NEEDED]
                if not handlers or handlers[0].start > statement.start:
                    return one
        return None

    def is_open_at_end(self, offset: int) -> bool:
        """Whether a bracket that is open at `offset` is still open where the suggestion ends."""
        depth = 0
        for char in _without_strings(self.text[offset : self.end]):
            if char in _OPEN:
                depth += 1
            elif char in _CLOSE:
                depth -= 1
                if depth < 0:
                    return False
        return self._depth_before(offset) > 0

    def _depth_before(self, offset: int) -> int:
        statement = self.statement_at(offset)
        first = statement.start if statement is not None else self.text.rfind("\n", 0, offset) + 1
        depth = 0
        for char in _without_strings(self.text[first:offset]):
            depth += 1 if char in _OPEN else -1 if char in _CLOSE and depth else 0
        return depth

    def is_last_statement(self, offset: int) -> bool:
        """Whether nothing but blanks stands between the end of its statement and the suggestion's end."""
        statement = self.statement_at(offset)
        if statement is None:
            return "\n" not in self.text[offset : self.end].strip()
        return not self.text[statement.end : self.end].strip()

    def _line_start(self, offset: int) -> int:
        first = self.text.rfind("\n", 0, offset) + 1
        return first + len(self.text[first:offset]) - len(self.text[first:offset].lstrip())

    def with_edit(self, start: int, end: int, replacement: str) -> Draft:
        """The draft with `[start, end)`, which is in the suggestion, replaced."""
        first, last = start - self.start, end - self.start
        text = self.suggestion[:first] + replacement + self.suggestion[last:]
        return Draft(self.before, text, self.after, self.language, self.path)

    def ancestors_at(self, offset: int) -> Iterator[Node]:
        node = self.at(offset, offset + 1)
        if node is not None:
            yield node
            yield from node.ancestors()


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the whole, its brackets, the text of each argument, and where its keywords stand."""

    whole: Node
    arguments: Node
    values: tuple[str, ...]
    keywords: tuple[tuple[str, int], ...] = ()


_STRING = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def _without_strings(text: str) -> str:
    return _STRING.sub("", text)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
