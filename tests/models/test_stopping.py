"""Stop strings on a stream."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from truepenny.models.stopping import StopMatcher


def naive(text: str, stop: tuple[str, ...]) -> tuple[str, bool]:
    """What should come out, looking at the whole text at once: up to the stop string complete first."""
    for end in range(1, len(text) + 1):
        done = [s for s in stop if s and text[:end].endswith(s)]
        if done:
            return text[: end - max(map(len, done))], True
    return text, False


def streamed(pieces: list[str], stop: tuple[str, ...]) -> tuple[str, bool]:
    matcher, out = StopMatcher(stop), ""
    for piece in pieces:
        out += matcher.feed(piece)
    return out + matcher.finish(), matcher.is_stopped


few = st.text("ab\n", max_size=12)


@given(st.lists(few, max_size=8), st.lists(few, max_size=3).map(tuple))
@example(["a", "a", "ab"], ("aab",))
@example(["aab"], ("ab", "aabb"))
def test_the_chunking_does_not_matter(pieces, stop):
    """Nothing after a stop string gets out, nothing before it is lost."""
    assert streamed(pieces, stop) == naive("".join(pieces), stop)


@given(st.lists(few, max_size=8), st.lists(few.filter(bool), min_size=1, max_size=3).map(tuple))
def test_what_is_kept_back_could_still_be_a_stop_string(pieces, stop):
    """Text is shown as soon as it can be."""
    matcher, fed, out = StopMatcher(stop), "", ""
    for piece in pieces:
        fed += piece
        out += matcher.feed(piece)
        if matcher.is_stopped:
            return
        held = fed[len(out) :]
        assert fed.startswith(out)
        assert held == "" or any(s.startswith(held) and s != held for s in stop)


@pytest.mark.parametrize("stop", [(), ("",)])
def test_without_stop_strings_nothing_is_kept_back(stop):
    """The usual case adds no delay."""
    assert StopMatcher(stop).feed("text") == "text"


def test_after_the_stop_nothing_more_comes():
    """What a caller feeds by mistake does not leak."""
    matcher = StopMatcher(("\n",))
    assert matcher.feed("a\nb") == "a"
    assert matcher.feed("c") == ""
    assert matcher.finish() == ""
