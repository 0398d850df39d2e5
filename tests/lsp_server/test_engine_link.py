"""Which tokenizer and layout a model gets, and what happens with a model that has no layout."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from truepenny.lsp_server import asking, engine_link
from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.settings import Settings
from truepenny.lsp_server.snapshot import Query, Snapshot
from truepenny.models.catalogue import CATALOGUE
from truepenny.models.errors import PromptError
from truepenny.models.prompts.families import QWEN_CODER
from truepenny.models.testing import ByteTokenizer
from truepenny.models.wire import Message, Piece


class NoFim(ByteTokenizer):
    """The vocabulary of a model for chat."""

    def special_id(self, name: str) -> int | None:
        return None if "fim" in name else super().special_id(name)


class Client:
    """It can chat; to ask it for a completion is a mistake."""

    async def chat(self, _request):
        yield Piece("hello")


@pytest.fixture
def entry(monkeypatch):
    """Put a made-up model into the catalogue, with this tokenizer and family."""

    def put(tokenizer, family: str) -> str:
        made_up = replace(CATALOGUE[0], name="made-up", fim_family=family)
        monkeypatch.setattr(engine_link, "find", lambda _: made_up)
        monkeypatch.setattr(engine_link, "tokenizer_of", lambda _: tokenizer)
        engine_link.fim_renderer_of.cache_clear()
        return made_up.name

    yield put
    engine_link.fim_renderer_of.cache_clear()


@pytest.mark.parametrize("family", [QWEN_CODER.name, ""])
def test_the_family_is_the_catalogues_or_detected(family, entry):
    """A model of one's own names none."""
    assert engine_link.fim_renderer_of(entry(ByteTokenizer(), family)).family is QWEN_CODER


@pytest.mark.parametrize(
    ("family", "found"),
    [
        (QWEN_CODER.name, r"no token '<\|fim_prefix\|>'"),
        ("", r"made-up cannot fill in the middle.*so it chats"),
    ],
)
def test_a_model_without_fim_is_refused_for_completion(family, found, entry):
    """Named or not, what it would write is rubbish; the message says what to do."""
    with pytest.raises(PromptError, match=found):
        engine_link.fim_renderer_of(entry(NoFim(), family))


def test_without_fim_completion_is_silent_and_chat_goes_on(entry, monkeypatch):
    """The reason is told as a status and with the silence; nothing is asked of the model."""
    name = entry(NoFim(), "")
    statuses = []

    async def run():
        assistant = Assistant(Settings(engine="fake"), statuses.append)
        for link in {assistant._link, assistant._chat_link}:
            link.model = name

            async def client():
                return Client()

            monkeypatch.setattr(link, "client", client)
        monkeypatch.setattr(asking, "tokenizer_of", lambda _: NoFim())
        text = "def add(a, b):\n    return "
        query = Query(Snapshot("a.py", "python", text), len(text))
        suggestion = await assistant.complete(query)
        said = [event async for event in assistant.chat([Message("user", "hello")])]
        return suggestion, said

    suggestion, said = asyncio.run(run())
    assert not suggestion.shown
    assert "made-up cannot fill in the middle" in suggestion.reason
    assert "made-up cannot fill in the middle" in statuses[-1].message
    assert said == [Piece("hello")]
