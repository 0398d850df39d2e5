"""The records that pass through one completion, from the keystroke to the item."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from ..guard.verdict import Verdict
from .confidence import Facts

Lines = Literal["auto", "single", "multi"]


class Trigger(IntEnum):
    """Who asked.  The values are LSP's `InlineCompletionTriggerKind`."""

    INVOKED = 1
    AUTOMATIC = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document at one moment.  `text` keeps its own line endings."""

    path: str
    """A file-system path, or the URI where there is none; only its name and suffix are interpreted."""
    language: str
    text: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """The change that made a version of a document; of several at once, the last."""

    added: str
    """Empty: something was deleted."""
    num_places: int = 1
    """More than one: a rename, a formatter, several cursors."""


@dataclass(frozen=True, slots=True)
class Query:
    """One request for a suggestion.  `offset` counts code points of `snapshot.text`."""

    snapshot: Snapshot
    offset: int
    trigger: Trigger = Trigger.AUTOMATIC
    lines: Lines = "auto"
    edit: Edit | None = None
    """What put the cursor where it is; None where it was moved there, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a suggestion cost.  Zeros when no model was asked."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    computed_tokens: int = 0
    completion_tokens: int = 0
    generated_chars: int = 0
    """All that the model wrote for it, shown or not; what was typed and spelled again included."""
    stage_ms: dict[str, float] = field(default_factory=dict[str, float])
    """Milliseconds by stage: context, prefill, decode, guard, total."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may be shown at `offset`, or nothing and why.

    Accepting it replaces `[start, end)` of the snapshot with `text`; `start == end == offset` for a
    plain insertion.  `reason` is never empty when `shown` is false.
    """

    text: str
    start: int
    end: int
    shown: bool
    reason: str
    verdicts: tuple[Verdict, ...] = ()
    vouched: bool = True
    cost: Cost = Cost()
    confidence: float | None = None
    """How likely it is to be right, 0 to 1; None where the engine does not say how sure it was."""
    facts: Facts | None = None
    """What `confidence` rests on."""
    others: tuple[Suggestion, ...] = ()
    """Further choices for the same place, the surest first; only for somebody who asked."""
    is_passing: bool = False
    """Not shown for a reason that may be gone in a moment, such as time that ran out."""
