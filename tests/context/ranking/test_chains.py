"""What stands before the cursor's dot, read backwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.ranking.chains import chain_before, chain_of, open_call, separator_before


def shown(text: str) -> str | None:
    """The chain before a text's last separator, calls with `()`."""
    at = separator_before(text, len(text))
    if at is None:
        return None
    chain = chain_before(text, at)
    return None if chain is None else ".".join(one.name + "()" * one.is_called for one in chain.links)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = rows.", "rows"),
        ("self.rows.", "self.rows"),
        ("self.rows.find(a, b[0])[1].", "self.rows.find()"),
        ("await client.session().", "client.session()"),
        ("foo(bar.", "bar"),
        ("a?.b!.", "a.b"),
        ("ptr->next->", "ptr.next"),
        ("crate::model::", "crate.model"),
        ("Vec::<Row>::new().", "Vec.new()"),
        ("builder\n    .name(x)\n    .", "builder.name()"),
        ("(await find(x)).", "find()"),
        ("super().", "super()"),
        ("1.", None),
        ("a..", None),
        ("x = y", None),
        ("x = rows.\n\n\n", None),
    ],
)
def test_the_expression_before_the_dot(text: str, expected: str | None) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "callee"),
    [
        ("rows.find(a, ", "rows.find"),
        ("rows.find(a, (1 + 2), ", "rows.find"),
        ("x = [rows.find(", "rows.find"),
        ("x = (1 + ", None),
        ("rows.find(a) + ", None),
        ("f(x); ", None),
        ("f([1, ", None),
    ],
)
def test_the_call_the_cursor_is_in(text: str, callee: str | None) -> None:
    at = open_call(text, len(text))
    chain = None if at is None else chain_before(text, at)
    assert (None if chain is None else ".".join(one.name for one in chain.links)) == callee


@pytest.mark.parametrize(
    ("callee", "names"),
    [
        ("await self.rows.get", ["self", "rows", "get"]),
        ("new Rows", ["Rows"]),
        ("&Client", ["Client"]),
        ("", []),
    ],
)
def test_a_callee(callee: str, names: list[str]) -> None:
    chain = chain_of(callee)
    assert ([one.name for one in chain.links] if chain else []) == names


@given(st.text(alphabet="ab.(:>-<)[]{}? \n!é_1;", max_size=60))
def test_any_text_is_read(text: str) -> None:
    """No exception, and nothing outside of the text."""
    at = separator_before(text, len(text))
    if at is not None:
        assert 0 <= at < len(text)
        chain = chain_before(text, at)
        if chain is not None:
            assert 0 <= chain.start < at
            assert chain.links
    opening = open_call(text, len(text))
    assert opening is None or text[opening] == "("
