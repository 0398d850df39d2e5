"""A session of a year does not grow: what is kept of messages and of answers is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import pytest

from truepenny.lsp_server.editor import session as session_module
from truepenny.lsp_server.editor.convert import Position
from truepenny.lsp_server.editor.documents import Documents
from truepenny.lsp_server.editor.inline import Answer, InlineParams
from truepenny.lsp_server.editor.server import TruepennyServer
from truepenny.lsp_server.editor.session import Session
from truepenny.lsp_server.ledger.ledger import NUM_RECORDS, Ledger
from truepenny.lsp_server.ledger.outcomes import Outcome
from truepenny.lsp_server.settings import Settings
from truepenny.lsp_server.snapshot import Query, Suggestion, Trigger
from truepenny.lsp_server.status import Status
from truepenny.models.tidying import Tidying

URI = "file:///x.py"
DOCUMENT = {"uri": URI, "version": 1}
OPENED = {"textDocument": {**DOCUMENT, "languageId": "python", "text": "x = 1\n"}}
PLACE = {"line": 0, "character": 0}
TYPED = {"textDocument": DOCUMENT, "contentChanges": [{"range": {"start": PLACE, "end": PLACE}, "text": "a"}]}
ASKED = {"textDocument": {"uri": URI}, "position": PLACE, "context": {"triggerKind": 2}}


class Assistant:
    """Has nothing to say."""

    def __init__(self, settings: Settings, on_status: Callable[[Status], None]) -> None:
        """Both as of `AssistantFactory`."""

    async def warm_up(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """There is nothing to end."""

    def learn(self, suggestion: Suggestion, *, accepted: bool) -> None:
        """Nothing is learned."""

    def settled(self, query: Query) -> None:
        """Nothing is computed ahead."""

    def opened(self, paths: Collection[str], folder: str) -> None:
        """Nobody is told."""

    async def complete(self, query: Query) -> Suggestion:
        await asyncio.sleep(0)
        return Suggestion("", query.offset, query.offset, shown=False, reason="scripted silence")


class Writer:
    """What the editor would read."""

    def __init__(self) -> None:
        self.num_written = 0

    def write(self, data: bytes) -> None:
        assert data
        self.num_written += 1

    def close(self) -> None:
        """There is no pipe."""


async def kept_after(messages: list[dict[str, Any]]) -> int:
    """How many futures of messages that are over the protocol still holds."""
    server, writer = TruepennyServer(Assistant), Writer()
    server.protocol.set_writer(writer)  # pyright: ignore[reportArgumentType]  # as for TCP
    server.protocol.handle_message(
        {
            "jsonrpc": "2.0",
            "id": "i",
            "method": "initialize",
            "params": {"capabilities": {}, "processId": None, "rootUri": None},
        }
    )
    for message in messages:
        server.protocol.handle_message({"jsonrpc": "2.0", **message})
    for _ in range(20):
        await asyncio.sleep(0)
    assert writer.num_written == 1 + sum("id" in message for message in messages)
    await server.session.close()
    return len(server.protocol._request_futures)


OPEN = {"method": "textDocument/didOpen", "params": OPENED}
TYPE = {"method": "textDocument/didChange", "params": TYPED}
ASK = {"id": 7, "method": "textDocument/inlineCompletion", "params": ASKED}
CANCEL = {"method": "$/cancelRequest", "params": {"id": 7}}
END = {"id": 8, "method": "shutdown"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "messages",
    [[], [OPEN], [OPEN, *[TYPE] * 5], [OPEN, ASK, TYPE, {**ASK, "id": 9}], [ASK, CANCEL], [OPEN, ASK, END]],
    ids=["nothing", "opened", "typed", "asked", "cancelled", "shut down"],
)
async def test_a_message_that_is_over_is_forgotten(messages: list[dict[str, Any]]) -> None:
    """pygls keeps the future of each notification under a name that nobody knows."""
    assert await kept_after(messages) == 0


def answer(number: int) -> Answer:
    return Answer(Outcome(f"completion-{number}", 1, shown=False, reason="scripted silence"), None)


def test_the_newest_records_are_kept() -> None:
    ledger = Ledger(Documents(), lambda path: path)
    for number in range(NUM_RECORDS + 5):
        ledger.answered(f"file:///{number}.py", answer(number))

    assert ledger.stats().num_asked == len(ledger._records) == NUM_RECORDS
    assert next(iter(ledger._records)) == "completion-5"
    assert next(reversed(ledger._records)) == f"completion-{NUM_RECORDS + 4}"


@pytest.mark.asyncio
async def test_what_is_freed_is_given_back_while_somebody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first answer after ten seconds, not with each."""
    now_s, given = 100.0, []
    monkeypatch.setattr(session_module.time, "monotonic", lambda: now_s)
    monkeypatch.setattr(session_module, "Tidying", lambda at_s: Tidying(at_s, lambda: given.append(now_s)))
    documents = Documents()
    documents.open(URI, "python", 1, "x = 1\n")
    session = Session(documents, Assistant, lambda status: None)
    document = documents.get(URI)
    for _ in range(50):
        await session.complete(
            InlineParams(URI, Position(0, 0), Trigger.AUTOMATIC, None, None, document), "utf-16"
        )
        now_s += 0.5
    await session.close()

    assert given == [110.0, 120.0]
