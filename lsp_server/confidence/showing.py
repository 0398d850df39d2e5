"""Is it sure enough to be shown to somebody who did not ask?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from . import estimate
from .estimate import Confidence
from .facts import Facts
from .history import History

AUTO_THRESHOLD = 0.25
"""Of `completion.min_confidence` "auto"; `docs/log.md` has what is lost and what is spared by it."""

MinConfidence = float | Literal["auto"]


@dataclass(frozen=True, slots=True)
class Judge:
    """The threshold of a person, and what is known of them."""

    min_confidence: MinConfidence
    history: History

    @property
    def threshold(self) -> float:
        return AUTO_THRESHOLD if self.min_confidence == "auto" else float(self.min_confidence)

    def of(self, facts: Facts) -> Confidence:
        """With what was accepted here before, unless the person has set a threshold of their own: then the
        figure keeps its meaning.
        """
        if self.min_confidence != "auto":
            return estimate.of(facts)
        language = facts.language
        return estimate.of(facts, self.history.shift(language), self.history.told(language))

    def silence(self, confidence: Confidence) -> str:
        """Why it is not shown unasked; empty where it is."""
        if confidence.probability >= self.threshold:
            return ""
        return (
            f"it is right in {_percent(confidence.probability)} of such cases, and suggestions are shown "
            f"from {_percent(self.threshold)} (setting completion.min_confidence): {confidence.because}"
        )

    def learn(self, facts: Facts, *, accepted: bool) -> None:
        """It was on the screen."""
        self.history.learn(facts.language, estimate.of(facts).probability, accepted=accepted)


def _percent(share: float) -> str:
    """Two shares that differ are not told as the same figure, as far as one decimal goes."""
    return f"{100 * share:.1f} %".replace(".0 %", " %")
