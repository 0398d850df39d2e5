"""The cut stays while a person types, and the text of the prompt is always the text of the document."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.context.window import Window
from truepenny.context.window import cut as window_cut
from truepenny.lsp_server.prompting.anchor import (
    LEAD_LINES,
    MAX_MIDDLE_CHARS,
    MAX_MIDDLE_LINES,
    QUICK_PREFIX_TOKENS,
    QUICK_SUFFIX_TOKENS,
    Anchors,
    Cut,
    anchors_for,
)
from truepenny.lsp_server.snapshot import Query, Snapshot, Trigger

ABOVE = "".join(f"line_{number} = {number}\n" for number in range(20))
BELOW = "\nafter = 1\nlast = 2\n"
LONG_ABOVE = "".join(f"above_{number} = {number}\n" for number in range(400))
LONG_BELOW = "\n" + "".join(f"below_{number} = {number}\n" for number in range(400))


def count(text: str) -> int:
    return len(text) // 4


def window_at(query: Query, prefix_tokens: int, suffix_tokens: int, starts: Sequence[int]) -> Window:
    return window_cut(
        query.snapshot.text,
        query.offset,
        prefix_tokens=prefix_tokens,
        suffix_tokens=suffix_tokens,
        count=count,
        starts=starts,
    )


def query_at(
    before: str, after: str = BELOW, path: str = "a.py", trigger: Trigger = Trigger.AUTOMATIC
) -> Query:
    return Query(Snapshot(path, "python", before + after), len(before), trigger)


def ask(anchors: Anchors, before: str, after: str = BELOW, path: str = "a.py") -> Cut:
    return anchors.cut(query_at(before, after, path))


def fresh() -> Anchors:
    return Anchors(window_at)


def warm(anchors: Anchors, query: Query) -> Cut | None:
    """What a pause does: the next branch, if there is to be one, is computed and used."""
    following = anchors.next_branch(query)
    if following is None:
        return None
    anchors.adopt(query, following[0])
    return following[1]


def test_a_new_cut_leaves_some_lines_to_go_on_from() -> None:
    """A model that finds nothing after the middle token starts anew."""
    place = ask(fresh(), ABOVE + "x = ")

    assert place.middle == "line_18 = 18\nline_19 = 19\nx = "
    assert place.middle.count("\n") == LEAD_LINES
    assert place.prefix + place.middle == ABOVE + "x = "


def test_typing_on_moves_nothing_not_even_at_a_line_end() -> None:
    """So that only what was typed has to be computed."""
    anchors = fresh()
    first = ask(anchors, ABOVE)
    for typed in ("x", "x = 1", "x = 1\n", "x = 1\ny = x"):
        place = ask(anchors, ABOVE + typed)

        assert (place.prefix, place.suffix) == (first.prefix, first.suffix)
        assert place.middle == first.middle + typed


def test_deleting_what_was_typed_moves_nothing_either() -> None:
    """Undo and retype hit the same prompt."""
    anchors = fresh()
    first = ask(anchors, ABOVE + "x = 1\n")
    ask(anchors, ABOVE + "x = 1\ny")

    assert ask(anchors, ABOVE + "x = 1\n") == first


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ABOVE.replace("line_3", "line_x"), BELOW),
        (ABOVE, "\nx = 2" + BELOW),
        (ABOVE, ""),
        (ABOVE[:-60], BELOW),
    ],
)
def test_a_change_of_what_the_prompt_shows_makes_a_new_cut(before: str, after: str) -> None:
    """A prompt must not show a document that is no more."""
    anchors = fresh()
    ask(anchors, ABOVE)
    place = ask(anchors, before, after)

    assert place.prefix + place.middle == before
    assert place.suffix == after


def test_a_change_of_what_the_prompt_does_not_show_is_free() -> None:
    """Another function far above or below is edited, lines are added: the prompt is still the truth."""
    anchors = fresh()
    place = ask(anchors, LONG_ABOVE + "x = ", LONG_BELOW)
    changed_above = LONG_ABOVE.replace("above_3 = 3\n", "# a note\n# of two lines\n")
    changed_below = LONG_BELOW + "more = 1\n"

    assert ask(anchors, changed_above + "x = 1", changed_below) == Cut(
        place.prefix, place.suffix, place.middle + "1"
    )


def test_coming_back_is_free() -> None:
    """Two places in one document, in turn."""
    anchors = fresh()
    here = ask(anchors, LONG_ABOVE + "x = ", LONG_BELOW)
    at = len(LONG_ABOVE) // 2
    ask(anchors, LONG_ABOVE[:at] + "\ny", LONG_ABOVE[at:] + LONG_BELOW)

    assert ask(anchors, LONG_ABOVE + "x = ", LONG_BELOW) == here


def test_a_suffix_that_shows_nothing_does_not_serve_where_there_is_something() -> None:
    """After typing at the end of a document and going up a few lines, the lines below are there."""
    anchors = fresh()
    ask(anchors, ABOVE + "x = 1\ny = 2\n", "")
    place = ask(anchors, ABOVE + "x = 1\n", "y = 2\n")

    assert place.suffix == "y = 2\n"


def test_deleting_above_the_cut_keeps_the_prefixs_beginning() -> None:
    """So that the lines before it are in the cache."""
    anchors = fresh()
    first = warm(anchors, query_at(LONG_ABOVE, LONG_BELOW))
    assert first is not None
    lines = LONG_ABOVE.splitlines(keepends=True)
    for gone in range(1, 40):
        place = ask(anchors, "".join(lines[: len(lines) - gone]), LONG_BELOW)

        assert first.prefix.startswith(place.prefix)


def test_a_middle_that_has_grown_long_is_followed_while_nobody_types() -> None:
    """Double buffered: the old branch serves until the new one has been computed."""
    anchors = fresh()
    first = ask(anchors, ABOVE)
    short = ABOVE + "y = 1\n" * (MAX_MIDDLE_LINES // 2 - LEAD_LINES)
    ask(anchors, short)
    assert anchors.next_branch(query_at(short)) is None

    grown = short + "z = 1\n"
    before = ask(anchors, grown)
    following = anchors.next_branch(query_at(grown))
    assert following is not None
    branch, ahead = following
    assert ahead == ask(fresh(), grown)
    assert ask(anchors, grown + "q") == Cut(first.prefix, first.suffix, before.middle + "q")

    anchors.adopt(query_at(grown), branch)
    assert ask(anchors, grown + "q") == Cut(ahead.prefix, ahead.suffix, ahead.middle + "q")
    assert anchors.next_branch(query_at(grown + "q")) is None


def test_what_was_begun_is_gone_on_with() -> None:
    """A pause too short for all of it was not in vain."""
    anchors = fresh()
    ask(anchors, ABOVE)
    grown = ABOVE + "y = 1\n" * MAX_MIDDLE_LINES
    first = anchors.next_branch(query_at(grown))
    second = anchors.next_branch(query_at(grown + "z = 1\nq"))

    assert first is not None
    assert second is not None
    assert second[0] is first[0]
    assert second[1].middle == first[1].middle + "z = 1\nq"


@pytest.mark.parametrize(("stretch", "limit"), [(1, MAX_MIDDLE_LINES), (2, 2 * MAX_MIDDLE_LINES)])
def test_typing_that_never_pauses_is_cut_anew_at_last(stretch: int, limit: int) -> None:
    """Later where there might have been a pause."""
    anchors = Anchors(window_at, stretch=stretch)
    first = ask(anchors, ABOVE)
    typed = ABOVE + "y = 1\n" * (limit - LEAD_LINES)

    assert ask(anchors, typed).prefix == first.prefix
    assert ask(anchors, typed + "y\n") == ask(Anchors(window_at, stretch=stretch), typed + "y\n")


def test_a_very_long_line_does_not_move_its_branch_for_ever() -> None:
    """Its middle is long whatever is done."""
    anchors = fresh()
    query = query_at(ABOVE + "x = " + "1 + " * (MAX_MIDDLE_CHARS // 6))
    anchors.cut(query)

    assert anchors.next_branch(query) is None


def test_who_waits_after_a_jump_is_shown_less_and_more_follows() -> None:
    """A long prompt that nobody has computed is seconds of waiting."""
    anchors = fresh()
    query = query_at(LONG_ABOVE, LONG_BELOW)
    place = anchors.cut(query)
    assert count(place.prefix + place.middle) <= QUICK_PREFIX_TOKENS
    assert count(place.suffix) <= QUICK_SUFFIX_TOKENS

    ahead = warm(anchors, query)
    assert ahead is not None
    assert len(ahead.prefix) >= len(place.prefix)  # half of what could be shown is not thrown away for more
    assert len(ahead.suffix) > len(place.suffix)
    assert anchors.cut(query) == ahead
    assert warm(anchors, query) is None


def test_who_asks_by_hand_is_shown_everything_at_once() -> None:
    """So is everybody where nothing is computed ahead."""
    by_hand = query_at(LONG_ABOVE, LONG_BELOW, trigger=Trigger.INVOKED)
    whole = fresh().cut(by_hand)

    assert count(whole.prefix) > QUICK_PREFIX_TOKENS
    assert anchors_for("ours", window_at, is_prewarmed=False).cut(query_at(LONG_ABOVE, LONG_BELOW)) == whole


def test_the_layouts_to_compare_with() -> None:
    """Plain: nothing is kept and the middle is the line; quick: little is shown to anybody."""
    plain = anchors_for("plain", window_at, is_prewarmed=True)
    for typed in ("x = ", "x = 1\ny"):
        place = ask(plain, ABOVE + typed)
        assert place.middle == typed.rpartition("\n")[2]
        assert place.prefix + place.middle == ABOVE + typed
    quick = anchors_for("quick", window_at, is_prewarmed=True)
    place = quick.cut(query_at(LONG_ABOVE, LONG_BELOW, trigger=Trigger.INVOKED))
    assert count(place.prefix + place.middle) <= QUICK_PREFIX_TOKENS


def test_documents_do_not_share_a_cut() -> None:
    """Two files with the same beginning are two files."""
    anchors = fresh()
    ask(anchors, ABOVE, path="a.py")

    assert ask(anchors, ABOVE + "x\ny\n", path="b.py") == ask(fresh(), ABOVE + "x\ny\n")


edits = st.lists(
    st.tuples(
        st.integers(0, 6_000),
        st.booleans(),
        st.integers(0, 30),
        st.text(alphabet="ab \n\r", max_size=6),
        st.sampled_from(["ask", "ask", "pause", "interrupted", "type"]),
    ),
    max_size=25,
)


@given(edits, st.sampled_from(["small", "large"]), st.sampled_from(["ours", "quick", "plain"]))
@settings(max_examples=150, deadline=None)
def test_prompt_and_document_never_part(
    changes: list[tuple[int, bool, int, str, str]], size: str, layout: str
) -> None:
    """Whatever is edited wherever: prefix and middle end at the cursor, the suffix begins there.

    So it is for what is computed ahead; and something is shown wherever there is something.
    """
    anchors = anchors_for(layout, window_at, is_prewarmed=True)  # pyright: ignore[reportArgumentType]  # one of three
    text = ABOVE + BELOW if size == "small" else LONG_ABOVE + LONG_BELOW
    offset = len(text) // 2
    for at, is_jump, deleted, typed, what in changes:
        start = min(at, len(text)) if is_jump else max(0, offset - deleted // 2)
        text = text[:start] + typed + text[start + deleted :]
        offset = start + len(typed)
        if what == "type" or text[offset - 1 : offset + 1] == "\r\n":
            continue  # nobody asks; no editor's cursor stands inside a line end
        query = query_at(text[:offset], text[offset:])
        shown = anchors.cut(query) if what == "ask" else None
        if shown is None and (following := anchors.next_branch(query)) is not None:
            shown = following[1]
            if what == "pause":
                anchors.adopt(query, following[0])
        if shown is not None:
            assert text[:offset].endswith(shown.prefix + shown.middle)
            assert text[offset:].startswith(shown.suffix)
            assert bool(shown.suffix.strip()) or not text[offset : offset + 200].strip()
            assert len(shown.prefix + shown.middle) >= min(500, offset // 2)
