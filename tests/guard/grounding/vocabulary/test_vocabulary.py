"""Names of what is installed are read once per distribution and version, and asked in microseconds."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.errors import IndexUnavailableError
from truepenny.guard.grounding.knowledge import Vocabulary
from truepenny.guard.grounding.vocabulary.building import build
from truepenny.guard.grounding.vocabulary.errors import VocabularyError
from truepenny.guard.grounding.vocabulary.parts import Part, Sources, python_parts, web_parts
from truepenny.guard.grounding.vocabulary.table import Table, hashes_of, write
from truepenny.guard.grounding.vocabulary.vocabulary import BackgroundVocabulary

PACKAGES = {
    "ledger/__init__.py": "from .pages import Page\n",
    "ledger/pages.py": "class Page:\n    def seal_page(self, keeper): self.sealed_by = keeper\n",
    "ledger/tests/test_pages.py": "def only_in_tests(): ...\n",
    "ledger/_native.so": "\0\0carry_native\0",
    "ledger/_stubbed.so": "\0\0hidden_by_stub\0",
    "ledger/_stubbed.pyi": "def told_by_stub(): ...\n",
    "loose_module.py": "def loosely_defined(): ...\n",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    for name, text in PACKAGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    info = folder / "ledger_kit-1.2.dist-info"
    info.mkdir()
    files = [name for name in PACKAGES if name.startswith("ledger/")]
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in [*files, "../../../bin/ledger"]))
    return folder


@pytest.fixture
def sources(site: Path, tmp_path: Path) -> Sources:
    library = tmp_path / "lib"
    library.mkdir()
    (library / "books.py").write_text("def standard_name(): ...\n")
    return Sources(python=(site,), python_library=library)


def without_interpreter(sources: Sources) -> list[Part]:
    return [part for part in python_parts(sources) if not part.is_interpreter]


@given(st.sets(st.text(min_size=1, max_size=20)), st.text(max_size=20))
def test_a_table_holds_what_was_put_into_it(tmp_path_factory, names: set[str], other: str):
    path = tmp_path_factory.mktemp("table") / "x.names"
    write(path, hashes_of(one.encode() for one in names))
    table = Table.open(path)
    assert len(table) == len(names)
    assert all(one in table for one in names)
    assert (other in table) == (other in names)
    assert np.all(table.hashes[1:] > table.hashes[:-1])


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-3], lambda b: b[:-1] + b"\0", lambda b: b"x" + b[1:], lambda b: b""]
)
def test_a_damaged_table_is_refused(tmp_path: Path, damage):
    path = tmp_path / "x.names"
    write(path, hashes_of([b"a", b"b"]))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(VocabularyError, match="x\\.names"):
        Table.open(path)


def test_names_of_distributions_folders_and_the_library(sources: Sources, tmp_path: Path):
    table = Table.open(build(without_interpreter(sources), tmp_path / "cache").path)
    for name in (
        "Page",
        "seal_page",
        "keeper",
        "sealed_by",
        "carry_native",
        "told_by_stub",
        "loosely_defined",
    ):
        assert name in table, name
    assert "standard_name" in table
    assert "ledger" in table
    for name in ("only_in_tests", "hidden_by_stub", "seal_pages"):
        assert name not in table, name


def test_what_has_been_read_is_not_read_again(sources: Sources, site: Path, tmp_path: Path):
    cache = tmp_path / "cache"
    first = build(without_interpreter(sources), cache)
    assert first.num_read == first.num_parts
    assert build(without_interpreter(sources), cache).num_read == 0
    (site / "other.py").write_text("def newly_installed(): ...\n")
    later = build(without_interpreter(sources), cache)
    assert later.num_read == 1
    assert "newly_installed" in Table.open(later.path)


def test_another_build_of_a_distribution_is_read_anew(sources: Sources, site: Path, tmp_path: Path):
    cache = tmp_path / "cache"
    build(without_interpreter(sources), cache)
    (site / "ledger" / "pages.py").write_text("class Leaf: ...\n")
    record = site / "ledger_kit-1.2.dist-info" / "RECORD"
    record.write_text(record.read_text().replace("pages.py,,", "pages.py,sha256=x,3"))
    again = build(without_interpreter(sources), cache)
    assert again.num_read == 1
    table = Table.open(again.path)
    assert "Leaf" in table
    assert "seal_page" not in table


def test_a_damaged_cache_is_made_anew_and_said(
    sources: Sources, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    cache = tmp_path / "cache"
    whole = build(without_interpreter(sources), cache).path
    for path in cache.glob("*.names"):
        path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        assert build(without_interpreter(sources), cache).path == whole
    assert "made anew" in caplog.text
    assert "seal_page" in Table.open(whole)


def test_packages_of_node(tmp_path: Path):
    modules = tmp_path / "node_modules"
    for name, text in {
        "ledger/package.json": '{"name": "ledger", "version": "1.0.0"}',
        "ledger/index.d.ts": "export function settleLedger(rate: number): void;",
        "ledger/index.js": "exports.notDeclared = 1;",
        "@scope/book/package.json": "not json",
        "@scope/book/main.js": "exports.turnPage = function (by) {};",
        "@scope/book/node_modules/deep/index.js": "exports.deepDown = 1;",
        ".pnpm/leaf@1.0.0/node_modules/leaf/index.js": "class Leaf { foldLeaf() {} }",
    }.items():
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).write_text(text)
    table = Table.open(build(web_parts(Sources(web=(modules,))), tmp_path / "cache").path)
    for name in ("settleLedger", "rate", "turnPage", "deepDown", "foldLeaf"):
        assert name in table, name
    assert "notDeclared" not in table


def test_the_names_of_javascript_itself_from_elsewhere(tmp_path: Path):
    (tmp_path / "ts").mkdir()
    (tmp_path / "ts" / "lib.es5.d.ts").write_text("interface String { charAt(pos: number): string; }")
    table = Table.open(build(web_parts(Sources(web_library=tmp_path / "ts")), tmp_path / "cache").path)
    assert "charAt" in table


@pytest.mark.parametrize("place", ["typescript/lib", "@typescript/typescript-linux-x64/lib", ""])
def test_javascript_is_complete_with_the_names_of_the_language(tmp_path: Path, place: str):
    modules = tmp_path / "node_modules"
    (modules / "@types" / "node").mkdir(parents=True)
    if place:
        (modules / place).mkdir(parents=True)
        (modules / place / "lib.es5.d.ts").write_text("interface String { charAt(pos: number): string; }")
    vocabulary = BackgroundVocabulary(Sources(web=(modules,)), tmp_path / "cache", lambda _name: False)
    vocabulary.start("web")
    assert vocabulary.wait(60)
    assert vocabulary.is_complete("a.ts") is bool(place)
    assert vocabulary.knows("charAt", "a.ts") is bool(place)
    assert vocabulary.knows("#charAt", "a.js") is bool(place)
    assert vocabulary.knows("charAt", "a.py") is None
    vocabulary.close()


def test_answers_before_and_after(sources: Sources, tmp_path: Path):
    """In a process of its own, as it is in use."""
    lacking: list[str] = []
    vocabulary = BackgroundVocabulary(
        sources, tmp_path / "cache", lambda name: name == "own_name", lambda _: lacking
    )
    asked: Vocabulary = vocabulary
    assert asked.knows("seal_page", "a.py") is None
    assert asked.knows("own_name", "a.py") is True
    assert not asked.is_complete("a.py")
    vocabulary.start("python")
    assert vocabulary.wait(60)
    for name, path, expected in [
        ("seal_page", "a.py", True),
        ("append", "a.py", True),
        ("own_name", "a.py", True),
        ("seal_pagee", "a.py", False),
        ("seal_page", "a.ts", None),
        ("own_name", "a.go", True),
        ("seal_page", "a.go", False),
    ]:
        assert asked.knows(name, path) is expected, (name, path)
    assert asked.is_complete("a.py")
    assert not asked.is_complete("a.go")
    lacking.append("somebody-else")
    assert not asked.is_complete("a.py")
    vocabulary.close()


def test_an_index_that_cannot_be_asked_says_nothing(sources: Sources, tmp_path: Path):
    def broken(name: str) -> bool:
        raise IndexUnavailableError(f"no index for {name}")

    vocabulary = BackgroundVocabulary(sources, tmp_path / "cache", broken)
    assert vocabulary.knows("anything", "a.py") is None
    vocabulary.close()


def test_a_cache_that_cannot_be_written_is_said(
    sources: Sources, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "cache").write_text("a file in the way")
    vocabulary = BackgroundVocabulary(sources, tmp_path / "cache", lambda _name: False)
    with caplog.at_level(logging.WARNING):
        vocabulary.start("python")
        assert vocabulary.wait(60)
    assert "cannot be kept" in caplog.text
    assert vocabulary.knows("append", "a.py") is None
