"""Each rule by itself, then all of them.  `¦` is the cursor."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from truepenny.lsp_server.trimming import like_document, trim
from truepenny.lsp_server.trimming.following import cut_repeats_below, drop_closers, drop_rest
from truepenny.lsp_server.trimming.leaks import cut_at_file_mark, cut_special_tokens, drop_fences
from truepenny.lsp_server.trimming.likeness import distance, is_alike
from truepenny.lsp_server.trimming.margins import drop_blank_ends, drop_typed_indent, fit_indent
from truepenny.lsp_server.trimming.meaning import drop_implied
from truepenny.lsp_server.trimming.repetition import cut_loop, cut_repeated_lines, drop_line_above, period
from truepenny.lsp_server.trimming.rules import RULES
from truepenny.lsp_server.trimming.seam import drop_partial_word, drop_typed, join_white_space

ROWS = {
    cut_special_tokens: [
        ("x = ¦", "1<|endoftext|>import os", "1"),
        ("x = ¦", "1<fim_suffix>", "1"),
        ("x = ¦", "a <| b", "a <| b"),
        ("x = ¦", "a </s>", "a "),
        ("x = '<|im_end|>' + ¦", "'<|im_end|>'", "'<|im_end|>'"),
    ],
    drop_fences: [
        ("¦", "```python\nx = 1\n```\nThat is it.", "x = 1"),
        ("¦", "x = 1\n", "x = 1\n"),
    ],
    cut_at_file_mark: [
        ("¦", "x = 1\n# Path: b.py\ny = 2", "x = 1"),
        ("# Path: a.py\n¦", "# Path: b.py", "# Path: b.py"),
    ],
    drop_typed: [
        ("    return ¦", "return x", " x"),
        ("x = ¦", "x + 1", "x + 1"),
        ("fo¦", "fo", "fo"),
    ],
    drop_partial_word: [
        ("x.get_¦", "get_item()", "item()"),
        ("ha¦", "haha", "haha"),
        ("x.¦", "x", "x"),
    ],
    join_white_space: [
        ("x = ¦", "  1", "1"),
        ("f(¦ )", "a ", "a"),
        ("¦", "    x", "    x"),
    ],
    cut_repeats_below: [
        ("x = ¦\ny = 2\n", "1\ny = 2\nz = 3", "1"),
        ("    ¦\n    return x\n", "return x", ""),
        ("¦\n\n\nreturn x\n", "return x", ""),
        ("f() {\n  ¦\n}\n", "g();\n}", "g();"),
        ("f() {\n  ¦\n}\n", "if (a) {\n    g();\n  }", "if (a) {\n    g();\n  }"),
        # A `return` in a branch is not the one below, and one character makes another statement.
        ("    ¦\n    return x\n", "if y:\n        return x", "if y:\n        return x"),
        ("    ¦\n    n -= 1\n", "n += 1", "n += 1"),
        # Other quotes, other spaces: the same.
        ("    ¦\n    x = f('a', b)\n", 'x = f("a",b)', ""),
        ("¦\n# Returns the number of items.\n", "# Returns the number of item.", ""),
    ],
    drop_rest: [
        ("f(¦, b)", "a, b)", "a"),
        ("f(¦)", "a)", "a)"),
    ],
    drop_closers: [
        ("f(¦)\n", "a, g(b))", "a, g(b)"),
        ("f(¦)\n", "a)", "a"),
        ("f(¦)\n", "g(b)", "g(b)"),
        ("x = ['¦']\n", "a']", "a"),
        ("if (¦) {\n", "a) {", "a"),
    ],
    cut_repeated_lines: [
        ("¦", "a\nb()\nb()\nb()\nb()", "a\nb()"),
        ("¦", "a()\nb()\nc()\na()\nb()\nc()\n", "a()\nb()\nc()"),
        ("¦", "a()\nb()\na()\nb()", "a()\nb()\na()\nb()"),
        ("¦", "}\n}\n}", "}\n}\n}"),
    ],
    cut_loop: [
        ("¦", "x = " + "a " * 20, "x = a"),
        ("¦", "x = " + "(a + b) * " * 12, "x = (a + b) *"),
        ("¦", "# " + "-" * 60, "# " + "-" * 60),
        ("¦", "x = [0, 0, 0, 0]", "x = [0, 0, 0, 0]"),
    ],
    drop_line_above: [
        ("a()\n¦\n", "a()", ""),
        ("a()\n¦\n", "a()\nb()", "b()"),
        ("}\n¦\n", "}", "}"),
        ("x = a()¦\n", "a()", "a()"),
    ],
    drop_blank_ends: [
        ("x = ¦\n", "1   ", "1"),
        ("¦\n", "    \n    x  \n    y\n\n", "    x\n    y"),
        ("not ¦x", "a or ", "a or "),
        ("x = 1¦\n", "\ny", "\ny"),
    ],
    drop_typed_indent: [
        ("def f():\n    ¦", "    return x", "return x"),
        ("def f():\n    ¦", "    x = 1\n    return x", "x = 1\n    return x"),
        ("if a:\n    b()\n    ¦", "    c()", "c()"),
        ("if a:\n    if b:\n    ¦", "    c()", "    c()"),
        ("def f():\n¦", "    x", "    x"),
    ],
    fit_indent: [
        ("if a:\n\tb()\n\t¦", "for x in y:\n        z()", "for x in y:\n\t\tz()"),
        ("if a:\n  b()\n  ¦", "for x in y:\n      z()\n      w()", "for x in y:\n    z()\n    w()"),
        ("if a:\n    b()\n    ¦", "for x in y:\n\t\tz()", "for x in y:\n        z()"),
        # What hangs is left as it hangs.
        ("if a:\n    b()\n    ¦", "x = f(a,\n          b)", "x = f(a,\n          b)"),
        ("¦", "if a:\n  b()", "if a:\n  b()"),
    ],
    drop_implied: [
        ("f(a¦", ")", ""),
        ("f(a¦", ");", ""),
        ("f(a¦", "b)", "b)"),
    ],
}


def test_every_rule_has_rows() -> None:
    """A rule without an example is a rule nobody can check."""
    assert set(ROWS) == {rule.apply for rule in RULES}


@pytest.mark.parametrize(
    ("rule", "marked", "text", "expected"),
    [
        pytest.param(rule, *row, id=f"{rule.__name__}-{number}")
        for rule, rows in ROWS.items()
        for number, row in enumerate(rows)
    ],
)
def test_a_rule_does_one_thing(place, rule, marked: str, text: str, expected: str) -> None:
    """And does it once: what it leaves, it leaves."""
    here = place(marked)

    assert rule(text, here) == expected
    assert rule(expected, here) == expected


@pytest.mark.parametrize(
    ("marked", "text", "shown"),
    [
        ("x = ¦\n", "   ", "the model has nothing to add"),
        ("    ¦\n    return x\n", "return x", "repeated the lines below"),
        ("f(¦)\n", ")", "only closed what is already closed"),
        ("a()\n¦\n", "a()", "repeated the line above"),
        ("x = ¦", "<|im_end|>", "special token"),
        ("x = f(a¦\n", ")", "closing punctuation"),
        ("return ¦", "return", "typed already"),
    ],
)
def test_silence_has_a_reason(place, marked: str, text: str, shown: str) -> None:
    """A person who asks why gets an answer."""
    trimmed = trim(text, place(marked))

    assert trimmed.text == ""
    assert shown in trimmed.silence


def test_little_is_better_than_nothing_for_who_asks(place) -> None:
    """A key was pressed: then one bracket is an answer."""
    assert trim(")", place("f(a¦\n", is_asked=True)).text == ")"


@pytest.mark.parametrize(("document", "end"), [("a\r\nb", "\r\n"), ("a\nb", "\n"), ("", "\n")])
def test_line_ends_are_those_of_the_document(document: str, end: str) -> None:
    """A file with both kinds after one suggestion is a file somebody has to mend."""
    assert like_document("x\ny", document) == f"x{end}y"


MARKED = [
    "x = ¦\n",
    "f(¦)\n}\nab\n",
    "if a:\n\tb()\n\t¦\n\tab\n",
    "if a:\n  b\n  ¦\n",
    "ab\n¦\nab\n",
    "abab¦ ab\n",
    "def f():\n    ¦\n    return a\n",
]


@given(st.text(alphabet="ab()[]{}:'\"#<|>\n\t =-,;", max_size=60), st.sampled_from(MARKED), st.booleans())
@example(text="a\n\n\n a\n a\n a", marked=MARKED[0], is_asked=False)
def test_trimming_twice_is_trimming_once(place, text: str, marked: str, is_asked: bool) -> None:  # noqa: FBT001  (drawn by hypothesis)
    """Rules that make room for one another come to rest."""
    here = place(marked, is_asked=is_asked)
    once = trim(text, here)

    assert once.text == "" or trim(once.text, here).text == once.text
    assert bool(once.text.strip()) is not bool(once.silence)


@given(st.text(alphabet="ab()[]{}:'\"#\n\t =,", max_size=60), st.sampled_from(MARKED))
def test_no_character_is_invented(place, text: str, marked: str) -> None:
    """What is shown is what the model wrote, in its order, but for indentation."""
    written = iter(char for char in text if char not in " \t")

    assert all(char in written for char in trim(text, place(marked)).text if char not in " \t")


@given(st.lists(st.sampled_from("ab"), max_size=12))
def test_a_period_is_the_smallest_shift_that_fits(tokens: list[str]) -> None:
    """As by trying them all."""
    fitting = (p for p in range(1, len(tokens) + 1) if tokens[p:] == tokens[: len(tokens) - p])

    assert period(tokens) == next(fitting, 0)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("x = 'a'", 'x = "a";', True),
        ("x += 1", "x -= 1", False),
        ("# the sum of all items", "# the sum of al items", True),
        ("# a", "# b", False),
        ("return a", "return b", False),
    ],
)
def test_lines_of_code_are_alike_only_if_they_mean_the_same(a: str, b: str, expected: bool) -> None:  # noqa: FBT001
    """Tabby's 5 % would take `+= 1` for `-= 1`."""
    assert is_alike(a, b) is expected


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_distance_is_symmetric_and_stops_in_time(a: str, b: str) -> None:
    """Above the limit any number above it will do."""
    assert distance(a, b, 20) == distance(b, a, 20)
    assert (distance(a, b, 2) > 2) == (distance(a, b, 20) > 2)
