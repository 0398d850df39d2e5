"""Text comes a character at a time, as a stream may; the first verdict counts.  `¦` is the cursor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from truepenny.lsp_server.place.gate import surroundings
from truepenny.lsp_server.snapshot import Query, Snapshot
from truepenny.lsp_server.stopping import Watch, watch


def _watching(marked: str, language: str = "python", *, is_multi: bool) -> Watch:
    offset = marked.index("¦")
    text = marked.replace("¦", "", 1)
    query = Query(Snapshot("untitled:x", language, text), offset)
    return watch(query, surroundings(text, offset), text[offset:].split("\n")[1:], is_multi=is_multi)


@pytest.fixture(scope="session")
def watching() -> Callable[..., Watch]:
    return _watching


@pytest.fixture(scope="session")
def kept() -> Callable[..., str | None]:
    """What is complete as soon as anything is; None if all that was generated is not enough."""

    def read(marked: str, generated: str, language: str = "python", *, is_multi: bool) -> str | None:
        end = _watching(marked, language, is_multi=is_multi)
        for length in range(1, len(generated) + 1):
            complete = end.complete_length(generated[:length])
            if complete is not None:
                return generated[:complete]
        return None

    return read
