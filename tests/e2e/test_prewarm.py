"""Through a real engine process: what was computed in a pause is not computed again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from truepenny.lsp_server import pauses
from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.settings import Settings
from truepenny.lsp_server.snapshot import Cost, Query, Snapshot, Suggestion
from truepenny.models.client import EngineClient
from truepenny.models.endpoint import FAKE_MODEL
from truepenny.models.launch import EngineChoice, running

ABOVE = "".join(f"line_{number} = {number}\n" for number in range(60))
BELOW = "\n" + "".join(f"below_{number} = {number}\n" for number in range(60))
FEW_TOKENS = 12
"""Of the fake model, whose tokens are bytes."""


def query_at(before: str) -> Query:
    return Query(Snapshot("a.py", "python", before + BELOW), len(before))


async def settled(assistant: Assistant) -> None:
    """Until nothing is under way or waited for."""
    while not assistant.is_idle:  # noqa: ASYNC110  (there is no event for "nothing more")
        await asyncio.sleep(0.01)


async def stop_engine() -> None:
    if endpoint := await running(EngineChoice(FAKE_MODEL)):
        client = EngineClient(endpoint, FAKE_MODEL)
        await client.shutdown()
        await client.aclose()


async def typed_with_pauses() -> list[Cost]:
    assistant = Assistant(Settings(engine="fake"))
    costs: list[Cost] = []
    before = ABOVE

    async def ask(text: str) -> Suggestion:
        nonlocal before
        before += text
        suggestion = await assistant.complete(query_at(before))
        costs.append(suggestion.cost)
        await settled(assistant)
        return suggestion

    try:
        for text in ("", "x", "\na = 1\n" * 5, "y", "z"):  # the third makes another branch due
            assert (await ask(text)).shown
        before = ABOVE[: len(ABOVE) // 2]  # elsewhere; first an edit that nobody asks about
        assistant.settled(Query(Snapshot("a.py", "python", before + "\nq" + BELOW), len(before) + 2))
        await settled(assistant)
        await ask("\nq")
    finally:
        await assistant.close()
        await stop_engine()
    return costs


def test_a_keystroke_pays_for_what_it_typed(monkeypatch: pytest.MonkeyPatch, runtime: Path) -> None:
    """Not for the branch that became due, nor for a jump that was followed by a moment's rest."""
    monkeypatch.setattr(pauses, "IDLE_S", 0.0)
    monkeypatch.setattr(pauses, "SETTLE_S", 0.0)

    first, *rest = asyncio.run(typed_with_pauses())

    assert first.computed_tokens == first.prompt_tokens
    assert all(cost.prompt_tokens > first.prompt_tokens for cost in rest[:1]), "more followed in the pause"
    computed = [cost.computed_tokens for cost in rest]
    assert computed[0] <= FEW_TOKENS
    assert computed[1] <= FEW_TOKENS + 35
    assert max(computed[2:]) <= FEW_TOKENS, computed


def test_an_engine_is_not_started_by_a_pause(runtime: Path) -> None:
    """Opening a file and looking at it starts nothing but what `warm_up` starts."""

    async def run() -> bool:
        assistant = Assistant(Settings(engine="fake"))
        assistant.opened(["a.py"], "")
        assistant.settled(query_at(ABOVE))
        await settled(assistant)
        await assistant.close()
        return await running(EngineChoice(FAKE_MODEL)) is None

    assert asyncio.run(run())
