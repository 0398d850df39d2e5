"""Facts hold for any text, in little time, and after any edit."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.context import parsing
from truepenny.context.errors import BinaryFileError
from truepenny.context.extraction import FactsOf, extract, extract_counted
from truepenny.context.extraction.captures import MAX_RUN
from truepenny.context.extraction.file_facts import MAX_LINE
from truepenny.context.facts import Definition, FileFacts, Reference, References
from truepenny.context.files import read_file
from truepenny.context.language_table import LANGUAGES, PYTHON, Language
from truepenny.context.languages import language_of_id

FIXTURES = Path(__file__).parents[1] / "fixtures" / "facts"

each_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)

SOUP = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("(){}[]<>\"'`#/*\\\n\r\t =;:.,x@$")), max_size=120
)


def sample(language: Language) -> str:
    (path,) = (one for one in FIXTURES.glob(f"{language.name}.*") if one.suffix != ".txt")
    return path.read_text(encoding="utf-8")


def named(name: str) -> Language:
    found = language_of_id(name)
    assert found is not None
    return found


def check(text: str, language: Language) -> FileFacts:
    """What must hold of the facts of any text."""
    facts = extract(text, language)
    assert facts == extract(text, language)
    counted = extract_counted(text, language)
    assert counted.facts == replace(facts, references=References(), bindings=())
    assert counted.uses == Counter(facts.references.names)
    lines = text.count("\n")
    for one in facts.definitions:
        assert 0 <= one.start <= one.name_start < one.end <= len(text)
        assert text.startswith(one.name, one.name_start)
        assert 0 <= one.line <= one.end_line <= lines
        assert one.line == text.count("\n", 0, one.start)
        told = (one.signature, one.doc, one.type, one.returns, one.callee, *one.bases, *one.decorators)
        assert not any("\n" in text for text in told)
        assert all(len(text) <= 1000 for text in told)
        assert one.qualified_name.endswith(one.name)
    assert [one.start for one in facts.references] == sorted({one.start for one in facts.references})
    for use in facts.references:
        assert use.name
        assert text.startswith(use.name, use.start)
        assert use.line == text.count("\n", 0, use.start)
    for one in facts.imports:
        assert 0 <= one.start <= one.end <= len(text)
        assert one.line == text.count("\n", 0, one.start)
    for one in facts.bindings:
        assert text.startswith(one.name, one.start)
        assert one.type
    return facts


@each_language
@given(text=SOUP)
@settings(max_examples=40, deadline=None)
def test_any_text_has_facts(language: Language, text: str):
    """Half-typed code, half a surrogate pair, NUL: offsets lie inside and texts are on one line."""
    check(text, language)


@each_language
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_broken_code_has_facts(language: Language, data: st.DataObject):
    """A real program with a piece cut out and another put in."""
    text = sample(language)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 200)))
    check(text[:start] + data.draw(SOUP) + text[end:], language)


@given(data=st.binary(max_size=300), language=st.sampled_from(LANGUAGES))
@settings(max_examples=100, deadline=None)
def test_any_bytes_that_read_as_text_have_facts(data: bytes, language: Language, tmp_path_factory):
    """UTF-16 with a mark, Latin-1, stray bytes: whatever `read_file` lets through."""
    path = tmp_path_factory.mktemp("bytes") / "file"
    for content in (
        data,
        b"\xff\xfe" + sample(language).encode("utf-16-le"),
        sample(language).encode("latin-1"),
    ):
        path.write_bytes(content)
        try:
            text = read_file(path).text
        except BinaryFileError:
            continue
        check(text, language)


@each_language
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_facts_after_edits_are_those_of_a_fresh_text(language: Language, data: st.DataObject):
    """An open buffer is parsed again only where it changed, and nobody can tell."""
    document = FactsOf(sample(language), language)
    for _ in range(data.draw(st.integers(1, 4))):
        text = document.text
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        inserted = data.draw(
            st.one_of(st.text(max_size=10), st.sampled_from(["x", "\n", "(", "é.b(", "🌊", ""]))
        )
        if data.draw(st.booleans()):
            document.edit(start, end, inserted)
        else:
            document.replace(text[:start] + inserted + text[end:])
        assert document.text == text[:start] + inserted + text[end:]
    assert document.facts == extract(document.text, language)


def test_an_edit_outside_the_text_is_refused():
    """A client that lost count is told so."""
    with pytest.raises(ValueError, match=r"\[3, 9\) is outside the text of 5 characters"):
        FactsOf("x = 1", PYTHON).edit(3, 9, "")


DEEP = {
    "brackets": ("(", "", 50_000),
    "calls": ("f(", ")", 20_000),
    "members": ("a.", "b", 100_000),
    "lists": ("[", "]", 20_000),
    "blocks": ("{", "}", 20_000),
    "angles": ("a<", ">", 1_500),
    "nots": ("!", "x", 50_000),
    "separators": (";", "", 100_000),
    "commas": (",", "", 100_000),
    "line ends": ("\n", "", 200_000),
    "words": ("if ", "", 30_000),
    "quotes": ('"', "", 30_001),
}


@each_language
@pytest.mark.parametrize("what", DEEP)
def test_nesting_and_runs_end(language: Language, what: str):
    """No stack overflows, and what would take minutes is skipped with a reason."""
    opens, closes, times = DEEP[what]
    check("x\n" + "\n".join([opens * 1_000] * (times // 1_000)) + closes * times, language)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = '" + "a" * 1_000_000 + "'\n", "a line is longer than 20,000 characters"),
        ("x = 1\n" * 200_000, "limits of size"),
        ("(\n" * (MAX_RUN + 100), "tokens in a row"),
    ],
    ids=["one long line", "a large file", "a run of brackets"],
)
def test_what_is_skipped_says_why(text: str, says: str):
    """Nobody has to wonder where a file's definitions are."""
    facts = extract(text, PYTHON)
    assert says in facts.skipped
    assert not facts.definitions
    assert not facts.references
    assert FactsOf(text, PYTHON).facts == facts


