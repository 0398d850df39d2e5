"""Pain 10: wrong indentation: tabs in a file of spaces, other widths, the editor's own column twice."""

from __future__ import annotations

import pytest

from .desk import ask


@pytest.mark.parametrize(
    ("language", "marked", "writes", "after"),
    [
        (
            "go",
            "func f() {\n\tg()\n\t¦\n}\n",
            "if a {\n        h()\n    }\n}\n",
            "func f() {\n\tg()\n\tif a {\n\t\th()\n\t}\n}\n",
        ),
        (
            "javascript",
            "function f() {\n  g();\n  ¦\n}\n",
            "if (a) {\n      h();\n  }\n}\n",
            "function f() {\n  g();\n  if (a) {\n    h();\n  }\n}\n",
        ),
        (
            "python",
            "def f():\n    a()\n    if b:\n        ¦\n",
            "        c()\n        d()\n\n\nx = 1\n",
            "def f():\n    a()\n    if b:\n        c()\n        d()\n",
        ),
        (
            "python",
            "def f(a):\r\n    ¦\r\n",
            "if a:\n        return 1\n    return 2\n",
            "def f(a):\r\n    if a:\r\n        return 1\r\n    return 2\r\n",
        ),
        ("python", "def f():\n¦\n", "return 1\n", "def f():\n    return 1\n"),
        ("python", "x = ¦\n", " 1   \n", "x = 1\n"),
    ],
)
def test_white_space_is_that_of_the_file(language: str, marked: str, writes: str, after: str) -> None:
    """A naive server inserts the model's."""
    assert ask(marked, writes, language=language).after == after
