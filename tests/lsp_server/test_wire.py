"""The server over real pipes, as no client library would use it: every request is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

URI = "file:///home/me/x.py"
INLINE = "textDocument/inlineCompletion"
CONTEXT = {"triggerKind": 2}
POSITION = {"line": 0, "character": 0}


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        (INLINE, {"textDocument": {"uri": URI}, "position": {"line": 0}, "context": CONTEXT}, "character"),
        (INLINE, {"textDocument": {"uri": URI}, "context": CONTEXT}, "position"),
        (INLINE, {"textDocument": {"uri": URI}, "position": POSITION}, "context"),
        (INLINE, {"textDocument": {}, "position": POSITION, "context": CONTEXT}, "uri"),
        (
            INLINE,
            {"textDocument": {"uri": URI}, "position": {"line": -1, "character": 0}, "context": CONTEXT},
            "line",
        ),
        (
            INLINE,
            {"textDocument": {"uri": URI}, "position": POSITION, "context": {"triggerKind": 9}},
            "trigger_kind",
        ),
        (INLINE, [1, 2, 3], "inlineCompletion"),
        (INLINE, None, "inlineCompletion"),
        (INLINE, "text", "inlineCompletion"),
        ("truepenny/why", {}, "text_document"),
        ("truepenny/why", None, "why"),
        ("textDocument/hover", {"nothing": 1}, "hover"),
    ],
)
def test_undecodable_parameters_are_refused(
    hardened_client: Any, method: str, params: object, words: str
) -> None:
    """A client must never wait for an answer that does not come."""
    answer = hardened_client.answer(hardened_client.request(method, params))

    assert answer["error"]["code"] == -32602
    assert words in answer["error"]["message"]
    assert hardened_client.inline(URI, 0, 0)["items"] == []  # and the server lives


@pytest.mark.parametrize(
    ("message", "id_", "code"),
    [
        (b"{nonsense", None, -32700),
        (b'"\xff"', None, -32700),
        (b"[" * 100_000, None, -32700),
        ([], None, -32600),
        ({"jsonrpc": "2.0", "id": 70, "method": "no/such"}, 70, -32601),
        ({"jsonrpc": "2.0", "id": "text", "method": "$/no/such", "params": {}}, "text", -32601),
        ({"jsonrpc": "1.0", "id": 71, "method": "shutdown"}, 71, -32600),
        ({"id": 72, "method": "shutdown"}, 72, -32600),
        ({"jsonrpc": "2.0", "id": 73, "method": 5}, 73, -32600),
        ({"jsonrpc": "2.0", "id": 74, "method": "initialize", "params": {}}, 74, -32600),
        ({"jsonrpc": "2.0", "id": None, "method": INLINE, "params": {}}, None, -32602),
    ],
)
def test_malformed_messages_are_refused(
    hardened_client: Any, message: object, id_: object, code: int
) -> None:
    """Each with the code JSON-RPC has for it, and the server goes on."""
    hardened_client.send(message)

    assert hardened_client.answer(id_)["error"]["code"] == code
    assert hardened_client.inline(URI, 0, 0)["items"] == []


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": 5}}},
        {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": None},
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 999}},
        {"jsonrpc": "2.0", "method": "$/cancelRequest"},
        {"jsonrpc": "2.0", "method": "no/such/notification"},
        {"jsonrpc": "2.0", "method": "textDocument/didShowCompletion", "params": {"item": 3}},
        {"jsonrpc": "2.0", "id": 12345, "result": None},
        {"jsonrpc": "2.0", "id": 12345, "error": {"code": 1, "message": "x"}},
        {"jsonrpc": "2.0"},
        {},
    ],
)
def test_bad_notifications_are_survived_in_silence(hardened_client: Any, message: object) -> None:
    """There is nobody to answer, and no pop-up either."""
    hardened_client.send(message)

    assert hardened_client.inline(URI, 0, 0)["items"] == []
    assert [n for n in hardened_client.notifications if n["method"] == "window/showMessage"] == []


def test_a_nested_jsonrpc_key_is_only_data(client: Any) -> None:
    """A document about JSON-RPC settings must not be decoded as a message."""
    client.notify(
        "workspace/didChangeConfiguration", {"settings": {"jsonrpc": "2.0", "id": 1, "method": "x"}}
    )

    shown = client.wait_for("window/showMessage")
    assert "jsonrpc" in shown["message"]


def test_requests_outside_the_session_are_refused(start_client: Callable[..., Any]) -> None:
    """Before `initialize`: not initialised. After `shutdown`: invalid.  Then `exit` ends with 0."""
    client = start_client()

    assert client.answer(client.request("shutdown", None))["error"]["code"] == -32002
    client.initialize()
    client.ask("shutdown", None)
    assert client.answer(client.request(INLINE, {}))["error"]["code"] == -32600
    client.notify("exit", None)
    assert client.process.wait(60) == 0


def test_exit_without_shutdown_is_an_abnormal_end(client: Any) -> None:
    """As the protocol has it."""
    client.notify("exit", None)

    assert client.process.wait(60) == 1


def test_a_closed_input_ends_the_server(client: Any) -> None:
    """An editor that died must not leave servers behind."""
    client.process.stdin.close()

    assert client.process.wait(60) == 0


def test_the_item_carries_verdicts_and_cost(client: Any) -> None:
    """Our own field, beside exactly what the standard has."""
    client.open(URI, "x")
    (item,) = client.inline(URI, 0, 1)["items"]

    assert set(item) == {"insertText", "range", "command", "truepenny"}
    assert item["range"] == {"start": {"line": 0, "character": 1}, "end": {"line": 0, "character": 1}}
    assert item["command"]["command"] == "truepenny.didAccept"
    assert item["truepenny"]["references"] == []
    assert item["truepenny"]["reused_tokens"] == 7
    assert item["truepenny"]["computed_tokens"] == 2
    assert item["truepenny"]["stage_ms"] == {"total": 1.5}
    assert item["truepenny"]["verdicts"][0] == {
        "kind": "safety",
        "action": "annotate",
        "rule": "example-rule",
        "start": 0,
        "end": 1,
        "evidence": "an example of a verdict",
        "replacement": None,
        "cwe": "CWE-0",
        "licence": None,
        "reference": None,
    }


def test_what_is_typed_already_is_replaced(client: Any) -> None:
    """A suggestion that begins before the cursor has its range there."""
    client.open(URI, "é shout")
    (item,) = client.inline(URI, 0, 8)["items"]

    assert item["insertText"] == "SHOUT"
    assert item["range"] == {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 8}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("quiet", "scripted silence"),
        ("boom", "scripted failure"),
        ("first line\nand more lines", "more than one line"),
    ],
)
def test_silence_has_a_reason(client: Any, text: str, words: str) -> None:
    """In the answer and in `truepenny/why`, whoever was silent."""
    client.open(URI, text)
    lines = text.split("\n")
    result = client.inline(URI, len(lines) - 1, len(lines[-1]))

    (outcome,) = client.ask("truepenny/why", {"textDocument": {"uri": URI}})
    assert result["items"] == []
    assert words in result["truepenny"]["reason"]
    assert words in outcome["reason"]
    assert outcome["shown"] is False


def test_an_unknown_document_is_answered_with_the_reason(client: Any) -> None:
    """A file that was never opened is not read behind the editor's back."""
    result = client.inline("file:///etc/hostname", 0, 0)

    assert result["items"] == []
    assert "not been opened" in result["truepenny"]["reason"]


