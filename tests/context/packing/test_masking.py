"""What of a literal is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.packing.masking import masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('PASSWORD = "s3cret"', 'PASSWORD = "…"'),
        ('password: str = "hunter"', 'password: str = "…"'),
        ("const apiKey = 'abcdef'", "const apiKey = '…'"),
        ('def f(token="abcd", x="y")', 'def f(token="…", x="y")'),
        ('X = "ghp_0123456789abcdefABCDEF0123"', 'X = "…"'),
        ('KEY = """-----BEGIN PRIVATE KEY----- x', 'KEY = """…'),
        ('NAME = "the name of a token"', 'NAME = "the name of a token"'),
        ('TOKEN_HELP = "what a token is"', 'TOKEN_HELP = "what a token is"'),
        ('MODULE = "app/store/rows/x1"', 'MODULE = "app/store/rows/x1"'),
        ('x: Literal["notifications/tools/list"]', 'x: Literal["notifications/tools/list"]'),
        ("fn f<'a>(x: &'a str) -> &'a str", "fn f<'a>(x: &'a str) -> &'a str"),
        ("limit = 3", "limit = 3"),
    ],
)
def test_secrets_become_dots(text: str, expected: str) -> None:
    assert masked(text) == expected


@given(st.text(alphabet="ab1\"'`= \\\nü:tokens", max_size=60))
def test_any_text_is_masked_once(text: str) -> None:
    """No exception; and what has been masked stays so."""
    once = masked(text)
    assert len(once) <= len(text)
