"""Where the last tokens have stood before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from truepenny.models.suffix_index import LONGEST_MATCH, SuffixIndex

texts = st.lists(st.integers(0, 3), max_size=60)


def places(ids: list[int], tail: list[int]) -> dict[int, int]:
    """Where the last two of `tail` end in `ids`, not at its end: the length of the match there."""
    found: dict[int, int] = {}
    for place in range(1, len(ids) - 1):
        length = 0
        while length < min(place + 1, len(tail), LONGEST_MATCH) and ids[place - length] == tail[-1 - length]:
            length += 1
        if length >= 2:
            found[place] = length
    return found


@given(texts, texts)
def test_the_longest_of_the_most_recent_places_is_found(ids, tail):
    """As somebody who reads everything would find it, among the last places."""
    found = SuffixIndex(ids).find(tail, 4, lambda _ids: True)
    known = places(ids, tail)
    if not known:
        assert found is None
        return
    assert found is not None
    recent = sorted(known, reverse=True)[:11]  # and the end of the text may have taken a turn
    assert found.length >= max(known[place] for place in recent)
    assert any(found.ids == ids[place + 1 : place + 5] for place in known if known[place] == found.length)


@given(texts, texts, st.integers(0, 60), st.data())
def test_a_text_that_changed_is_indexed_as_if_it_were_new(before, after, num_common, data):
    """What was there before the change is kept, nothing of what was after it."""
    index = SuffixIndex(before)
    for ids in (before[:num_common] + after, after, before):
        index.become(ids)
        fresh = SuffixIndex(ids)
        assert (index._ids, index._last, index._earlier) == (fresh._ids, fresh._last, fresh._earlier)
    tail = data.draw(texts)
    assert index.find(tail, 3, lambda _ids: True) == fresh.find(tail, 3, lambda _ids: True)


def test_what_does_not_fit_is_passed_over():
    """A later place with the same length, or a shorter one."""
    index = SuffixIndex([1, 2, 3, 9, 1, 2, 4, 9, 1, 2, 5])
    found = index.find([0, 1, 2], 2, lambda ids: ids[0] == 3)
    assert found is not None
    assert (found.length, found.ids) == (2, [3, 9])
    assert index.find([1, 2], 2, lambda _ids: False) is None
    assert index.find([2], 2, lambda _ids: True) is None
