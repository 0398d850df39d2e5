"""Where the cursor stands, in whole code and in code that is being typed: `|` marks the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.language_table import LANGUAGES
from truepenny.lsp_server.place.scope_table import ROWS
from truepenny.lsp_server.place.scopes import standing
from truepenny.lsp_server.place.trees import MAX_WHOLE_CHARS, Trees, difference, span_of
from truepenny.lsp_server.snapshot import Snapshot


def check(marked: str, expected: str, language: str) -> None:
    """`expected`: the scope, the bracket that is open, and `hole` in code inside a string."""
    offset = marked.index("|")
    place = standing(Snapshot("a.x", language, marked.replace("|", "", 1)), offset, Trees())
    found = " ".join(filter(None, (place.scope, place.bracket, "hole" if place.in_hole else "")))
    assert found == expected


COMMENTS = [
    ("python", "x = 1  # by|\n", "comment"),
    ("python", "# by|", "comment"),
    ("javascript", "x(); // by|\n", "comment"),
    ("javascript", "/* by|\nfoo();\n", "comment"),
    ("javascript", "/* by */ |\n", "code"),
    ("typescript", "/** By| */\nfoo();\n", "docstring"),
    ("typescriptreact", "// by|", "comment"),
    ("go", "// by|\nfunc f() {}\n", "comment"),
    ("rust", "/// By|\nfn f() {}\n", "docstring"),
    ("rust", "// by|\n", "comment"),
    ("java", "/**\n * By|\n */\nclass A {}\n", "docstring"),
    ("c", "int a; /* by|\n", "comment"),
    ("cpp", "// by|", "comment"),
    ("csharp", "/// <summary>|\nclass A {}\n", "docstring"),
    ("ruby", "# by|\n", "comment"),
    ("php", "<?php\n# by|\n", "comment"),
    ("shellscript", "ls # by|\n", "comment"),
    ("shellscript", "echo $#|\n", "code"),
    ("lua", "-- by|\n", "comment"),
    ("lua", "--- By|\n", "docstring"),
    ("kotlin", "val a = 1 // by|\n", "comment"),
    ("swift", "/// By|\nfunc f() {}\n", "docstring"),
    ("scala", "// by|\nval a = 1\n", "comment"),
    ("yaml", "a: b # by|", "comment"),
    ("sql", "select 1 -- by|", "comment"),
    ("html", "<!-- by|", "comment"),
    ("nobody-knows", "x # by|", "code"),
]
STRINGS = [
    ("python", 'x = "ab|"\n', "string"),
    ("python", 'x = "ab|\ny = 1\n', "string"),
    ("python", 'x = "ab"|\n', "code"),
    ("python", 'x = "a\\"|\n', "string"),
    ("python", 'x = "a" |"b"\n', "code"),
    ("python", 'def f():\n    """Do|"""\n', "docstring"),
    ("python", 'def f():\n    """Do|\n    x = 1\n\ndef g(): pass\n', "docstring"),
    ("python", 'x = """Do|\n', "string"),
    ("python", '"""|"""', "docstring"),
    ("python", 'x = f"a{|}"', "code hole"),
    ("python", 'x = f"a{b|', "code hole"),
    ("python", 'x = "a{b|', "string"),
    ("javascript", "x = `a ${|}`;", "code hole"),
    ("javascript", "x = `a ${|\n", "code hole"),
    ("javascript", "x = `a ${b}|`", "string"),
    ("javascript", 'x = "a|\ny = 1;\n', "string"),
    ("javascript", "x = /a|b/;", "regex"),
    ("typescript", "import a from './|'", "string"),
    ("typescriptreact", 'const x = <A b="a|" />;', "string"),
    ("typescriptreact", "const x = <A b={|} />;", "code"),
    ("typescriptreact", "const x = <p>|</p>;", "markup"),
    ("typescriptreact", "const x = <p>it's {a} her|</p>;", "markup"),
    ("go", "x := `a|\n", "string"),
    ("go", 'x := "a|"\n', "string"),
    ("rust", 'let x = "a|\nlet y = 1;', "string"),
    ("rust", "fn f<'a>(x: &'a str) {\n    |\n}", "code"),
    ("java", 'String a = "b|";', "string"),
    ("c", 'x = "a|";', "string"),
    ("cpp", "#include <vec|>\n", "string"),
    ("csharp", 'var x = $"a {b|}";', "code hole"),
    ("ruby", 'x = "a#{b|}"\n', "code hole"),
    ("ruby", "x = <<~T\n  a|\nT\n", "string"),
    ("php", '<?php $x = "a {$b|}";', "code hole"),
    ("php", "<p>hello|</p><?php $x = 1; ?>", "markup"),
    ("shellscript", 'echo "a $(b|) c"\n', "code ( hole"),
    ("shellscript", "cat <<EOF\nabc|\nEOF\n", "string"),
    ("lua", "x = [[a|]]", "string"),
    ("kotlin", 'val x = "a ${b|}"\n', "code hole"),
    ("swift", 'let x = "a \\(b|)"\n', "code ( hole"),
    ("scala", 'val x = s"a ${b|}"\n', "code hole"),
    ("sql", "select 'a|", "string"),
    ("nobody-knows", "say 'a|", "code"),
    ("yaml", "a: 'b|", "string"),
]
BRACKETS = [
    ("python", "foo(|\n", "code ("),
    ("python", "foo(a, |\n\ndef g():\n  return 1\n", "code ("),
    ("python", "foo(\n    a,\n    |\n)\n", "code ("),
    ("python", "foo(\n\ndef g():\n    |\n", "code"),
    ("python", 'foo("(", ")")\n|', "code"),
    ("python", "x = {|", "code {"),
    ("javascript", "const x = {\n  a: 1,\n  |\n};", "code {"),
    ("javascript", "function f() {\n  |\n}", "code"),
    ("javascript", "foo(() => {\n  |\n});", "code"),
    ("go", "x := T{\n\t|\n}", "code {"),
    ("rust", "let x = Foo {\n  |\n};", "code {"),
    ("rust", "fn f() {\n  |\n}", "code"),
    ("swift", "foo.map {\n  |\n}", "code"),
    ("lua", "x = {\n  |\n}", "code {"),
]


