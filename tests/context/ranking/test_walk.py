"""Which files a conversation is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from truepenny.context.index.reader import Reader
from truepenny.context.ranking.walk import related

MakeReader = Callable[[Mapping[str, str]], Reader]

FILES = {
    "store.py": "class Rows:\n    def find(self): ...\n",
    "service.py": "from store import Rows\nclass Service:\n    rows = Rows()\n",
    "app.py": "from service import Service\nservice = Service()\n",
    "other.py": "def lonely(): ...\n",
}


@pytest.mark.parametrize(
    ("paths", "names", "order"),
    [
        (["app.py"], [], ["service.py", "store.py", "app.py"]),
        ([], ["Rows"], ["store.py"]),
        (["other.py"], [], ["other.py"]),
        (["gone.py"], ["nobody"], []),
    ],
)
def test_neighbours_come_by_how_near_they_are(
    make_reader: MakeReader, paths: list[str], names: list[str], order: list[str]
) -> None:
    found = related(make_reader(FILES), paths, names, deadline_s=60)
    assert [one.path for one in found] == order
    assert not found or sum(one.share for one in found) == pytest.approx(1.0)
