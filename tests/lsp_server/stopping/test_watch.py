"""When text is complete.  `¦` is the cursor; `None`: more is wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.language_table import LANGUAGES
from truepenny.lsp_server.stopping import MAX_LINES


@pytest.mark.parametrize(
    ("marked", "generated", "expected"),
    [
        ("x = ¦\n", "1 + 2\ny = 3\n", "1 + 2"),
        ("x = ¦\n", "1 + 2", None),
        ("x = 1¦\n", "\ny = 2\n", ""),
        ("f(¦)\n", "a, b)\n", "a, b)"),
        ("    ¦\n    return x\n", "x = 1\n    y = 2\n", "x = 1"),
        ("¦\nreturn x\n", "\n    x = 1\n    y", "\n    x = 1"),
        # A line that opens a block goes on as one …
        ("¦\ny = 1\n", "def f():\n    return 1\n\nz = 2\n", "def f():\n    return 1"),
        ("for x in ¦\n", "xs:\n    print(x)\nprint(1)\n", "xs:\n    print(x)"),
        # … unless its body is already there, or something stands after the cursor.
        ("¦\n    return 1\n", "def f():\n    x = 1\n", "def f():"),
        ("for x in ¦:\n    pass\n", "xs:\n    print(x)\n", "xs:"),
        ("x = ¦\n", "1\n```\n", "1"),
        # What the line opened is closed, in so many lines.
        ("x = f(a, ¦\n", "b,\n      c)\ny = 1\n", "b,\n      c)"),
        ("x = ¦\n", "[\n    1,\n    2,\n]\ny\n", "[\n    1,\n    2,\n]"),
        ("x = ¦\n", "[\n" + "    1,\n" * 9, "["),
        ("x = ¦\n", "a \\\n    + b\nc\n", "a \\\n    + b"),
        ("x = ¦\n", '"""a\nb"""\ny\n', '"""a\nb"""'),
        # What stands below already is the end, also where it is all there is.
        ("x = 1\n¦\nz = 3\n", "z = 3\n", "z = 3"),
    ],
)
def test_a_line_is_complete_at_the_end_of_its_statement(
    kept, marked: str, generated: str, expected: str | None
) -> None:
    """Where one line is asked for; a header may take its body along."""
    assert kept(marked, generated, is_multi=False) == expected


@pytest.mark.parametrize(
    ("marked", "generated", "expected"),
    [
        ("def f():¦\n", "\n    x = 1\n    return x\n\n\ny", "\n    x = 1\n    return x"),
        ("def f():¦\n", "\n    x = 1\n\n    return x\ny = 1\n", "\n    x = 1\n\n    return x"),
        ("def f():\n    ¦", "x = 1\n    return x\ndef g():\n", "x = 1\n    return x"),
        # The level of the block is left by `return`, not by one inside a branch.
        (
            "def f():\n    ¦",
            "if x:\n        return y\n\n    return 1\n",
            "if x:\n        return y\n\n    return 1",
        ),
        # A paragraph ends a block that goes on below, and is but a part of one that does not.
        ("def f():\n    ¦\n\n    z()\n", "x = 1\n\n    y = 2\n", "x = 1"),
        ("def f():\n    ¦\n\n\ndef g():\n", "x = 1\n\n    y = 2\n", None),
        ("def f():\n    ¦\n\n\ndef g():\n", "x = 1\n\n    return 2\n", "x = 1\n\n    return 2"),
        ("def f():\n    ¦", "```\n", None),
        ("def f():\n    ¦", "x = 1\n```\nThat is all.", "x = 1"),
        ("def f():\n    ¦", "x = 1\n", None),
        # Left of the block, but inside brackets or a string.
        (
            "def f():\n    ¦\n\n    z()\n",
            "x = f(\n1)\n    y = '''\na\n'''\n\n",
            "x = f(\n1)\n    y = '''\na\n'''",
        ),
        # The lines below stand deeper: their header is wanted.
        (
            "if a:\n    ¦\n            c()\n",
            "x = 1\n    for y in z:\n        if y:\n",
            "x = 1\n    for y in z:\n        if y:",
        ),
        # The line below would never be reached: `else:` is wanted.
        ("if a:\n    ¦\n    c()\n", "return 1\nelse:\n", "return 1\nelse:"),
        # Nothing stands left of both its neighbours.
        ("def f():\n    a()\n¦\n    b()\n", "# Test cases\nprint(f())\n", ""),
        ("def f():\n    ¦\n    z = 3\n", "y = 2\n    z = 3\n", "y = 2"),
        # The next declaration, or the next paragraph of a file.
        ("¦\n", "def f():\n    a\n\n    b\n\n\ndef g():\n", "def f():\n    a\n\n    b"),
        ("class A:\n    ¦\n", "@b\n    def f():\n        a\n    def g():\n", "@b\n    def f():\n        a"),
        ("¦\n", "for a in b:\n    c\n\nd\n", "for a in b:\n    c"),
        # Indented by the editor, and by the model again.
        ("def f():\n    ¦\n", "    y = 2\n    z = 3\nx\n", "    y = 2\n    z = 3"),
        (
            "def f():\n    ¦\n    return z\n",
            "if y:\n        return z\n    return z\n",
            "if y:\n        return z",
        ),
    ],
)
def test_a_block_is_complete_when_the_code_leaves_it(
    kept, marked: str, generated: str, expected: str | None
) -> None:
    """The decoder is stopped by the shape of the text, not by a token count."""
    assert kept(marked, generated, is_multi=True) == expected


def test_a_block_has_an_end_even_if_the_model_has_none(kept) -> None:
    """A model that goes on for ever is cut at a screenful."""
    text = kept("def f():\n    ¦", "x = 1\n" + "    x += 1\n" * 100, is_multi=True)

    assert text == "x = 1\n" + "    x += 1\n" * (MAX_LINES - 2) + "    x += 1"


@pytest.mark.parametrize(
    ("language", "marked", "generated", "whole"),
    [
        ("python", "def f():\n    ¦", "x = 1\n    y = g(\n        a,\n", "x = 1"),
        ("python", "def f():\n    ¦", "x = 1\n    if x:\n", "x = 1"),
        ("python", "def f():\n    ¦", "x = 1\n    if x:\n        y()\n", "x = 1\n    if x:\n        y()"),
        ("python", "def f():\n    ¦", "x = 1\n    y = 2", "x = 1"),
        ("python", "x = ¦", "f(\n  a", ""),
        ("javascript", "function f() {\n  ¦", "a();\n  if (b) {\n    c();\n", "a();"),
        ("lua", "function f()\n  ¦", "a()\n  if b then\n    c()\n", "a()"),
        ("", "¦", "a\n  b\nc", "a\n  b"),
    ],
)
def test_what_is_cut_short_ends_with_a_whole_statement(
    watching, language: str, marked: str, generated: str, whole: str
) -> None:
    """Not merely with a whole line: an open bracket is no statement, nor is a header alone."""
    end = watching(marked, language, is_multi=True)

    assert generated[: end.whole_length(generated)] == whole


@given(
    st.text(alphabet="ab :{}()[]\"'`;#/*\n\tdoendif", max_size=60),
    st.sampled_from(["", *(language.name for language in LANGUAGES)]),
    st.sampled_from(["x = ¦\n", "def f():\n    ¦\n", "f(¦)\n", "a {\n  ¦\n}\n", '"""¦', "¦"]),
    st.booleans(),
)
def test_what_is_complete_is_a_beginning_of_what_was_generated(
    watching,
    text: str,
    language: str,
    marked: str,
    is_multi: bool,  # noqa: FBT001  (drawn by hypothesis)
) -> None:
    """Whatever a model writes in whatever language, the length is within the text and never an error."""
    end = watching(marked, language, is_multi=is_multi)

    length = end.complete_length(text)

    assert length is None or 0 <= length <= len(text)
    assert 0 <= end.whole_length(text) <= len(text)


@given(
    st.lists(st.sampled_from(["x = 1", "f(", ")", "if a:", "    y", "", "'''", "    return"]), max_size=12)
)
def test_the_verdict_does_not_depend_on_how_the_text_came(watching, lines: list[str]) -> None:
    """The tree that grew with the stream says what a new one says."""
    text = "\n".join(lines)
    grown = watching("def f():\n    ¦\n", is_multi=True)
    for length in range(len(text)):
        grown.whole_length(text[:length])

    assert grown.whole_length(text) == watching("def f():\n    ¦\n", is_multi=True).whole_length(text)
