"""All checks on one suggestion, and what may be shown of it: repair, then trim, then withhold.

A check that fails, or that a deadline leaves out, is never a pass: the text is then *unvouched*, and
the judgement names the check.  Checks are pure functions of the passage, so after a repair all of
them run again on the repaired text.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .errors import GuardError
from .hygiene import HygieneCheck
from .malware import MalwareCheck
from .personal import PersonalCheck
from .secrets import SecretsCheck
from .shell import ShellCheck
from .syntax import SyntaxCheck
from .verdict import Action, Check, Costly, Judgement, Passage, Verdict, Warmable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

MAX_REPAIRS = 2
"""Rounds of repair.  What still asks for one after that does not converge and is withheld."""

_HALF = re.compile("[\ud800-\udfff]")

NO_TIME = "there was no time left"
"""Why a check did not finish that did not fail."""


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
        """What may be shown of `passage.suggestion`; as `judging` says."""
        return self.judging(passage, deadline_ms).run()

    def judging(self, passage: Passage, deadline_ms: float | None = None) -> Judging:
        """The same, to be run elsewhere and asked meanwhile.  `deadline_ms` counts from now."""
        return Judging(self.checks, passage, deadline_ms)


class Judging:
    """One judgement under way: `run` it on any thread, and ask on another what is known `so_far`.

    Spans of a judgement: what is kept and only annotated is located in the judgement's `text`; what
    was taken out or replaced (repair, trim, withhold), and all of it where nothing is left, is
    located in the suggestion as it came.  Findings wholly in a part that was trimmed away are
    dropped.
    """

    def __init__(self, checks: Sequence[Check], passage: Passage, deadline_ms: float | None) -> None:
        """Checks that have not begun when `deadline_ms` from now are over are left out."""
        self._checks = tuple(checks)
        self._passage = replace(passage, before=_readable(passage.before), after=_readable(passage.after))
        self._started_s = time.perf_counter()
        self._until_s = None if deadline_ms is None else self._started_s + deadline_ms / 1000
        self._state = self._beginning(passage.suggestion, _Edits(()), ())

    def run(self) -> Judgement:
        num_rounds = 0
        while True:
            self._check_all()
            repairs = _disjoint(self._state.found)
            if not repairs or num_rounds > MAX_REPAIRS:
                return self._judgement(self._state, "and no repair holds")
            num_rounds += 1
            state = self._state
            done = (*state.done, *(state.edits.in_original(verdict) for verdict in repairs))
            self._state = self._beginning(*state.edits.apply(state.text, repairs), done)

    def so_far(self) -> Judgement:
        """By the checks that have finished.  What would be repaired is withheld, unjudged as it is."""
        return self._judgement(self._state, "and there was no time for a repair")

    def _check_all(self) -> None:
        passage = replace(self._passage, suggestion=_readable(self._state.text))
        for check in self._checks if passage.suggestion.strip() else ():
            if isinstance(check, Costly) and _disjoint(self._state.found):
                continue  # it is asked about what the repairs make of the text
            if self._until_s is not None and time.perf_counter() >= self._until_s:
                log.info("the deadline passed before the check %r: the text is unvouched", check.name)
                continue
            try:
                found = check.judge(passage)
            except Exception as error:  # whatever a check raises, the others run and the text is unvouched
                if isinstance(error, GuardError):
                    log.info("the check %r could not judge, the text is unvouched: %s", check.name, error)
                else:
                    log.exception("the check %r failed: the text is unvouched", check.name)
                self._state = self._state.failed(check.name, _why(error))
            else:
                self._state = self._state.finished(check.name, found)

    def _beginning(self, text: str, edits: _Edits, done: tuple[Verdict, ...]) -> _State:
        names = [check.name for check in self._checks] if text.strip() else []
        return _State(text, edits, done, (), dict.fromkeys(names, NO_TIME))

    def _judgement(self, state: _State, why_withheld: str) -> Judgement:
        found = [_withheld(one, why_withheld) if one.action == Action.REPAIR else one for one in state.found]
        kept, verdicts = _cut(state.text, found)
        located = [
            one if kept and one.action < Action.REPAIR else state.edits.in_original(one) for one in verdicts
        ]
        ordered = sorted((*state.done, *located), key=lambda one: (-one.action, one.start, one.rule))
        return Judgement(
            text=kept,
            action=max((one.action for one in ordered), default=Action.PASS),
            verdicts=tuple(ordered),
            vouched=not state.unfinished,
            ms=(time.perf_counter() - self._started_s) * 1000,
            unfinished=tuple(state.unfinished),
            why_unfinished=tuple(state.unfinished.values()),
        )


@dataclass(frozen=True, slots=True)
class _State:
    """How far a judgement has come.  Replaced as a whole, so that another thread reads a sound one."""

    text: str
    edits: _Edits
    done: tuple[Verdict, ...]
    """The repairs made, located in the suggestion as it came."""
    found: tuple[Verdict, ...]
    """By the checks of this round, located in `text`."""
    unfinished: dict[str, str]
    """Why, by the check's name; never changed in place."""

    def finished(self, name: str, found: Sequence[Verdict]) -> _State:
        unfinished = {other: why for other, why in self.unfinished.items() if other != name}
        return replace(self, found=(*self.found, *found), unfinished=unfinished)

    def failed(self, name: str, why: str) -> _State:
        return replace(self, unfinished={**self.unfinished, name: why})


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


def _withheld(verdict: Verdict, why: str) -> Verdict:
    return replace(verdict, action=Action.WITHHOLD, evidence=f"{verdict.evidence} ({why})")


def _readable(text: str) -> str:
    """With a sign for each half of a character, which editors may send and no parser can read."""
    return _HALF.sub("\ufffd", text)


def _why(error: Exception) -> str:
    """In words for a person.  Of what is not ours nothing is repeated: it may quote the text."""
    return str(error) if isinstance(error, GuardError) else "an internal error, see the log"


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
