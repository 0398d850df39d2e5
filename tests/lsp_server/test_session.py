"""A session without pipes: who is asked, who is told, and what is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import pytest

from truepenny.lsp_server.editor.convert import Position, Range
from truepenny.lsp_server.editor.documents import Documents
from truepenny.lsp_server.editor.inline import InlineParams
from truepenny.lsp_server.editor.session import Session
from truepenny.lsp_server.ledger.outcomes import NUM_DOCUMENTS, Outcome, Outcomes
from truepenny.lsp_server.settings import Settings
from truepenny.lsp_server.snapshot import Query, Suggestion, Trigger
from truepenny.lsp_server.status import Status

pytestmark = pytest.mark.asyncio

URI = "file:///x.py"


@dataclass(frozen=True)
class Change:
    range: Range
    text: str


@dataclass(frozen=True)
class WholeText:
    text: str


class FakeAssistant:
    """Answers when allowed to, and keeps a diary."""

    def __init__(self, settings: Settings, on_status: Callable[[Status], None]) -> None:
        self.settings = settings
        self.on_status = on_status
        self.diary: list[str] = []
        self.settled_at: list[int] = []
        self.open: list[tuple[tuple[str, ...], str]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.failure: Exception | None = None
        self.answer: Suggestion | None = None

    async def warm_up(self) -> None:
        self.diary.append("warm up")
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        self.diary.append("close")

    def learn(self, suggestion: Suggestion, *, accepted: bool) -> None:
        self.diary.append(f"learn {suggestion.text} {accepted}")

    def settled(self, query: Query) -> None:
        self.settled_at.append(query.offset)

    def opened(self, paths: Collection[str], folder: str) -> None:
        self.open.append((tuple(paths), folder))

    async def complete(self, query: Query) -> Suggestion:
        self.diary.append(f"complete {query.offset} {query.lines}")
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.diary.append(f"cancelled {query.offset}")
            raise
        if self.failure is not None:
            raise self.failure
        if self.answer is not None:
            return self.answer
        return Suggestion("text", query.offset, query.offset, shown=True, reason="")


class Desk:
    """A session, its documents, the assistants it made and the statuses it sent."""

    def __init__(self, engine: str | None = None) -> None:
        self.documents = Documents()
        self.assistants: list[FakeAssistant] = []
        self.statuses: list[Status] = []
        self.session = Session(self.documents, self.make, self.statuses.append, engine)
        self.documents.open(URI, "python", 1, "abcdef")

    def make(self, settings: Settings, on_status: Callable[[Status], None]) -> FakeAssistant:
        self.assistants.append(FakeAssistant(settings, on_status))
        return self.assistants[-1]

    def params(self, character: int) -> InlineParams:
        position = Position(0, character)
        return InlineParams(URI, position, Trigger.AUTOMATIC, None, None, self.documents.get(URI))

    async def ask(self, character: int) -> Any:
        return await self.session.complete(self.params(character), "utf-16")

    @property
    def reasons(self) -> list[str]:
        """Newest first."""
        return [outcome.reason for outcome in self.session.outcomes.of(URI)]


async def turns(num_turns: int = 5) -> None:
    """Let every task that can run, run."""
    for _ in range(num_turns):
        await asyncio.sleep(0)


async def test_the_assistant_is_made_when_first_needed() -> None:
    """`initialize` must not wait for it."""
    desk = Desk()
    desk.session.configure({"completion": {"lines": "single"}})

    assert desk.assistants == []
    assert len((await desk.ask(3)).items) == 1
    assert desk.assistants[0].diary == ["complete 3 single"]


async def test_superseded_and_cancelled_requests_are_remembered_as_such() -> None:
    """`truepenny/why` tells the two apart."""
    desk = Desk()
    await desk.ask(0)
    desk.assistants[0].may_answer.clear()
    older = asyncio.ensure_future(desk.ask(1))
    await turns()
    newer = asyncio.ensure_future(desk.ask(2))
    await turns()
    newer.cancel()

    with pytest.raises(asyncio.CancelledError):
        await newer
    assert (await older).items == ()
    assert desk.reasons == ["cancelled by the editor", "superseded by a newer request", ""]
    assert {"cancelled 1", "cancelled 2"} <= set(desk.assistants[0].diary)


async def test_a_failing_assistant_costs_one_suggestion() -> None:
    """It promises not to raise; if it does, the answer is empty and the log has the rest."""
    desk = Desk()
    await desk.ask(0)
    desk.assistants[0].failure = RuntimeError("broken")
    failed = await desk.ask(1)
    desk.assistants[0].failure = None

    assert failed.items == ()
    assert "broken" in failed.truepenny.reason
    assert len((await desk.ask(2)).items) == 1


async def test_an_assistant_that_cannot_be_made_is_reported() -> None:
    """A missing dependency is a status and a reason, not a silent server."""
    statuses: list[Status] = []

    def make(settings: Settings, on_status: Callable[[Status], None]) -> FakeAssistant:
        raise ImportError("no such part")

    desk = Desk()
    desk.session = Session(desk.documents, make, statuses.append)
    desk.session.warm_up()
    await turns()

    assert [status.kind for status in statuses] == ["error"]
    assert "no such part" in statuses[0].message
    assert "no such part" in (await desk.ask(0)).truepenny.reason


async def test_new_settings_close_the_former_assistant() -> None:
    """And start the next; equal settings change nothing."""
    desk = Desk()
    await desk.ask(0)
    desk.session.configure({"completion": {"max_tokens": 5}})
    await turns()
    desk.session.configure({"completion": {"max_tokens": 5}})
    await turns()

    assert [assistant.diary for assistant in desk.assistants] == [["complete 0 auto", "close"], ["warm up"]]
    assert desk.assistants[1].settings.completion.max_tokens == 5


async def test_the_command_lines_engine_stands_above_the_setting() -> None:
    """Who starts the server by hand means it."""
    desk = Desk(engine="fake")
    desk.session.configure({"engine": "http://localhost:1/v1"})
    await desk.ask(0)

    assert desk.assistants[0].settings.engine == "fake"


async def test_the_command_lines_engine_needs_no_settings() -> None:
    """Some clients send no options at all."""
    desk = Desk(engine="fake")
    await desk.ask(0)

    assert desk.assistants[0].settings.engine == "fake"


async def test_a_status_is_sent_once_per_change_and_from_any_thread() -> None:
    """The assistant's engine client may live in a thread of its own."""
    desk = Desk()
    await desk.ask(0)
    busy, ready = Status("normal", busy=True, message="loading"), Status("normal", busy=False, message="")
    for status in (busy, busy, ready):
        await asyncio.to_thread(desk.assistants[0].on_status, status)
    await turns()

    assert desk.statuses == [busy, ready]


