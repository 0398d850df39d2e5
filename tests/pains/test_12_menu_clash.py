"""Pain 12: the suggestion and the ordinary completion menu get in each other's way."""

from __future__ import annotations

import pytest

from ..lsp_server.conftest import RawClient, end, scripted  # noqa: TID252  (tests are no installed package)
from .editor import Editor, editor

POSITION = {"line": 0, "character": 7}
MENU = "textDocument/completion"


@pytest.fixture(scope="module")
def typist():
    with editor(replies=[("obj.append", "(item)\n"), ("obj.app", "ly()\n")]) as one:
        yield one


def ask_with(typist: Editor, entry: str) -> list[dict[str, object]]:
    """The items while the menu has `entry` selected for `app`."""
    selected = {"range": {"start": {"line": 0, "character": 4}, "end": POSITION}, "text": entry}
    params = {
        "textDocument": {"uri": "file:///ws/m.py"},
        "position": POSITION,
        "context": {"triggerKind": 2, "selectedCompletionInfo": selected},
    }
    return typist.client.ask("textDocument/inlineCompletion", params)["items"]


def test_a_suggestion_goes_on_from_the_selected_entry(typist: Editor) -> None:
    """And not from the text without it, or the two would show different futures."""
    typist.client.open("file:///ws/m.py", "obj.app\n")
    (item,) = ask_with(typist, "append")

    assert item["insertText"] == "append(item)"
    assert item["range"] == {"start": {"line": 0, "character": 4}, "end": POSITION}


@pytest.mark.parametrize(
    ("popup", "is_inline", "has_menu"),
    [
        ("auto", True, False),
        ("auto", False, True),
        ("never", False, False),
        ("always", True, True),
    ],
)
def test_an_editor_gets_one_of_the_two(
    client: RawClient, popup: str, *, is_inline: bool, has_menu: bool
) -> None:
    """Both only for who asks for both."""
    texts = {"inlineCompletion": {}} if is_inline else {"completion": {}}
    params = {"processId": None, "rootUri": None, "capabilities": {"textDocument": texts}}
    options = {"initializationOptions": {"completion": {"popup": popup}}}

    capabilities = client.ask("initialize", params | options)["capabilities"]

    assert ("completionProvider" in capabilities) is has_menu
    assert client.stop() == 0


def test_the_menu_can_be_left_to_others_while_it_runs(client: RawClient) -> None:
    """With the name of the setting as the reason."""
    client.initialize()
    client.open("file:///ws/m.py", "x")
    place = {"textDocument": {"uri": "file:///ws/m.py"}, "position": {"line": 0, "character": 1}}
    before = client.ask(MENU, place)
    client.notify("workspace/didChangeConfiguration", {"settings": {"completion": {"popup": "never"}}})
    after = client.ask(MENU, place)

    assert len(before["items"]) == 1
    assert after["items"] == []
    assert after["truepenny"]["setting"] == "completion.popup"
    assert client.stop() == 0


@pytest.fixture
def client():
    client = scripted()
    yield client
    end(client)
