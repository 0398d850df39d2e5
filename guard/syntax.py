"""New syntax errors: a suggestion that no program could contain is cut back to its last clean line.

Unfinished is not wrong.  A suggestion is usually the beginning of something (`for x in xs:`, an open
bracket, half a string), so the question is not whether the document parses with it but whether the
parser *refuses a token of it*: the grammars are LR, and a refused token is the first that nothing
could have made sound (`context.refusals`).  A token refused after the suggestion, or the end of the
text, only says that more is to come, except where the suggestion closes a bracket of the text before
that the text after already closes.

What the document had wrong anyway is not blamed on the suggestion: where there are older errors
before the cursor, the parser may be out of step, and the suggestion counts as broken only if it is
so on its own too.  Grammars are more lenient than compilers; for Python, indentation is checked on
the tree as well.
"""

from __future__ import annotations

import re
import string
import textwrap
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..context.language_table import CPP, PYTHON, C, Language
from ..context.languages import find_language, keywords_of
from ..context.parsing import Node, Tree, parse
from ..context.refusals import Refusal, refusals
from .errors import CheckError
from .layout import misplaced
from .preprocessed import PREPROCESSED, heads, is_cpp, may_be_macro, plain, without_attributes
from .verdict import Action, Passage, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BEFORE_CHARS = 160_000
MAX_AFTER_CHARS = 80_000
"""Text further away is not parsed: it costs milliseconds and decides nothing."""

_CLOSERS = frozenset(")]}") | {"end", "fi", "done", "esac", "%>", "?>"}
_WORD = string.ascii_letters + string.digits + "_"
_TRAILING = re.compile(r"[ \t]*[;,:{]+[ \t]*$", re.MULTILINE)
_DIRECTIVES = PREPROCESSED | {"csharp"}

# What would go on from a last character: half an operator, half a comment sign, half an ellipsis.
_OPERATOR_TAILS = {
    ":": ("=", ":"),
    "/": ("/",),
    "!": ("=",),
    "=": (">", "="),
    "?": (".x", "?"),
    "&": ("&x",),
    "|": ("|x",),
    ".": (".", "..x"),
    "-": (">x",),
    "#": ("x",),
    "<": ("<x", "?x"),
    "$": ("x", "{x"),
    "@": ("x", "@x"),
    ";": (";",),
}


@dataclass(frozen=True, slots=True)
class _Fault:
    """Where the suggestion goes wrong, counted from its start."""

    start: int
    rule: str
    reason: str
    closer: str = ""
    """The bracket or word, if it is one that closes: the text round it may be whole."""


class SyntaxCheck:
    """Refuses what no program could contain.  Languages without a grammar pass: nothing to check."""

    name = "syntax"

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        language = find_language(passage.language, passage.path)
        if language is None or not passage.suggestion.strip():
            return ()
        before, after = _tail(passage.before), _head(passage.after)
        verdict = None
        for grammar in _grammars_of(language, passage):
            place = _Place(before, after, grammar)
            suggestion = place.plain(passage.suggestion)
            fault = place.fault(suggestion)
            if fault is None:
                return ()
            verdict = verdict or _verdict(place, suggestion, fault)
        return (verdict,) if verdict else ()


def _grammars_of(language: Language, passage: Passage) -> tuple[Language, ...]:
    """What the text may be: a header that ends in `.h` is C or C++, whatever an editor calls it."""
    if language.name not in PREPROCESSED or not (passage.path or "").endswith(".h"):
        return (language,)
    return (CPP, C) if is_cpp(passage.before + passage.suggestion + passage.after) else (C, CPP)


def _verdict(place: _Place, suggestion: str, fault: _Fault) -> Verdict:
    line = suggestion.count("\n", 0, fault.start) + 1
    if fault.closer:
        end = fault.start + len(fault.closer)
        without = suggestion[: fault.start] + suggestion[end:]
        if _TRAILING.match(suggestion, end) and place.is_clean_end(without):
            return Verdict(
                kind="syntax",
                action=Action.REPAIR,
                rule=fault.rule,
                start=fault.start,
                end=end,
                evidence=f"the suggestion does not parse: {fault.reason} on its line {line}; it was left out",
                replacement="",
            )
    for kept in _candidates(suggestion, fault):
        if place.is_clean_end(suggestion[:kept]):
            return Verdict(
                kind="syntax",
                action=Action.TRIM,
                rule=fault.rule,
                start=kept,
                end=len(suggestion),
                evidence=f"the suggestion does not parse from its line {line} on: {fault.reason}",
            )
    return Verdict(
        kind="syntax",
        action=Action.WITHHOLD,
        rule=fault.rule,
        start=0,
        end=len(suggestion),
        evidence=f"the suggestion does not parse: {fault.reason} on its line {line}",
    )


