"""When generated text is complete, and what of it may be shown.  `|` is the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.gate import Surroundings, surroundings
from truepenny.lsp_server.suggestion import (
    BlockEnd,
    cut_repeats_of_following,
    cut_repetition,
    drop_closers,
    finish,
)


def place(marked: str) -> tuple[Surroundings, list[str]]:
    offset = marked.index("|")
    text = marked.replace("|", "", 1)
    return surroundings(text, offset), text[offset:].split("\n")[1:]


def check_complete(marked: str, generated: str, expected: str | None, *, is_multi: bool) -> None:
    """Feed character by character, as a stream may: the first verdict counts."""
    end = BlockEnd(place(marked)[0], is_multi=is_multi)
    for length in range(1, len(generated) + 1):
        kept = end.complete_length(generated[:length])
        if kept is not None:
            assert generated[:kept] == expected
            return
    assert expected is None


@pytest.mark.parametrize(
    ("marked", "generated", "expected"),
    [
        ("x = |\n", "1 + 2\ny = 3\n", "1 + 2"),
        ("x = |\n", "1 + 2", None),
        ("x = 1|\n", "\ny = 2\n", ""),
        ("f(|)\n", "a, b)\n", "a, b)"),
        ("    |\n    return x\n", "x = 1\n    y = 2\n", "x = 1"),
        ("|\nreturn x\n", "\n    x = 1\n    y", "\n    x = 1"),
        # A line that opens a block goes on as one …
        ("|\ny = 1\n", "def f():\n    return 1\n\nz = 2\n", "def f():\n    return 1"),
        ("for x in |\n", "xs:\n    print(x)\nprint(1)\n", "xs:\n    print(x)"),
        # … unless its body is already there, or something stands after the cursor.
        ("|\n    return 1\n", "def f():\n    x = 1\n", "def f():"),
        ("for x in |:\n    pass\n", "xs:\n    print(x)\n", "xs:"),
        ("x = |\n", "1\n```\n", "1"),
    ],
)
def test_a_line_is_complete_at_its_end(marked: str, generated: str, expected: str | None) -> None:
    """Single-line mode, with the rule that a header may take its body along."""
    check_complete(marked, generated, expected, is_multi=False)


@pytest.mark.parametrize(
    ("marked", "generated", "expected"),
    [
        ("def f():|\n", "\n    x = 1\n    return x\n\n\ny", "\n    x = 1\n    return x"),
        ("def f():|\n", "\n    x = 1\n\n    return x\ny = 1\n", "\n    x = 1\n\n    return x"),
        ("def f():\n    |", "x = 1\n    return x\ndef g():\n", "x = 1\n    return x"),
        ("def f():\n    |", "if x:\n        y()\n\n    return 1\n", None),
        ("function f() {|\n", "\n  return 1;\n}\nf();\n", "\n  return 1;\n}"),
        ("func f() {\n\t|\n", "if a {\n\t\treturn\n\t}\n}\n", "if a {\n\t\treturn\n\t}"),
        ("def f():\n    |", "```\n", None),
        ("def f():\n    |", "x = 1\n```\nThat is all.", "x = 1"),
        ("def f():\n    |", "x = 1\n", None),
    ],
)
def test_a_block_is_complete_when_the_code_leaves_it(
    marked: str, generated: str, expected: str | None
) -> None:
    """The decoder is stopped by the shape of the text, not by a token count."""
    check_complete(marked, generated, expected, is_multi=True)


def test_a_block_has_an_end_even_if_the_model_has_none() -> None:
    """A model that goes on for ever is cut at a screenful."""
    check_complete(
        "def f():\n    |",
        "x = 1\n" + "    x += 1\n" * 100,
        "x = 1\n" + "    x += 1\n" * 22 + "    x += 1",
        is_multi=True,
    )


@given(st.text(alphabet="ab :{}()\n\t", max_size=60), st.booleans())
def test_what_is_complete_is_a_beginning_of_what_was_generated(text: str, is_multi: bool) -> None:  # noqa: FBT001  (drawn by hypothesis)
    """Whatever a model writes, the length is within the text and never an error."""
    for marked in ("x = |\n", "def f():\n    |\n", "f(|)\n"):
        length = BlockEnd(place(marked)[0], is_multi=is_multi).complete_length(text)

        assert length is None or 0 <= length <= len(text)


@pytest.mark.parametrize(
    ("marked", "text", "shown"),
    [
        ("x = |\ny = 2\n", "1\ny = 2\nz = 3", "1"),
        ("    |\n    return x\n", "return x", ""),
        ("|\n\n\nreturn x\n", "return x", ""),
        ("f(|)\n", "a, g(b))", "a, g(b)"),
        ("f(|)\n", "a)", "a"),
        ("f(|)\n", "g(b)", "g(b)"),
        ("x = ['|']\n", "a']", "a"),
        ("if (|) {\n", "a) {", "a"),
        ("x = |\n", "   ", ""),
        ("x = |\n", "1   ", "1"),
        ("a()\n|\n", "a()", ""),
        ("x = |\n", "a\nb()\nb()\nb()\nb()", "a\nb()"),
        ("f() {\n  |\n}\n", "g();\n}", "g();"),
        ("f() {\n  |\n}\n", "if (a) {\n    g();\n  }", "if (a) {\n    g();\n  }"),
    ],
)
def test_nothing_is_shown_twice(marked: str, text: str, shown: str) -> None:
    """Duplicating what follows the cursor is the most reported fault of assistants."""
    here, following = place(marked)

    kept, silence = finish(text, here, following)

    assert kept == shown
    assert bool(silence) is not bool(shown)


@given(st.text(alphabet="ab()[]{}\n ", max_size=40))
def test_the_rules_only_ever_shorten(text: str) -> None:
    """None of them invents a character."""
    here, following = place("f(|)\n}\nab\n")

    for shortened in (
        cut_repeats_of_following(text, here, following),
        cut_repetition(text),
        drop_closers(text, here),
    ):
        assert text.startswith(shortened)
