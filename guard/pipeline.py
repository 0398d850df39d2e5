"""All checks on one suggestion, and what may be shown of it: repair, then trim, then withhold.

A check that fails, or that a deadline leaves out, is never a pass: the text is then *unvouched*, and
the judgement names the check.  Checks are pure functions of the passage, so after a repair all of
them run again on the repaired text.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .hygiene import HygieneCheck
from .malware import MalwareCheck
from .personal import PersonalCheck
from .secrets import SecretsCheck
from .shell import ShellCheck
from .syntax import SyntaxCheck
from .verdict import Action, Check, Judgement, Passage, Verdict, Warmable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

MAX_REPAIRS = 2
"""Rounds of repair.  What still asks for one after that does not converge and is withheld."""


def default_guard(licences: Sequence[Path] = ()) -> Guard:
    """The checks every suggestion goes through.  `licences`: indexes of licensed code to compare with.

    Takes a while, what it imports more than anything: `Guard.warm` has the rest read ahead too.
    """
    from .licence.check import LicenceCheck
    from .safety.check import SafetyCheck

    texts = (HygieneCheck(), SecretsCheck(), PersonalCheck(), MalwareCheck(), ShellCheck())
    return Guard((*texts, SafetyCheck(), LicenceCheck.open(licences), SyntaxCheck()))


class Guard:
    """Judges suggestions with a fixed list of checks.  Holds no state; safe to share."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self.checks = tuple(checks)

    def warm(self, language: str, path: str | None = None) -> None:
        """Has what checks read once for a language (rules, grammars) read now."""
        for check in self.checks:
            if isinstance(check, Warmable):
                check.warm(language, path)

    def judge(self, passage: Passage, deadline_ms: float | None = None) -> Judgement:
        """What may be shown of `passage.suggestion`.

        Spans: what is kept and only annotated is located in the judgement's `text`; what was taken
        out or replaced (repair, trim, withhold), and all of it where nothing is left, is located in
        the suggestion as it came.  Findings
        wholly in a part that was trimmed away are dropped.  `deadline_ms` counts from now; checks
        that have not begun by then are left out.
        """
        started = time.perf_counter()
        until = None if deadline_ms is None else started + deadline_ms / 1000
        done: list[Verdict] = []
        text, edits = passage.suggestion, _Edits(())
        for _ in range(MAX_REPAIRS + 1):
            round_ = self._run(replace(passage, suggestion=text), until)
            repairs = _disjoint(round_.verdicts)
            if not repairs:
                break
            done += [edits.in_original(verdict) for verdict in repairs]
            text, edits = edits.apply(text, repairs)
        else:
            round_ = self._run(replace(passage, suggestion=text), until)
        found = [_withheld(one) if one.action == Action.REPAIR else one for one in round_.verdicts]
        kept, verdicts = _cut(text, found)
        located = [one if kept and one.action < Action.REPAIR else edits.in_original(one) for one in verdicts]
        ordered = sorted((*done, *located), key=lambda one: (-one.action, one.start, one.rule))
        return Judgement(
            text=kept,
            action=max((one.action for one in ordered), default=Action.PASS),
            verdicts=tuple(ordered),
            vouched=not round_.unfinished,
            ms=(time.perf_counter() - started) * 1000,
            unfinished=round_.unfinished,
        )

    def _run(self, passage: Passage, until: float | None) -> _Round:
        verdicts: list[Verdict] = []
        unfinished: list[str] = []
        for check in self.checks if passage.suggestion.strip() else ():
            if until is not None and time.perf_counter() >= until:
                log.warning("the deadline passed before the check %r: the text is unvouched", check.name)
                unfinished.append(check.name)
                continue
            try:
                verdicts += check.judge(passage)
            except Exception:  # whatever a check raises, the others still run and the text is unvouched
                log.exception("the check %r failed: the text is unvouched", check.name)
                unfinished.append(check.name)
        return _Round(tuple(verdicts), tuple(unfinished))


@dataclass(frozen=True, slots=True)
class _Round:
    verdicts: tuple[Verdict, ...]
    unfinished: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    """`[start, end)` of the suggestion as it came has become `new_length` characters."""

    start: int
    end: int
    new_length: int


@dataclass(frozen=True, slots=True)
class _Edits:
    """The way back from the repaired text to the suggestion as it came; in order, disjoint."""

    edits: tuple[_Edit, ...]

    def apply(self, text: str, repairs: Sequence[Verdict]) -> tuple[str, _Edits]:
        """The text after `repairs`, whose spans are in `text`, and the longer way back."""
        merged = list(self.edits)
        for repair in sorted(repairs, key=lambda one: one.start, reverse=True):
            replacement = repair.replacement or ""
            text = text[: repair.start] + replacement + text[repair.end :]
            start, end = self.back(repair.start), self.back(repair.end, end=True)
            inside = [one for one in merged if one.start < end and one.end > start]
            grown = sum(one.new_length - (one.end - one.start) for one in inside)
            merged = [one for one in merged if one not in inside]
            length = len(replacement) - (repair.end - repair.start) + (end - start) + grown
            merged.append(_Edit(start, end, length))
        return text, _Edits(tuple(sorted(merged, key=lambda one: one.start)))

    def back(self, offset: int, *, end: bool = False) -> int:
        """Where `offset` was.  Inside a replacement: the start of what it replaced, or the end."""
        shift = 0
        for edit in self.edits:
            new_start = edit.start + shift
            if offset < new_start or (end and offset == new_start):
                break
            if offset < new_start + edit.new_length:
                return edit.end if end else edit.start
            shift += edit.new_length - (edit.end - edit.start)
        return offset - shift

    def in_original(self, verdict: Verdict) -> Verdict:
        start = self.back(verdict.start)
        return replace(verdict, start=start, end=max(start, self.back(verdict.end, end=True)))


def _disjoint(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The repairs to make now; of two that overlap the first, and the next round sees the rest."""
    chosen: list[Verdict] = []
    for verdict in sorted(verdicts, key=lambda one: (one.start, one.end)):
        repairable = verdict.action == Action.REPAIR and verdict.replacement is not None
        if repairable and (not chosen or verdict.start >= chosen[-1].end):
            chosen.append(verdict)
    return chosen


def _withheld(verdict: Verdict) -> Verdict:
    return replace(verdict, action=Action.WITHHOLD, evidence=f"{verdict.evidence} (and no repair holds)")


def _cut(text: str, verdicts: Sequence[Verdict]) -> tuple[str, list[Verdict]]:
    """What is left of `text` after trimming and withholding, and the findings that concern it."""
    trims = [one for one in verdicts if one.action == Action.TRIM]
    length = min((one.start for one in trims), default=len(text))
    kept: list[Verdict] = []
    for one in verdicts:
        if one.action == Action.TRIM:
            if one.start == length:
                kept.append(one)
        elif one.start < length or length == len(text):
            kept.append(one if one.action > Action.TRIM else replace(one, end=min(one.end, length)))
    text = text[:length]
    if any(one.action == Action.WITHHOLD for one in kept):
        return "", kept
    if trims and not text.strip():
        return "", [
            replace(one, action=Action.WITHHOLD) if one.action == Action.TRIM else one for one in kept
        ]
    return text, kept
