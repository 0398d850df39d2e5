"""Pain 9: the Tab key is taken for suggestions too short to be worth it.

Which key accepts is the editor's; what we can do is to show nothing that a key is not worth, and never to
begin with what the Tab key itself would type.
"""

from __future__ import annotations

import pytest

from .editor import editor


@pytest.mark.parametrize("written", [")\n", ";\n", "\n", "   \n", "\t\n", ",\n", "}\n"])
def test_a_lone_bracket_or_blank_is_not_shown(written: str) -> None:
    """Tab then indents, as it always has."""
    with editor(otherwise=written) as typist:
        assert typist.ask("value = f(a|\n") == []
        assert typist.why()["reason"]


def test_where_tab_would_indent_the_suggestion_says_something() -> None:
    """At a line's start the first thing shown is code: no suggestion is only indentation."""
    with editor(otherwise="\tvalue()\n") as typist:
        (text,) = typist.ask("def f():\n\t|\n")

    assert text.strip()
