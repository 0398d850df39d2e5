"""A filter never forgets a name, and rarely invents one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.grounding.packages.errors import PackagesError
from truepenny.guard.grounding.packages.filter import NameFilter


@given(st.sets(st.text(max_size=30), max_size=60))
def test_what_is_in_is_found(tmp_path_factory, names: set[str]):
    path = tmp_path_factory.mktemp("filter") / "names"
    NameFilter.of(names, "a list", "2024-01-01").save(path)
    opened = NameFilter.open(path)
    assert all(name in opened for name in names)
    assert opened.facts.num_names == len(names)


def test_what_is_not_in_is_hardly_ever_found():
    """One in 10,000 is promised; 200,000 questions find 20 on average, and 60 by no chance to speak of."""
    made = NameFilter.of((f"package-{nth}" for nth in range(20_000)), "", "")
    assert sum(f"other-{nth}" in made for nth in range(200_000)) < 60
    assert made.facts.num_bits / made.facts.num_names < 20


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-1],
        lambda b: b[:-1] + bytes([b[-1] ^ 1]),
        lambda b: b"x" + b[1:],
        lambda b: b[:9],
        lambda b: b"",
    ],
)
def test_a_damaged_file_is_refused_and_named(tmp_path: Path, damage):
    path = tmp_path / "pypi.names"
    NameFilter.of(["a", "b"], "", "").save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(PackagesError, match=r"pypi\.names.*truepenny packages refresh"):
        NameFilter.open(path)
