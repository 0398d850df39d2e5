"""Pain 2: suggestions in comments, strings and prose."""

from __future__ import annotations

import pytest

from .editor import INVOKED, Editor, editor


@pytest.fixture(scope="module")
def plain():
    with editor() as one:
        yield one


@pytest.fixture(scope="module")
def stricter():
    with editor({"completion": {"disabled_scopes": ["comment", "string", "docstring"]}}) as one:
        yield one


@pytest.mark.parametrize(
    ("path", "language", "marked", "reason"),
    [
        ("/ws/a.py", "python", "value = 1  # the sum of |\n", "in a comment"),
        ("/ws/a.ts", "typescript", "/* the sum of |\nfoo();\n", "in a comment"),
        ("/ws/a.sql", "sql", "select 1 -- the sum of |\n", "in a comment"),
        ("/ws/a.md", "markdown", "Some words |\n", "off for markdown"),
        ("/ws/a.txt", "plaintext", "Some words |\n", "off for plaintext"),
    ],
)
def test_what_a_person_says_is_left_to_the_person(
    plain: Editor, path: str, language: str, marked: str, reason: str
) -> None:
    """Until it is asked for."""
    assert plain.ask(marked, path=path, language=language) == []
    assert reason in plain.why(path)["reason"]
    assert plain.ask(marked, path=path, language=language, trigger=INVOKED)


@pytest.mark.parametrize(
    "marked", ["# the sum of all\n|\n", 'def f():\n    """The sum of |\n', "x = d['|']\n"]
)
def test_what_the_code_tells_is_suggested(plain: Editor, marked: str) -> None:
    """Below a comment, in documentation, and in strings, which are seldom prose."""
    assert plain.ask(marked)


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        ('x = "some words |"\n', "in a string"),
        ('x = "some words |\n', "in a string"),
        ('def f():\n    """Some words |\n', "in a docstring"),
    ],
)
def test_strings_are_off_where_a_person_says_so(stricter: Editor, marked: str, reason: str) -> None:
    """Also while they have no end yet, where a parser sees no string."""
    assert stricter.ask(marked) == []
    assert reason in stricter.why()["reason"]


def test_code_in_a_string_is_code(stricter: Editor) -> None:
    """`{}` in an f-string is asked about all the same."""
    assert stricter.ask('x = f"{|}"\n')


def test_a_suggestion_is_typed_through_where_nothing_is_asked() -> None:
    """Neither its own comment nor a letter taken back makes it go away."""
    uri = "file:///ws/a.py"
    with editor(replies=[("value = ", "one()  # by hand\n")], otherwise="") as one:
        assert one.ask("value = |\n") == ["one()  # by hand"]
        one.change(uri, (0, 8, 8, "one()  # by"))
        assert one.ask_at(uri, 0, 19) == [" hand"]
        one.change(uri, (0, 18, 19, ""))
        assert one.ask_at(uri, 0, 18) == ["y hand"]
        one.change(uri, (0, 18, 18, "et"))
        assert one.ask_at(uri, 0, 20) == []
        assert "in a comment" in one.why()["reason"]
