"""Pain 4: nothing, or rubbish, in the middle of a line and before brackets that the editor closed."""

from __future__ import annotations

import pytest

from .editor import Editor, editor


@pytest.fixture(scope="module")
def typing():
    with editor(otherwise="answer") as one:
        yield one


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("python", "value = foo(|)\n"),
        ("python", 'value = d["|"]\n'),
        ("python", "value = [|]\n"),
        ("python", "value = {|}\n"),
        ("python", 'value = f"{|}"\n'),
        ("python", 'def f():\n    """|"""\n'),
        ("javascript", "const value = `${|}`;\n"),
        ("javascript", "foo(bar(|));\n"),
        ("javascript", "foo(|),\n"),
        ("typescriptreact", "const value = <p>|</p>;\n"),
        ("typescriptreact", "const value = <A b={|} />;\n"),
    ],
)
def test_brackets_that_the_editor_closed_do_not_silence(typing: Editor, language: str, marked: str) -> None:
    """The text goes between them, and does not close them again."""
    path = f"/ws/{abs(hash(marked))}.{language}"

    assert typing.ask(marked, path=path, language=language) == ["answer"], typing.why(path)


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        ("va|lue = 1\n", "inside a word"),
        ("value = | + other\n", "code after the cursor"),
        ("value = foo(|, other)\n", "code after the cursor"),
        ("foo|(other)\n", "code after the cursor"),
        ('foo(|"other")\n', "code after the cursor"),
        ("if a:\n  |  return 1\n", "indentation"),
    ],
)
def test_nothing_is_put_into_the_middle_of_code(typing: Editor, marked: str, reason: str) -> None:
    """A text made for the end of a line is rubbish there, and the reason says so."""
    assert typing.ask(marked) == []
    assert reason in typing.why()["reason"]
