"""What is found at a place, which first, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truepenny.context.index.reader import Reader
from truepenny.context.languages import language_of_path
from truepenny.context.ranking.question import Candidate, Question, Visit
from truepenny.context.ranking.rank import rank

MakeReader = Callable[[Mapping[str, str]], Reader]

PYTHON = {
    "app/store.py": '''
        class Base:
            def close(self) -> None: ...

        class Rows(Base):
            """All rows."""
            limit: int = 3
            def find(self, key: str) -> "Row": ...
            def _forget(self) -> None: ...

        class Row:
            name: str
            def owner(self) -> "Person": ...

        class Person:
            def greet(self) -> str: ...

        def open_rows(path: str) -> Rows: ...
        ''',
    "app/__init__.py": "from .store import Rows, open_rows\n",
    "app/units.py": "def to_feet(metres: float) -> float: ...\n",
    "tests/test_store.py": "def find(): ...\n",
}
GO = {
    "store/rows.go": """
        package store
        type Rows struct { Limit int }
        func (r *Rows) Find(key string) *Row { return nil }
        func (r *Rows) forget() {}
        type Row struct { Name string }
        func Open(path string) *Rows { return nil }
        func helper() {}
        """,
}
TYPESCRIPT = {
    "src/rows.ts": """
        export interface Row { name: string }
        export class Rows {
            private cache = 1;
            find(key: string): Row { throw 1 }
        }
        export function openRows(path: string): Rows { return new Rows() }
        """,
}
JAVA = {
    "src/main/java/tide/Rows.java": """
        package tide;
        public class Rows {
            public Row find(String key) { return null; }
            public static Rows open(String path) { return null; }
        }
        """,
    "src/main/java/tide/Row.java": """
        package tide;
        public class Row { public String name() { return ""; } }
        """,
}
RUST = {
    "src/lib.rs": "pub mod store;\npub mod units;\n",
    "src/units.rs": "pub fn to_feet(m: f64) -> f64 { m }\n",
    "src/store.rs": """
        pub struct Rows { pub limit: usize }
        impl Rows {
            pub fn open(path: &str) -> Self { todo!() }
            pub fn find(&self, key: &str) -> Option<Row> { None }
        }
        pub struct Row { pub name: String }
        impl Row { pub fn owner(&self) -> String { todo!() } }
        """,
}
OWN_FIELD = """
from app.store import Rows
class A:
    def __init__(self):
        self.rows = Rows()
    def f(self):
        self.rows.§
"""
GO_TOP = 'package main\nimport "example.com/x/store"\n'
TS_TOP = 'import { Rows, openRows } from "./rows";\n'
JAVA_TOP = "package tide;\nclass App {\n"
RUST_TOP = "use crate::store::Rows;\n"


def asked(path: str, marked: str, *recent: Visit) -> Question:
    """`marked` has the cursor's place as `§`."""
    before, _, after = dedent(marked).partition("§")
    language = language_of_path(path)
    assert language is not None
    return Question(path, before + after, len(before), language.name, recent)


def check(
    make_reader: MakeReader, files: dict[str, str], question: Question, *first: str
) -> tuple[Candidate, ...]:
    """The names in `first` are the best, in any order."""
    ranking = rank(question, make_reader(files), deadline_s=60)
    names = [one.definition.name for one in ranking.candidates]
    assert set(names[: len(first)]) == set(first), names[:12]
    assert ranking.is_complete
    assert all(one.path != question.path and one.why for one in ranking.candidates)
    return ranking.candidates


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("from app.store import Rows\ndef f(rows: Rows):\n    rows.§\n", ["find", "limit", "close"]),
        ("from app import Rows\nrows = Rows()\nrows.§\n", ["find", "limit", "close"]),
        ("from app.store import open_rows\nrows = open_rows('x')\nrows.§\n", ["find", "limit", "close"]),
        ("from app.store import Rows\ndef f(rows: Rows):\n    rows.find('a').§\n", ["owner", "name"]),
        ("from app.store import Rows\ndef f(rows: Rows):\n    rows.find('a').owner().§\n", ["greet"]),
        (OWN_FIELD, ["find", "limit", "close"]),
        ("from app.store import Base\nclass A(Base):\n    def f(self):\n        self.§\n", ["close"]),
        (
            "import app.units\nfrom app import store\nstore.§\n",
            ["Base", "Rows", "Row", "Person", "open_rows"],
        ),
        ("import app.units as units\nx = units.§\n", ["to_feet"]),
        ("from app.store import Rows\ndef f(x: Rows | None):\n    x.fi§\n", ["find"]),
        ("from app.units import to_feet\nx = to_feet(§\n", ["to_feet"]),
        ("from app.units import to_feet\n\n§\n", ["to_feet"]),
        ("from app.units import §\n", ["to_feet"]),
        ("def f(rows):\n    rows.§\n", ["find", "limit", "close"]),
    ],
)
def test_python(make_reader: MakeReader, marked: str, first: list[str]) -> None:
    """Declared types, constructors, return types, fields, bases, modules, names alone."""
    check(make_reader, PYTHON, asked("app/main.py", marked), *first)


