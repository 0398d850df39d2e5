"""The HTTP face, without a process: what a client of the OpenAI API sees."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from truepenny.models.engine import Engine
from truepenny.models.serving import EngineApi
from truepenny.models.testing import ByteTokenizer, FakeModel, Script, fake_cache, fake_chat

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Engine]:
    model = FakeModel(Script(replies=(("go:", "abc"), ("assistant\n", "hello\n")), otherwise="other\n"))
    engine = Engine(model, ByteTokenizer(), fake_cache(model))
    yield engine
    engine.close()


@pytest_asyncio.fixture
async def http(engine) -> AsyncIterator[httpx.AsyncClient]:
    api = EngineApi(engine, fake_chat(), idle_exit_s=0, token=None, stop=lambda: None)
    transport = httpx.ASGITransport(app=api.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        yield client


async def records(http: httpx.AsyncClient, path: str, body: dict) -> list[dict]:
    response = await http.post(path, json={**body, "stream": True})
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


async def test_several_choices_in_one_answer(http):
    """Each with its number and its end."""
    response = await http.post("/v1/completions", json={"prompt": "go:", "n": 3, "max_tokens": 3})
    choices = response.json()["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2]
    assert choices[0]["text"] == "abc"
    assert len({choice["text"] for choice in choices}) == 3
    assert {choice["finish_reason"] for choice in choices} == {"length"}


async def test_several_choices_in_a_stream(http):
    """The same, in pieces."""
    texts, ends = {}, {}
    stream = await records(http, "/v1/completions", {"prompt": "go:", "n": 2, "max_tokens": 3})
    for record in stream[1:-1]:
        (choice,) = record["choices"]
        texts[choice["index"]] = texts.get(choice["index"], "") + choice["text"]
        ends[choice["index"]] = choice["finish_reason"] or ends.get(choice["index"])
    assert texts[0] == "abc"
    assert ends == {0: "length", 1: "length"}
    assert stream[0]["truepenny"]["started"]["prompt_tokens"] == 3
    assert stream[-1]["usage"]["completion_tokens"] == 6
    assert stream[-1]["truepenny"]["drafted_tokens"] >= stream[-1]["truepenny"]["accepted_tokens"]


async def test_a_conversation_whole(http):
    """Also with several choices."""
    body = {"messages": [{"role": "user", "content": "x"}], "n": 2, "max_tokens": 6}
    found = (await http.post("/v1/chat/completions", json=body)).json()
    assert found["object"] == "chat.completion"
    assert found["choices"][0]["message"] == {"role": "assistant", "content": "hello\n"}
    assert [choice["index"] for choice in found["choices"]] == [0, 1]


async def test_a_prompt_ahead_of_its_use(http):
    """`max_tokens` 0."""
    found = (await http.post("/v1/completions", json={"prompt": "go:", "max_tokens": 0})).json()
    assert found["choices"] == [{"index": 0, "text": "", "finish_reason": "length"}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"workspace": "w", "open": ["a", "b"]}, 200),
        ({}, 200),
        ({"open": [1]}, 400),
        ({"open": ["a"], "workspace": 3}, 400),
    ],
)
async def test_open_documents(body, status, http, engine):
    """A workspace may have none."""
    seen: list = []
    engine.opened = lambda *args: seen.append(args)
    response = await http.post("/truepenny/documents", json=body)
    assert response.status_code == status
    if status == 200:
        assert seen == [(tuple(body.get("open", ())), body.get("workspace", ""))]


async def test_a_grammar_that_cannot_be_read_is_a_bad_request(http):
    """With the place, and before anything is computed."""
    pytest.importorskip("llguidance")
    body = {"prompt": "go:", "truepenny": {"grammar": "[a", "grammar_kind": "regex"}}
    response = await http.post("/v1/completions", json=body)
    assert response.status_code == 400
    assert "unclosed character class" in response.json()["error"]["message"]
