"""From an `inlineCompletion` request to a query, and from a suggestion back to an item.

When the editor's own completion menu has an entry selected, it shows the inline suggestion as if
that entry were already inserted.  The query then asks about the text *with* the entry in it, and
the item's text begins with the entry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from ...guard.verdict import Verdict
from ..ledger.outcomes import Outcome, Stage, Way
from ..ledger.timing import Span
from ..snapshot import Lines, Query, Snapshot, Suggestion, Trigger
from .convert import Encoding, PositionLike, Range, RangeLike
from .documents import Document
from .notebooks import BARE, Frame
from .notices import name_of, notice_of

DID_ACCEPT = "truepenny.didAccept"


class SelectedLike(Protocol):
    """The selected entry of a completion menu (`SelectedCompletionInfo`)."""

    @property
    def range(self) -> RangeLike: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class InlineParams:
    """What an `inlineCompletion` request says, and what it is about."""

    uri: str
    position: PositionLike
    trigger: Trigger
    selected: SelectedLike | None
    version: int | None
    """Of the document, as the client believes; Copilot's clients send it, the standard has none."""
    document: Document | None
    """The document when the request arrived, which later changes do not touch; None if not open."""
    frame: Frame = BARE
    """What stood around the document then."""
    way: Way = "inline"


@dataclass(frozen=True, slots=True)
class Replacement:
    """`text` in place of `[start, end)`, offsets into the document."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, ready for the assistant.  With `selected`, the query's text has it in place.

    Offsets of the query count in its text, in which the `frame` stands around the document's.
    """

    document: Document
    encoding: Encoding
    query: Query
    selected: Replacement | None = None
    frame: Frame = BARE

    @property
    def text(self) -> str:
        """The query's text without the frame."""
        text = self.query.snapshot.text
        return text[len(self.frame.before) : len(text) - len(self.frame.after)]

    @property
    def cursor(self) -> int:
        """Offset in the document, of what is before the cursor or in place of the selected entry."""
        return self.query.offset - len(self.frame.before) if self.selected is None else self.selected.end


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request.  `placed` is what the editor is to show, where it is to show anything."""

    outcome: Outcome
    asked: Asked | None = None
    """None where no document was open to ask about."""
    placed: Replacement | None = None
    others: tuple[Answer, ...] = ()
    """Further choices for the same place, each with an id of its own."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """`[start, end)` of the suggestion, in code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Where recited text comes from, in the shape Amazon's clients know."""

    license_name: str
    reference_name: str
    position: Offsets
    reference_url: str = ""
    notice: str = ""
    """Ours: what to put beside the code."""


@dataclass(frozen=True, slots=True)
class Note:
    """Our own field on an item, or on a list without one; other clients ignore it.

    Offsets in `verdicts` count code points of the item's suggestion.
    """

    reason: str
    vouched: bool
    verdicts: tuple[Verdict, ...]
    prompt_tokens: int
    reused_tokens: int
    computed_tokens: int
    completion_tokens: int
    stage_ms: dict[str, float]
    confidence: float | None = None
    """How likely it is to be right, 0 to 1; null where the engine does not say how sure it was."""
    stage: Stage = ""
    """Who was silent; empty where something is shown."""
    setting: str = ""
    """What would change it, if a setting would."""
    timing: Span | None = None
    references: tuple[Reference, ...] = ()
    """Where recited text comes from, also of what was withheld for it."""


@dataclass(frozen=True, slots=True)
class ItemCommand:
    """What the editor runs when the item is accepted."""

    title: str
    command: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """`InlineCompletionItem`, with our note.  The range is always there and on one line."""

    insert_text: str
    range: Range
    command: ItemCommand
    truepenny: Note


@dataclass(frozen=True, slots=True)
class ItemList:
    """`InlineCompletionList`, with a note on why it is empty when it is."""

    items: tuple[Item, ...]
    truepenny: Note | None = None


