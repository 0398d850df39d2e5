"""What happened while a session was played: moments, answers and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from ...editor.convert import Range

AnswerKind = Literal["model", "recalled", "silent", "superseded", "failed", "unanswered"]
"""`model`: the model was asked and has answered, be it with nothing fit to show; `recalled`: a suggestion
was remembered; `silent`: the model was not asked, and there is nothing, for a reason; `superseded`: given
up for a newer request; `failed`: an error came back; `unanswered`: nothing came back."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the model did for an answer.  None: the side does not say."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    computed_tokens: int = 0
    completion_tokens: int = 0
    drafted_tokens: int | None = None
    accepted_tokens: int | None = None
    stage_ms: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered request, about the text as it was after step `step`.  Times are `perf_counter`'s."""

    step: int
    sent_s: float
    arrived_s: float
    kind: AnswerKind
    reason: str = ""
    text: str = ""
    """What is suggested; empty for nothing."""
    cost: Cost = Cost()
    range: Range | None = None
    """What the text replaces; None where that is not said: nothing, at the cursor."""

    @property
    def ms(self) -> float:
        return (self.arrived_s - self.sent_s) * 1000


@dataclass(frozen=True, slots=True)
class Played:
    """A step that was made, at this moment, so much later than planned."""

    step: int
    at_s: float
    late_s: float
    is_keystroke: bool


@dataclass(frozen=True, slots=True)
class SegmentRun:
    """One segment on one side, played to its end: every request has come back, or been given up."""

    played: tuple[Played, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the person who made keystroke `step` waited for an answer to what then stood there.

    `answer` is None if none came before the segment's end.
    """

    step: int
    ms: float
    answer: Answer | None


def waits(run: SegmentRun) -> list[Wait]:
    """For each keystroke, the time to the first answer about the text of its moment of arrival.

    An answer that arrives after a further edit is about a text that is gone, and helps nobody; so a
    keystroke whose request is superseded waits on, for the answer to a later one.
    """
    timely = _timely(run)
    found: list[Wait] = []
    nearest: Answer | None = None
    for played in reversed(run.played):
        if played.step in timely:
            nearest = timely[played.step]
        if played.is_keystroke:
            ms = (nearest.arrived_s - played.at_s) * 1000 if nearest else 0.0
            found.append(Wait(played.step, ms, nearest))
    return found[::-1]


def _timely(run: SegmentRun) -> dict[int, Answer]:
    """The first answer to each step that came before the next edit."""
    until = _ends(run.played)
    timely: dict[int, Answer] = {}
    for answer in run.answers:
        is_answer = answer.kind in ("model", "recalled", "silent")
        if is_answer and answer.arrived_s <= until[answer.step]:
            known = timely.get(answer.step)
            if known is None or answer.arrived_s < known.arrived_s:
                timely[answer.step] = answer
    return timely


def _ends(played: Sequence[Played]) -> dict[int, float]:
    """When the text after each step was changed again."""
    ends = {before.step: after.at_s for before, after in pairwise(played)}
    return ends | {played[-1].step: float("inf")} if played else ends
