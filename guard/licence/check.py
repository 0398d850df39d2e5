"""Withholds, cuts or marks what a suggestion has in common with licensed code."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckError, LicenceIndexError
from ..verdict import Action, Passage, Reference, Verdict
from .index import LicenceIndex
from .known import Known, KnownCode, licence_spans
from .policy import LicencePolicy, Terms, terms_of
from .search import Match, Query, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

log = logging.getLogger(__name__)

MAX_SUGGESTION_CHARS = 2_000_000
NEARBY_CHARS = 40_000
"""Of the text before and after: what stands there is the user's own and may be repeated."""
MIN_LINE_CHARS = 12
MAX_CUTS = 8
AS_MUCH = 0.95
"""Of two files with so nearly the same, the one on milder terms is where it can be had from."""


@dataclass(frozen=True, slots=True)
class _Finding:
    match: Match
    terms: Terms
    action: Action


class LicenceCheck:
    """Judges suggestions with some opened indexes.  Holds no state of a passage.

    `known` is code that is not worth a word: the user's workspace, or a further stop list.
    """

    name = "licence"

    def __init__(
        self,
        indexes: Sequence[LicenceIndex],
        policy: LicencePolicy | None = None,
        known: Sequence[Known] = (),
        problems: Sequence[LicenceIndexError] = (),
    ) -> None:
        self.indexes = tuple(indexes)
        self.policy = policy or LicencePolicy()
        self.known = tuple(known)
        self.problems = tuple(problems)

    @classmethod
    def open(
        cls, paths: Iterable[Path], policy: LicencePolicy | None = None, known: Sequence[Known] = ()
    ) -> LicenceCheck:
        """Opens the indexes it can.  With one that is unsound, what would pass is unvouched."""
        indexes: list[LicenceIndex] = []
        problems: list[LicenceIndexError] = []
        for path in paths:
            try:
                indexes.append(LicenceIndex.open(path))
            except LicenceIndexError as error:
                log.warning("%s", error)
                problems.append(error)
        return cls(indexes, policy, known, problems)

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        """LicenceIndexError where an index is missing and the others do not decide the matter."""
        if len(passage.suggestion) > MAX_SUGGESTION_CHARS:
            raise CheckError(
                f"a suggestion of {len(passage.suggestion):,} characters is not looked up: at most "
                f"{MAX_SUGGESTION_CHARS:,} are"
            )
        findings = self._findings(passage.before, passage.suggestion, ())
        nearby: tuple[Known, ...] = ()
        if findings:
            nearby = (*_nearby(passage), *_licences(passage.suggestion))
            if nearby:
                findings = self._findings(passage.before, passage.suggestion, nearby)
        verdicts = [self._verdict(passage, one, nearby) for one in findings]
        decided = any(one.action >= Action.TRIM for one in verdicts)
        if self.problems and not decided:
            raise self.problems[0]
        return tuple(sorted(verdicts, key=lambda one: (one.start, one.end)))

    def close(self) -> None:
        for index in self.indexes:
            index.close()

    def _findings(self, before: str, suggestion: str, nearby: tuple[Known, ...]) -> list[_Finding]:
        """One per stretch, decided by the file on the mildest terms that has all of it."""
        matches = search(Query.of(before, suggestion), self.indexes, self.known, nearby)
        findings: list[_Finding] = []
        for match in matches:
            if any(one.match.start <= match.start and match.end <= one.match.end for one in findings):
                continue
            same = [
                one
                for one in matches
                if one.start <= match.end and one.end >= match.start and one.inside >= match.inside * AS_MUCH
            ]
            mildest = min(same, key=lambda one: (terms_of(one.file.licence), -one.inside, one.file))
            terms = terms_of(mildest.file.licence)
            action = self.policy.action(terms, mildest.grade)
            if action > Action.PASS:
                findings.append(_Finding(mildest, terms, action))
        return findings

    def _verdict(self, passage: Passage, finding: _Finding, nearby: tuple[Known, ...]) -> Verdict:
        match, action = finding.match, finding.action
        start = match.start
        if action == Action.TRIM:
            start = self._sound_chars(passage, match, nearby)
            if not passage.suggestion[:start].strip():
                start, action = match.start, Action.WITHHOLD
        file = match.file
        return Verdict(
            kind="licence",
            action=action,
            rule=f"licence/{match.grade.replace(' ', '-')}",
            start=start,
            end=match.end,
            evidence=_evidence(passage, match, finding.terms),
            licence=file.licence or None,
            reference=Reference(
                licence=file.licence,
                name=file.project,
                version=file.version,
                path=file.path,
                line=match.line,
                url=file.url,
                start=match.start,
                end=match.end,
            ),
        )

    def _sound_chars(self, passage: Passage, match: Match, nearby: tuple[Known, ...]) -> int:
        """The length of a beginning, in whole lines, that nothing blocks.

        What is kept has been looked up itself: without the rest, another chain may be the best.
        """
        text = passage.suggestion
        cut = match.sound_chars
        for _ in range(MAX_CUTS):
            if not text[:cut].strip():
                break
            blocking = [
                one.match
                for one in self._findings(passage.before, text[:cut], nearby)
                if one.action >= Action.TRIM
            ]
            if not blocking:
                return cut
            shorter = text.rfind("\n", 0, cut - 1) + 1
            cut = min(shorter, *(one.sound_chars for one in blocking))
        return 0


def _nearby(passage: Passage) -> list[Known]:
    """The user's text round the suggestion, where it has a line of the suggestion already."""
    lines = {line.strip() for line in passage.suggestion.splitlines()}
    telling = [line for line in lines if len(line) >= MIN_LINE_CHARS]
    pieces = (passage.before[-NEARBY_CHARS:], passage.after[:NEARBY_CHARS])
    return [KnownCode.every_gram_of(text) for text in pieces if any(line in text for line in telling)]


def _licences(suggestion: str) -> list[Known]:
    return [KnownCode.every_gram_of(suggestion[begin:end]) for begin, end in licence_spans(suggestion)]


_TERMS = {
    Terms.PERMISSIVE: "whose notice must go with it",
    Terms.WEAK_COPYLEFT: "which asks for changes to it to be published",
    Terms.STRONG_COPYLEFT: "which extends to the program it becomes part of",
    Terms.PROPRIETARY: "which does not allow free use",
}


def _evidence(passage: Passage, match: Match, terms: Terms) -> str:
    lines = len(passage.suggestion[match.start : match.end].splitlines())
    how = {"copy": "repeats", "near copy": "repeats, under other names,", "similar": "resembles"}[match.grade]
    what = f"{lines} line{'s' if lines != 1 else ''}"
    file = match.file
    where = f"{file.path}, line {match.line}, of {file.project} {file.version}".rstrip()
    if terms == Terms.UNKNOWN:
        licence = f"under {file.licence}, terms unknown" if file.licence else "on terms nobody states"
    else:
        licence = f"under {file.licence}, {_TERMS[terms]}"
    return f"the suggestion {how} {what} of code in {where}, {licence}"
