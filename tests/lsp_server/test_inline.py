"""From a request to a query, and from a suggestion to a place in the document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.editor.convert import LineIndex, Position, Range
from truepenny.lsp_server.editor.documents import Document
from truepenny.lsp_server.editor.inline import Asked, InlineParams, Replacement, ask, place
from truepenny.lsp_server.snapshot import Suggestion, Trigger


class Entry:
    """A selected completion."""

    def __init__(self, range_: Range, text: str) -> None:
        self.range = range_
        self.text = text


def asked(text: str, offset: int, entry: tuple[int, int, str] | None = None) -> Asked:
    document = Document("file:///x.py", "python", 1, LineIndex(text))
    selected = None
    if entry is not None:
        selected = Entry(document.index.range(entry[0], entry[1], "utf-16"), entry[2])
    position = document.index.position(offset, "utf-16")
    params = InlineParams(document.uri, position, Trigger.AUTOMATIC, selected, None, document)
    return ask(params, document, "auto", "utf-16")


def test_the_query_is_about_the_document_as_it_is() -> None:
    """Path, language, version and text come along."""
    query = asked("a😋b", 2).query

    assert query.offset == 2
    assert (query.snapshot.path, query.snapshot.language, query.snapshot.version) == ("/x.py", "python", 1)


def test_the_query_has_the_selected_entry_in_its_text() -> None:
    """The editor shows the suggestion after the entry, so that is where it must fit."""
    query = asked("obj.app()", 7, (4, 7, "append")).query

    assert query.snapshot.text == "obj.append()"
    assert query.offset == 10


@pytest.mark.parametrize(
    ("entry", "suggestion", "expected"),
    [
        (None, (7, 7, "end"), Replacement(7, 7, "end")),
        (None, (4, 7, "append"), Replacement(4, 7, "append")),
        ((4, 7, "append"), (10, 10, "(x)"), Replacement(4, 7, "append(x)")),  # after the entry
        ((4, 7, "append"), (4, 10, "append(x)"), Replacement(4, 7, "append(x)")),  # in place of it
        ((4, 7, "append"), (0, 10, "obj.append"), Replacement(0, 7, "obj.append")),  # and of more before
        ((4, 7, "append"), (10, 12, "(x)"), Replacement(4, 9, "append(x)")),  # and of what follows
        ((4, 7, "append"), (4, 10, "extend"), "does not continue"),
        ((4, 7, "append"), (6, 10, "x"), "does not continue"),
        ((7, 7, ""), (7, 7, "end"), Replacement(7, 7, "end")),
        (None, (7, 7, ""), "is empty"),
        (None, (7, 99, "x"), "of 12 characters"),
        (None, (7, 12, "x"), "more than one line"),
    ],
)
def test_a_suggestion_is_placed_or_refused(
    entry: tuple[int, int, str] | None, suggestion: tuple[int, int, str], expected: Replacement | str
) -> None:
    """Rows of suggestion `(start, end, text)` about `obj.app()` + a second line."""
    start, end, text = suggestion
    made = Suggestion(text, start, end, shown=True, reason="")

    placed = place(asked("obj.app()\nxy", 7, entry), made)

    if isinstance(expected, str):
        assert isinstance(placed, str)
        assert expected in placed
    else:
        assert placed == expected


@given(st.text("ab", max_size=12), st.text("ab", max_size=4), st.text("cd", max_size=4), st.data())
def test_placing_agrees_with_the_text_the_assistant_saw(
    text: str, entry: str, suggested: str, data: st.DataObject
) -> None:
    """Accepting the item makes of the document what the suggestion makes of the query's text."""
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    request = asked(text, end, (start, end, entry))
    seen = request.query.snapshot.text
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(seen)), st.integers(0, len(seen)))))

    placed = place(request, Suggestion(suggested, first, last, shown=True, reason=""))

    if isinstance(placed, Replacement):
        accepted = text[: placed.start] + placed.text + text[placed.end :]
        assert accepted == seen[:first] + suggested + seen[last:]
        assert placed.text[start - placed.start :].startswith(entry)


def test_a_position_of_the_range_counts_in_the_clients_units() -> None:
    """The face is two UTF-16 units."""
    request = asked("😋ab", 3)
    placed = place(request, Suggestion("abc", 1, 3, shown=True, reason=""))

    assert isinstance(placed, Replacement)
    assert request.document.index.range(placed.start, placed.end, "utf-16") == Range(
        Position(0, 2), Position(0, 4)
    )
