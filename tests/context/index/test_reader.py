"""Questions and answers, with and without open buffers."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truepenny.context.errors import IndexDamagedError
from truepenny.context.extraction import extract
from truepenny.context.facts import Definition, FileFacts, Import, ImportedName
from truepenny.context.index import rows
from truepenny.context.index.overlay import Overlay
from truepenny.context.index.reader import Reader
from truepenny.context.index.words import words_of
from truepenny.context.language_table import Language
from truepenny.context.languages import language_of_path

from .conftest import Workspace

SOURCES = {
    "shop/__init__.py": "from .rows import Row\n",
    "shop/rows.py": (
        "class Row:\n"
        '    """One line of an order."""\n'
        "    price: int\n"
        "    def total_price(self, count: int) -> int:\n"
        "        return self.price * count\n"
        "class Basket:\n"
        "    class Row:\n"
        "        def weigh(self): pass\n"
    ),
    "shop/till.py": (
        "from . import rows\n"
        "from .rows import Row\n"
        "import json as j\n"
        "def pay(row: Row) -> str:\n"
        "    return j.dumps(row.total_price(2)) + str(row.total_price(3))\n"
    ),
    "tools/report.py": "import shop.till\ndef report(): return shop.till.pay(None)\n",
}


def language(path: str) -> Language:
    found = language_of_path(path)
    assert found is not None
    return found


@pytest.fixture
def reader(workspace: Workspace) -> Reader:
    for path, text in SOURCES.items():
        workspace.write(path, text)
    workspace.build()
    return Reader(workspace.location, Overlay())


def show(reader: Reader, path: str, text: str) -> None:
    reader.overlay.open(path, text, extract(text, language(path)))


def places(located) -> list[tuple[str, str]]:
    return [(one.path, one.definition.qualified_name) for one in located]


def test_definitions_are_found_by_name_prefix_file_and_parent(reader: Reader) -> None:
    """With everything the extraction said of them."""
    rows_py = extract(SOURCES["shop/rows.py"], language("rows.py"))
    assert reader.definitions_in("shop/rows.py") == rows_py.definitions
    assert places(reader.definitions("Row")) == [("shop/rows.py", "Row"), ("shop/rows.py", "Basket.Row")]
    assert places(reader.definitions("row")) == []
    assert places(reader.definitions_with_prefix("p")) == [
        ("shop/till.py", "pay"),
        ("shop/rows.py", "Row.price"),
    ]
    assert reader.definitions_with_prefix("") == ()
    assert {one.definition.name for one in reader.members("Row")} == {"price", "total_price", "weigh"}
    assert {one.definition.name for one in reader.members("Basket.Row")} == {"weigh"}
    assert reader.definitions_in("absent.py") == ()


def test_files_are_found_by_path(reader: Reader) -> None:
    """One, or those below a folder."""
    assert [one.path for one in reader.files()] == sorted(SOURCES)
    assert [one.path for one in reader.files("shop/")] == sorted(p for p in SOURCES if p.startswith("shop/"))
    entry = reader.file("shop/rows.py")
    assert entry is not None
    assert (entry.language, entry.num_lines) == ("python", 8)
    assert reader.file("absent.py") is None


def resolve(path: str, one: Import) -> Collection[str]:
    """As simple as the sources above need it."""
    folder = path.split("/", maxsplit=1)[0] if one.level else ""
    module = one.module.replace(".", "/")
    base = "/".join(part for part in (folder, module) if part)
    modules = [base, *(f"{base}/{name.name}" for name in one.names)]
    return [f"{module}{end}" for module in modules for end in (".py", "/__init__.py")]


def test_imports_are_followed_both_ways(reader: Reader) -> None:
    """By candidates from the index and a judge that is passed in."""
    assert reader.imports("shop/till.py") == extract(SOURCES["shop/till.py"], language("t.py")).imports
    assert reader.importers("shop/rows.py", resolve) == ("shop/__init__.py", "shop/till.py")
    assert reader.importers("shop/till.py", resolve) == ("tools/report.py",)
    assert reader.importers("shop/__init__.py", resolve) == ("shop/till.py",)
    assert reader.importers("tools/report.py", resolve) == ()


def test_uses_are_counted(reader: Reader) -> None:
    """By name, most first; by file, in order of names."""
    assert [(one.path, one.num) for one in reader.references("total_price")] == [("shop/till.py", 2)]
    assert [one.path for one in reader.references("pay")] == ["tools/report.py"]
    counted = {one.name: one.num for one in reader.uses("shop/till.py")}
    assert counted == rows.uses_of(extract(SOURCES["shop/till.py"], language("t.py")))
    assert reader.references("absent") == ()


def test_search_finds_parts_of_names(reader: Reader) -> None:
    """`TotalPrice` and `total_price` are the same words."""
    assert {hit.path for hit in reader.search(["TotalPrice"])} == {"shop/rows.py", "shop/till.py"}
    assert [hit.path for hit in reader.search(["weigh"])] == ["shop/rows.py"]
    assert reader.search(["zzz"]) == ()
    assert reader.search([]) == ()
    assert reader.search(['"', "*", "OR", "a AND", "(", "text:x", "\x00"]) == ()


def test_counts_sum_up(reader: Reader) -> None:
    """What `truepenny index` prints."""
    counts = reader.counts()
    assert (counts.files, counts.lines, counts.complete) == (
        4,
        sum(t.count("\n") for t in SOURCES.values()),
        True,
    )
    assert [(one.language, one.files) for one in counts.languages] == [("python", 4)]
    assert counts.definitions == sum(
        len(extract(text, language(path)).definitions) for path, text in SOURCES.items()
    )


def test_a_buffer_shadows_the_disk(reader: Reader) -> None:
    """What is open counts, and only that; closed again, the disk does."""
    show(reader, "shop/rows.py", "class Line:\n    def sum_up(self): return helper()\n")
    show(reader, "new.py", "import shop.rows\nclass Fresh: pass\nhelper()\n")
    assert places(reader.definitions("Row")) == []
    assert places(reader.definitions("Line")) == [("shop/rows.py", "Line")]
    assert places(reader.definitions_with_prefix("total")) == []
    assert places(reader.members("Row")) == []
    assert places(reader.members("Line")) == [("shop/rows.py", "Line.sum_up")]
    assert [one.name for one in reader.definitions_in("shop/rows.py")] == ["Line", "sum_up"]
    assert [one.path for one in reader.files()] == sorted([*SOURCES, "new.py"])
    assert reader.importers("shop/rows.py", resolve) == ("new.py", "shop/__init__.py", "shop/till.py")
    assert {one.path for one in reader.references("helper")} == {"new.py", "shop/rows.py"}
    assert [hit.path for hit in reader.search(["weigh"])] == []
    assert [hit.path for hit in reader.search(["sum_up"])] == ["shop/rows.py"]
    reader.overlay.close("shop/rows.py")
    reader.overlay.close("new.py")
    assert places(reader.definitions("Line")) == []
    assert len(reader.definitions("Row")) == 2
    assert [hit.path for hit in reader.search(["weigh"])] == ["shop/rows.py"]


def test_a_buffer_scores_as_its_file_does(reader: Reader) -> None:
    """The same text, open or not, stands at the same place in a search."""
    asked = ["pay", "total_price", "dumps"]
    closed = reader.search(asked)
    show(reader, "shop/till.py", SOURCES["shop/till.py"])
    opened = reader.search(asked)
    assert [hit.path for hit in opened] == [hit.path for hit in closed]
    assert [hit.score for hit in opened] == pytest.approx([hit.score for hit in closed])


def test_a_reader_sees_what_is_built_later_and_anew(workspace: Workspace) -> None:
    """It may ask before there is anything, and goes on after the database was replaced."""
    reader = Reader(workspace.location)
    assert reader.definitions("first") == ()
    workspace.write("a.py", "def first(): pass\n")
    workspace.build()
    assert len(reader.definitions("first")) == 1
    reader.close()
    workspace.location.database.write_bytes(b"nonsense" * 1000)
    for name in ("-wal", "-shm"):
        Path(f"{workspace.location.database}{name}").unlink(missing_ok=True)
    workspace.build()
    assert len(reader.definitions("first")) == 1


def test_damage_found_while_asking_is_told_apart(workspace: Workspace) -> None:
    """So that whoever asks can have it mended."""
    for nth in range(50):
        workspace.write(f"m{nth}.py", "".join(f"def f{nth}_{n}(a, b): pass\n" for n in range(30)))
    workspace.build()
    path = workspace.location.database
    data = bytearray(path.read_bytes())
    for start in range(8192 * 4, len(data), 8192):
        data[start : start + 8192] = b"\xa5" * 8192
    path.write_bytes(data)
    with pytest.raises(IndexDamagedError, match="damaged"):
        Reader(workspace.location).definitions_with_prefix("f")


def test_readers_do_not_wait_for_a_writer(workspace: Workspace) -> None:
    """Answers come from before the transaction."""
    import sqlite3

    workspace.write("a.py", "def first(): pass\n")
    workspace.build()
    writer = sqlite3.connect(workspace.location.database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM definitions")
    assert len(Reader(workspace.location).definitions("first")) == 1
    writer.execute("ROLLBACK")
    writer.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("parse_http_header", "parse_http_header parse http header"),
        ("HTTPHeaderParser", "httpheaderparser http header parser"),
        ("getURL2", "geturl2 get url"),
        ("x", "x"),
        ("größeInMetern", "größeinmetern größe in metern"),
        ("ÄÖÜName2Ы", "äöüname2ы äöü name"),
        ("__init__", "__init__ init"),
        ("+", ""),
        ("$el", "$el el"),
    ],
)
def test_names_are_taken_apart(name: str, words: str) -> None:
    """Camels and snakes alike."""
    assert words_of(name) == words


texts = st.text(max_size=20)
definitions = st.builds(
    Definition,
    name=texts,
    kind=st.sampled_from(["function", "class", "field"]),
    start=st.integers(0, 10**6),
    end=st.integers(0, 10**6),
    line=st.integers(0, 10**5),
    end_line=st.integers(0, 10**5),
    name_start=st.integers(0, 10**6),
    signature=texts,
    parent=texts,
    doc=texts,
    bases=st.lists(texts, max_size=3).map(tuple),
    type=texts,
    returns=texts,
)
imports = st.builds(
    Import,
    module=texts,
    names=st.lists(st.builds(ImportedName, texts, texts), max_size=3).map(tuple),
    alias=texts,
    level=st.integers(0, 3),
    wildcard=st.booleans(),
    start=st.integers(0, 100),
)


@given(st.lists(definitions, max_size=4), st.lists(imports, max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_facts_survive_being_rows(some: list[Definition], several: list[Import]) -> None:
    """Whatever an extraction may say."""
    facts = FileFacts("python", definitions=tuple(some), imports=tuple(several))
    ids = {name: nth for nth, name in enumerate(sorted(rows.names_in(facts)))}
    back = [
        rows.definition_of((one.name, row[-1]))
        for one, row in zip(some, rows.definition_rows(1, facts.definitions, ids), strict=True)
    ]
    assert back == some
    assert rows.imports_of(rows.imports_text(facts.imports)) == facts.imports
    assert json.loads(json.dumps([asdict(one) for one in back])) == json.loads(
        json.dumps([asdict(one) for one in some])
    )


@given(st.dictionaries(texts, st.integers(1, 1000), max_size=20))
def test_uses_survive_being_packed(uses: dict[str, int]) -> None:
    """Pairs of numbers."""
    ids = {name: nth + 1 for nth, name in enumerate(uses)}
    assert dict(rows.unpacked(rows.packed(uses, ids))) == {ids[name]: num for name, num in uses.items()}
