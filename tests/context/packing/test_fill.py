"""Candidates become text within a budget, the same for the same facts."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.facts import Definition
from truepenny.context.packing.fill import fill
from truepenny.context.ranking.question import Candidate

KINDS = ("function", "method", "class", "field")


def definition(name: str, nth: int, parent: str = "", doc: str = "", kind: str = "function") -> Definition:
    signature = {"class": f"class {name}", "field": f"{name}: int"}.get(
        kind, f"def {name}(self, x: int) -> str"
    )
    return Definition(name, kind, nth * 100, nth * 100 + 50, nth, nth + 2, nth * 100, signature, parent, doc)  # type: ignore[arg-type]


def count(text: str) -> int:
    return (len(text) + 3) // 4


def headings(path: str, name: str) -> str:
    return f"class {name}(Base)" if name == "Rows" else ""


candidates = st.lists(
    st.builds(
        lambda path, name, nth, parent, kind, score: Candidate(
            path,
            definition(name, nth, parent, "Says what it does. And more.", kind),
            score,
            f"because of {name}",
        ),
        st.sampled_from(["a.py", "b/c.py", "d.go", "e.rs"]),
        st.sampled_from(["find", "close", "Rows", "open_rows", "ü"]),
        st.integers(0, 30),
        st.sampled_from(["", "Rows", "Outer.Inner"]),
        st.sampled_from(KINDS),
        st.floats(0, 1),
    ),
    max_size=40,
    unique_by=lambda one: (one.path, one.definition.start),
)


def ranked(found: list[Candidate]) -> list[Candidate]:
    return sorted(found, key=lambda one: (-one.score, one.path, one.definition.start))


@given(candidates, st.integers(0, 600))
def test_the_budget_holds_and_nothing_is_told_twice(found: list[Candidate], budget: int) -> None:
    chunks, _ = fill(ranked(found), headings, budget_tokens=budget, count=count)
    assert sum(chunk.tokens for chunk in chunks) <= budget
    assert len({chunk.path for chunk in chunks}) == len(chunks)
    for chunk in chunks:
        assert chunk.tokens == count(f"{chunk.path}\n{chunk.text}\n") + 1
        assert len(chunk.names) == len(chunk.lines) > 0
        assert chunk.why


@given(candidates, st.integers(0, 600), st.randoms(use_true_random=False))
def test_the_same_facts_give_the_same_bytes(
    found: list[Candidate], budget: int, shuffler: random.Random
) -> None:
    """Whatever order they were found in."""
    shuffled = list(found)
    shuffler.shuffle(shuffled)
    one = fill(ranked(found), headings, budget_tokens=budget, count=count)
    assert one == fill(ranked(shuffled), headings, budget_tokens=budget, count=count)


def test_what_it_looks_like() -> None:
    """Members under their type, in the order of the file; the best file last; the best with their doc."""
    found = [
        Candidate(
            "store.py", definition("find", 3, "Rows", "Finds a row. Slowly.", "method"), 0.9, "member of Rows"
        ),
        Candidate("units.py", definition("to_feet", 1), 0.5, "imported"),
        Candidate("store.py", definition("limit", 2, "Rows", kind="field"), 0.4, "member of Rows"),
        Candidate("rows.go", definition("Rows", 1, kind="class"), 0.3, "near"),
        Candidate("rows.go", definition("size", 2, "Rows", kind="field"), 0.2, "near"),
    ]
    chunks, left_out = fill(found, headings, budget_tokens=500, count=count)
    assert left_out == ()
    assert [chunk.path for chunk in chunks] == ["rows.go", "units.py", "store.py"]
    assert chunks[-1].text == (
        "class Rows(Base):\n    limit: int\n    # Finds a row.\n    def find(self, x: int) -> str"
    )
    assert chunks[-1].names == ("Rows.limit", "Rows.find")
    assert chunks[-1].lines == (2, 3)
    assert chunks[-1].why == "member of Rows"
    assert chunks[0].text == "class Rows {\n    size: int\n}"


def test_what_does_not_fit_is_named() -> None:
    found = [Candidate("a.py", definition(f"name_{nth}", nth), 1.0 - nth / 100, "near") for nth in range(40)]
    chunks, left_out = fill(found, headings, budget_tokens=60, count=count)
    assert chunks
    assert left_out[0].name == f"name_{len(chunks[0].names)}"
    assert left_out[0].why == "near"
