"""The exact token a grammar refuses, which tells wrong from unfinished."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.context.language_table import LANGUAGES, Language
from truepenny.context.languages import language_of_id
from truepenny.context.parsing import parse
from truepenny.context.refusals import refusals


@pytest.mark.parametrize(
    ("name", "before", "new", "after", "refused"),
    [
        ("python", "x = ", "foo(]", "\n", "]"),
        ("python", "é = '😀'\n", "x = é é", "\n", "é"),
        ("javascript", "function f() {\n  ", "a b", "\n}\n", "b"),
        ("java", "class A { void f() {\n", "int x = = 5;", "\n}}\n", "="),
        ("c", "void f() {\n", "x();\n}", "\n y();\n}\n", "}"),
        ("go", "package p\nfunc f() {\n", "x := 1 2", "\n}\n", "2"),
        ("rust", "fn f() {\n", "let = 1;", "\n}\n", "="),
    ],
)
def test_the_first_refused_token_is_named_where_it_stands(name, before, new, after, refused):
    """tree-sitter's log is our only source: a release that words it otherwise must fail here."""
    language = language_of_id(name)
    assert language is not None
    first = refusals(parse(before + after, language), len(before), len(before), new)[0]
    text = before + new + after
    assert text[first.start : first.end] == refused
    assert not first.at_end


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("python", "x = foo(a, "),
        ("javascript", "function f() {"),
        ("java", "class A { int x = 1"),
        ("ruby", "def f"),
    ],
)
def test_unfinished_text_is_refused_only_at_its_end(name: str, text: str):
    """Nothing is wrong with it so far."""
    language = language_of_id(name)
    assert language is not None
    found = refusals(parse("", language), 0, 0, text)
    assert found
    assert all(one.at_end for one in found)


def test_sound_text_is_not_refused():
    """Including what a parser with several readings tries and gives up on its way."""
    language = language_of_id("cpp")
    assert language is not None
    assert (
        refusals(
            parse("", language), 0, 0, "A<B> c;\nint d = (a) * b < c;\nauto f = [](int x) { return x; };\n"
        )
        == ()
    )


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
@given(text=st.text(alphabet=st.sampled_from("(){}[]<>\"'`#/*\\\n\r\t =;:xé😀"), max_size=40), data=st.data())
@settings(max_examples=20, deadline=None)
def test_any_edit_of_any_text_gives_spans_inside_it(language: Language, text: str, data: st.DataObject):
    """Broken on broken is the normal case."""
    at = data.draw(st.integers(0, len(text)))
    tree = parse(text, language)
    for one in refusals(tree, at, at, "x ( é"):
        assert 0 <= one.start <= len(text) + 5
        assert 0 <= one.end <= len(text) + 5
