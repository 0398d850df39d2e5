"""One editor's session: requests in, answers out, with nothing of pygls in it.

Owns the assistant, and replaces it when the settings change.  A request is always answered: with an
item, or with an empty list and the reason.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from itertools import count
from typing import Any, Protocol

from ...models.tidying import Tidying
from ..confidence.habits import Habits
from ..flight import Flights
from ..ledger.journal import Journal
from ..ledger.ledger import Ledger
from ..ledger.outcomes import Outcome, Outcomes, Stage, outcome_of, setting_in, stage_of
from ..ledger.timing import Clock, span, watch
from ..settings import Settings, SettingsProblem, read_settings
from ..snapshot import Edit, Query, Suggestion, Trigger
from ..status import Status
from .convert import Encoding, RangeLike
from .documents import ChangeLike, Documents, path_of
from .inline import Answer, Asked, InlineParams, ItemList, Replacement, ask, list_of, place
from .notices import notices_of
from .popup import PopupList, PopupStyle, popup_of

logger = logging.getLogger(__name__)

_NUM_CURSORS = 64


class AssistantLike(Protocol):
    """What a session needs of `assistant.Assistant`."""

    async def complete(self, query: Query) -> Suggestion:
        """Never raises but for `CancelledError`; trouble is a suggestion not shown, with a reason."""
        ...

    async def warm_up(self) -> None:
        """Start what takes long, so that the first request finds it ready."""
        ...

    def settled(self, query: Query) -> None:
        """The cursor is probably there: make the next request cheap, when nobody asks for a moment."""
        ...

    def opened(self, paths: Collection[str], folder: str) -> None:
        """These documents are open, in the workspace of `folder`, which is empty where there is none."""
        ...

    def learn(self, suggestion: Suggestion, *, accepted: bool) -> None:
        """The person has read it, and accepted it or left it."""
        ...

    async def close(self) -> None: ...


AssistantFactory = Callable[[Settings, Callable[[Status], None]], AssistantLike]


class Session:
    """Belongs to one event loop; `on_status` is called on it, once per change."""

    def __init__(
        self,
        documents: Documents,
        make_assistant: AssistantFactory,
        on_status: Callable[[Status], None],
        engine: str | None = None,
        journal: Journal | None = None,
    ) -> None:
        """`engine`, when given, stands above the setting of that name."""
        self.settings = Settings() if engine is None else Settings(engine=engine)
        self.ledger = Ledger(documents, _name_of_document, journal)
        self._habits = self.ledger.habits = Habits(self._learn)
        self.popup_style = PopupStyle()
        self._documents = documents
        self._make_assistant = make_assistant
        self._on_status = on_status
        self._engine = engine
        self._assistant: AssistantLike | None = None
        self._flights = Flights()
        self._tidying = Tidying(time.monotonic())
        self._background: set[asyncio.Task[None]] = set()
        self._status: Status | None = None
        self._ids = count(1)
        self._open: dict[str, None] = {}
        self._folder = ""
        self._cursors: OrderedDict[str, int] = OrderedDict()
        """Where the cursor last was, as far as we can know; closed documents are remembered."""
        self._edits: dict[str, tuple[int, int, Edit]] = {}
        """The last change of an open document, with the version it made and where it left the cursor."""

    def configure(self, raw: object) -> tuple[SettingsProblem, ...]:
        """Take new settings; a different assistant serves the requests from now on."""
        settings, problems = read_settings(raw)
        if self._engine is not None:
            settings = replace(settings, engine=self._engine)
        self.ledger.keeps_journal = settings.journal
        if settings != self.settings:
            self.settings = settings
            former, self._assistant = self._assistant, None
            if former is not None:
                self._start(former.close(), "closing the former assistant")
                self.warm_up()
        return problems

    def warm_up(self) -> None:
        """Begin to load, in the background."""
        self._start(self._warm_up(), "starting the engine")

    async def _warm_up(self) -> None:
        await self._current().warm_up()

    @property
    def outcomes(self) -> Outcomes:
        return self.ledger.outcomes

    def notice_of(self, completion_id: str) -> str:
        """Of the code of others that an answer repeats; empty where there is none, or it is forgotten."""
        outcome = self.outcomes.find(completion_id)
        return notices_of(outcome.verdicts) if outcome is not None else ""

    async def complete(self, params: InlineParams, encoding: Encoding) -> ItemList:
        """The answer to one `inlineCompletion` request."""
        return list_of(await self._answer(params, encoding))

    async def complete_popup(self, params: InlineParams, encoding: Encoding) -> PopupList:
        """The same for `completion`, the menu of editors that know nothing else."""
        return popup_of(await self._answer(params, encoding), self.popup_style)

    async def _answer(self, params: InlineParams, encoding: Encoding) -> Answer:
        with watch("request") as clock:
            try:
                answer = await self._answered(params, encoding, clock)
            except asyncio.CancelledError:
                self._silence(params, clock, "cancelled by the editor")
                raise
            except Exception as error:
                logger.exception("the request about %s failed", params.uri)
                return self._silence(params, clock, f"internal error, see the log: {error!r}")
        self._remember(params.uri, answer)
        return answer

    def _remember(self, uri: str, answer: Answer) -> None:
        self.ledger.answered(uri, answer)
        now_s = time.monotonic()
        self._tidying.look(now_s, now_s, 0.0)

    async def _answered(self, params: InlineParams, encoding: Encoding, clock: Clock) -> Answer:
        uri, document = params.uri, params.document
        if document is None:
            return self._silent(params, clock, "the document has not been opened")
        if params.version not in (None, document.version):
            reason = f"asked about version {params.version}, and version {document.version} is open"
            return self._silent(params, clock, reason)
        if params.way == "popup" and self.settings.completion.popup == "never":
            reason = "suggestions in the completion menu are off (setting completion.popup)"
            return self._silent(params, clock, reason)
        asked = ask(params, document, self.settings.completion.lines, encoding)
        offset = document.index.offset(params.position, encoding)
        self._cursor_at(uri, offset)
        *place, edit = self._edits.get(uri, (0, 0, None))
        if place == [document.version, offset]:
            asked = replace(asked, query=replace(asked.query, edit=edit))
        suggestion = await self._flights.run(uri, lambda: self._current().complete(asked.query))
        if suggestion is None:
            return self._silent(params, clock, "superseded by a newer request")
        stage = stage_of(clock.tree)
        with span("place"):
            placed = self._placed(asked, suggestion)
        is_placed = isinstance(placed, Replacement)
        if not is_placed and suggestion.shown:
            stage = "place"
        outcome = outcome_of(self._new_id(), document.version, suggestion, "" if is_placed else placed)
        outcome = self._completed(outcome, params, clock, "" if is_placed else stage)
        if not is_placed:
            return Answer(outcome, asked)
        if params.trigger is Trigger.AUTOMATIC:  # whoever asks for one takes what he would not be shown
            self._habits.sent(outcome.id, uri, suggestion)
        return Answer(outcome, asked, placed, self._others(asked, suggestion, outcome))

    def enter(self, folder_uri: str | None) -> None:
        """The workspace's folder, if the editor has one open."""
        self._folder = path_of(folder_uri) if folder_uri else ""

    def opened(self, uri: str) -> None:
        """A document was opened; the cursor is taken to be where it was left."""
        self._open[uri] = None
        self._tell_open()
        self.settled(uri)

    def changed(self, uri: str, last: ChangeLike, encoding: Encoding, num_places: int = 1) -> None:
        """A document was changed, lastly by `last`: the cursor is behind that."""
        self.ledger.edited(uri)
        document = self._documents.get(uri)
        range_: RangeLike | None = getattr(last, "range", None)
        if document is None or range_ is None:  # a whole text tells nothing
            return
        start = document.index.offset(range_.start, encoding)
        self._cursor_at(uri, min(start + len(last.text), len(document.text)))
        self._edits[uri] = (document.version, self._cursors[uri], Edit(last.text, num_places))
        self.settled(uri)

    def settled(self, uri: str) -> None:
        """Nothing is asked now, and may be soon, from where the cursor is."""
        document, offset = self._documents.get(uri), self._cursors.get(uri)
        if self._assistant is None or document is None or offset is None or offset > len(document.text):
            return
        frame = self._documents.frame(uri)
        offset += len(frame.before)
        query = Query(frame.around(document.snapshot), offset, lines=self.settings.completion.lines)
        self._assistant.settled(query)

    def forget(self, uri: str) -> None:
        """The document was closed: what is under way for it ends now."""
        self._flights.cancel(uri)
        self.ledger.edited(uri)
        self._habits.closed(uri)
        self._open.pop(uri, None)
        self._edits.pop(uri, None)
        self._tell_open()

    def report(self, status: Status) -> None:
        """Pass a status on, unless it is the one the editor already has."""
        if status.indexing is not None:
            self._on_status(status)
        elif status != self._status:
            self._status = status
            self._on_status(status)

    async def close(self) -> None:
        """End the assistant and whatever is under way.  May be called twice."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)  # each has logged its failure
        former, self._assistant = self._assistant, None
        if former is not None:
            await former.close()
        self.ledger.close()

    def _learn(self, suggestion: Suggestion, accepted: bool) -> None:  # noqa: FBT001  (a callback)
        if self._assistant is not None:
            self._assistant.learn(suggestion, accepted=accepted)

    def _current(self) -> AssistantLike:
        if self._assistant is None:
            self._assistant = self._make_assistant(self.settings, self._reporter())
            self._tell_open()
        return self._assistant

    def _tell_open(self) -> None:
        if self._assistant is not None:
            self._assistant.opened([path_of(uri) for uri in self._open], self._folder)

    def _cursor_at(self, uri: str, offset: int) -> None:
        self._cursors[uri] = offset
        self._cursors.move_to_end(uri)
        while len(self._cursors) > _NUM_CURSORS:
            self._cursors.popitem(last=False)

    def _reporter(self) -> Callable[[Status], None]:
        """For the assistant, which may report from a thread of its own."""
        loop = asyncio.get_running_loop()

        def report(status: Status) -> None:
            loop.call_soon_threadsafe(self.report, status)

        return report

    def _placed(self, asked: Asked, suggestion: Suggestion) -> Replacement | str:
        """Where the suggestion goes, or why it is not shown."""
        if not suggestion.shown:
            return suggestion.reason
        if self._documents.get(asked.document.uri) is not asked.document:
            return "the document changed meanwhile"
        return place(asked, suggestion)

    def _others(self, asked: Asked, suggestion: Suggestion, outcome: Outcome) -> tuple[Answer, ...]:
        """The further choices that can be placed, as answers of the same request."""
        placed = [(other, self._placed(asked, other)) for other in suggestion.others]
        return tuple(
            Answer(replace(outcome, id=f"{outcome.id}.{number}", **_own(other)), asked, place)
            for number, (other, place) in enumerate(placed, start=2)
            if isinstance(place, Replacement)
        )

    def _silence(self, params: InlineParams, clock: Clock, reason: str) -> Answer:
        """Remember, and answer, that nothing came of it."""
        answer = self._silent(params, clock, reason)
        self._remember(params.uri, answer)
        return answer

    def _silent(self, params: InlineParams, clock: Clock, reason: str) -> Answer:
        version = params.document.version if params.document is not None else None
        outcome = Outcome(self._new_id(), version, shown=False, reason=reason)
        return Answer(self._completed(outcome, params, clock, "session"))

    def _completed(self, outcome: Outcome, params: InlineParams, clock: Clock, stage: Stage) -> Outcome:
        """With what is the same for every outcome."""
        return replace(
            outcome,
            at_s=time.time(),
            way=params.way,
            language=params.document.language if params.document is not None else "",
            stage=stage,
            setting=setting_in(outcome.reason),
            timing=clock.tree,
        )

    def _new_id(self) -> str:
        return f"completion-{next(self._ids)}"

    def _start(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Run `work` in the background; a failure is logged and reported."""
        task = asyncio.ensure_future(self._watched(work, what))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _watched(self, work: Coroutine[Any, Any, None], what: str) -> None:
        try:
            await work
        except Exception as error:
            logger.exception("%s failed", what)
            self.report(Status("error", busy=False, message=f"Truepenny: {what} failed: {error}"))


def _own(other: Suggestion) -> dict[str, Any]:
    """Of an outcome, what a further choice does not share with the first."""
    own = outcome_of("", None, other)
    names = ("verdicts", "vouched", "confidence", "num_chars")
    return {name: getattr(own, name) for name in names}


def _name_of_document(path: str) -> str:
    """A keyed hash, as the engine is told; imported when first needed, for it brings a client along."""
    from ..prompting.workspace import Workspace

    return Workspace().name(path)
