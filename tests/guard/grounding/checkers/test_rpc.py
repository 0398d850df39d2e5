"""Frames are cut however they come, and what is no frame is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.grounding.checkers.rpc import (
    MAX_FRAME_BYTES,
    MAX_HEADER_BYTES,
    FrameError,
    Frames,
    Message,
    frame,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)
MESSAGES = st.lists(st.dictionaries(st.sampled_from(["id", "method", "result", "ä"]), JSON), max_size=6)


@given(MESSAGES, st.data())
def test_messages_survive_any_cut(messages: list[Message], data: st.DataObject):
    """A pipe hands out what it has; where a message ends is nowhere else."""
    stream = b"".join(map(frame, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    frames, got = Frames(), list[Message]()
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += frames.feed(stream[start:end])
    assert got == messages


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_an_error(data: bytes):
    """Nothing else: no other exception would end the connection with a reason."""
    frames = Frames()
    try:
        found = frames.feed(data)
    except FrameError:
        return
    assert all(isinstance(one, dict) for one in found)


def test_half_a_surrogate_pair_is_one_character():
    (message,) = Frames().feed(frame({"text": "a\ud800b"}))
    assert message == {"text": "a?b"}


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"Content-Length: 3\r\n\r\n{{{", "not JSON"),
        (b"Content-Length: 2\r\n\r\n[]", "not an object"),
        (b"Content-Length: -1\r\n\r\n", "Content-Length is"),
        (b"Content-Length: 1e3\r\n\r\n", "Content-Length is"),
        (b"Content-Length: %d\r\n\r\n" % (MAX_FRAME_BYTES + 1), "Content-Length is"),
        (b"Content-Length: " + b"9" * 3_000 + b"\r\n\r\n", "Content-Length is"),
        (b"Content-Type: x\r\n\r\n{}", "without Content-Length"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "without a colon"),
        (b"x" * MAX_HEADER_BYTES, "no end of header"),
        (b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000, "not JSON"),
    ],
)
def test_what_is_no_frame_is_told(stream: bytes, reason: str):
    with pytest.raises(FrameError, match=reason):
        Frames().feed(stream)