def test_why_has_the_last_twenty_newest_first(client: Any) -> None:
    """Bounded, and the latest is what a person asks about."""
    client.open(URI, "x quiet")
    for _ in range(21):
        client.inline(URI, 0, 1)
    client.inline(URI, 0, 7)

    outcomes = client.ask("truepenny/why", {"textDocument": {"uri": URI}})

    assert len(outcomes) == 20
    assert [o["shown"] for o in outcomes[:3]] == [False, True, True]
    assert outcomes[1]["reused_tokens"] == 7
    assert client.ask("truepenny/why", {"textDocument": {"uri": "file:///other"}}) == []


def test_acceptance_is_remembered(client: Any) -> None:
    """By the command every editor runs, and by the notification some send before it."""
    client.open(URI, "x")
    (item,) = client.inline(URI, 0, 1)["items"]
    fates: list[str] = []
    client.notify("textDocument/didShowCompletion", {"item": item})
    fates.append(client.ask("truepenny/why", {"textDocument": {"uri": URI}})[0]["fate"])
    command = {key: item["command"][key] for key in ("command", "arguments")}
    client.ask("workspace/executeCommand", command)
    fates.append(client.ask("truepenny/why", {"textDocument": {"uri": URI}})[0]["fate"])

    assert fates == ["displayed", "accepted"]


