"""The white space a place demands."""

from __future__ import annotations

import pytest

from truepenny.lsp_server.place.gate import surroundings
from truepenny.lsp_server.place.indentation import indent_unit, missing_indent


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("def f():\n|", "    "),
        ("if a:\n    b\ndef f():\n  |", "  "),
        ("def f():\n  |", ""),
        ("def f():\n    |", ""),
        ("def f():\n\n|\n", "    "),
        ("class A:\n    def f():\n|", "        "),
        ("if a:\n\tb()\nif c:\n|", "\t"),
        ("function f() {\n  a();\n}\nfunction g() {\n|", "  "),
        ('def f():\n    """One line."""\n|', "    "),
        ('def f():\n    """Two\n\n    lines.\n    """\n|', "    "),
        ("def f():\n    '''Single.'''\n\n|", "    "),
        ('def f():\n    """Doc."""\n    x = 1\n|', ""),
        ('x = """\ntext\n"""\n|', ""),
        ("x = 1\n|", ""),
        ("# note:\n|", ""),
        ("def f():\n    x|", ""),
        ("def f():\n|    x", ""),
        ("|", ""),
        # A tab where four spaces are demanded: mixing would be worse than leaving it.
        ("def f():\n\t|", ""),
    ],
)
def test_a_block_just_opened_demands_its_indentation(marked: str, expected: str) -> None:
    """Left at column 0 a small model writes something else than the body."""
    offset = marked.index("|")
    text = marked.replace("|", "", 1)

    assert missing_indent(text, offset, surroundings(text, offset)) == expected


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", "    "),
        ("a\n  b\n    c\n", "  "),
        ("a:\n    b\n    c:\n        d\n", "    "),
        ("a\n\tb\n", "\t"),
        ("a(\n      x)\nb:\n  c\nd:\n  e\n", "  "),
    ],
)
def test_the_step_is_the_one_of_the_file(text: str, unit: str) -> None:
    """Wrong indentation is a reason people give for switching an assistant off."""
    assert indent_unit(text) == unit
