"""What a conversation is told of other files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from truepenny.context.gather import gather_about
from truepenny.context.index.reader import Reader

MakeReader = Callable[[Mapping[str, str]], Reader]

FILES = {
    "store.py": "class Rows:\n    limit = 3\n    def find(self, key): ...\n    def _scan(self): ...\n",
    "service.py": "from store import Rows\nclass Service:\n    def rows_of(self): return Rows().find('x')\n",
    "app.py": "from service import Service\nservice = Service()\nservice.rows_of()\n",
    "other.py": "def lonely(): ...\n",
}


@pytest.mark.parametrize(
    ("words", "paths", "best", "not_told"),
    [
        ("what does find do?", [], "store.py", ["other.py"]),
        ("what is in rows?", [], "store.py", ["other.py"]),
        ("explain this", ["app.py"], "service.py", ["app.py", "other.py"]),
        ("is lonely ever called?", ["app.py"], "other.py", ["app.py"]),
    ],
)
def test_named_things_come_first_then_what_is_near(
    make_reader: MakeReader, words: str, paths: list[str], best: str, not_told: list[str]
) -> None:
    """The best stands last, nearest to the question."""
    told = gather_about(words, paths, make_reader(FILES), budget_tokens=200, count=len, deadline_s=60)
    assert told.chunks[-1].path == best
    assert not {chunk.path for chunk in told.chunks} & set(not_told)


def test_data_is_not_told(make_reader: MakeReader) -> None:
    told = gather_about("limit of Rows", [], make_reader(FILES), budget_tokens=400, count=len, deadline_s=60)
    assert "find" in told.chunks[-1].text
    assert "limit" not in told.chunks[-1].text


def test_nothing_is_told_of_what_nobody_knows(make_reader: MakeReader) -> None:
    told = gather_about("how are you?", [], make_reader(FILES), budget_tokens=400, count=len, deadline_s=60)
    assert told.chunks == ()
