"""`place` cuts a marked document at the cursor, `¦`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from truepenny.lsp_server.place.gate import surroundings
from truepenny.lsp_server.trimming import Place


def _place(marked: str, language: str = "python", *, is_asked: bool = False) -> Place:
    offset = marked.index("¦")
    text = marked.replace("¦", "", 1)
    following = tuple(text[offset:].split("\n")[1:])
    return Place(surroundings(text, offset), following, language, text, is_asked=is_asked)


@pytest.fixture(scope="session")
def place() -> Callable[..., Place]:
    return _place
