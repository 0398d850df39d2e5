"""Pain 3: the suggestion duplicates code that stands after the cursor."""

from __future__ import annotations

import pytest

from .desk import ask


@pytest.mark.parametrize(
    ("language", "marked", "writes", "after"),
    [
        (
            "python",
            "def f(a):\n    ¦\n    return a\n",
            "a += 1\n    return a\n",
            "def f(a):\n    a += 1\n    return a\n",
        ),
        ("python", "print(¦)\n", "a, g(b))\n", "print(a, g(b))\n"),
        ("python", "x = ['¦']\n", "a']\n", "x = ['a']\n"),
        (
            "javascript",
            "function f() {\n  ¦\n}\n",
            "g();\n}\n\nf();\n",
            "function f() {\n  g();\n}\n",
        ),
        ("go", "func f() {¦\n}\n", "\n\tg()\n}\n", "func f() {\n\tg()\n}\n"),
        ("ruby", "def f\n  ¦\nend\n", "g\nend\n", "def f\n  g\nend\n"),
        ("python", "a = 1\n¦\n", "a = 1\nb = 2\n", "a = 1\nb = 2\n"),
    ],
)
def test_what_stands_there_already_is_not_written_again(
    language: str, marked: str, writes: str, after: str
) -> None:
    """A naive server shows what the model wrote."""
    assert ask(marked, writes, language=language).after == after


@pytest.mark.parametrize(
    ("marked", "writes", "reason"),
    [
        ("def f(a):\n    b = 1\n    ¦\n\n    return a\n", "return a\n", "lines below"),
        ("print(a¦)\n", ")\n", "already closed"),
        ("a()\n¦\n", "a()\n", "line above"),
    ],
)
def test_nothing_but_repetition_is_nothing_and_has_a_reason(marked: str, writes: str, reason: str) -> None:
    """Silence says why."""
    answer = ask(marked, writes)

    assert not answer.suggestion.shown
    assert reason in answer.suggestion.reason


def test_the_engine_is_stopped_where_it_begins_to_repeat() -> None:
    """What would be cut anyway is not computed."""
    answer = ask("def f(a):\n    ¦\n    return a\n", "a += 1\n    return a\n" + "\n    more = 1\n" * 50)

    assert answer.after == "def f(a):\n    a += 1\n    return a\n"
    assert answer.engine.written < 40