def test_a_version_in_the_request_must_be_ours(client: Any) -> None:
    """A request about another version than the open one would count in the wrong text."""
    client.open(URI, "abc", version=4)

    assert len(client.inline(URI, 0, 3, version=4)["items"]) == 1
    assert len(client.inline(URI, 0, 3, version=None)["items"]) == 1
    assert len(client.inline(URI, 0, 3, version="four")["items"]) == 1
    assert client.inline(URI, 0, 3, version=3)["items"] == []


def test_an_answer_for_a_changed_text_is_dropped(client: Any) -> None:
    """Neovim 0.12 draws a late answer without a look at the version, so none is sent."""
    client.open(URI, "slow")
    late = client.ask_inline(URI, 0, 4)
    client.wait_for("didChangeStatus", lambda params: params["message"] == "started 4")
    changes = [{"range": {"start": POSITION, "end": POSITION}, "text": "x"}]
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": URI, "version": 2}, "contentChanges": changes}
    )

    result = client.answer(late)["result"]

    assert result["items"] == []
    assert "changed" in result["truepenny"]["reason"]


def test_closing_a_document_answers_what_is_under_way(client: Any) -> None:
    """And the assistant is told to stop."""
    client.open(URI, "slow")
    late = client.ask_inline(URI, 0, 4)
    client.wait_for("didChangeStatus", lambda params: params["message"] == "started 4")
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})

    assert client.answer(late)["result"]["items"] == []
    client.wait_for("didChangeStatus", lambda params: params["message"] == "cancelled 4")
    assert "not been opened" in client.inline(URI, 0, 0)["truepenny"]["reason"]


def test_each_settings_mistake_is_shown_once(start_client: Callable[..., Any]) -> None:
    """A person is told what to change, and not again for the same mistake."""
    client = start_client()
    client.initialize({"engine": "lokal", "completion": {"max_tokens": 12}})
    client.wait_for("window/showMessage", lambda params: "'engine' = 'lokal'" in params["message"])
    settings = {"truepenny": {"engine": "lokal", "chat": {"modle": "x"}}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    client.wait_for("window/showMessage", lambda params: "'chat.model'" in params["message"])
    client.inline(URI, 0, 0)

    shown = [n for n in client.notifications if n["method"] == "window/showMessage"]
    assert len(shown) == 2


def test_new_settings_reach_a_new_assistant(start_client: Callable[..., Any]) -> None:
    """Without a restart of the server."""
    client = start_client()
    client.initialize({"engine": "fake"})
    client.wait_for("didChangeStatus", lambda params: params["message"] == "ready: fake")
    client.notify("workspace/didChangeConfiguration", {"settings": {"engine": "local"}})

    status = client.wait_for("didChangeStatus", lambda params: params["message"] == "ready: local")
    assert status == {"busy": False, "kind": "Normal", "message": "ready: local"}


def test_five_megabytes_are_edited_and_completed(client: Any) -> None:
    """A generated file, open by accident, is served like any other."""
    line = "    value = compute(other)  # naïve 😋\r\n"
    text = line * (5_000_000 // len(line.encode()))
    last = text.count("\n")
    client.open(URI, text)
    at_end = {"line": last, "character": 0}
    changes = [{"range": {"start": at_end, "end": at_end}, "text": character} for character in "xyz"]
    for step, change in enumerate(changes):
        change["range"] = {
            "start": {"line": last, "character": step},
            "end": {"line": last, "character": 99},
        }
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": URI, "version": 2}, "contentChanges": changes}
    )

    (item,) = client.inline(URI, last, 3)["items"]

    assert item["insertText"] == f"<xyz|{len(text) + 3}|python|/home/me/x.py>"


def test_two_servers_do_not_know_each_other(start_client: Callable[..., Any]) -> None:
    """Two windows, the same file, different unsaved text."""
    clients = [start_client(), start_client()]
    for number, client in enumerate(clients):
        client.initialize()
        client.open(URI, f"text {number}")

    texts = [client.inline(URI, 0, 6)["items"][0]["insertText"] for client in clients]

    assert texts == ["<t 0|6|python|/home/me/x.py>", "<t 1|6|python|/home/me/x.py>"]
    assert [client.stop() for client in clients] == [0, 0]


def test_standard_output_carries_only_the_protocol(client: Any) -> None:
    """The scripted assistant prints at every turn; the reader accepts nothing but messages."""
    client.open(URI, "x")

    assert len(client.inline(URI, 0, 1)["items"]) == 1
    assert client.stop() == 0