def ask(params: InlineParams, document: Document, lines: Lines, encoding: Encoding) -> Asked:
    """The query that a request about `document` means."""
    snapshot, frame = document.snapshot, params.frame
    shift = len(frame.before)
    if params.selected is None:
        offset = document.index.offset(params.position, encoding) + shift
        query = Query(frame.around(snapshot), offset, params.trigger, lines)
        return Asked(document, encoding, query, frame=frame)
    start, end = document.index.span(params.selected.range, encoding)
    entry = Replacement(start, end, params.selected.text)
    framed = frame.around(_with(snapshot, entry))
    query = Query(framed, shift + start + len(entry.text), params.trigger, lines)
    return Asked(document, encoding, query, entry, frame)


def place(asked: Asked, suggestion: Suggestion) -> Replacement | str:
    """Where a shown suggestion goes in the document, or the reason why it cannot."""
    text, shift = asked.text, len(asked.frame.before)
    suggestion = replace(suggestion, start=suggestion.start - shift, end=suggestion.end - shift)
    length = len(text)
    if not 0 <= suggestion.start <= suggestion.end <= length:
        return f"the suggestion replaces [{suggestion.start}, {suggestion.end}) of {length} characters"
    if asked.selected is None:
        placed = Replacement(suggestion.start, suggestion.end, suggestion.text)
    else:
        placed = _around(asked.selected, text, suggestion)
        if not placed.text.startswith(asked.selected.text, asked.selected.start - placed.start):
            return "the suggestion does not continue the selected completion"
    if not placed.text:
        return "the suggestion is empty"
    range_ = asked.document.index.range(placed.start, placed.end, asked.encoding)
    if range_.start.line != range_.end.line:
        return "the suggestion would replace more than one line"
    return placed


def note_of(outcome: Outcome) -> Note:
    return Note(
        reason=outcome.reason,
        vouched=outcome.vouched,
        verdicts=outcome.verdicts,
        prompt_tokens=outcome.prompt_tokens,
        reused_tokens=outcome.reused_tokens,
        computed_tokens=outcome.computed_tokens,
        completion_tokens=outcome.completion_tokens,
        stage_ms=outcome.stage_ms,
        confidence=outcome.confidence,
        stage=outcome.stage,
        setting=outcome.setting,
        timing=outcome.timing,
        references=tuple(
            _reference_of(verdict)
            for verdict in outcome.verdicts
            if verdict.licence is not None or verdict.reference is not None
        ),
    )


def _reference_of(verdict: Verdict) -> Reference:
    place, source = Offsets(verdict.start, verdict.end), verdict.reference
    if source is None:
        return Reference(verdict.licence or "", verdict.evidence, place)
    return Reference(source.licence, name_of(source), place, source.url, notice_of(source))


def list_of(answer: Answer) -> ItemList:
    """The answer as an editor gets it; where it is empty the note says why."""
    asked, placed = answer.asked, answer.placed
    if asked is None or placed is None:
        return ItemList((), note_of(answer.outcome))
    item = Item(
        insert_text=placed.text,
        range=asked.document.index.range(placed.start, placed.end, asked.encoding),
        command=accept_command(answer.outcome),
        truepenny=note_of(answer.outcome),
    )
    further = (item for other in answer.others for item in list_of(other).items)
    return ItemList((item, *further))


def accept_command(outcome: Outcome) -> ItemCommand:
    return ItemCommand("Accepted", DID_ACCEPT, (outcome.id,))


def _with(snapshot: Snapshot, entry: Replacement) -> Snapshot:
    text = snapshot.text
    return replace(snapshot, text=text[: entry.start] + entry.text + text[entry.end :])


def _around(entry: Replacement, text: str, suggestion: Suggestion) -> Replacement:
    """A suggestion about `text`, which has `entry` in place, as a change of the text without it.

    Intervals of `text`: `[start, entry_end)` is the entry, which the document does not have yet and
    the item must therefore insert; `[suggestion.start, suggestion.end)` is what is replaced; the
    item covers both and whatever lies between.
    """
    entry_end = entry.start + len(entry.text)
    start, end = min(entry.start, suggestion.start), max(entry_end, suggestion.end)
    whole = text[start : suggestion.start] + suggestion.text + text[suggestion.end : end]
    return Replacement(start, end - len(entry.text) + (entry.end - entry.start), whole)
