"""Pain 6: slow on a machine of one's own; chat and completion in each other's way; the model forgets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.settings import CompletionSettings, Settings
from truepenny.lsp_server.snapshot import Query, Snapshot, Suggestion
from truepenny.models.client import EngineClient
from truepenny.models.endpoint import FAKE_MODEL
from truepenny.models.launch import EngineChoice, running
from truepenny.models.wire import Message, Piece

from ..e2e.conftest import runtime  # noqa: TID252  (tests are no installed package)

__all__ = ["runtime"]

ABOVE = "".join(f"line_{number} = {number}\n" for number in range(60))
TALK = "word " * 200
SETTINGS = Settings(engine="fake", completion=CompletionSettings(prefetch=False))


def query(typed: str) -> Query:
    text = f"{ABOVE}value = {typed}"
    return Query(Snapshot("a.py", "python", text + "\n"), len(text))


async def stop_engine() -> None:
    if endpoint := await running(EngineChoice(FAKE_MODEL)):
        client = EngineClient(endpoint, FAKE_MODEL)
        await client.shutdown()
        await client.aclose()


async def typed_during_a_chat() -> tuple[list[Suggestion], str, str]:
    """Suggestions got while the assistant was talking, what it had said by then, and in the end."""
    assistant = Assistant(SETTINGS)
    suggestions = [await assistant.complete(query(""))]
    said, talked = "", asyncio.Event()

    async def chat() -> None:
        nonlocal said
        async for event in assistant.chat([Message("user", "explain")], max_tokens=1200):
            if isinstance(event, Piece):
                said += event.text
                talked.set()

    try:
        chatting = asyncio.create_task(chat())
        await talked.wait()
        suggestions += [await assistant.complete(query(typed)) for typed in ("o", "other.")]
        said_meanwhile = said
        await chatting
    finally:
        await assistant.close()
        await stop_engine()
    return suggestions, said_meanwhile, said


@pytest.fixture
def suggestions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Path
) -> tuple[list[Suggestion], str, str]:
    assert runtime.exists()
    replies = [["assistant\n", TALK], ["value = ", "one()\n"], ["other.", "two()\n"]]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"replies": replies, "delay_ms": 3}))
    monkeypatch.setenv("TRUEPENNY_FAKE_SCRIPT", str(script))
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    return asyncio.run(typed_during_a_chat())


def test_a_keystroke_goes_before_the_chat_and_finds_what_was_computed(
    suggestions: tuple[list[Suggestion], str, str],
) -> None:
    """Both use one model: the chat waits a moment and loses nothing, the keystroke pays for itself."""
    (first, through, other), meanwhile, said = suggestions
    assert (first.text, through.text, other.text) == ("one()", "ne()", "two()")
    assert len(meanwhile) < len(TALK), "the suggestions came while it was talking"
    assert said.strip() == TALK.strip()
    assert (through.cost.prompt_tokens, through.cost.completion_tokens) == (0, 0), "no model was asked"
    assert other.cost.computed_tokens < 20 < other.cost.prompt_tokens, "nothing was forgotten for the chat"
