"""What a check makes of cases, and the figures of that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from truepenny.guard.pipeline import Guard
from truepenny.guard.verdict import Action, Check, Passage

from .snippets import Case

LANGUAGES = {".py": "python", ".ts": "typescript", ".tsx": "typescriptreact", ".js": "javascript"}


@dataclass(frozen=True, slots=True)
class Outcome:
    case: Case
    action: Action
    text: str
    said: tuple[str, ...]
    """Of each verdict: action, rule, the words it is about, and why."""
    vouched: bool
    ms: float

    @property
    def is_found(self) -> bool:
        """More than a remark."""
        return self.action > Action.ANNOTATE

    @property
    def is_right(self) -> bool:
        """What may be shown is what should have been suggested."""
        return bool(self.case.right) and self.text.split() == self.case.right.split()


@dataclass(frozen=True, slots=True)
class Tally:
    """Of cases of which some are planted."""

    planted: int
    found: int
    marked: int
    """Found, or remarked on."""
    expected: int
    """Planted, with a right name beside it."""
    repaired: int
    right: int
    false: int
    remarks: int
    """On what is right; not counted as false."""
    unvouched: int

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else 1.0

    @property
    def repair_rate(self) -> float:
        return self.repaired / self.expected if self.expected else 1.0

    @property
    def false_rate(self) -> float:
        return self.false / self.right if self.right else 0.0


def passage_of(case: Case) -> Passage:
    suffix = case.path[case.path.rfind(".") :]
    return Passage(case.before, case.suggestion, case.after, LANGUAGES.get(suffix, ""), case.path)


def judged(check: Check, case: Case) -> Outcome:
    passage = passage_of(case)
    judgement = Guard((check,)).judge(passage)
    said = tuple(
        f"{one.action.name} {one.rule} {passage.suggestion[one.start : one.end]!r}"
        f"{'' if one.replacement is None else f' to {one.replacement!r}'}: {one.evidence}"
        for one in judgement.verdicts
    )
    return Outcome(case, judgement.action, judgement.text, said, judgement.vouched, judgement.ms)


def tally(outcomes: Iterable[Outcome]) -> Tally:
    all_ = list(outcomes)
    planted = [one for one in all_ if one.case.is_planted]
    right = [one for one in all_ if not one.case.is_planted]
    named = [one for one in planted if one.case.expected is not None]
    return Tally(
        planted=len(planted),
        found=sum(one.is_found for one in planted),
        marked=sum(one.action > Action.PASS for one in planted),
        expected=len(named),
        repaired=sum(one.is_found and one.is_right for one in named),
        right=len(right),
        false=sum(one.is_found for one in right),
        remarks=sum(one.action == Action.ANNOTATE for one in right),
        unvouched=sum(not one.vouched for one in all_),
    )


def wrong(outcomes: Sequence[Outcome]) -> list[str]:
    """What a person wants to read of those that went wrong."""
    return [
        describe(one)
        for one in outcomes
        if not one.vouched or one.is_found != one.case.is_planted or (one.case.expected and not one.is_right)
    ]


def describe(one: Outcome) -> str:
    case = one.case
    if case.is_planted:
        what = "missed" if not one.is_found else "found, not repaired"
        what += f": {case.planted} for {case.expected} ({case.kind}, {case.origin})"
    else:
        what = "false alarm" if one.is_found else "remark"
    if not one.vouched:
        what = f"unvouched, {what}"
    lines = [f"--- {what} in {case.library}: {case.snippet}", *(f"    {said}" for said in one.said)]
    return "\n".join([*lines, *(f"    | {line}" for line in case.suggestion.splitlines())])
