"""Each editor as it introduces itself, at the real server: it types, is shown something, accepts, leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..lsp_server.conftest import RawClient, end  # noqa: TID252  (tests are no installed package)

CLIENTS = Path(__file__).parent.parent / "fixtures" / "clients"
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
METHODS = {"inline": "textDocument/inlineCompletion", "menu": "textDocument/completion"}
URI = "file:///ws/sums.py"
ABOVE = "# 😋\ndef add(a, b):\n"
LINE = "    return "
PROGRAM = "from truepenny.lsp_server.cli import main; raise SystemExit(main())"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("c")
    variables = {**os.environ, "TRUEPENNY_RUNTIME": str(folder / "r"), "TRUEPENNY_CACHE": str(folder / "c")}
    yield variables
    stop = [sys.executable, "-I", "-c", PROGRAM, "engine", "stop", "--model", "fake"]
    subprocess.run(stop, env=variables, capture_output=True, timeout=60, check=False)


class Editor:
    """A recorded client and its document, edited in the units that were agreed on."""

    def __init__(self, recorded: dict[str, Any], environment: dict[str, str]) -> None:
        command = [sys.executable, "-I", "-c", PROGRAM, "serve", "--engine", "fake"]
        self.client = RawClient(command, env=environment)
        self.recorded = recorded
        self.capabilities = self.client.ask("initialize", recorded["params"])["capabilities"]
        self.client.notify("initialized", {})
        self.encoding: str = self.capabilities["positionEncoding"]
        self.text = ABOVE
        self.version = 1
        self.client.open(URI, self.text)

    def position(self, offset: int) -> dict[str, int]:
        codec, width = CODECS[self.encoding]
        before = self.text[:offset]
        column = before.rpartition("\n")[2]
        return {"line": before.count("\n"), "character": len(column.encode(codec)) // width}

    def offset(self, position: dict[str, int]) -> int:
        codec, width = CODECS[self.encoding]
        lines = self.text.split("\n")
        column = lines[position["line"]].encode(codec)[: position["character"] * width].decode(codec)
        return sum(len(line) + 1 for line in lines[: position["line"]]) + len(column)

    def type(self, text: str) -> None:
        for character in text:
            at = self.position(len(self.text))
            self.version += 1
            params = {
                "textDocument": {"uri": URI, "version": self.version},
                "contentChanges": [{"range": {"start": at, "end": at}, "text": character}],
            }
            self.client.notify("textDocument/didChange", params)
            self.text += character

    def request(self, way: str = "") -> int:
        way = way or self.recorded["way"]
        kind = 2 if way == "inline" else 1
        params = {
            "textDocument": {"uri": URI},
            "position": self.position(len(self.text)),
            "context": {"triggerKind": kind},
        }
        return self.client.request(METHODS[way], params)

    def accept(self, item: dict[str, Any]) -> None:
        """As this editor applies an item."""
        edit = item.get("textEdit") or {"range": item["range"], "newText": item["insertText"]}
        start, stop = self.offset(edit["range"]["start"]), self.offset(edit["range"]["end"])
        self.text = self.text[:start] + edit["newText"] + self.text[stop:]
        if self.recorded["executes_command"]:
            command = {key: item["command"][key] for key in ("command", "arguments")}
            self.client.ask("workspace/executeCommand", command)


@pytest.fixture(params=sorted(path.stem for path in CLIENTS.glob("*.json")))
def editor(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[Editor]:
    recorded = json.loads((CLIENTS / f"{request.param}.json").read_text(encoding="utf-8"))
    editor = Editor(recorded, environment)
    yield editor
    end(editor.client)


def test_an_editor_types_is_helped_cancels_and_leaves(editor: Editor) -> None:
    """By the one way it knows, in the units it counts; and nothing is left unanswered."""
    way = editor.recorded["way"]
    has_menu = "completionProvider" in editor.capabilities
    editor.type(LINE)
    result = editor.client.answer(editor.request())["result"]
    (item,) = result["items"]
    editor.accept(item)
    fate = editor.client.ask("truepenny/why", {"textDocument": {"uri": URI}})[0]["fate"]
    editor.type("\n")
    cancelled = editor.request()
    editor.client.notify("$/cancelRequest", {"id": cancelled})
    answer = editor.client.answer(cancelled)

    assert editor.encoding == editor.recorded["encoding"]
    assert editor.capabilities["inlineCompletionProvider"] == {}
    assert has_menu == (way == "menu")
    assert editor.text == ABOVE + LINE + "a + b\n"
    assert fate == ("accepted" if editor.recorded["executes_command"] else "answered")
    assert ("error" in answer) != ("result" in answer)
    assert answer.get("error", {"code": -32800})["code"] == -32800
    assert editor.client.stop() == 0


def test_a_menu_shows_what_it_is_given(editor: Editor) -> None:
    """Filtered by the word at the cursor, and one line in the list."""
    if editor.recorded["way"] != "menu":
        answer = editor.client.answer(editor.request("menu"))
        assert answer["error"]["code"] == -32601
        return
    editor.type(LINE.rstrip())
    result = editor.client.answer(editor.request())["result"]
    (item,) = result["items"]

    assert result["isIncomplete"] is True
    assert item["filterText"].startswith("return")
    assert item["label"].startswith("return")
    assert "\n" not in item["label"]
    assert item["textEdit"]["range"]["start"]["character"] == 4
    assert item["textEdit"]["range"]["end"] == editor.position(len(editor.text))
    assert item["detail"] == "Truepenny"
    assert item["insertTextMode"] == 1
    assert item["documentation"]["kind"] in ("markdown", "plaintext")
