"""The server as a well-behaved client sees it, over real pipes, in every position encoding."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled
from pytest_lsp import ClientServerConfig, LanguageClient

SCRIPTED_SERVER = Path(__file__).parent.parent / "fixtures" / "scripted_server.py"
URI = "file:///home/me/x.py"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=[sys.executable, "-I", str(SCRIPTED_SERVER)]),
    scope="module",
    params=["utf-8", "utf-16", "utf-32"],
)
async def client(lsp_client: LanguageClient, request: pytest.FixtureRequest):
    """A session in one encoding; `encoding` and `statuses` are noted on the client."""
    client: Any = lsp_client
    client.statuses = []
    client.news = asyncio.Event()

    @lsp_client.feature("didChangeStatus")
    def note(params: Any) -> None:
        client.statuses.append(params.message)
        client.news.set()

    encoding = types.PositionEncodingKind(request.param)
    capabilities = types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=[encoding]),
        text_document=types.TextDocumentClientCapabilities(
            inline_completion=types.InlineCompletionClientCapabilities()
        ),
    )
    client.result = await lsp_client.initialize_session(types.InitializeParams(capabilities))
    client.encoding = request.param
    yield
    await lsp_client.shutdown_session()


def units(text: str, encoding: str) -> int:
    """A column, by Python's own codecs."""
    codec, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[encoding]
    return len(text.encode(codec)) // width


def open_document(client: LanguageClient, text: str, uri: str = URI, language: str = "python") -> None:
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, language, 1, text))
    )


def inline_params(line: int, character: int, uri: str = URI) -> types.InlineCompletionParams:
    return types.InlineCompletionParams(
        types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
        types.TextDocumentIdentifier(uri),
        types.Position(line, character),
    )


async def items(client: LanguageClient, line: int, character: int, uri: str = URI) -> list[Any]:
    result = await client.text_document_inline_completion_async(inline_params(line, character, uri))
    assert isinstance(result, types.InlineCompletionList)
    return list(result.items)


async def reported(client: Any, message: str) -> None:
    """Wait until the server has sent a status with this message."""
    async with asyncio.timeout(60):
        while message not in client.statuses:
            client.news.clear()
            await client.news.wait()


async def check(client: LanguageClient, text: str, line: int, column: int, expected: str, **document: str):
    """At `column` code points of `line`, the assistant is asked what `expected` echoes."""
    open_document(client, text, **document)
    before = text.split("\n")[line][:column]
    character = units(before, client.encoding)  # pyright: ignore[reportAttributeAccessIssue]  # noted by the fixture

    (item,) = await items(client, line, character, document.get("uri", URI))

    assert item.insert_text == expected
    position = types.Position(line, character)
    assert item.range == types.Range(position, position)


async def test_the_encoding_is_the_clients_choice(client: Any):
    """And inline completion is announced statically, which Neovim needs."""
    capabilities = client.result.capabilities

    assert capabilities.position_encoding == client.encoding
    assert capabilities.inline_completion_provider == types.InlineCompletionOptions()
    assert capabilities.text_document_sync.change == types.TextDocumentSyncKind.Incremental
    assert capabilities.execute_command_provider.commands == (
        "truepenny.didAccept",
        "truepenny.writeTrace",
        "truepenny.copyNotice",
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("x = '😋'", 0, 7, "<'😋'|7|python|/home/me/x.py>"),
        ("a😋é漢b", 0, 5, "<é漢b|5|python|/home/me/x.py>"),
        ("e\u0301\tz", 0, 4, "<\u0301\tz|4|python|/home/me/x.py>"),
        ("one\r\n😋two\r\n", 1, 4, "<two|9|python|/home/me/x.py>"),
        ("", 0, 0, "<|0|python|/home/me/x.py>"),
        ("a\u2028b\nc", 1, 1, "<b\nc|5|python|/home/me/x.py>"),
    ],
)
async def test_the_cursor_is_where_the_editor_means(
    client: LanguageClient, text: str, line: int, column: int, expected: str
):
    """Behind an emoji, a combining mark, a tab; in an empty document; whatever columns count."""
    await check(client, text, line, column, expected)


