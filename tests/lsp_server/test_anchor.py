"""The cut stays while a person types, and the text of the prompt is always the text of the document."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.window import cut as window_at
from truepenny.lsp_server.anchor import LEAD_LINES, MAX_MIDDLE_LINES, Anchors, Cut
from truepenny.lsp_server.snapshot import Query, Snapshot

ABOVE = "".join(f"line_{number} = {number}\n" for number in range(20))
BELOW = "\nafter = 1\nlast = 2\n"


def ask(anchors: Anchors, before: str, after: str = BELOW, path: str = "a.py") -> Cut:
    query = Query(Snapshot(path, "python", before + after), len(before))
    window = window_at(before + after, len(before), budget_tokens=2_000, count=lambda text: len(text) // 4)
    return anchors.cut(query, window)


def test_a_new_cut_leaves_some_lines_to_go_on_from() -> None:
    """A model that finds nothing after the middle token starts anew."""
    place = ask(Anchors(), ABOVE + "x = ")

    assert place.middle == "line_18 = 18\nline_19 = 19\nx = "
    assert place.middle.count("\n") == LEAD_LINES
    assert place.prefix + place.middle == ABOVE + "x = "


def test_typing_on_moves_nothing_not_even_at_a_line_end() -> None:
    """So that only what was typed has to be computed."""
    anchors = Anchors()
    first = ask(anchors, ABOVE)
    for typed in ("x", "x = 1", "x = 1\n", "x = 1\ny = x"):
        place = ask(anchors, ABOVE + typed)

        assert (place.prefix, place.suffix) == (first.prefix, first.suffix)
        assert place.middle == first.middle + typed


def test_deleting_what_was_typed_moves_nothing_either() -> None:
    """Undo and retype hit the same prompt."""
    anchors = Anchors()
    first = ask(anchors, ABOVE + "x = 1\n")
    ask(anchors, ABOVE + "x = 1\ny")

    assert ask(anchors, ABOVE + "x = 1\n") == first


def test_any_other_change_makes_a_new_cut() -> None:
    """A prompt must not show a document that is no more."""
    for before, after in ((ABOVE.replace("line_3", "line_x"), BELOW), (ABOVE, BELOW + "more = 3\n")):
        anchors = Anchors()
        ask(anchors, ABOVE)

        assert ask(anchors, before, after) == ask(Anchors(), before, after)


def test_a_middle_that_has_grown_long_is_cut_anew() -> None:
    """Code far above the cursor belongs into the prefix."""
    anchors = Anchors()
    ask(anchors, ABOVE)
    grown = ABOVE + "y = 1\n" * MAX_MIDDLE_LINES

    assert ask(anchors, grown) == ask(Anchors(), grown)


def test_documents_do_not_share_a_cut() -> None:
    """Two files with the same beginning are two files."""
    anchors = Anchors()
    ask(anchors, ABOVE, path="a.py")

    assert ask(anchors, ABOVE + "x\ny\n", path="b.py") == ask(Anchors(), ABOVE + "x\ny\n")


edits = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 30), st.text(alphabet="ab \n\r", max_size=6)), max_size=12
)


@given(edits)
def test_prompt_and_document_never_part(changes: list[tuple[int, int, str]]) -> None:
    """Whatever is edited wherever: prefix and middle end at the cursor, the suffix begins there."""
    anchors = Anchors()
    text = ABOVE + BELOW
    for at, deleted, typed in changes:
        start = min(at, len(text))
        text = text[:start] + typed + text[start + deleted :]
        offset = start + len(typed)
        if text[offset - 1 : offset + 1] == "\r\n":
            continue  # no editor's cursor stands inside a line end
        place = ask(anchors, text[:offset], text[offset:])

        assert text[:offset].endswith(place.prefix + place.middle)
        assert text[offset:].startswith(place.suffix)
