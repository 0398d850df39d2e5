"""Withholds, cuts or marks what a suggestion has in common with licensed code."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckError, LicenceIndexError
from ..verdict import Action, Passage, Reference, Verdict
from .index import LicenceIndex
from .known import Known, OwnCode, licences, nearby, own
from .policy import LicencePolicy, Terms, terms_of
from .records import COMMON_PROJECTS
from .search import Match, Query, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

log = logging.getLogger(__name__)

MAX_SUGGESTION_CHARS = 2_000_000
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

    `known` is code that is not worth a word: a stop list.  `own_code`: the user's workspace.
    """

    name = "licence"

    def __init__(
        self,
        indexes: Sequence[LicenceIndex],
        policy: LicencePolicy | None = None,
        known: Sequence[Known] = (),
        problems: Sequence[LicenceIndexError] = (),
        own_code: OwnCode | None = None,
    ) -> None:
        self.indexes = tuple(indexes)
        self.policy = policy or LicencePolicy()
        self.known = tuple(known)
        self.problems = tuple(problems)
        self.own_code = own_code

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
        own_text: tuple[Known, ...] = ()
        if findings:
            own_text = (*nearby(passage), *licences(passage.suggestion), *self._own(passage))
            if own_text:
                findings = self._findings(passage.before, passage.suggestion, own_text)
        verdicts = self._verdicts(passage, findings, own_text)
        decided = any(one.action >= Action.TRIM for one in verdicts)
        if self.problems and not decided:
            raise self.problems[0]
        return tuple(sorted(verdicts, key=lambda one: (one.start, one.end)))

    def under(self, policy: LicencePolicy, own_code: OwnCode | None) -> LicenceCheck:
        """The same indexes, under another policy and for the user of another workspace."""
        return LicenceCheck(self.indexes, policy, self.known, self.problems, own_code)

    def _own(self, passage: Passage) -> list[Known]:
        return own(passage, self.own_code.texts_like(passage)) if self.own_code is not None else []

    def close(self) -> None:
        for index in self.indexes:
            index.close()

    def _findings(self, before: str, suggestion: str, own_text: tuple[Known, ...]) -> list[_Finding]:
        """One per stretch, decided by the file on the mildest terms that has all of it.

        What ten projects have, in one index or over several, is nobody's.
        """
        matches = search(Query.of(before, suggestion), self.indexes, self.known, own_text)
        findings: list[_Finding] = []
        for match in matches:
            if any(one.match.start <= match.start and match.end <= one.match.end for one in findings):
                continue
            same = [
                one
                for one in matches
                if one.start <= match.end and one.end >= match.start and one.inside >= match.inside * AS_MUCH
            ]
            if len({one.file.project for one in same}) >= COMMON_PROJECTS:
                continue
            mildest = min(same, key=lambda one: (terms_of(one.file.licence), -one.inside, one.file))
            terms = terms_of(mildest.file.licence)
            action = self.policy.action(terms, mildest.grade)
            if action > Action.PASS:
                findings.append(_Finding(mildest, terms, action))
        return findings

    def _verdicts(
        self, passage: Passage, findings: list[_Finding], own_text: tuple[Known, ...]
    ) -> list[Verdict]:
        """The copy that begins first decides how much is kept; what is cut off by it needs no look-up."""
        blocking = [one for one in findings if one.action == Action.TRIM]
        first = min(blocking, key=lambda one: (one.match.sound_chars, one.match.start), default=None)
        kept = self._sound_chars(passage, first.match, own_text) if first is not None else 0
        is_empty = not passage.suggestion[:kept].strip()
        verdicts: list[Verdict] = []
        for one in findings:
            start, action = one.match.start, one.action
            if action == Action.TRIM and is_empty:
                action = Action.WITHHOLD
            elif action == Action.TRIM:
                start = kept if one is first else min(max(kept, one.match.sound_chars), one.match.end)
            verdicts.append(_verdict(passage, one, start, action))
        return verdicts

    def _sound_chars(self, passage: Passage, match: Match, own_text: tuple[Known, ...]) -> int:
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
                for one in self._findings(passage.before, text[:cut], own_text)
                if one.action >= Action.TRIM
            ]
            if not blocking:
                return cut
            shorter = text.rfind("\n", 0, cut - 1) + 1
            cut = min(shorter, *(one.sound_chars for one in blocking))
        return 0


def _verdict(passage: Passage, finding: _Finding, start: int, action: Action) -> Verdict:
    match, file = finding.match, finding.match.file
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