@pytest.mark.parametrize(
    ("files", "path", "marked", "first"),
    [
        (GO, "main.go", GO_TOP + "func f() {\n  r := store.§\n}\n", ["Rows", "Row", "Open"]),
        (GO, "main.go", GO_TOP + "func f(r *store.Rows) {\n  r.§\n}\n", ["Find", "Limit"]),
        (GO, "main.go", GO_TOP + 'func f() {\n  r := store.Open("")\n  r.§\n}\n', ["Find", "Limit"]),
        (TYPESCRIPT, "src/a.ts", TS_TOP + "function f(r: Rows) {\n  r.§\n}\n", ["find"]),
        (TYPESCRIPT, "src/a.ts", TS_TOP + 'const r = openRows("");\nr.§\n', ["find"]),
        (TYPESCRIPT, "src/a.ts", TS_TOP + 'openRows("").find("x").§\n', ["name"]),
        (
            JAVA,
            "App.java",
            JAVA_TOP + "  private Rows rows;\n  void f() {\n    this.rows.find(1).§\n  }\n}\n",
            ["name"],
        ),
        (
            JAVA,
            "App.java",
            JAVA_TOP + '  void f() {\n    Rows rows = Rows.open("");\n    rows.§\n',
            ["find", "open"],
        ),
        (RUST, "src/main.rs", RUST_TOP + "fn f(r: &Rows) {\n    r.§\n}\n", ["find", "limit", "open"]),
        (RUST, "src/main.rs", "fn f() {\n    let x = crate::units::§\n}\n", ["to_feet"]),
        (RUST, "src/main.rs", RUST_TOP + "fn f() {\n    Rows::§\n}\n", ["find", "limit", "open"]),
        (
            RUST,
            "src/main.rs",
            RUST_TOP + 'fn f(r: &Rows) {\n    r.find("")\n        .unwrap().§\n}\n',
            ["owner"],
        ),
    ],
)
def test_other_languages(
    make_reader: MakeReader, files: dict[str, str], path: str, marked: str, first: list[str]
) -> None:
    check(make_reader, files, asked(path, marked), *first)


def test_each_candidate_says_why(make_reader: MakeReader) -> None:
    marked = "from app.store import Rows\nfrom app.units import to_feet\ndef f(rows: Rows):\n    rows.§\n"
    reasons = {
        one.definition.name: one.why for one in check(make_reader, PYTHON, asked("app/main.py", marked))
    }
    assert reasons["find"] == "member of Rows, the type of rows"
    assert reasons["to_feet"] == "to_feet is imported and not used yet"


def test_names_that_fit_the_surroundings_come_first(make_reader: MakeReader) -> None:
    """Of many in a module, the one made of words that are near."""
    names = ["ReadFile", "ReadResource", "WriteResource", "ListTools", "CallTool", "ReadResourceParams"]
    files = {"types.py": "".join(f"class {name}: ...\n" for name in names)}
    marked = "import types_ as t\nimport types\ndef read_resource(params: types.§\n"
    check(make_reader, files, asked("main.py", marked), "ReadResourceParams", "ReadResource")


def test_where_the_person_has_been_counts(make_reader: MakeReader) -> None:
    files = {"a.py": "def alpha(): ...\n", "b.py": "def beta(): ...\n"}
    check(make_reader, files, asked("main.py", "x = §\n", Visit("b.py", 0, edited=True)), "beta")


def test_what_is_hidden_and_overloads_come_late(make_reader: MakeReader) -> None:
    marked = "from app.store import Rows\ndef f(rows: Rows):\n    rows.§\n"
    names = [one.definition.name for one in check(make_reader, PYTHON, asked("app/main.py", marked))]
    assert names.index("_forget") > names.index("close")


def test_the_deadline_gives_what_is_ready(make_reader: MakeReader) -> None:
    marked = "from app.store import Rows\ndef f(rows: Rows):\n    rows.§\n"
    ranking = rank(asked("app/main.py", marked), make_reader(PYTHON), deadline_s=-1)
    assert not ranking.is_complete


def test_the_same_facts_give_the_same_order(make_reader: MakeReader) -> None:
    """Whatever order the files came in."""
    marked = "from app.store import Rows\nfrom app import units\ndef f(rows: Rows):\n    rows.find(§\n"
    one = rank(asked("app/main.py", marked), make_reader(PYTHON), deadline_s=60)
    other = rank(asked("app/main.py", marked), make_reader(dict(reversed(PYTHON.items()))), deadline_s=60)
    assert one.candidates == other.candidates


@pytest.fixture
def everything(make_reader: MakeReader) -> Reader:
    return make_reader(PYTHON | GO | TYPESCRIPT | JAVA | RUST)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    parts=st.lists(
        st.sampled_from(
            ["rows", ".", "find", "(", ")", "\n", "    ", "self", "import ", "from app.store", "::", "x = ",
             "class A(Rows):", "def f(rows: Rows):", "é", "🦀", "super()", "[", "]", "\r\n", "Rows"]
        ),
        max_size=14,
    ),
    at=st.floats(0, 1),
    language=st.sampled_from(["main.py", "main.go", "src/a.ts", "src/main.rs", "A.java", "a.rb"]),
)  # fmt: skip
def test_broken_code_is_the_normal_case(
    everything: Reader, parts: list[str], at: float, language: str
) -> None:
    """No exception anywhere, in any language, and an answer that says it is whole."""
    text = "".join(parts)
    found = language_of_path(language)
    assert found is not None
    assert rank(
        Question(language, text, int(at * len(text)), found.name), everything, deadline_s=60
    ).is_complete