def _candidates(suggestion: str, fault: _Fault) -> Iterator[int]:
    """Lengths to which the suggestion may be cut, longest first, without trailing space."""
    seen: set[int] = set()
    if fault.closer:
        seen.add(len(suggestion[: fault.start].rstrip()))
    end = suggestion.rfind("\n", 0, fault.start)
    while end != -1:
        seen.add(len(suggestion[:end].rstrip()))
        end = suggestion.rfind("\n", 0, end)
    yield from sorted(seen - {0}, reverse=True)


class _Place:
    """The text round one suggestion, parsed once."""

    def __init__(self, before: str, after: str, language: Language) -> None:
        self.language = language
        self.before, self.after = self.plain(before), self.plain(after)
        self.at = len(before)

    def plain(self, text: str) -> str:
        """As long as before, and such that the grammar can read it."""
        return plain(text) if self.language.name in PREPROCESSED else text

    @cached_property
    def base(self) -> Tree:
        """The document without the suggestion; most suggestions never need it."""
        return parse(self.before + self.after, self.language)

    def fault(self, suggestion: str) -> _Fault | None:
        """The first thing wrong with the suggestion here, or nothing."""
        tree = parse(self.before + suggestion + self.after, self.language)
        if tree.skipped:
            raise CheckError(
                f"the document is too large or too deeply nested to parse as {self.language.name}"
            )
        if not tree.has_errors:
            return self._misplaced(tree, suggestion)
        if self._is_sound_elsewhere(suggestion):
            return self._excess_closer(suggestion)
        refused = self._refused(suggestion)
        if not refused and not self.base.has_errors:
            raise CheckError(f"the parser reports an error in {self.language.name} but not where")
        own = _first_within(refused, suggestion)
        if own is None:
            return self._excess_closer(suggestion) or self._misplaced(tree, suggestion)
        if self._is_macro(suggestion, own) or self._is_older(suggestion) or self._is_unfinished(suggestion):
            return None
        closer = own.symbol if own.symbol in _CLOSERS else ""
        return _Fault(max(own.start, 0), "syntax/unexpected-token", _reason(own), closer)

    def is_clean_end(self, suggestion: str) -> bool:
        """Whether the suggestion, cut here, is sound and ends a statement or fits what follows."""
        if self.fault(suggestion) is not None:
            return False
        if self.language.block_style == "indent" and suggestion.endswith(":"):
            return False  # a header without its block: sound so far, but no end
        known = {(refusal.start, refusal.symbol) for refusal in self._refused("")}
        after = {(refusal.start - len(suggestion), refusal.symbol) for refusal in self._refused(suggestion)}
        return after <= known or self._ends_statement(suggestion)

    def _refused(self, suggestion: str) -> tuple[Refusal, ...]:
        """Refusals on or after the cursor, counted from it."""
        found = refusals(self.base, self.at, self.at, suggestion)
        return tuple(
            Refusal(one.start - self.at, one.end - self.at, one.symbol, one.at_end)
            for one in found
            if one.end > self.at or one.start >= self.at
        )

    def _is_unfinished(self, suggestion: str) -> bool:
        """Whether the suggestion merely stops in the middle of a token, a string or a comment."""
        text = self.before + suggestion
        last, last_line = suggestion[-1], suggestion.rpartition("\n")[2].lstrip()
        if self.language.name in _DIRECTIVES and last_line.startswith("#"):
            return True
        tails = list(_OPERATOR_TAILS.get(last, ()))
        if last.isalnum() or last == "_":
            word = suggestion[len(suggestion.rstrip(_WORD)) :]
            endings = (
                name[len(word) :] for name in sorted(keywords_of(self.language)) if name.startswith(word)
            )
            tails += ["_x", "0", *endings]
        for quote in self.language.quotes:
            if quote in text:
                tails += [quote, "}" + quote]
        if "<" in last_line:
            tails.append(">")
        if self.language.block_comment and self.language.block_comment[0] in text:
            tails.append("\n" + self.language.block_comment[1])
        for tail in tails:
            if _first_within(self._refused(suggestion + tail), suggestion + tail) is None:
                return True
        return False

    def _is_older(self, suggestion: str) -> bool:
        """Whether the parser was out of step before, and the suggestion alone is sound."""
        line_start = self.before.rfind("\n") + 1
        if not any(flaw.start < line_start for flaw in self.base.flaws()):
            return False
        typed = self.before[line_start:]
        alone = textwrap.dedent(typed + suggestion)
        refused = refusals(parse("", self.language), 0, 0, alone)
        return _first_within(refused, alone) is None

    def _is_macro(self, suggestion: str, own: Refusal) -> bool:
        if self.language.name not in PREPROCESSED:
            return False
        return may_be_macro(self.before, suggestion, own.start, own.end, self.after)

    def _is_sound_elsewhere(self, suggestion: str) -> bool:
        """C and C++: whether it is sound in some place, without its macros.

        A macro far above, as in the head of its class, leaves the parser out of step for good.
        """
        if self.language.name not in PREPROCESSED:
            return False
        written = self.before[self.before.rfind("\n") + 1 :] + suggestion
        alone = without_attributes(written)
        if alone == written and not self.base.has_errors:
            return False  # nothing has put the parser out of step
        empty = parse("", self.language)
        return any(
            _first_within(refusals(empty, 0, 0, head + alone), head + alone) is None
            for head in heads(alone, "class A {\n" if self.language is CPP else "struct A {\n")
        )

    def _excess_closer(self, suggestion: str) -> _Fault | None:
        """A bracket closed twice: by the suggestion and by the text after, which was sound without it."""
        if not suggestion.rstrip("; \t\r\n,").endswith(tuple(_CLOSERS)):
            return None  # it goes on after the bracket, and may open another
        if self.base.has_errors or all(one.at_end for one in self._refused(suggestion)):
            return None
        tree = parse(self.before + suggestion, self.language)
        for node in tree.walk(self.at):
            if node.start >= self.at and node.kind in _CLOSERS and _closes_before(node, self.at):
                return _Fault(
                    node.start - self.at,
                    "syntax/closes-too-much",
                    f"`{node.kind}` closes what the text after closes already",
                    node.kind,
                )
        return None

    def _misplaced(self, tree: Tree, suggestion: str) -> _Fault | None:
        if self.language is not PYTHON:
            return None
        found = misplaced(tree, self.at, self.at + len(suggestion))
        return _Fault(found.start - self.at, "syntax/indentation", found.reason) if found else None

    def _ends_statement(self, suggestion: str) -> bool:
        tree = parse(self.before + suggestion, self.language)
        end = self.at + len(suggestion)
        return any(
            node.end == end
            and node.kind in self.language.statement_nodes - self.language.block_nodes
            and not node.has_error
            for node in tree.walk(end - 1, end)
        )


