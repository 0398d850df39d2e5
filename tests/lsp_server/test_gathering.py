"""Other files in the prompts of a real assistant, with a real index and an engine that is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from truepenny.context.index.location import locate
from truepenny.context.index.process import run_build
from truepenny.lsp_server import pauses
from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.prompting import gathering
from truepenny.lsp_server.prompting.gathering import StoredIndex
from truepenny.lsp_server.settings import ContextSettings, Settings
from truepenny.lsp_server.snapshot import Query, Snapshot, Suggestion, Trigger
from truepenny.lsp_server.status import Status
from truepenny.models.client import Reply
from truepenny.models.wire import CompletionRequest, Piece, Priority, Started, Usage

pytestmark = pytest.mark.asyncio

SECRET = "hunter2-correct-horse"
FILES = {
    "store.py": 'class Rows:\n    def find(self, key: str) -> str:\n        return "body"\n',
    "units.py": "def to_feet(metres: float) -> float: ...\n",
    ".env": f"PASSWORD={SECRET}\n",
    "ignored.py": f'class Ignored:\n    password = "{SECRET}"\n',
    ".gitignore": "ignored.py\n",
}
TOP = "from store import Rows\n\n\ndef read(rows: Rows):\n    rows."
BOTTOM = "\n\n\nafter = 1\n"
PATIENCE_S = 60.0


class Engine:
    """Answers at once and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.warmed: list[str] = []

    async def complete(self, request: CompletionRequest) -> AsyncGenerator[Reply]:
        prompt = bytes(id_ if id_ < 256 else ord("|") for id_ in request.prompt_ids).decode()
        is_warm = request.priority is Priority.PREWARM
        (self.warmed if is_warm else self.asked).append(prompt)
        yield Started(len(prompt), 0, len(prompt), 0.0, 0.0)
        if not is_warm:
            yield Piece(request.heal + "pass\n")
        yield Usage(len(prompt), 0, len(prompt), 0, 0.0, 0.0, 0.0, "length" if is_warm else "stop")

    async def opened(self, documents: Collection[str], workspace: str = "") -> None: ...

    async def aclose(self) -> None: ...


class Desk:
    def __init__(self, root: Path, settings: Settings, index: StoredIndex | None) -> None:
        self.root = root
        self.engine = Engine()
        self.statuses: list[Status] = []
        self.assistant = Assistant(settings, self.statuses.append, index=index)
        link: Any = self.assistant._link
        link._client = self.engine

    def query(self, typed: str = "", trigger: Trigger = Trigger.INVOKED, name: str = "main.py") -> Query:
        text = TOP + typed
        path = str(self.root / name)
        return Query(Snapshot(path, "python", text + BOTTOM), len(text), trigger)

    async def ask(self, typed: str = "", trigger: Trigger = Trigger.INVOKED) -> Suggestion:
        return await self.assistant.complete(self.query(typed, trigger))

    async def until(self, claim: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not claim():
            assert time.monotonic() < deadline, (self.engine.asked[-1:], self.engine.warmed[-1:])
            await asyncio.sleep(0.02)


Make = Callable[..., Desk]


@pytest_asyncio.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Make]:
    root = tmp_path / "tide"
    (root / ".git").mkdir(parents=True)
    for path, text in FILES.items():
        (root / path).write_text(text)
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pauses, "IDLE_S", 0.0)
    monkeypatch.setattr(pauses, "SETTLE_S", 0.0)
    monkeypatch.setattr(gathering, "WAITING_DEADLINE_S", PATIENCE_S)  # however busy the machine is
    monkeypatch.setattr(gathering, "IDLE_DEADLINE_S", PATIENCE_S)
    location = locate(root, tmp_path / "cache")
    desks: list[Desk] = []

    def make_desk(context: ContextSettings | None = None, *, is_built: bool = True) -> Desk:
        if is_built:
            run_build(location)
        settings = Settings(engine="fake", context=context or ContextSettings(enabled=True))
        desks.append(Desk(root, settings, StoredIndex(location) if is_built else None))
        return desks[-1]

    yield make_desk
    for desk in desks:
        await desk.assistant.close()


