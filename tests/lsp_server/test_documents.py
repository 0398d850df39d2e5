"""The open documents."""

from __future__ import annotations

import pytest
from lsprotocol import types

from truepenny.lsp_server.editor.documents import Documents, path_of

URI = "file:///x.py"


def change(text: str, start: tuple[int, int], end: tuple[int, int]) -> types.TextDocumentContentChangePartial:
    range_ = types.Range(types.Position(*start), types.Position(*end))
    return types.TextDocumentContentChangePartial(range_, text)


def test_a_version_in_hand_is_not_touched_by_later_changes() -> None:
    """A request keeps the text it was asked about."""
    documents = Documents()
    documents.open(URI, "python", 1, "abc")
    held = documents.get(URI)
    documents.change(URI, 2, [change("x", (0, 0), (0, 1)), change("y", (0, 3), (0, 3))], "utf-16")
    now = documents.get(URI)

    assert held is not None
    assert now is not None
    assert (held.version, held.text) == (1, "abc")
    assert (now.version, now.text, now.language) == (2, "xbcy", "python")


def test_a_change_leaves_its_range_alone() -> None:
    """pygls' own codec rewrites the client's positions; ours must not."""
    documents = Documents()
    documents.open(URI, "python", 1, "😋😋")
    edit = change("", (0, 2), (0, 4))
    documents.change(URI, 2, [edit], "utf-16")

    assert edit == change("", (0, 2), (0, 4))


def test_a_change_to_a_document_that_is_not_open_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """There is no text to apply it to."""
    documents = Documents()
    documents.change(URI, 2, [change("", (0, 0), (0, 0))], "utf-16")

    assert documents.get(URI) is None
    assert URI in caplog.text


def test_a_closed_document_is_gone() -> None:
    """And closing it again is harmless."""
    documents = Documents()
    documents.open(URI, "python", 1, "abc")
    documents.close(URI)
    documents.close(URI)

    assert documents.get(URI) is None


def test_half_a_character_is_made_encodable() -> None:
    """JSON lets it through; a tokenizer would not.  Columns stay as they were."""
    documents = Documents()
    documents.open(URI, "python", 1, "a\ud83db")
    document = documents.get(URI)

    assert document is not None
    assert document.text == "a\ufffdb"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a%20b/x.py", "/a b/x.py"),
        ("untitled:Untitled-1", "untitled:Untitled-1"),
        ("file://", "file://"),
        ("file://[bad", "file://[bad"),
        ("", ""),
    ],
)
def test_only_file_uris_are_paths(uri: str, path: str) -> None:
    """Anything else keeps its name, and nothing raises."""
    assert path_of(uri) == path
