"""One place or several, as editors send what was typed, renamed or formatted."""

from __future__ import annotations

import pytest
from lsprotocol import types

from truepenny.lsp_server.place.edits import num_places


def change(line: int, text: str, last_line: int | None = None) -> types.TextDocumentContentChangePartial:
    end = line if last_line is None else last_line
    return types.TextDocumentContentChangePartial(
        types.Range(types.Position(line, 3), types.Position(end, 3)), text
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([change(5, "a")], 1),
        ([change(5, "a"), change(5, "b")], 1),
        ([change(5, "\n"), change(6, "    ")], 1),
        ([change(5, "\n\n\n"), change(8, "x")], 1),
        ([change(5, "", 9), change(10, "x")], 1),
        ([change(9, "name"), change(5, "name"), change(1, "name")], 3),
        ([types.TextDocumentContentChangeWholeDocument("x")], 1),
    ],
)
def test_keys_are_told_from_renames(
    changes: list[types.TextDocumentContentChangeEvent], expected: int
) -> None:
    """Several keys in one message are typing; the same name on several lines is not."""
    assert num_places(changes) == expected
