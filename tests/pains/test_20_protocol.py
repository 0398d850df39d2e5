"""Pain 20: positions that are off by an emoji, requests never answered, items a client cannot take."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ..lsp_server.conftest import RawClient, end, scripted  # noqa: TID252  (tests are no installed package)

URI = "file:///home/me/x.py"
INLINE, MENU = "textDocument/inlineCompletion", "textDocument/completion"
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


@pytest.fixture
def client():
    client = scripted()
    yield client
    end(client)


@pytest.mark.parametrize("encoding", CODECS)
def test_a_suggestion_stands_where_the_cursor_is(client: RawClient, encoding: str) -> None:
    """Behind an emoji and a combining mark, after a line end of Windows; with a range on one line."""
    codec, width = CODECS[encoding]
    client.initialize(encodings=(encoding,))
    text = "x = 1\r\n\ts = '😋e\u0301' + "
    client.open(URI, text)
    column = len(text.split("\r\n")[1].encode(codec)) // width
    (item,) = client.inline(URI, 1, column)["items"]

    place = {"line": 1, "character": column}
    assert item["range"] == {"start": place, "end": place}
    assert item["insertText"] == f"< + |{len(text)}|python|/home/me/x.py>"


def a_request(client: RawClient, chance: random.Random) -> int:
    """One of all kinds: good, of an unknown document, undecodable, of another version, in the menu."""
    position = {"line": 0, "character": chance.randint(0, 6)}
    good: dict[str, Any] = {
        "textDocument": {"uri": URI},
        "position": position,
        "context": {"triggerKind": chance.choice((1, 2))},
    }
    kind = chance.randrange(8)
    if kind == 0:
        return client.request(INLINE, good | {"textDocument": {"uri": "file:///never-opened"}})
    if kind == 1:
        return client.request(chance.choice((INLINE, MENU)), {"position": position})
    if kind == 2:
        return client.request(INLINE, good | {"textDocument": {"uri": URI, "version": 999}})
    if kind == 3:
        return client.request(MENU, good)
    if kind == 4:
        return client.request(chance.choice(("truepenny/why", "truepenny/stats", "truepenny/none")), good)
    return client.request(INLINE, good)


@pytest.mark.parametrize("seed", range(3))
def test_in_a_storm_every_request_is_answered_once(client: RawClient, seed: int) -> None:
    """While documents change, close and open, requests are cancelled, superseded and wrong."""
    chance = random.Random(seed)
    client.initialize()
    client.open(URI, "slow")
    asked: list[int] = []
    version = 1
    for _ in range(300):
        step = chance.randrange(10)
        if step < 6:
            asked.append(a_request(client, chance))
        elif step == 6 and asked:
            client.notify("$/cancelRequest", {"id": chance.choice(asked)})
        elif step == 7:
            client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
            client.open(URI, chance.choice(("slow", "quiet", "boom", "x")))
        elif step == 8:
            version += 1
            change = {"text": chance.choice(("slow", "x = 😋", "boom"))}
            name = {"uri": URI, "version": version}
            client.notify("textDocument/didChange", {"textDocument": name, "contentChanges": [change]})
        else:
            client.notify("textDocument/didChange", {"textDocument": {"uri": 5}})

    answers = [client.answer(id_) for id_ in asked]  # which fails where one is answered twice, or never

    assert all(("result" in answer) != ("error" in answer) for answer in answers)
    codes = {answer["error"]["code"] for answer in answers if "error" in answer}
    assert codes <= {-32602, -32601, -32800}
    reasons = {
        answer["result"]["truepenny"]["reason"]
        for answer in answers
        if isinstance(answer.get("result"), dict) and answer["result"].get("items") == []
    }
    assert "" not in reasons
    assert "superseded by a newer request" in reasons
    assert client.stop() == 0


def test_leaving_in_the_middle_leaves_nobody_waiting(client: RawClient) -> None:
    """`shutdown` answers what is under way."""
    client.initialize()
    client.open(URI, "slow")
    waiting = client.ask_inline(URI, 0, 4)
    client.wait_for("didChangeStatus", lambda params: params["message"] == "started 4")

    assert client.stop() == 0
    answer = client.answer(waiting)
    assert ("error" in answer) != ("result" in answer)
