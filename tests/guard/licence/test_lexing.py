"""Lexemes: what is dropped, what looks alike is alike, and where each stands in the text as it came."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.licence.folding import fold
from truepenny.guard.licence.lexing import FIRST_NUMBER, FIRST_WORD, lex


def words(text: str) -> list[str]:
    lexemes = lex(text)
    return [text[a:b] for a, b in zip(lexemes.starts.tolist(), lexemes.ends.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = foo(1.5)", ["x", "=", "foo", "(", "1", ".", "5", ")"]),
        ("x = 1  # why\ny", ["x", "=", "1", "y"]),
        ("f(); // why\ny", ["f", "(", ")", ";", "y"]),
        ("a /* b\n c */ d", ["a", "d"]),
        ("a /* b", ["a", "/", "*", "b"]),
        ("b */ c", ["b", "*", "/", "c"]),
        (
            "glob('src/*')\nx\n'*/y'",
            ["glob", "(", "'", "src", "/", "*", "'", ")", "x", "'", "*", "/", "y", "'"],
        ),
        ("// a /* b\nc\n*/", ["c", "*", "/"]),
        ("#include <x.h>\n#define N 3", ["#", "include", "<", "x", ".", "h", ">", "#", "define", "N", "3"]),
        ("#[derive(A)]", ["#", "[", "derive", "(", "A", ")", "]"]),
        ("a#b", ["a", "#", "b"]),
        ('"""words in\nstrings"""', ['"', '"', '"', "words", "in", "strings", '"', '"', '"']),
        ("", []),
        ("\n# only\n", []),
    ],
)
def test_what_is_a_lexeme(text, expected):
    """Line comments and whole block comments go; strings and directives stay, wherever one begins."""
    assert words(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("copy", "сору"),
        ("value", "va\u200blue"),
        ("value", "\u202evalue\u202c"),
        ("value", "ｖａｌｕｅ"),
        ("café", "cafe\u0301"),
        ("a = b", "a\u00a0=\u2003b"),
    ],
)
def test_what_looks_alike_is_alike(one, other):
    """A copy in which letters were exchanged for their doubles is the same to us."""
    assert lex(one).values.tolist() == lex(other).values.tolist()


@pytest.mark.parametrize(("one", "other"), [("value", "valve"), ("A", "a"), ("1", "2"), ("if", "else")])
def test_what_differs_is_different(one, other):
    """Folding goes no further than the eye."""
    assert lex(one).values.tolist() != lex(other).values.tolist()


def test_names_and_numbers_lose_their_shape_and_keywords_do_not():
    """The renamed channel sees `V = V(N)` and the keywords."""
    one, other = lex("if total: total = first(12)"), lex("if x: x = y(7)")
    assert one.shapes.tolist() == other.shapes.tolist()
    assert lex("while x: x = y(7)").shapes.tolist() != other.shapes.tolist()
    assert [code >= FIRST_WORD for code in lex("if x 1").codes.tolist()] == [False, True, False]
    assert lex("7").codes[0] >= FIRST_NUMBER


@given(st.text(max_size=300))
def test_offsets_are_of_the_text_as_it_came(text):
    """Whatever the text: in order, inside it, not empty, and folding knows the way back."""
    lexemes = lex(text)
    spans = list(zip(lexemes.starts.tolist(), lexemes.ends.tolist(), strict=True))
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(a <= c for (a, _), (c, _) in itertools.pairwise(spans))
    folded, origins = fold(text)
    assert len(folded) == len(text) if origins is None else len(origins) == len(folded) + 1


def test_a_fragment_gives_the_lexemes_of_the_whole():
    """Where a block begins, in a docstring or out of it, does not change what it is."""
    whole = 'def f():\n    """One.\n\n    Two: it\'s # not code\n    """\n    return g("/*")\n'
    lines = whole.splitlines(keepends=True)
    for first in range(len(lines)):
        fragment = lex("".join(lines[first:])).values.tolist()
        assert lex(whole).values.tolist()[-len(fragment) :] == fragment
