"""An engine that dies costs one suggestion, with a message; nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.settings import Settings
from truepenny.lsp_server.snapshot import Query, Snapshot, Suggestion
from truepenny.lsp_server.status import Status
from truepenny.models.client import EngineClient
from truepenny.models.endpoint import FAKE_MODEL
from truepenny.models.launch import EngineChoice, ensure, running

TEXT = "def add(a, b):\n    return "


async def status_of(model: str):
    endpoint = await running(EngineChoice(model))
    assert endpoint is not None
    client = EngineClient(endpoint, model)
    try:
        return await client.status()
    finally:
        await client.aclose()


async def killed_in_flight(settings: Settings, model: str) -> tuple[Suggestion, Suggestion, list[Status]]:
    """Ask, kill that very engine while it works, look at the answer, ask again."""
    statuses: list[Status] = []
    assistant = Assistant(settings, statuses.append)
    query = Query(Snapshot("add.py", "python", TEXT), len(TEXT))
    try:
        await ensure(EngineChoice(model))
        asked = asyncio.create_task(assistant.complete(query))
        while not (status := await status_of(model)).running:  # noqa: ASYNC110  (another process's state)
            await asyncio.sleep(0.01)
        os.kill(status.pid, signal.SIGKILL)
        first = await asked
        troubles = [s for s in statuses if s.kind == "error"]
        second = await assistant.complete(query)
    finally:
        await assistant.close()
        if endpoint := await running(EngineChoice(model)):
            client = EngineClient(endpoint, model)
            await client.shutdown()
            await client.aclose()
    return first, second, troubles


def test_a_killed_engine_costs_one_answer_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Path
):
    """Killed in the middle of a request: an empty answer with a reason, a status, and the next works."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"replies": [[TEXT, "a + b\n"]], "delay_ms": 150}))
    monkeypatch.setenv("TRUEPENNY_FAKE_SCRIPT", str(script))

    first, second, troubles = asyncio.run(killed_in_flight(Settings(engine="fake"), FAKE_MODEL))

    assert not first.shown
    assert "went away" in first.reason
    assert [status.kind for status in troubles] == ["error"]
    assert "went away" in troubles[0].message
    assert second.text == "a + b"


def test_an_engine_that_keeps_dying_is_tried_ever_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Path
):
    """A crash at every start must not become a busy loop, and the silence must say when it ends."""
    script = tmp_path / "script.json"
    script.write_text("this is not JSON")
    monkeypatch.setenv("TRUEPENNY_FAKE_SCRIPT", str(script))
    query = Query(Snapshot("add.py", "python", TEXT), len(TEXT))

    async def ask() -> list[str]:
        assistant = Assistant(Settings(engine="fake"))
        try:
            return [(await assistant.complete(query)).reason for _ in range(3)]
        finally:
            await assistant.close()

    reasons = asyncio.run(ask())

    assert all("exit code" in reason for reason in reasons[:2]), reasons
    assert "tried again in" in reasons[2], reasons
