"""Offsets and a server's positions are the same places, in every way of counting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.grounding.checkers.positions import OFFERED, Encoding, Lines, changed_part

TEXTS = st.text(st.sampled_from("a b\n\r\tä€😀\u2028\x0c"), max_size=40)


@given(TEXTS, st.sampled_from(OFFERED), st.data())
def test_an_offset_comes_back(text: str, encoding: Encoding, data: st.DataObject):
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] == "\r\n":
        offset -= 1  # between the two is no place
    lines = Lines(text, encoding)
    assert lines.offset(lines.position(offset)) == offset


@given(TEXTS, st.sampled_from(OFFERED), st.integers(0, 60), st.integers(0, 60))
def test_any_position_is_within_the_text(text: str, encoding: Encoding, line: int, character: int):
    assert 0 <= Lines(text, encoding).offset({"line": line, "character": character}) <= len(text)


@pytest.mark.parametrize(("encoding", "character"), [("utf-32", 3), ("utf-16", 4), ("utf-8", 7)], ids=str)
def test_columns_are_counted_as_agreed(encoding: Encoding, character: int):
    lines = Lines("x\nä😀=y", encoding)
    assert lines.position(5) == {"line": 1, "character": character}
    assert lines.offset({"line": 1, "character": character}) == 5


@pytest.mark.parametrize("position", [None, 3, [], {}, {"line": 0}, {"line": -1, "character": 0}, "x"])
def test_what_is_no_position_is_an_error(position: object):
    with pytest.raises(ValueError, match="no position"):
        Lines("text", "utf-32").offset(position)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_the_changed_part_makes_the_new_text(head: str, old: str, new: str, tail: str):
    before, after = head + old + tail, head + new + tail
    start, end, new_end = changed_part(before, after)
    assert before[:start] + after[start:new_end] + before[end:] == after
    assert new_end - start <= len(new) + 1
    assert before[start - 1 : start + 1] != "\r\n" or start == 0