@pytest.mark.parametrize(("language", "marked", "expected"), [*COMMENTS, *STRINGS, *BRACKETS])
def test_text_is_told_from_code(language: str, marked: str, expected: str) -> None:
    """In every language, also where the end of a text has not been typed yet."""
    check(marked, expected, language)


def test_every_language_with_a_grammar_has_a_row() -> None:
    """A language added to the table cannot be forgotten here."""
    assert {language.name for language in LANGUAGES} == set(ROWS)


def test_typing_gives_the_scopes_that_opening_gives() -> None:
    """A tree that was kept up with the typing says the same as a new one."""
    text = 'def f(a):\n    """Sum."""\n    # now\n    return g("x", f"{a}", [1])\n\n\nclass A:\n    pass\n'
    kept = Trees()
    for end in range(len(text) + 1):
        snapshot = Snapshot("a.py", "python", text[:end])

        assert standing(snapshot, end, kept) == standing(snapshot, end, Trees()), text[:end]


def test_a_large_file_is_parsed_round_the_cursor() -> None:
    """Typing leaves the window where it is, so that its tree is mended and not made."""
    line = "value = compute(1, 2)\n"
    text = line * (3 * MAX_WHOLE_CHARS // len(line))
    offset = len(text) // 2
    start, end = span_of(text, offset)
    longer = text[:offset] + "x" + text[offset:]

    assert start < offset - 10_000
    assert offset + 10_000 < end
    assert end - start <= MAX_WHOLE_CHARS + 2 * len(line)
    assert span_of(longer, offset + 1) == (start, end + 1)
    assert text[start - 1] == "\n"
    check(text[:offset] + "# by|\n" + text[offset:], "comment", "python")


@given(st.text("ab\n", max_size=12), st.text("ab\n", max_size=12))
def test_a_difference_makes_one_text_the_other(old: str, new: str) -> None:
    """Whatever was changed, wherever."""
    start, end, replacement = difference(old, new)

    assert 0 <= start <= end <= len(old)
    assert old[:start] + replacement + old[end:] == new


FRAGMENTS = [
    '"',
    "'",
    "`",
    '"""',
    "${",
    "}",
    "{",
    "(",
    ")",
    "#",
    "//",
    "/*",
    "*/",
    "--",
    "\n",
    "\\",
    "é😋",
    "a",
    " ",
]


@given(
    st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join),
    st.sampled_from([*ROWS, "html", "sql", "", "nobody-knows"]),
    st.data(),
)
def test_no_text_breaks_it(text: str, language: str, data: st.DataObject) -> None:
    """Broken code is the normal case, at any place in it."""
    offset = data.draw(st.integers(0, len(text)))

    assert standing(Snapshot("a.x", language, text), offset, Trees()).scope in {
        "code",
        "comment",
        "docstring",
        "string",
        "regex",
        "markup",
    }
