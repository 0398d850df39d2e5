"""The figures mean what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.evaluation.metrics import (
    edit_similarity,
    identifiers,
    is_exact,
    levenshtein,
    percentile,
)

few_letters = st.text(alphabet="ab\né𝔞", max_size=40)


def slow_levenshtein(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        above, row = row, [i]
        for j, b in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


@given(few_letters, few_letters)
def test_the_fast_distance_is_the_textbook_one(first: str, second: str) -> None:
    """Bit tricks are easily wrong in the last bit; the table of distances is not."""
    assert levenshtein(first, second) == slow_levenshtein(first, second)


@given(few_letters, few_letters)
def test_similarity_is_symmetric_and_within_bounds(first: str, second: str) -> None:
    """A mean of similarities is only meaningful on one scale."""
    assert edit_similarity(first, second) == edit_similarity(second, first)
    assert 0 <= edit_similarity(first, second) <= 1
    assert edit_similarity(first, first) == 1


@pytest.mark.parametrize(
    ("text", "expected", "same"),
    [
        ("return x", "return x\n", True),
        ("return x  \nreturn y", "return x\r\nreturn y\r\n", True),
        (" return x", "return x", False),
        ("return  x", "return x", False),
        ("", "\n", True),
    ],
)
def test_only_trailing_white_space_is_forgiven(text: str, expected: str, same: bool) -> None:  # noqa: FBT001  (a row of data)
    """Indentation is part of Python; the end of a line is not."""
    assert is_exact(text, expected) is same


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("total = sum(item.price for item in items)", "total sum item price item items"),
        ("if x: # y\n    return 'z'", "x"),
        ("let n = `a${b}`; // c\n/* d */ e()", "let n e"),
        (r"'it\'s' + größe", "größe"),
        ("3 + 4", ""),
    ],
)
def test_identifiers_are_names_outside_comments_and_strings(text: str, names: str) -> None:
    """Two completions that differ in wording only must compare equal."""
    assert identifiers(text) == tuple(names.split())


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, 0), ([7], 0.95, 7), ([3, 1, 2], 0.5, 2), (list(range(1, 101)), 0.95, 95), ([1, 2], 0, 1)],
)
def test_percentiles_are_values_that_were_seen(values: list[float], share: float, expected: float) -> None:
    """Nearest rank: no interpolation between two times nobody measured."""
    assert percentile(values, share) == expected
