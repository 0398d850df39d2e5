"""A pack is followed by one that begins with it, until nothing more fits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.packing.pack import Pack
from truepenny.context.ranking.question import Candidate
from truepenny.context.ranking.rank import Ranking

from .test_fill import count, definition, headings

BUDGET = 300

wanted = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 12)), min_size=1, max_size=14, unique=True
)


def ranking(places: list[tuple[str, int]]) -> Ranking:
    """The first is wanted most."""
    found = tuple(
        Candidate(f"{file}.py", definition(f"name_{file}_{nth}", nth), 1.0 / (1 + place), "near")
        for place, (file, nth) in enumerate(places)
    )
    return Ranking(found, is_complete=True, heading=headings)


def following(pack: Pack, places: list[tuple[str, int]]) -> Pack:
    return pack.followed_by(ranking(places), budget_tokens=BUDGET, count=count)


@given(st.lists(wanted, min_size=1, max_size=12))
def test_chunks_stay_where_they_are(steps: list[list[tuple[str, int]]]) -> None:
    """Over any session: within the budget; appended to, or, packed anew, the old order kept."""
    pack = Pack()
    for places in steps:
        following_pack = following(pack, places)
        assert following_pack.tokens <= BUDGET
        kept = [chunk for chunk in following_pack.chunks if chunk in pack.chunks]
        assert kept == [chunk for chunk in pack.chunks if chunk in following_pack.chunks]
        assert list(following_pack.chunks[: len(kept)]) == kept
        assert following(following_pack, places) == following_pack
        pack = following_pack


@given(wanted)
def test_the_same_wish_changes_nothing(places: list[tuple[str, int]]) -> None:
    pack = following(Pack(), places)
    assert following(pack, places) is pack


def test_more_is_appended() -> None:
    first = following(Pack(), [("a", 1)])
    second = following(first, [("b", 2), ("a", 1)])
    assert second.chunks[: len(first.chunks)] == first.chunks
    assert [chunk.path for chunk in second.chunks] == ["a.py", "b.py"]


def test_what_does_not_fit_packs_anew() -> None:
    full = following(Pack(), [("a", nth) for nth in range(40)])
    anew = following(full, [("b", nth) for nth in range(40)])
    assert {chunk.path for chunk in anew.chunks} == {"b.py"}