def _first_within(refused: tuple[Refusal, ...], suggestion: str) -> Refusal | None:
    """The first refused token that is wholly the suggestion's.

    A token without width at its end (a block that is over) is due to what follows.
    """
    for one in refused:
        if one.at_end or one.start >= len(suggestion) or one.end > len(suggestion):
            continue
        if one.end > one.start or suggestion[one.start :].strip():
            return one
    return None


def _closes_before(closer: Node, offset: int) -> bool:
    """Whether the sound construct that `closer` ends begins before `offset`."""
    whole = closer.parent
    return whole is not None and whole.start < offset and not whole.has_error and not closer.is_missing


def _reason(refusal: Refusal) -> str:
    """Names the kind of token, never its text: it may be part of a secret."""
    symbol = refusal.symbol
    if symbol in ("ERROR", ""):
        return "an unexpected character"
    if symbol.startswith("_") or symbol.isspace() or "token" in symbol:
        return "an unexpected end of line or block"
    return f"unexpected `{symbol}`" if not symbol.isidentifier() else f"unexpected {symbol.replace('_', ' ')}"


def _tail(before: str) -> str:
    if len(before) <= MAX_BEFORE_CHARS:
        return before
    start = before.find("\n", len(before) - MAX_BEFORE_CHARS) + 1
    return before[start:]


def _head(after: str) -> str:
    if len(after) <= MAX_AFTER_CHARS:
        return after
    return after[: after.rfind("\n", 0, MAX_AFTER_CHARS) + 1]
