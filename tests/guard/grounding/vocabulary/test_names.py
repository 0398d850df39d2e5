"""What a source defines is found without a tree; what it merely uses is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.grounding.vocabulary import binary_names, builtin_names, python_names, web_names

PYTHON = [
    ("def settle(ledger, *, rate: float = 0.1, **rest): ...", "settle ledger rate rest"),
    (
        "async  def  fetch(\n    url,\n    on_read=lambda x: (x, 1),\n    after=None,\n): pass",
        "fetch url on_read after",
    ),
    ("def f(a=(1, (2, 3)), b=g(h()), c=None): pass", "f a b c"),
    ("def first[T](of: list[T]) -> T: ...", "first of"),
    ("class Ledger(Book): pages: list[Page]\n", "Ledger"),
    ("class Row:\n    total: int\n    open: bool = True\n", "Row total open"),
    ("self.pages = []\nself.rate: float = 0\nself.a, self.b = 1, 2\n", "pages rate a b"),
    ("(\n    self.left,\n    self.right,\n) = cut\n", "left right"),
    ("class Colour(Enum):\n    RED = 1\n    BLUE = auto()\n", "Colour RED BLUE"),
    ('Point = namedtuple("Point", "x_axis y_axis")', "Point x_axis y_axis"),
    ('Colour = Enum("Colour", "CYAN MAGENTA")', "CYAN MAGENTA"),
    ('__slots__ = ("size", "kind")', "size kind"),
    ('setattr(module, "helper", f)', "helper"),
    ('Movie = TypedDict("Movie", {"title": str})', "Movie title"),
    ("from x import (\n    one,\n    two as three,\n)\nimport numpy as np\n", "one two three numpy np"),
    ("type Pair = tuple[int, int]", "Pair"),
    ("if (found := find()): pass", "found"),
    ("with opened() as self.file:\n    pass\n", "file"),
    ("def größe(länge): ...", "größe länge"),
    ("draw(colour=1)", "colour"),
]
PYTHON_USES = [
    "x.settle()",
    "x.settle",
    "settle(1)",
    "# settle\n",
    "a == settle",
    "x[settle]",
    "f(x.settle, 1)",
]

WEB = [
    ("export declare function settle(ledger: Ledger, rate?: number): void;", "settle ledger rate"),
    (
        "interface Row { total: number; readonly open?: boolean; close(by: string): void }",
        "Row total open close by",
    ),
    ("class Book { #pages = 1; private rate!: number; get size() { return 1 } }", "Book rate size"),
    ("enum Colour { Red, Blue = 2 }", "Colour Red Blue"),
    ("type Kind = 'open' | 'closed';", "Kind open closed"),
    ("Book.prototype.turn = function (by) { this.page = by; };", "turn by page"),
    (
        "module.exports = { one, two: 2, three() { } };\nconst four = (five, six) => five;",
        "two three four five six",
    ),
    ("export const enum Flag {\n  First,\n  Second\n}", "Flag First Second"),
    ("on(event: 'data', listener: (chunk: any) => void): this;", "on data listener chunk"),
]
WEB_USES = ["x.settle()", "x.settle.y()", "// see settle above\n", "a == settle + 1"]


def check(names: set[bytes], expected: str) -> None:
    absent = set(expected.split()) - {one.decode() for one in names}
    assert not absent, f"not found: {sorted(absent)}"


@pytest.mark.parametrize(("source", "expected"), PYTHON)
def test_what_python_defines(source: str, expected: str):
    check(python_names.names_in(source.encode()), expected)


@pytest.mark.parametrize("source", PYTHON_USES)
def test_what_python_uses_is_not_defined(source: str):
    assert b"settle" not in python_names.names_in(source.encode())


@pytest.mark.parametrize(("source", "expected"), WEB)
def test_what_typescript_defines(source: str, expected: str):
    check(web_names.names_in(source.encode()), expected)


@pytest.mark.parametrize("source", WEB_USES)
def test_what_typescript_uses_is_not_defined(source: str):
    assert b"settle" not in web_names.names_in(source.encode())


def test_minified_sources_say_nothing():
    assert web_names.names_in(b"var aa=1;function bb(){};" * 5_000) == set()


def test_strings_of_a_binary_are_names_where_they_look_like_them():
    found = binary_names.names_in(
        b"\x7fELF\x00\x01settle\x00carry over\x00no-name\x00\x02_ZN4core\x00page_of\x00"
    )
    assert {b"settle", b"page_of"} <= found
    assert not found & {b"no-name", b"name", b"over", b"_ZN4core"}


def test_the_interpreter_tells_what_has_no_source():
    assert {b"append", b"isoformat", b"bit_length", b"perf_counter", b"maxsplit", b"recv_into"} <= (
        builtin_names.builtin_names()
    )


@given(
    st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_no_bytes_are_too_strange(source: bytes):
    for names_in in (python_names.names_in, web_names.names_in, binary_names.names_in):
        assert all(isinstance(one, bytes) and one for one in names_in(source))


@pytest.mark.parametrize(
    "source", [b"def f(" * 20_000, b"a.b" * 50_000, b"(a," * 50_000, b"a:" * 90_000, b'"' * 90_000]
)
def test_hostile_sources_take_no_longer_than_long_ones(source: bytes):
    """Quadratic searching would not come back from these in the time a test run has."""
    python_names.names_in(source)
    web_names.names_in(source)
