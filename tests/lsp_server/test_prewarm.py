"""What is computed while nobody types: in which order, for which place, and when not at all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Collection
from typing import Any

import pytest
import pytest_asyncio

from truepenny.lsp_server import pauses
from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.prompting.prewarm import Prewarmer
from truepenny.lsp_server.settings import CompletionSettings, Settings
from truepenny.lsp_server.snapshot import Query, Snapshot, Suggestion, Trigger
from truepenny.models.client import Reply
from truepenny.models.errors import EngineLostError
from truepenny.models.wire import CompletionRequest, Piece, Priority, Started, Usage

pytestmark = pytest.mark.asyncio

ABOVE = "".join(f"line_{number} = {number}\n" for number in range(30))
BELOW = "\nafter = 1\n"
NO_LINE_AHEAD = CompletionSettings(prefetch=False)


class FakeClient:
    """Answers at once, but for pre-warming, which waits until it may go on.  Keeps a diary."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.requests: list[CompletionRequest] = []
        self.opened_calls: list[tuple[list[str], str]] = []
        self.may_warm = asyncio.Event()
        self.may_warm.set()
        self.failure: Exception | None = None

    async def complete(self, request: CompletionRequest) -> AsyncGenerator[Reply]:
        kind = "warm" if request.priority is Priority.PREWARM else "ask"
        self.diary.append(kind)
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        num_tokens = len(request.prompt_ids)
        yield Started(num_tokens, 0, num_tokens, 0.0, 0.0)
        if kind == "warm":
            try:
                await self.may_warm.wait()
            except asyncio.CancelledError:
                self.diary.append("stopped")
                raise
            self.diary.append("warmed")
        else:
            yield Piece(request.heal + "pass\n")
        yield Usage(num_tokens, 0, num_tokens, 0, 0.0, 0.0, 0.0, "length" if kind == "warm" else "stop")

    async def opened(self, documents: Collection[str], workspace: str = "") -> None:
        self.opened_calls.append((list(documents), workspace))

    async def aclose(self) -> None:
        self.diary.append("closed")


class Desk:
    """An assistant whose engine is a `FakeClient`, and the text being typed."""

    def __init__(self, settings: Settings, *, is_running: bool = True) -> None:
        self.client = FakeClient()
        self.assistant = Assistant(settings)
        link: Any = self.assistant._link
        self.num_starts = 0
        if is_running:
            link._client = self.client

        async def start() -> FakeClient:
            self.num_starts += link._client is None
            link._client = self.client
            return self.client

        link.client = start
        self.before, self.after = ABOVE, BELOW

    @property
    def query(self) -> Query:
        return Query(Snapshot("a.py", "python", self.before + self.after), len(self.before))

    @property
    def prompt(self) -> str:
        """Of the last request; control tokens become bars."""
        return bytes(id_ if id_ < 256 else ord("|") for id_ in self.client.requests[-1].prompt_ids).decode()

    async def type(self, text: str) -> Suggestion:
        self.before += text
        return await self.assistant.complete(self.query)

    async def pause(self) -> None:
        """Long enough for whatever is waited for to happen, except for what the client holds back."""
        for _ in range(40):
            await asyncio.sleep(0)


@pytest_asyncio.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Callable[..., Desk]]:
    monkeypatch.setattr(pauses, "IDLE_S", 0.0)
    monkeypatch.setattr(pauses, "SETTLE_S", 0.0)
    desks: list[Desk] = []

    def make_desk(settings: Settings | None = None, **options: bool) -> Desk:
        desks.append(Desk(settings or Settings(engine="fake", completion=NO_LINE_AHEAD), **options))
        return desks[-1]

    yield make_desk
    for desk in desks:
        await desk.assistant.close()


async def test_the_next_branch_is_computed_in_a_pause_and_then_used(make: Callable[..., Desk]) -> None:
    """A grown middle costs no keystroke anything."""
    desk = make()
    await desk.type("")
    await desk.pause()
    assert desk.client.diary[:1] == ["ask"]
    desk.client.diary.clear()
    await desk.type("a = 1\n" * 8)
    long_prompt = desk.prompt
    await desk.pause()
    warm_prompt = desk.prompt
    await desk.type("b")

    assert desk.client.diary[:3] == ["ask", "warm", "warmed"]
    assert len(warm_prompt.rpartition("|")[2]) < len(long_prompt.rpartition("|")[2])
    assert desk.prompt.startswith(warm_prompt)
    warm = next(request for request in desk.client.requests if request.priority is Priority.PREWARM)
    assert (warm.max_tokens, warm.heal) == (0, "")


async def test_the_old_branch_serves_until_the_new_one_is_warm(make: Callable[..., Desk]) -> None:
    """A keystroke stops the pre-warm and does not pay for it; the next pause goes on with the same."""
    desk = make()
    await desk.type("")
    await desk.pause()
    await desk.type("a = 1\n" * 8)
    branch = desk.prompt.rpartition("|")[0]
    desk.client.may_warm.clear()
    await desk.pause()
    begun = desk.prompt.rpartition("|")[0]
    desk.client.diary.clear()
    await desk.type("b")

    assert desk.prompt.rpartition("|")[0] == branch
    desk.client.may_warm.set()
    await desk.pause()
    assert desk.client.diary == ["stopped", "ask", "warm", "warmed"]
    assert desk.prompt.rpartition("|")[0] == begun
    await desk.type("c")
    assert desk.prompt.rpartition("|")[0] == begun


