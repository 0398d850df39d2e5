"""A rule, as it is after loading.  `rules/README.md` says what the keys mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["block", "warn"]

LABELS = frozenset({"request", "remote", "local", "param", "free", "field", "call", "constant"})
"""Where a value may come from: a request, that or a user, so far as the function's own text says
so, this machine, the function's parameters, a name not defined in sight, an attribute of the object at
hand, the result of an unknown call, the program text."""

TAINT = "TAINT"
"""The metavariable a source, sink or guard marks the value with."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One ast-grep rule, and the words without one set of which it cannot match."""

    config: Mapping[str, Any]
    """As `SgNode.find_all` takes it: `rule`, `constraints`, `utils`."""
    words: tuple[frozenset[str], ...] = (frozenset(),)
    many: bool = False
    """Whether it marks several values: `$$$TAINT`."""
    key: str = ""
    """The same for matchers that look for the same nodes."""
    rough: Mapping[str, Any] | None = None
    """A quicker rule that matches wherever this one does."""
    tests: tuple[tuple[str, re.Pattern[str], bool], ...] = ()
    """Metavariable (empty: the whole), pattern, and whether its text must or must not match.  Done
    here rather than by ast-grep, which compiles each regular expression anew with each search."""

    def may_match(self, tokens: frozenset[str]) -> bool:
        return any(words <= tokens for words in self.words)


@dataclass(frozen=True, slots=True)
class Flow:
    """What must be true of the value at a sink."""

    labels: frozenset[str]
    sources: tuple[Matcher, ...] = ()
    sanitisers: tuple[Matcher, ...] = ()
    guards: tuple[Matcher, ...] = ()
    built: bool = False
    """The value must be put together from text and something that is not."""
    text: re.Pattern[str] | None = None
    """Must occur in the value's text, in which `\\0` stands for what is not known."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`matchers` match the whole finding; with a `flow`, their `$TAINT` must fit it."""

    id: str
    cwe: str
    severity: Severity
    languages: tuple[str, ...]
    message: str
    fix: str
    matchers: tuple[Matcher, ...]
    flow: Flow | None
    context: re.Pattern[str] | None
    """Must occur in the function round the finding, or in the text where there is none."""
    unless: tuple[Matcher, ...]
    """Must not match anywhere in that function."""
    unless_text: re.Pattern[str] | None
    rewrite: str | None
    imports: str | None
    """A line the rewrite needs among the imports."""
    bad: tuple[str, ...]
    good: tuple[str, ...]
    place: str
    native: str | None = None
    """The analysis (`native.ANALYSES`) that finds the places instead of `matchers`."""


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """What is a source, and what carries or cleans a value, in a language: `flow.yml`."""

    languages: tuple[str, ...]
    sources: tuple[tuple[str, Matcher], ...] = ()
    """Label and matcher, of `remote` and `local`.  With `$TAINT` it is the variable written to."""
    sanitisers: tuple[Matcher, ...] = ()
    guards: tuple[Matcher, ...] = ()
    handlers: tuple[Matcher, ...] = ()
    """Functions whose parameters come from another machine, or their decorated definitions."""
    constants: tuple[Matcher, ...] = ()
    """Calls whose value is constant where their arguments are."""
    copies: tuple[Matcher, ...] = ()
    """Statements by which `$FROM` (or `$$$FROM`) becomes part of `$TO`."""
    carriers: re.Pattern[str] | None = None
    """Names of functions that give back what they are given, in another form."""
    stoppers: re.Pattern[str] | None = None
    """Names of functions whose result says nothing of what they are given."""
    number_types: re.Pattern[str] | None = None
    short: tuple[str, ...] = ()
    """Modules left out of canonical names, so that a pattern fits with and without the import."""
    assume: Mapping[str, str] | None = None
    """Names taken to be imported where nothing says so."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All there is for one language."""

    language: str
    rules: tuple[Rule, ...]
    facts: FlowFacts
    words: frozenset[str] = frozenset()
    """All words of all patterns: a name that leads to none of them need not be resolved."""
    by_word: Mapping[str, frozenset[int]] | None = None
    """Rules, by number, that one of their words calls up; the empty word calls up the others."""

    def candidates(self, tokens: frozenset[str]) -> list[Rule]:
        """The rules that may find something in a text of these words."""
        if self.by_word is None:
            return list(self.rules)
        found: set[int] = set(self.by_word.get("", ()))
        for word in tokens & self.by_word.keys():
            found |= self.by_word[word]
        return [self.rules[at] for at in sorted(found)]
