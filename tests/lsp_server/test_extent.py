"""One line or several, language by language: `|` marks the cursor."""

from __future__ import annotations

import pytest

from truepenny.lsp_server.place.gate import decide
from truepenny.lsp_server.settings import CompletionSettings
from truepenny.lsp_server.snapshot import Query, Snapshot

MULTI = [
    ("python", "def f(x):|"),
    ("python", "def f(x):|\n"),
    ("python", "async def f(\n    x,\n) -> int:|\n"),
    ("python", "class A: |"),
    ("python", "if x:|\n    pass"),
    ("python", "else:|"),
    ("python", "x = {|"),
    ("python", "def f(x):\n    |"),
    ("python", "def f(x):\n    |\n\ny = 1\n"),
    ("python", "def f(x):\n    |\ny = 1\n"),
    ("python", "def f(x):\n    y = 1\n    |\ny = 1\n"),
    ("python", 'def f(x):\n    """Sum."""\n    |\n    return x\n'),
    ("python", "# the sum of all\n|\nx = 1\n"),
    ("javascript", "function f() {|\n}"),
    ("javascript", "items.map((x) => {|\n});"),
    ("javascript", "const x = {\n  |\n};"),
    ("javascript", "function f() {\n  a();\n  |\n}"),
    ("typescript", "interface A {|"),
    ("typescriptreact", "class A {|"),
    ("go", "if err != nil {|\n}"),
    ("go", "switch x {\n\tcase 1:|"),
    ("rust", "match x {\n    1 =>|"),
    ("java", "for (int a : b) {|"),
    ("c", "if (a)|"),
    ("cpp", "class A {\npublic:|"),
    ("csharp", "while (a)|"),
    ("ruby", "def f(a)|"),
    ("ruby", "a.each do|"),
    ("ruby", "def f\n  a\n  |\nend\n"),
    ("php", "<?php\nforeach ($a as $b) {|"),
    ("shellscript", "if true; then|"),
    ("shellscript", "for a in b; do\n  c\n  |\ndone\n"),
    ("lua", "function f(a)|"),
    ("lua", "if a then|"),
    ("kotlin", "fun f() {|"),
    ("kotlin", "a.map { x ->|"),
    ("swift", "func f() {|"),
    ("scala", "def f(a: Int) =|"),
    ("nobody-knows", "begin {|"),
]
SINGLE = [
    ("python", "x:|"),
    ("python", "f = lambda x:|"),
    ("python", "x = {'a':|"),
    ("python", "x = a[1:|"),
    ("python", "foo(|"),
    ("python", "x = [|"),
    ("python", "def f() ->|"),
    ("python", "def f(x):\n    y = 1\n    |\n    return y\n"),
    ("python", "def f(x):\n    |\n    return x\n"),
    ("python", "foo(\n    |\n)\n"),
    ("python", "x = [\n    1,\n    |\n]\n"),
    ("python", 'def f():\n    """Sum.\n    |\n'),
    ("javascript", "items.map((x) =>|"),
    ("javascript", "x = a ? b :|"),
    ("javascript", "const x = {\n  a: 1,\n  |\n};"),
    ("javascript", "function f() {\n  |\n  a();\n}"),
    ("typescript", "let x:|"),
    ("typescriptreact", "const x = <p>a|"),
    ("go", "x := f(|"),
    ("rust", "fn f() ->|"),
    ("java", "int a = f(|"),
    ("c", "int a = |"),
    ("cpp", "std::vector<int> a = |"),
    ("csharp", "var a = f(|"),
    ("ruby", "def f = 1; end|"),
    ("php", "<?php\n$a = f(|"),
    ("shellscript", "ls |"),
    ("lua", "x = f(a)|"),
    ("kotlin", "val a = f(|"),
    ("swift", "func f() ->|"),
    ("scala", "val a = f(|"),
    ("nobody-knows", "x = 1|"),
]


@pytest.mark.parametrize(
    ("language", "marked", "is_multi"), [(*row, True) for row in MULTI] + [(*row, False) for row in SINGLE]
)
def test_as_many_lines_as_the_syntax_opens(language: str, marked: str, is_multi: bool) -> None:  # noqa: FBT001  (a row of data)
    """A block that is opened wants several lines, an expression one."""
    offset = marked.index("|")
    asked = Query(Snapshot("a.x", language, marked.replace("|", "", 1)), offset)

    decision = decide(asked, CompletionSettings())

    assert decision.is_open, decision.reason
    assert decision.is_multi is is_multi
