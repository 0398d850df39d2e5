"""Notebooks: what the other cells say, over the wire and on their own."""

from __future__ import annotations

from typing import Any

import pytest

from truepenny.lsp_server.editor.documents import Documents
from truepenny.lsp_server.editor.notebooks import MAX_CHARS, Cell

BOOK = "file:///home/me/n.ipynb"


def documents(*cells: tuple[str, str, str]) -> Documents:
    """Cells `(name, kind or language, text)`; kind `note` is a cell of prose."""
    held = Documents()
    for name, language, text in cells:
        held.open(name, "markdown" if language == "note" else language, 1, text)
    held.notebooks.open(BOOK, [Cell(name, is_code=language != "note") for name, language, _ in cells])
    return held


@pytest.mark.parametrize(
    ("cells", "before", "after"),
    [
        ([("here", "python", "x")], "", ""),
        (
            [("a", "python", "a"), ("here", "python", "x"), ("b", "python", "b")],
            "a\n\n",
            "\n\nb",
        ),
        ([("a", "python", "a = 1\n\n"), ("b", "python", "b"), ("here", "python", "")], "a = 1\n\nb\n\n", ""),
        ([("a", "note", "# Load\n\nthe data"), ("here", "python", "")], "# # Load\n# the data\n\n", ""),
        ([("here", "python", ""), ("a", "note", "later")], "", ""),
        ([("a", "sql", "select 1"), ("here", "python", "")], "", ""),
        (
            [("a", "python", "%%bash\nls"), ("b", "python", "%%time\nb"), ("here", "python", "")],
            "%%time\nb\n\n",
            "",
        ),
        ([("a", "python", "a\nb"), ("here", "python", "x\r\ny")], "a\r\nb\r\n\r\n", ""),
        ([("a", "python", "  \n"), ("here", "python", "x")], "", ""),
        ([("a", "python", "a"), ("here", "note", "x")], "", ""),
        ([("a", "python", "a" * MAX_CHARS), ("b", "python", "b"), ("here", "python", "")], "b\n\n", ""),
    ],
)
def test_other_cells_stand_around_the_one_being_written(
    cells: list[tuple[str, str, str]], before: str, after: str
) -> None:
    """In order, of the same language, as if all were one file; the nearest when there is too much."""
    frame = documents(*cells).frame("here")

    assert (frame.before, frame.after) == (before, after)


def test_cells_come_go_and_move() -> None:
    """A cell that was taken out says nothing any more."""
    held = documents(("a", "python", "a"), ("here", "python", ""), ("b", "python", "b"))
    held.notebooks.splice(BOOK, 0, 1, [])
    without = held.frame("here")
    held.notebooks.splice(BOOK, 0, 0, [Cell("b", is_code=True)])
    held.notebooks.splice("file:///not-open", 0, 9, [Cell("b", is_code=True)])
    held.notebooks.close(BOOK)

    assert (without.before, without.after) == ("", "\n\nb")
    assert held.frame("here").before == ""


def cell(uri: str, kind: int = 2) -> dict[str, Any]:
    return {"kind": kind, "document": uri}


def item(uri: str, text: str) -> dict[str, Any]:
    return {"uri": uri, "languageId": "python", "version": 1, "text": text}


def test_a_notebook_over_the_wire(client: Any) -> None:
    """Opened, changed in every way there is, and closed; positions are those of the cell."""
    name = {"uri": BOOK, "version": 1}
    client.notify(
        "notebookDocument/didOpen",
        {
            "notebookDocument": {
                **name,
                "notebookType": "jupyter-notebook",
                "cells": [cell("c:1"), cell("c:2")],
            },
            "cellTextDocuments": [item("c:1", "first = 1"), item("c:2", "abc")],
        },
    )
    (opened,) = client.inline("c:2", 0, 3)["items"]
    client.notify(
        "notebookDocument/didChange",
        {
            "notebookDocument": {"uri": BOOK, "version": 2},
            "change": {
                "cells": {
                    "structure": {
                        "array": {"start": 1, "deleteCount": 0, "cells": [cell("c:3")]},
                        "didOpen": [item("c:3", "more")],
                    },
                    "textContent": [
                        {"document": {"uri": "c:2", "version": 2}, "changes": [{"text": "shout"}]},
                    ],
                }
            },
        },
    )
    (changed,) = client.inline("c:2", 0, 5)["items"]
    client.notify("notebookDocument/didSave", {"notebookDocument": {"uri": BOOK}})
    client.notify(
        "notebookDocument/didClose",
        {"notebookDocument": {"uri": BOOK}, "cellTextDocuments": [{"uri": f"c:{n}"} for n in (1, 2, 3)]},
    )
    closed = client.inline("c:2", 0, 0)

    assert opened["insertText"] == f"<abc|{len('first = 1') + 2 + 3}|python|c:2>"
    assert opened["range"]["start"] == {"line": 0, "character": 3}
    assert changed["insertText"] == "SHOUT"
    assert changed["range"] == {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 5}}
    assert "not been opened" in closed["truepenny"]["reason"]


def test_a_suggestion_stays_in_its_cell(client: Any) -> None:
    """One that would replace the end of the cell above is not shown."""
    client.notify(
        "notebookDocument/didOpen",
        {
            "notebookDocument": {
                "uri": BOOK,
                "version": 1,
                "notebookType": "jupyter-notebook",
                "cells": [cell("c:1"), cell("c:2")],
            },
            "cellTextDocuments": [item("c:1", "a long line of the cell above"), item("c:2", "lines")],
        },
    )

    result = client.inline("c:2", 0, 5)

    assert result["items"] == []
    assert "the suggestion replaces" in result["truepenny"]["reason"]
