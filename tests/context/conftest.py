"""A workspace of a few texts, all of them open buffers: nothing has to be built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from truepenny.context.extraction import extract
from truepenny.context.index.location import locate
from truepenny.context.index.overlay import Overlay
from truepenny.context.index.reader import Reader
from truepenny.context.index.schema import open_database
from truepenny.context.languages import language_of_path

MakeReader = Callable[[Mapping[str, str]], Reader]


@pytest.fixture
def make_reader(tmp_path: Path) -> Iterator[MakeReader]:
    made: list[Reader] = []

    def make(files: Mapping[str, str]) -> Reader:
        root = tmp_path / f"workspace{len(made)}"
        root.mkdir()
        location = locate(root, tmp_path / "cache")
        open_database(location, mend=True).connection.close()
        overlay = Overlay()
        for path, text in files.items():
            language = language_of_path(path)
            assert language is not None, path
            whole = dedent(text)
            overlay.open(path, whole, extract(whole, language))
        made.append(Reader(location, overlay))
        return made[-1]

    yield make
    for reader in made:
        reader.close()