def test_a_file_of_definitions_without_end_is_cut():
    """A table of constants does not become a hundred thousand definitions."""
    facts = extract("x=1\n" * 60_000, PYTHON)
    assert facts.truncated
    assert len(facts.definitions) < 25_000


def test_a_line_at_the_limit_is_read():
    """The limit itself is allowed."""
    text = "x = '" + "a" * (MAX_LINE - 6) + "'\ny = 1\n"
    assert [one.name for one in extract(text, PYTHON).definitions] == ["x", "y"]


def test_columns_read_as_references():
    """`References` is a sequence of `Reference` for whoever does not need it fast."""
    uses = extract("a.b(c)\n\nd", PYTHON).references
    expected = [
        Reference("a", "name", "", 0, 0),
        Reference("b", "call", "a", 2, 0),
        Reference("c", "name", "", 4, 0),
        Reference("d", "name", "", 8, 2),
    ]
    assert list(uses) == expected
    assert uses[1:3] == tuple(expected[1:3])
    assert uses[-1] == expected[-1]
    assert len(uses) == 4
    assert References() == extract("", PYTHON).references
    with pytest.raises(IndexError):
        uses[4]


@pytest.mark.parametrize(
    ("language", "text", "doc"),
    [
        ("python", '"""First line\n   and second.\n\nNot this."""', "First line and second."),
        ("python", "# comment\nx = 1\n", ""),
        ("python", "r'''Raw.'''", "Raw."),
        ("go", "// Package a is small.\npackage a\n", "Package a is small."),
        ("go", "// Copyright 2026 somebody\n\npackage a\n", ""),
        ("rust", "//! Of a crate.\n//! More.\n\nuse a::b;\n", "Of a crate. More."),
        ("javascript", "#!/usr/bin/env node\n/* What it does. */\n\nlet a = 1;\n", "What it does."),
        ("javascript", "/** Of the function. */\nfunction f() {}\n", ""),
        ("typescript", "/**\n * The file.\n * @module a\n */\n\nimport 'b';\n", "The file."),
        ("shellscript", "#!/bin/sh\n# Starts it.\n\nstart\n", "Starts it."),
    ],
)
def test_the_doc_of_a_file(language: str, text: str, doc: str):
    """Its own docstring or leading comment, not that of the first definition, nor a licence."""
    assert extract(text, named(language)).doc == doc


@pytest.mark.parametrize(
    ("text", "signature", "doc"),
    [
        ("def f(a, # why\n  b,\n): # and\n  pass", "def f(a, b)", ""),
        ("def f( a ):\n\t'''Doc:\n\n\tx'''", "def f( a )", "Doc:"),
        ("async  def  f() -> dict[str, int]: ...", "async def f() -> dict[str, int]", ""),
        ("class A: x = 1", "class A", ""),
        ("@a\n@b(1)\ndef f(): pass", "def f()", ""),
        ("def f(a=" + "1" * 1000 + "): pass", "def f(a=" + "1" * 391 + "…", ""),
        ("x = [" + "1, " * 100 + "]", "x = [" + "1, " * 37 + "1,…", ""),
    ],
)
def test_signatures_are_on_one_line(text: str, signature: str, doc: str):
    """As written, without body, comments and decorators; what is too long is cut."""
    first: Definition = extract(text, PYTHON).definitions[0]
    assert (first.signature, first.doc) == (signature, doc)


def test_the_parsers_of_lua_ruby_and_scala_meet_no_long_lines():
    """Their grammars count columns from the start of the line, at every step."""
    for name in ("lua", "ruby", "scala"):
        assert parsing.parse("\\ " * 20_000, named(name)).skipped
        assert not parsing.parse("x = 1\n" * 5_000, named(name)).skipped


def test_counting_needs_no_numpy():
    """A process that builds an index starts sooner without; characters outside ASCII included."""
    code = (
        "import sys; from truepenny.context.extraction import extract_counted\n"
        "from truepenny.context.language_table import PYTHON\n"
        "assert extract_counted('größe = weite(1)', PYTHON).uses == {'weite': 1}\n"
        "assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