@pytest.mark.parametrize(
    ("uri", "language", "expected"),
    [
        ("untitled:Untitled-1", "python", "<abc|3|python|untitled:Untitled-1>"),
        ("file:///a%20b/%C3%A9.nim", "nim", "<abc|3|nim|/a b/é.nim>"),
        (
            "vscode-notebook-cell:/n.ipynb#W0",
            "x-unknown",
            "<abc|3|x-unknown|vscode-notebook-cell:/n.ipynb#W0>",
        ),
        ("not a uri", "", "<abc|3||not a uri>"),
        ("file://[bad", "c", "<abc|3|c|file://[bad>"),
    ],
)
async def test_any_uri_and_language_will_do(client: LanguageClient, uri: str, language: str, expected: str):
    """Unsaved buffers, notebooks and languages nobody heard of are documents too."""
    await check(client, "abc", 0, 3, expected, uri=uri, language=language)


@pytest.mark.parametrize(
    ("line", "character", "place"),
    [
        (0, 99, types.Position(0, 3)),
        (0, 2**31 - 1, types.Position(0, 3)),
        (1, 50, types.Position(1, 1)),
        (9, 0, types.Position(1, 1)),
    ],
)
async def test_a_position_past_the_end_is_clamped(
    client: LanguageClient, line: int, character: int, place: types.Position
):
    """Editors ask about text they have just deleted; the range sent back is a real place."""
    open_document(client, "abc\r\nd")

    (item,) = await items(client, line, character)

    assert item.range == types.Range(place, place)


async def test_changes_are_applied_in_the_negotiated_encoding(client: Any):
    """Several at once, each counted in the text that the one before it left."""
    open_document(client, "a😋b\r\nsecond 😋 line\r\nlast")
    wide = units("😋", client.encoding)
    steps = [
        (types.Position(0, 1 + wide), types.Position(0, 2 + wide), "B👩\u200d🚀"),  # b -> B + an astronaut
        (types.Position(1, 7), types.Position(1, 7 + wide), ""),  # without the face
        (types.Position(1, 0), types.Position(1, 99), "x"),  # past the end: up to it
        (types.Position(2, 4), types.Position(7, 7), "!"),  # past the end of the text
    ]
    changes = [
        types.TextDocumentContentChangePartial(types.Range(start, end), text) for start, end, text in steps
    ]
    name = types.VersionedTextDocumentIdentifier(2, URI)
    client.text_document_did_change(types.DidChangeTextDocumentParams(name, changes))
    whole = "a😋B👩\u200d🚀\r\nx\r\nlast!"

    (item,) = await items(client, 2, 5)

    assert item.insert_text == f"<st!|{len(whole)}|python|/home/me/x.py>"


async def test_a_whole_text_replaces_the_document(client: LanguageClient):
    """Some clients send everything although increments are offered."""
    open_document(client, "old")
    changes = [types.TextDocumentContentChangeWholeDocument("new text")]
    name = types.VersionedTextDocumentIdentifier(2, URI)
    client.text_document_did_change(types.DidChangeTextDocumentParams(name, changes))

    (item,) = await items(client, 0, 8)

    assert item.insert_text == "<ext|8|python|/home/me/x.py>"


async def test_of_three_quick_requests_only_the_last_has_an_item(client: Any):
    """Neovim does not cancel what it no longer wants; all are answered all the same."""
    open_document(client, "slow\n slow\n  slow")
    client.statuses.clear()

    answers = await asyncio.gather(*(items(client, line, 4 + line) for line in range(3)))

    assert [len(answer) for answer in answers] == [0, 0, 1]
    assert answers[2][0].insert_text == "slow 17"
    assert "cancelled 17" not in client.statuses


async def test_a_cancelled_request_is_answered_and_stops(client: Any):
    """The error of the protocol, and the assistant saw it."""
    open_document(client, "slow")
    client.statuses.clear()
    request = client.protocol.send_request_async(
        types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_params(0, 4), msg_id="to-cancel"
    )
    waiting = asyncio.ensure_future(request)
    await reported(client, "started 4")
    client.cancel_request(types.CancelParams(id="to-cancel"))

    with pytest.raises(JsonRpcRequestCancelled):
        await waiting
    await reported(client, "cancelled 4")
    assert client.statuses == ["started 4", "cancelled 4"]


async def test_the_selected_entry_of_the_menu_is_extended(client: LanguageClient):
    """The text begins with the entry, and replaces what the entry replaces."""
    open_document(client, "obj.app")
    params = inline_params(0, 7)
    range_ = types.Range(types.Position(0, 4), types.Position(0, 7))
    params.context.selected_completion_info = types.SelectedCompletionInfo(range_, "append")

    result = await client.text_document_inline_completion_async(params)

    assert isinstance(result, types.InlineCompletionList)
    assert result.items[0].insert_text == "append<end|10|python|/home/me/x.py>"
    assert result.items[0].range == range_