async def test_a_place_where_nobody_asks_is_warmed_once_it_is_settled(make: Callable[..., Desk]) -> None:
    """After a jump and an edit, an undo, a save: the next request finds its prompt there."""
    desk = make()
    desk.assistant.settled(desk.query)
    await desk.pause()
    assert desk.client.diary[:2] == ["warm", "warmed"]
    warm_prompt = bytes(i for i in desk.client.requests[0].prompt_ids if i < 256)
    desk.client.diary.clear()
    await desk.type("x")

    assert desk.client.diary == ["ask"]
    assert warm_prompt
    assert desk.prompt.endswith("x")


async def test_inside_a_line_its_end_is_warmed(make: Callable[..., Desk]) -> None:
    """There is no suggestion inside a word; where the person goes on to, there is."""
    desk = make()
    desk.before, desk.after = ABOVE + "x = fo", "o(1)\n" + BELOW
    desk.assistant.settled(desk.query)
    await desk.pause()

    assert desk.client.diary == ["warm", "warmed"]
    assert desk.prompt.endswith("x = foo(1)")


async def test_several_changes_in_a_row_are_one(make: Callable[..., Desk]) -> None:
    """One per document, the last."""
    desk = make()
    for _ in range(5):
        desk.before += "y"
        desk.assistant.settled(desk.query)
    await desk.pause()

    assert desk.client.diary.count("warm") <= 2  # its place, and what follows there
    assert desk.prompt.endswith("yyyyy")


@pytest.mark.parametrize(
    ("settings", "is_running"),
    [
        (Settings(engine="fake"), False),
        (Settings(engine="fake", engine_prewarm=False), True),
        (Settings(engine="fake", completion=CompletionSettings(enabled=False)), True),
        (
            Settings(engine="fake", completion=CompletionSettings(disabled_languages=("python",))),
            True,
        ),
    ],
)
async def test_nothing_is_computed_ahead(
    make: Callable[..., Desk], settings: Settings, *, is_running: bool
) -> None:
    """No engine is started for it, and nobody's choice is passed over."""
    desk = make(settings, is_running=is_running)
    desk.assistant.settled(desk.query)
    await desk.pause()

    assert desk.client.diary == []
    assert desk.num_starts == 0


async def test_an_engine_that_left_is_forgotten(make: Callable[..., Desk]) -> None:
    """So that the next request starts one, and costs nobody a suggestion."""
    desk = make()
    desk.client.failure = EngineLostError("gone")
    desk.assistant.settled(desk.query)
    await desk.pause()
    desk.client.failure = None

    assert desk.client.diary == ["warm", "closed"]
    assert (await desk.type("x")).shown
    assert desk.num_starts == 1


async def test_closing_a_document_ends_its_work(make: Callable[..., Desk]) -> None:
    """And the engine is told what is open, under names that are no paths, once for each change."""
    desk = make()
    desk.assistant.opened(["a.py", "b.py"], "/home/me/project")
    await desk.pause()
    desk.client.may_warm.clear()
    desk.assistant.settled(desk.query)
    await desk.pause()
    desk.assistant.opened(["b.py"], "/home/me/project")
    await desk.pause()
    await desk.type("x")
    await desk.pause()

    assert desk.client.diary[:2] == ["warm", "stopped"]
    (both, workspace), (other, same) = desk.client.opened_calls
    assert len(both) == 2
    assert other == both[1:]
    assert workspace == same != ""
    assert "project" not in workspace
    asked = next(r for r in desk.client.requests if r.priority is Priority.INTERACTIVE)
    assert (asked.document, asked.workspace) == (both[0], workspace)


async def test_a_new_engine_is_told_again(make: Callable[..., Desk]) -> None:
    """It knows nothing of what its predecessor knew."""
    desk = make()
    desk.assistant.opened(["a.py"], "")
    await desk.pause()
    desk.client = FakeClient()
    link: Any = desk.assistant._link
    link._client = None
    await desk.type("x")
    await desk.pause()

    assert len(desk.client.opened_calls) == 1


async def test_no_request_is_left_unanswered_whatever_is_computed_ahead(make: Callable[..., Desk]) -> None:
    """A random session: typing, pausing, jumping, closing; warm or not, every request has its answer."""
    chance = random.Random(7)
    desk = make()
    answers: list[asyncio.Task[Suggestion]] = []
    for _ in range(200):
        what = chance.choice(["type", "type", "line", "jump", "pause", "settle", "hold", "close"])
        if what == "jump":
            text = desk.before + desk.after
            at = text.rfind("\n", 0, chance.randrange(40, len(text))) + 1
            desk.before, desk.after = text[:at], text[at:]
        elif what == "pause":
            desk.client.may_warm.set()
            await desk.pause()
        elif what == "hold":
            desk.client.may_warm.clear()
        elif what == "settle":
            desk.assistant.settled(desk.query)
        elif what == "close":
            desk.assistant.opened([], "")
        else:
            desk.before += "z" if what == "type" else "\nw = 1\n"
            query = Query(desk.query.snapshot, desk.query.offset, Trigger.INVOKED)
            answers.append(asyncio.ensure_future(desk.assistant.complete(query)))
            await asyncio.sleep(0)
    done = await asyncio.wait_for(asyncio.gather(*answers), 60)

    assert len(done) == len(answers)
    assert all(suggestion.shown or suggestion.reason for suggestion in done)


async def test_work_that_fails_is_logged_and_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is swallowed, and the next piece of work runs."""
    prewarmer = Prewarmer()
    seen: list[str] = []

    async def fail() -> None:
        raise RuntimeError("broken")

    async def work() -> None:
        seen.append("done")

    prewarmer.later("a", 0.0, fail)
    await asyncio.sleep(0.01)
    prewarmer.later("a", 0.0, work)
    await asyncio.sleep(0.01)
    prewarmer.later("b", 60.0, work)
    await prewarmer.aclose()

    assert seen == ["done"]
    assert "broken" in caplog.text
