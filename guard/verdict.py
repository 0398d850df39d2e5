"""The one thing this package produces: a `Verdict` on a span of a suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, Protocol, runtime_checkable

Kind = Literal["licence", "safety", "secret", "personal", "unicode", "syntax", "grounding", "package"]


class Action(IntEnum):
    """What to do about a finding, mildest first: `max()` of several is the one that counts."""

    PASS = 0
    ANNOTATE = 1
    REPAIR = 2
    TRIM = 3
    WITHHOLD = 4


@dataclass(frozen=True, slots=True)
class Reference:
    """Code that a suggestion repeats: where it stands, on what terms, and which part repeats it."""

    licence: str
    """An SPDX expression; empty where nobody knows."""
    name: str
    """Of the project."""
    version: str
    path: str
    """In the project."""
    line: int
    """Where it begins there, or a little before."""
    url: str
    """A page for a person; may be empty."""
    start: int
    end: int
    """Code points of the suggestion."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding on `[start, end)`, code-point offsets into the suggestion.

    `evidence` is a sentence a person can read; it never repeats a secret.  `replacement` is given
    with `Action.REPAIR` and stands in for the span.  For `Action.TRIM` the text before `start` is
    kept.
    """

    kind: Kind
    action: Action
    rule: str
    start: int
    end: int
    evidence: str
    replacement: str | None = None
    cwe: str | None = None
    licence: str | None = None
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A suggestion in its place.  Offsets in verdicts count from the start of `suggestion`."""

    before: str
    suggestion: str
    after: str
    language: str
    """A language id as in LSP (`python`, `typescript`, …); unknown ones are allowed."""
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome: `text` is what may be shown, empty when nothing may."""

    text: str
    action: Action
    verdicts: tuple[Verdict, ...]
    vouched: bool
    """False when a check could not finish: the text is then *unvouched*, never silently passed."""
    ms: float
    unfinished: tuple[str, ...] = ()
    """The names of the checks that could not finish; empty when `vouched`."""
    why_unfinished: tuple[str, ...] = ()
    """Why, for each of these, in words for a person."""

    @property
    def reason(self) -> str:
        """Why nothing, or less than everything, is shown; empty when all passed."""
        blocking = [v for v in self.verdicts if v.action >= Action.TRIM]
        return "; ".join(v.evidence for v in blocking)

    @property
    def doubt(self) -> str:
        """Which checks did not finish, and why; empty when all did."""
        checks = zip(self.unfinished, self.why_unfinished, strict=True)
        return "; ".join(f"the {name} check did not finish: {why}" for name, why in checks)


class Check(Protocol):
    """One kind of judgement.  Pure: same passage, same verdicts."""

    @property
    def name(self) -> str: ...

    def judge(self, passage: Passage) -> tuple[Verdict, ...]: ...


@runtime_checkable
class Warmable(Protocol):
    """A check that reads something once for each language."""

    def warm(self, language_id: str, path: str | None = None) -> None: ...


@runtime_checkable
class Costly(Protocol):
    """A check that takes so long that it is not asked about a text which others have repairs for."""

    @property
    def is_costly(self) -> Literal[True]: ...