async def test_a_request_by_key_is_told_of_other_files(make: Make) -> None:
    """Under their paths, before the document's own; and what they cost is in the stages."""
    desk = make()
    suggestion = await desk.ask()
    prompt = desk.engine.asked[0]
    assert prompt.startswith("|tide\n|")
    assert "store.py\n" in prompt.partition("|main.py\n")[0]
    assert "    def find(self, key: str) -> str" in prompt
    assert "context" in suggestion.cost.stage_ms


@pytest.mark.parametrize("context", [ContextSettings(enabled=False), ContextSettings(enabled=True, tokens=0)])
async def test_it_can_be_switched_off(make: Make, context: ContextSettings) -> None:
    desk = make(context)
    await desk.ask()
    assert desk.engine.asked[0].startswith("|from store import Rows")


async def test_typing_never_waits_for_it(make: Make) -> None:
    """The first prompt has nothing of other files; the pause computes one that does, and it is used."""
    desk = make()
    await desk.ask("f", Trigger.AUTOMATIC)
    assert "store.py" not in desk.engine.asked[0]
    await desk.until(lambda: any("store.py\n" in prompt for prompt in desk.engine.warmed))
    await asyncio.sleep(0.05)
    await desk.ask("fi", Trigger.AUTOMATIC)
    assert "|store.py\n" in desk.engine.asked[1]


async def test_chunks_stay_while_a_person_types(make: Make) -> None:
    """What stands before the document is the same at every key."""
    desk = make()
    heads = []
    for typed in (
        "",
        "find",
        "find(1)\n    x",
        "find(1)\n    x = 2\n    rows.",
        "find(1)\n    x = 2\n    rows.f",
    ):
        await desk.ask(typed, Trigger.INVOKED)
        heads.append(desk.engine.asked[-1].partition("|main.py\n")[0])
    assert len(set(heads)) == 1
    assert heads[0]


async def test_the_index_of_a_folder_is_built_beside(make: Make) -> None:
    """Nobody waits for it; its progress is told; an open buffer stands for its file."""
    desk = make(is_built=False)
    desk.assistant.opened([str(desk.root / "main.py")], str(desk.root))
    for round_ in range(2_000):
        await desk.ask(f"f{round_}")
        is_over = any(one.indexing is not None and one.indexing.is_over for one in desk.statuses)
        if "store.py\n" in desk.engine.asked[-1] and is_over:  # a file may be told of before the last is read
            break
        await asyncio.sleep(0.05)
    assert "store.py\n" in desk.engine.asked[-1]
    assert any(one.indexing is not None and one.indexing.is_over for one in desk.statuses)

    other = Snapshot(
        str(desk.root / "store.py"), "python", "class Rows:\n    def renamed(self): ...\n    def x"
    )
    desk.assistant.settled(Query(other, len(other.text)))
    await desk.until(lambda: any("def renamed" in prompt for prompt in desk.engine.warmed))
    for round_ in range(200):
        await desk.ask(f"r\n    zz{round_}\n" * 20 + "    rows.")
        if "renamed" in desk.engine.asked[-1]:
            break
        await asyncio.sleep(0.02)
    assert "def renamed" in desk.engine.asked[-1]


@pytest.mark.parametrize("name", ["ignored.py", ".env", "/elsewhere/main.py"])
async def test_what_is_kept_out_stays_out_when_it_is_open(make: Make, name: str) -> None:
    """An ignored file's buffer is not told to others, and outside of the workspace nothing is told."""
    desk = make()
    query = desk.query(name=name)
    text = f'class Ignored:\n    password = "{SECRET}"\n' + query.snapshot.text
    opened = Query(Snapshot(query.snapshot.path, "python", text), len(text), Trigger.INVOKED)
    await desk.assistant.complete(opened)
    desk.engine.asked.clear()
    await desk.ask("find(Ignored.password)\n    Ignored.")
    assert SECRET not in desk.engine.asked[0]
    assert "Ignored:" not in desk.engine.asked[0]
    assert ".env" not in desk.engine.asked[0]


async def test_a_damaged_index_costs_the_chunks_only(make: Make) -> None:
    desk = make()
    database = locate(desk.root, desk.root.parent / "cache").database
    database.write_bytes(b"not a database" * 1000)
    suggestion = await desk.ask()
    assert desk.engine.asked[0].startswith("|from store import Rows")
    assert suggestion.text or suggestion.reason
