"""The names a person types and what stands behind them."""

from __future__ import annotations

import pytest

from truepenny.models.catalogue import CATALOGUE, DEFAULT_MODEL, find
from truepenny.models.errors import UnknownModelError


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (DEFAULT_MODEL, "qwen2.5-coder-0.5b-instruct"),
        ("qwen2.5-coder-0.5b", "qwen2.5-coder-0.5b-instruct"),
        (" Qwen2.5-Coder-1.5B ", "qwen2.5-coder-1.5b-instruct"),
    ],
)
def test_names_and_aliases_find_their_entry(typed, name):
    """A person types the short name, with the publisher's capitals."""
    assert find(typed).name == name


def test_a_typo_is_answered_with_the_nearest_name():
    """The fix belongs in the message."""
    with pytest.raises(UnknownModelError, match=r"did you mean .*qwen2\.5-coder-0\.5b"):
        find("qwen2.5-coder-0.5")


def test_a_foreign_name_is_answered_with_the_whole_catalogue():
    """Nothing is near, so everything is said."""
    with pytest.raises(UnknownModelError, match=r"the catalogue has: qwen2\.5-coder-0\.5b-instruct, "):
        find("zzzz")


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_every_entry_can_be_verified_and_used(entry):
    """The hash is the trust, the licence is told, parts are in order, and no name means two models."""
    assert len(entry.sha256) == 64
    assert int(entry.sha256, 16)
    assert entry.bytes > 0
    assert entry.licence
    assert [wheel.member for wheel in entry.mirror] == sorted(wheel.member for wheel in entry.mirror)
    names = [name for other in CATALOGUE for name in (other.name, *other.aliases)]
    assert len(names) == len(set(names))
