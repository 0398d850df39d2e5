"""What became of suggestions while a person typed on: kept, contradicted, or a copy of what stands below.

Judged from outside, by the texts alone.  A suggestion *leads* to a text where accepting it would have
begun with all that stands before the cursor, goes on with something, and ends with what stands behind it;
one closer that an editor has brought along behind the cursor may be in between.

A keystroke types a suggestion *through* if the last one shown in the document before the key was pressed
leads to the text after it.  It cost no model call if its own request was answered with a suggestion that
was remembered.  `share` is the part of the former that are the latter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...editor.convert import LineIndex
from .record import Answer, SegmentRun
from .session import ENCODING, Session, Step

FLICKER_S = 0.5
"""Two suggestions closer together than this are seen as a flicker."""
_CLOSERS = frozenset(")]}>\"'`")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class TypingFigures:
    through: int
    """Keystrokes that typed through the suggestion on the screen."""
    recalled: int
    """Of these, the ones answered without a model call."""
    contradicted: int
    """Suggestions for a text and a place that had another one less than half a second before."""
    flickered: int
    """Suggestions that took the place of one that still led there, and do not say the same and more."""
    repeating: int
    """Suggestions whose first or last line is the next line below that is not blank."""
    unanswered: int

    @property
    def share(self) -> float:
        """Of the keystrokes typed through, those without a model call; 0 where nothing was typed through."""
        return self.recalled / self.through if self.through else 0.0


@dataclass(frozen=True, slots=True)
class _Shown:
    """A suggestion that arrived, and the text it would have made."""

    step: Step
    arrived_s: float
    begin: str
    """Up to the end of what it inserts."""
    end: str
    inserted: str
    start: int

    @classmethod
    def of(cls, step: Step, answer: Answer) -> _Shown:
        start = end = step.cursor
        if answer.range is not None:
            start, end = LineIndex(step.text).span(answer.range, ENCODING)
        begin = step.text[:start] + answer.text
        return cls(step, answer.arrived_s, begin, step.text[end:], answer.text, start)

    def leads_to(self, step: Step) -> bool:
        before, after = step.text[: step.cursor], step.text[step.cursor :]
        whole = self.begin + self.end
        if step.document != self.step.document or not whole.startswith(before):
            return False
        ends = [after, after[1:]] if after[:1] in _CLOSERS else [after]
        return any(
            whole.endswith(end) and len(end) == len(self.end) and bool(self.begin[len(before) :].strip())
            for end in ends
        )

    @property
    def is_repeating(self) -> bool:
        text = self.step.text
        line_start = max(text.rfind("\n", 0, self.start), text.rfind("\r", 0, self.start)) + 1
        made = [line.strip() for line in _LINE_END.split(text[line_start : self.start] + self.inserted)]
        made = [line for line in made if line]
        below = next((line.strip() for line in _LINE_END.split(self.end)[1:] if line.strip()), "")
        return bool(made) and bool(re.search(r"\w", below)) and below in (made[0], made[-1])


def typing_figures(session: Session, runs: Sequence[SegmentRun]) -> TypingFigures:
    """Of one side's runs of a session."""
    steps = {step.number: step for step in session.steps}
    answers = [answer for run in runs for answer in run.answers]
    pressed = [played for run in runs for played in run.played if played.is_keystroke]
    shown = sorted(
        (
            _Shown.of(steps[answer.step], answer)
            for answer in answers
            if answer.kind in ("model", "recalled") and answer.text
        ),
        key=lambda one: one.arrived_s,
    )
    recalled = {answer.step for answer in answers if answer.kind == "recalled"}
    through = [
        played.step
        for played in pressed
        if (last := _last_before(shown, steps[played.step].document, played.at_s)) is not None
        and last.leads_to(steps[played.step])
    ]
    return TypingFigures(
        through=len(through),
        recalled=len(recalled & set(through)),
        contradicted=sum(_contradicts(one, shown[:nth]) for nth, one in enumerate(shown)),
        flickered=sum(_flickers(one, shown[:nth]) for nth, one in enumerate(shown)),
        repeating=sum(one.is_repeating for one in shown),
        unanswered=sum(answer.kind == "unanswered" for answer in answers),
    )


def total(figures: Iterable[TypingFigures]) -> TypingFigures:
    every = list(figures)
    return TypingFigures(
        through=sum(one.through for one in every),
        recalled=sum(one.recalled for one in every),
        contradicted=sum(one.contradicted for one in every),
        flickered=sum(one.flickered for one in every),
        repeating=sum(one.repeating for one in every),
        unanswered=sum(one.unanswered for one in every),
    )


def _last_before(shown: Sequence[_Shown], document: int, at_s: float) -> _Shown | None:
    fitting = (one for one in reversed(shown) if one.arrived_s <= at_s and one.step.document == document)
    return next(fitting, None)


def _contradicts(one: _Shown, earlier: Sequence[_Shown]) -> bool:
    return any(
        (other.step.document, other.step.text, other.step.cursor)
        == (one.step.document, one.step.text, one.step.cursor)
        and (other.begin, other.end) != (one.begin, one.end)
        for other in earlier
        if one.arrived_s - other.arrived_s <= FLICKER_S
    )


def _flickers(one: _Shown, earlier: Sequence[_Shown]) -> bool:
    last = _last_before(earlier, one.step.document, one.arrived_s)
    return (
        last is not None
        and one.arrived_s - last.arrived_s <= FLICKER_S
        and last.leads_to(one.step)
        and not one.begin.startswith(last.begin)
    )