async def test_closing_ends_the_assistant_once() -> None:
    """`shutdown` and then a closed pipe both close."""
    desk = Desk()
    await desk.ask(0)
    await desk.session.close()
    await desk.session.close()

    assert desk.assistants[0].diary == ["complete 0 auto", "close"]


def insert(desk: Desk, character: int, text: str) -> None:
    """As a client does: the document changes, then we are told of the change."""
    change = Change(Range(Position(0, character), Position(0, character)), text)
    document = desk.documents.get(URI)
    assert document is not None
    desk.documents.change(URI, document.version + 1, [change], "utf-16")
    desk.session.changed(URI, change, "utf-16")


async def test_the_assistant_hears_where_the_cursor_settles() -> None:
    """After a change behind it; when a document is saved or opened again, where it last was."""
    desk = Desk()
    insert(desk, 2, "🙂")  # nobody has asked for anything yet: no assistant is made for it
    assert desk.assistants == []

    await desk.ask(0)
    (assistant,) = desk.assistants
    insert(desk, 4, "xy")  # columns count UTF-16 units, offsets code points
    desk.session.settled(URI)
    desk.session.settled("file:///never-opened.py")
    assert assistant.settled_at == [5, 5]

    desk.documents.open(URI, "python", 9, "abc")
    desk.session.opened(URI)  # shorter now: the place is gone
    desk.documents.open(URI, "python", 10, "abcdefg")
    desk.session.opened(URI)
    desk.session.changed(URI, WholeText("abc"), "utf-16")
    assert assistant.settled_at == [5, 5, 5]


async def test_the_assistant_hears_what_is_open() -> None:
    """Also the one that is made later, and the one after that."""
    desk = Desk()
    desk.session.enter("file:///home/me/project")
    desk.session.opened(URI)
    desk.session.opened("untitled:1")
    await desk.ask(0)
    desk.session.forget(URI)
    desk.session.configure({"completion": {"max_tokens": 5}})
    await turns()

    first, second = desk.assistants
    assert first.open == [
        (("/x.py", "untitled:1"), "/home/me/project"),
        (("untitled:1",), "/home/me/project"),
    ]
    assert second.open == [(("untitled:1",), "/home/me/project")]


async def test_outcomes_are_bounded_by_documents_too() -> None:
    """A session of a year does not grow."""
    outcomes = Outcomes()
    for number in range(NUM_DOCUMENTS + 1):
        outcomes.add(f"file:///{number}", Outcome(str(number), 1, shown=False, reason="x"))

    assert outcomes.of("file:///0") == ()
    assert len(outcomes.of("file:///1")) == 1
    assert outcomes.mark("1", "accepted")
    assert not outcomes.mark("0", "accepted")


async def test_further_choices_are_items_of_their_own() -> None:
    """Each with an id; the one that is accepted is the one that counts."""
    desk = Desk()
    await desk.ask(0)
    first, second, placeless = (
        Suggestion(text, 3, end, shown=True, reason="", confidence=confidence)
        for text, end, confidence in (("first", 3, 0.5), ("second", 3, 0.25), ("nowhere", 99, 0.9))
    )
    desk.assistants[0].answer = replace(first, others=(second, placeless))
    asked = replace(desk.params(3), trigger=Trigger.INVOKED)
    items = (await desk.session.complete(asked, "utf-16")).items
    ids = [item.command.arguments[0] for item in items]

    assert [item.insert_text for item in items] == ["first", "second"]
    assert [item.truepenny.confidence for item in items] == [0.5, 0.25]
    assert len(desk.session.outcomes.of(URI)) == 2, "one outcome for each request"
    desk.session.ledger.shown(ids[0])
    desk.session.ledger.shown(ids[1])
    desk.session.ledger.taken(ids[1])
    assert desk.session.outcomes.of(URI)[0].fate == "accepted"
    assert "learn" not in " ".join(desk.assistants[0].diary), "whoever asks teaches nothing"


async def test_what_was_accepted_unasked_is_learned_from() -> None:
    """Once, however often it was shown."""
    desk = Desk()
    item = (await desk.ask(3)).items[0]
    desk.session.ledger.shown(item.command.arguments[0])
    desk.session.ledger.taken(item.command.arguments[0])
    await desk.ask(3)
    desk.session.forget(URI)

    assert [line for line in desk.assistants[0].diary if line.startswith("learn")] == ["learn text True"]
