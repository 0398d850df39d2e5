"""Parsing never fails, and offsets are code points."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.context.language_table import LANGUAGES, Language
from truepenny.context.languages import language_of_id
from truepenny.context.parsing import MAX_BYTES, ByteMap, Tree, parse, reparse

SAMPLES = {
    "python": "def f(x):\n    return x + 1\n",
    "javascript": "function f(x) { return x + 1; }\n",
    "typescript": "function f(x: number): number { return x + 1; }\n",
    "typescriptreact": "const f = (x: number) => <b>{x}</b>;\n",
    "go": "package p\n\nfunc f(x int) int { return x + 1 }\n",
    "rust": "fn f(x: i32) -> i32 { x + 1 }\n",
    "java": "class A { int f(int x) { return x + 1; } }\n",
    "c": "int f(int x) { return x + 1; }\n",
    "cpp": "template <class T> T f(T x) { return x + 1; }\n",
    "csharp": "class A { int F(int x) { return x + 1; } }\n",
    "ruby": "def f(x)\n  x + 1\nend\n",
    "php": "<?php\nfunction f($x) { return $x + 1; }\n",
    "shellscript": "f() { echo $(( $1 + 1 )); }\n",
    "lua": "local function f(x) return x + 1 end\n",
    "kotlin": "fun f(x: Int): Int { return x + 1 }\n",
    "swift": "func f(x: Int) -> Int { return x + 1 }\n",
    "scala": "def f(x: Int): Int = x + 1\n",
}


def language(name: str) -> Language:
    found = language_of_id(name)
    assert found is not None
    return found


def shape(tree: Tree) -> list[tuple[str, int, int]]:
    return [(node.kind, node.start, node.end) for node in tree.walk()]


@pytest.mark.parametrize("one", LANGUAGES, ids=lambda one: one.name)
def test_every_language_parses_its_own_code(one: Language):
    """The wheels in pyproject.toml are the ones the table needs."""
    tree = parse(SAMPLES[one.name], one)
    assert not tree.has_errors
    assert any(node.kind in one.definition_nodes for node in tree.walk())


@pytest.mark.parametrize("one", LANGUAGES, ids=lambda one: one.name)
@given(
    text=st.text(
        alphabet=st.one_of(st.characters(), st.sampled_from("(){}[]<>\"'`#/*\\\n\r\t =;:x")), max_size=80
    )
)
@settings(max_examples=25, deadline=None)
def test_any_text_gives_a_tree(one: Language, text: str):
    """Half-typed code, half a surrogate pair, NUL: all of it is a tree with spans inside the text."""
    tree = parse(text, one)
    assert not tree.skipped
    for node in tree.walk():
        assert 0 <= node.start <= node.end <= len(text)
    for flaw in tree.flaws():
        assert 0 <= flaw.start <= flaw.end <= len(text)
    assert bool(tree.flaws()) == tree.has_errors


@given(st.text())
def test_bytes_and_code_points_translate_both_ways(text: str):
    """The one place where the two meet has to be exact."""
    byte_map = ByteMap(text)
    encoded = [len(text[:i].encode("utf-8", "surrogatepass")) for i in range(len(text) + 1)]
    assert [byte_map.to_byte(i) for i in range(len(text) + 1)] == encoded
    assert [byte_map.to_offset(byte) for byte in encoded] == list(range(len(text) + 1))


def test_spans_are_code_points():
    """An emoji is one character to us and four bytes to tree-sitter."""
    text = "name = '😀é'\nfoo(a b)\n"
    tree = parse(text, language("python"))
    strings = [tree.text_of(node) for node in tree.walk() if node.kind == "string"]
    assert strings == ["'😀é'"]
    (flaw,) = tree.flaws()
    assert text[flaw.start : flaw.end] == "b"
    assert flaw.kind == "ERROR"


def test_missing_tokens_are_flaws_of_no_width():
    """What the parser invented is told apart from what it could not place."""
    (flaw,) = parse("int f() { return 1 }\n", language("c")).flaws()
    assert (flaw.missing, flaw.kind, flaw.start, flaw.end) == (True, ";", 18, 18)


@pytest.mark.parametrize("opener", ["(", "[", "{", "x(", "if (", "a<"])
@pytest.mark.parametrize("name", ["python", "javascript", "java", "cpp", "csharp"])
def test_nesting_does_not_overflow_the_stack(name: str, opener: str):
    """A thousand brackets deep is text like any other."""
    tree = parse(opener * 1_500, language(name))
    assert not tree.skipped
    assert sum(1 for _ in tree.walk()) > 500
    assert tree.flaws()


@pytest.mark.parametrize("name", ["java", "csharp"])
def test_unclosed_angles_do_not_take_the_machine_down(name: str):
    """40 kB of `a<` took these grammars gigabytes; such a file is skipped."""
    assert parse("a<" * 20_000, language(name)).skipped
    assert not parse("List<Map<A, B>> x;\nboolean y = a < b;\n" * 900, language(name)).skipped


def test_a_huge_text_is_skipped_and_answers_with_nothing():
    """Over the cap there is a tree all the same, and it says so."""
    tree = parse("x = 1\n" * (MAX_BYTES // 6 + 1), language("python"))
    assert tree.skipped
    assert tree.root is None
    assert (tree.has_errors, tree.flaws(), tree.node_at(0), list(tree.walk())) == (False, (), None, [])
    assert list(tree.ancestors(3)) == []
    assert not reparse(tree, 6, len(tree.text), "").skipped


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_reparsing_valid_code_gives_the_tree_a_fresh_parse_gives(data: st.DataObject):
    """The short way may not lead anywhere else, where both texts are sound."""
    lines = data.draw(st.lists(st.sampled_from(["x = 1\n", "é = '😀'\n", "if x:\n    y(2)\n", "# note\n"])))
    text = "".join(lines)
    at = len("".join(lines[: data.draw(st.integers(0, len(lines)))]))
    new = "".join(data.draw(st.lists(st.sampled_from(["z = 'ü'\n", "f(a)\n"]))))
    again = reparse(parse(text, language("python")), at, at, new)
    fresh = parse(text[:at] + new + text[at:], language("python"))
    assert again.text == fresh.text
    assert shape(again) == shape(fresh)


def test_reparsing_does_not_change_the_old_tree():
    """Trees are values: the guard asks several questions of one."""
    tree = parse("x = 1\ny = 2\n", language("python"))
    before = shape(tree)
    reparse(tree, 6, 6, "broken ( \n")
    assert shape(tree) == before


def test_one_tree_serves_many_threads():
    """The server reads a tree from the index and from a request at the same time."""
    text = "def f(a):\n    return [a, 'é']\n" * 200
    tree = parse(text, language("python"))
    with ThreadPoolExecutor(4) as pool:
        shapes = list(pool.map(lambda _: (shape(tree), shape(parse(text, language("python")))), range(8)))
    assert all(one == shapes[0] for one in shapes)
    assert shapes[0][0] == shapes[0][1]


def test_a_person_can_walk_about_in_a_tree():
    """Fields, parents, siblings and ranges: what ranking and indexing ask for."""
    text = "def f(a):\n    return a\n\n\ndef g():\n    pass\n"
    tree = parse(text, language("python"))
    inner = tree.node_at(text.index("return") + 7)
    assert inner is not None
    assert [node.kind for node in tree.ancestors(text.index("return") + 7)][-2:] == [
        "function_definition",
        "module",
    ]
    function = next(node for node in inner.ancestors() if node.kind == "function_definition")
    name, following = function.field("name"), function.next_sibling
    assert name is not None
    assert following is not None
    assert (tree.text_of(name), following.line, following.previous_sibling) == ("f", 4, function)
    assert function.field("nothing") is None
    touched = {node.kind for node in tree.walk(text.index("pass"), text.index("pass") + 4)}
    assert "pass_statement" in touched
    assert "return_statement" not in touched


def test_a_text_that_was_parsed_is_freed() -> None:
    """A person types all day, and each letter is a text."""
    language = language_of_id("python")
    assert language is not None
    texts = [f"x = {number}\n" * 20_000 for number in range(20)]
    parse(texts[0], language)
    tracemalloc.start()
    for text in texts:
        tree = parse(text, language)
        reparse(tree, 5, 6, "y")
        del tree
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < len(texts[0])
