"""Several choices for somebody who asks, from the engine to the item list; and confidence that withholds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.settings import Settings, read_settings
from truepenny.lsp_server.snapshot import Query, Snapshot, Suggestion, Trigger
from truepenny.models.client import EngineClient
from truepenny.models.endpoint import FAKE_MODEL, RUNTIME_VARIABLE
from truepenny.models.launch import EngineChoice, running
from truepenny.models.testing import SCRIPT_VARIABLE

TEXT = "def add(a, b):\n    return "
REPLIES = {
    "replies": [["return ", "a + b\n"]],
    "instead": [["return ", "b + a\n"], ["return ", "sum((a, b))\n"], ["return ", "1\n"]],
}

Ask = Callable[..., Suggestion]


@pytest.fixture
def ask(tmp_path_factory, monkeypatch) -> Iterator[Ask]:
    """Asks an assistant of its own, with an engine that follows a script."""
    folder: Path = tmp_path_factory.mktemp("t")
    monkeypatch.setenv(RUNTIME_VARIABLE, str(folder / "r"))
    monkeypatch.setenv("TRUEPENNY_CACHE", str(folder / "c"))
    script = folder / "script.json"
    monkeypatch.setenv(SCRIPT_VARIABLE, str(script))

    def once(trigger: Trigger, replies: dict[str, Any], text: str = TEXT, **completion: object) -> Suggestion:
        script.write_text(json.dumps(replies))
        settings, problems = read_settings({"engine": "fake", "completion": completion})
        assert problems == ()
        return asyncio.run(
            _asked(settings, Query(Snapshot("untitled:a.py", "python", text), len(text), trigger))
        )

    yield once
    asyncio.run(_stop())


async def _asked(settings: Settings, query: Query) -> Suggestion:
    assistant = Assistant(settings)
    try:
        return await assistant.complete(query)
    finally:
        await assistant.close()


async def _stop() -> None:
    endpoint = await running(EngineChoice(FAKE_MODEL))
    if endpoint is not None:
        client = EngineClient(endpoint, FAKE_MODEL)
        await client.shutdown()
        await client.aclose()


def texts(suggestion: Suggestion) -> list[str]:
    return [one.text for one in (suggestion, *suggestion.others)]


def test_whoever_asks_has_three_choices(ask: Ask) -> None:
    """The first is what a single request is answered with; all differ, and the others are in order."""
    single = ask(Trigger.INVOKED, REPLIES, choices=1)
    several = ask(Trigger.INVOKED, REPLIES)
    assert texts(single) == ["a + b"]
    assert several.text == "a + b"
    assert {one.text for one in several.others} == {"b + a", "sum((a, b))"}
    assert several.confidence == single.confidence
    confidences = [one.confidence for one in several.others if one.confidence is not None]
    assert confidences == sorted(confidences, reverse=True)
    assert len(confidences) == 2


def test_typing_has_one(ask: Ask) -> None:
    """Nobody pays for what nobody asked for."""
    found = ask(Trigger.AUTOMATIC, REPLIES)
    assert texts(found) == ["a + b"]
    assert found.cost.completion_tokens <= len("a + b\n") + 1


def test_what_is_too_unsure_waits_to_be_asked_for(ask: Ask) -> None:
    """The reason has both figures and the setting; whoever asks sees it, and 0 shows everything."""
    unsure = {**REPLIES, "logit": 0.5}
    silent = ask(Trigger.AUTOMATIC, unsure)
    assert (silent.shown, silent.text) == (False, "")
    assert "setting completion.min_confidence" in silent.reason
    assert silent.reason.count(" %") >= 2
    assert silent.confidence is not None
    assert ask(Trigger.INVOKED, unsure).text == "a + b"
    assert ask(Trigger.AUTOMATIC, unsure, min_confidence=0).text == "a + b"
    assert not ask(Trigger.AUTOMATIC, REPLIES, min_confidence=1).shown


@pytest.mark.parametrize("given", [-0.1, 1.1, "none", True, [], "0.5"])
def test_a_threshold_that_is_none_is_named(given: object) -> None:
    """With its key and what to write."""
    settings, (problem,) = read_settings({"completion": {"min_confidence": given}})
    assert problem.key == "completion.min_confidence"
    assert "'auto' or a number from 0" in problem.fix
    assert settings.completion.min_confidence == "auto"


@pytest.mark.parametrize("given", [0, 1, 0.5, "auto"])
def test_a_threshold_is_taken(given: object) -> None:
    """Whole numbers too."""
    settings, problems = read_settings({"completion": {"min_confidence": given}})
    assert (settings.completion.min_confidence, problems) == (given, ())
