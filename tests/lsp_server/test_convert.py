"""Positions, against an oracle that walks the text one character at a time."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from truepenny.lsp_server.editor.convert import Encoding, LineIndex, Position, Range, apply_change

ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}

# Combining marks, joiners, flags, wide characters, tabs and every character that some definition of
# "line" ends at: only \n, \r and their pair may.
ALPHABET = "ab \t\n\n\r\réñ\u0301\u20dd漢😋👩\u200d🚀🇬🇧\U0010ffff\x0b\x0c\x1c\x85\u2028\u2029\x00"
texts = st.lists(st.one_of(st.sampled_from([*ALPHABET, "\r\n"]), st.characters(exclude_categories=["Cs"])))
texts = texts.map("".join)
encodings = st.sampled_from(ENCODINGS)
positions = st.builds(Position, st.integers(0, 12), st.integers(0, 40))


def width(character: str, encoding: Encoding) -> int:
    """How many units a character takes."""
    codec, unit = CODECS[encoding]
    return len(character.encode(codec)) // unit


def lines_of(text: str) -> list[tuple[int, str]]:
    """`(offset, line without its terminator)` for every line; the slow, obvious way."""
    lines, start, at = [], 0, 0
    while at < len(text):
        if text[at] in "\r\n":
            lines.append((start, text[start:at]))
            at += 2 if text[at : at + 2] == "\r\n" else 1
            start = at
        else:
            at += 1
    return [*lines, (start, text[start:])]


def oracle_offset(text: str, position: Position, encoding: Encoding) -> int:
    """Walk the line until the column would be passed."""
    lines = lines_of(text)
    if position.line >= len(lines):
        return len(text)
    offset, line = lines[position.line]
    column = 0
    for character in line:
        column += width(character, encoding)
        if column > position.character:
            break
        offset += 1
    return offset


@settings(max_examples=10_000)
@given(texts, positions, encodings)
@example("x😋\n", Position(0, 2), "utf-16")
@example("a\r\nb", Position(0, 9), "utf-8")
@example("a\r", Position(1, 0), "utf-16")
def test_offset_agrees_with_walking_the_text(text: str, position: Position, encoding: Encoding) -> None:
    """Any position, however far outside, has exactly the place the definition gives it."""
    assert LineIndex(text).offset(position, encoding) == oracle_offset(text, position, encoding)


@settings(max_examples=2500)
@given(texts, encodings, st.data())
def test_position_and_back_is_the_same_place(text: str, encoding: Encoding, data: st.DataObject) -> None:
    """Every offset has a position that leads back to it, except inside a line end's pair."""
    offset = data.draw(st.integers(0, len(text)))
    index = LineIndex(text)

    position = index.position(offset, encoding)

    inside_pair = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
    assert index.offset(position, encoding) == (offset - 1 if inside_pair else offset)


@settings(max_examples=1500)
@given(texts, encodings, st.data())
def test_columns_are_what_pythons_codecs_say(text: str, encoding: Encoding, data: st.DataObject) -> None:
    """On every place that exists, the column is the length of the encoded line up to it."""
    number, (start, line) = data.draw(st.sampled_from(list(enumerate(lines_of(text)))))
    column = data.draw(st.integers(0, len(line)))
    codec, unit = CODECS[encoding]
    units = len(line[:column].encode(codec)) // unit

    index = LineIndex(text)

    assert index.position(start + column, encoding) == Position(number, units)
    assert index.offset(Position(number, units), encoding) == start + column


@settings(max_examples=1500)
@given(texts, texts, positions, positions, encodings)
def test_change_replaces_exactly_the_range(
    text: str, new_text: str, one: Position, other: Position, encoding: Encoding
) -> None:
    """What lies outside the range is untouched, and so are the arguments."""
    start, end = sorted((oracle_offset(text, one, encoding), oracle_offset(text, other, encoding)))
    range_ = Range(one, other)

    changed = apply_change(LineIndex(text), range_, new_text, encoding)

    assert changed == text[:start] + new_text + text[end:]
    assert range_ == Range(one, other)


@settings(max_examples=1500)
@given(st.text(st.sampled_from(ALPHABET), max_size=60), encodings, st.data())
def test_a_stream_of_changes_keeps_client_and_server_equal(
    text: str, encoding: Encoding, data: st.DataObject
) -> None:
    """Edits expressed as a client would, at real places, rebuild the client's text."""
    client = server = text
    for _ in range(data.draw(st.integers(1, 5))):
        lines = lines_of(client)
        places = [at + column for at, line in lines for column in range(len(line) + 1)]
        start, end = sorted(data.draw(st.tuples(st.sampled_from(places), st.sampled_from(places))))
        new_text = data.draw(st.text(st.sampled_from(ALPHABET), max_size=8))
        index = LineIndex(client)
        server = apply_change(LineIndex(server), index.range(start, end, encoding), new_text, encoding)
        client = client[:start] + new_text + client[end:]

        assert server == client


@settings(max_examples=500)
@given(texts)
def test_lines_start_where_they_start(text: str) -> None:
    """Both ways of finding line starts, with and without `\\r`, give the same lines."""
    assert LineIndex(text).starts == [start for start, _ in lines_of(text)]


@pytest.mark.parametrize(
    ("text", "position", "encoding", "offset"),
    [
        ('x="😋"', Position(0, 7), "utf-8", 4),
        ('x="😋"', Position(0, 5), "utf-16", 4),
        ('x="😋"', Position(0, 4), "utf-32", 4),
        ('x="😋"', Position(0, 4), "utf-16", 3),  # inside the surrogate pair: the face's start
        ('x="😋"', Position(0, 5), "utf-8", 3),  # inside the sequence
        ("abc", Position(0, 99), "utf-16", 3),  # a last line without a line end
        ("abc\n", Position(0, 99), "utf-16", 3),  # before the terminator
        ("abc\r\nd", Position(0, 99), "utf-16", 3),
        ("abc\rd", Position(0, 99), "utf-16", 3),
        ("abc\n", Position(1, 0), "utf-16", 4),
        ("abc", Position(7, 3), "utf-16", 3),  # past the last line
        ("", Position(0, 0), "utf-8", 0),
        ("a\u2028b\nc", Position(1, 0), "utf-16", 4),  # U+2028 does not end a line
        ("\n\r", Position(2, 0), "utf-16", 2),  # not a pair
        ("\ud83d", Position(0, 1), "utf-16", 1),  # half a character on its own
        ("abc", Position(-1, 2), "utf-16", 0),
        ("abc", Position(0, -1), "utf-16", 0),
    ],
)
def test_hard_places(text: str, position: Position, encoding: Encoding, offset: int) -> None:
    """The cases by which implementations differ."""
    assert LineIndex(text).offset(position, encoding) == offset


def test_no_range_means_the_whole_text() -> None:
    """A client may send full text although increments were offered."""
    assert apply_change(LineIndex("old"), None, "new", "utf-16") == "new"


def test_an_offset_outside_the_text_is_our_mistake() -> None:
    """Offsets come from us: one beyond the end is a bug, not something to clamp."""
    with pytest.raises(AssertionError, match="offset 4 of 3"):
        LineIndex("abc").position(4, "utf-16")
