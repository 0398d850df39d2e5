"""From what the model wrote to a suggestion: trimmed, judged, and shown if it is likely enough to be right.

What is new is judged on a thread, since a long file takes longer than a keystroke may.  What was shown
before and is typed through is judged at once: it is an answer that nobody should wait for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..guard.verdict import Judgement, Passage
from .asking import Written, unix
from .choices import facts_of, ranked
from .confidence.history import History
from .confidence.showing import Judge
from .draft import Draft
from .ledger.timing import span
from .recall.proposal import Rest
from .settings import Settings
from .snapshot import Cost, Query, Suggestion, Trigger
from .trimming import Place, like_document, trim
from .vouching import Vouching


class Making:
    """Of one assistant.  Belongs to its event loop.  `history`: where what people accept is kept."""

    def __init__(self, settings: Settings, vouching: Vouching, history: Path | None) -> None:
        self._settings = settings
        self._vouching = vouching
        self._judge = Judge(settings.completion.min_confidence, History(history))

    async def made(self, query: Query, written: Written) -> Suggestion:
        """The one to show, with the further choices; shown or not."""
        made = [await self._made_of(draft, query, written.place, written.cost) for draft in written.drafts]
        return self._withheld(query, ranked(made))

    def still_shown(self, query: Query, rest: Rest, cost: Cost) -> Suggestion:
        """`rest`, if it passes the guard where it stands now."""
        with span("guard"):
            judgement = self._vouching.judge(_passage(query, rest))
        return self._decided(rest, judgement, cost)

    def learn(self, suggestion: Suggestion, *, accepted: bool) -> None:
        """It was on the screen long enough to be read, and then accepted or not."""
        if suggestion.facts is not None:
            self._judge.learn(suggestion.facts, accepted=accepted)

    async def _made_of(self, draft: Draft, query: Query, trimming: Place, cost: Cost) -> Suggestion:
        """The suggestion that a draft becomes, if it is fit to be shown."""
        if draft.silence:
            return replace(silent(query, draft.silence, cost), is_passing=True)
        with span("trim"):
            trimmed = trim(draft.text, trimming)
        if trimmed.silence:
            return silent(query, trimmed.silence, cost)
        rest = Rest(like_document(trimmed.text, query.snapshot.text), query.offset, query.offset)
        with span("guard"):
            judgement = await self._vouching.judged(_passage(query, rest))
        suggestion = self._decided(rest, judgement, cost)
        kept, num_findings = unix(suggestion.text), len(suggestion.verdicts)
        facts = facts_of(draft, kept, query.snapshot.language, num_findings) if suggestion.shown else None
        if facts is None:
            return suggestion
        return replace(suggestion, facts=facts, confidence=self._judge.of(facts).probability)

    def _withheld(self, query: Query, suggestion: Suggestion) -> Suggestion:
        """Whoever asks is shown it; others only what is likely enough to be right."""
        if query.trigger is not Trigger.AUTOMATIC or not suggestion.shown or suggestion.facts is None:
            return suggestion
        with span("confidence"):
            silence = self._judge.silence(self._judge.of(suggestion.facts))
        return replace(suggestion, text="", shown=False, reason=silence) if silence else suggestion

    def _decided(self, rest: Rest, judgement: Judgement, cost: Cost) -> Suggestion:
        silence = ""
        if not judgement.text.strip():
            silence = judgement.reason or "the guard left nothing to show"
        elif not judgement.vouched and self._vouching.is_on and self._settings.guard.unvouched == "withhold":
            silence = f"{judgement.doubt}, and unvouched text is withheld (setting guard.unvouched)"
        return Suggestion(
            text="" if silence else judgement.text,
            start=rest.start,
            end=rest.end,
            shown=not silence,
            reason=silence or judgement.doubt,
            verdicts=judgement.verdicts,
            vouched=judgement.vouched,
            cost=replace(cost, stage_ms={**cost.stage_ms, "guard": judgement.ms}),
            is_passing=bool(silence) and not judgement.vouched,
        )


def silent(query: Query, reason: str, cost: Cost) -> Suggestion:
    """Nothing to show, and why."""
    return Suggestion("", query.offset, query.offset, shown=False, reason=reason, cost=cost)


def _passage(query: Query, rest: Rest) -> Passage:
    snapshot = query.snapshot
    return Passage(
        before=snapshot.text[: rest.start],
        suggestion=rest.text,
        after=snapshot.text[rest.end :],
        language=snapshot.language,
        path=snapshot.path,
    )
