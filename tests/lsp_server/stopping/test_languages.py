"""Statements and blocks of every language we parse."""

from __future__ import annotations

import pytest

from truepenny.context.language_table import LANGUAGES

# language, document, what the model writes, what is kept where one line is asked for
STATEMENTS = [
    ("python", "x = ¦\n", "foo(a,\n        b)\ny = 1\n", "foo(a,\n        b)"),
    ("javascript", "const x = ¦\n", "foo(a,\n  b);\nbar();\n", "foo(a,\n  b);"),
    (
        "typescript",
        "const x: T = ¦\n",
        "items\n  .map(f)\n  .filter(g);\nbar();\n",
        "items\n  .map(f)\n  .filter(g);",
    ),
    ("typescriptreact", "const x = ¦\n", "`a\nb`;\nbar();\n", "`a\nb`;"),
    ("go", "func f() {\n\tx := ¦\n}\n", "foo(\n\t\ta,\n\t)\n\ty := 1\n", "foo(\n\t\ta,\n\t)"),
    (
        "rust",
        "fn f() {\n    let x = ¦\n}\n",
        "a\n        .b()?\n        .c();\n    y();\n",
        "a\n        .b()?\n        .c();",
    ),
    (
        "java",
        "class A {\n  void f() {\n    ¦\n  }\n}\n",
        "return a\n        .b()\n        .c();\n    d();\n",
        "return a\n        .b()\n        .c();",
    ),
    ("c", "int f(void) {\n    ¦\n}\n", "return a +\n        b;\n    g();\n", "return a +\n        b;"),
    (
        "cpp",
        "int f() {\n    ¦\n}\n",
        "std::cout << a\n              << b;\n    g();\n",
        "std::cout << a\n              << b;",
    ),
    (
        "csharp",
        "class A {\n    void F() {\n        ¦\n    }\n}\n",
        "var x = new B\n        {\n            C = 1,\n        };\n        G();\n",
        "var x = new B\n        {\n            C = 1,\n        };",
    ),
    ("ruby", "def f\n  x = ¦\nend\n", "a\n    .b\n    .c\n  y = 1\n", "a\n    .b\n    .c"),
    (
        "php",
        "<?php\nfunction f() {\n    ¦\n}\n",
        "$x = $a\n        ->b();\n    g();\n",
        "$x = $a\n        ->b();",
    ),
    ("shellscript", "x=1\n¦\n", "cat a |\n  sort\necho b\n", "cat a |\n  sort"),
    ("lua", "local x = ¦\n", "f(a,\n  b)\nlocal y\n", "f(a,\n  b)"),
    (
        "kotlin",
        "fun f() {\n    val x = ¦\n}\n",
        "a\n        ?.b()\n        ?: c\n    d()\n",
        "a\n        ?.b()\n        ?: c",
    ),
    ("swift", "func f() {\n    let x = ¦\n}\n", "a\n        .b()\n    c()\n", "a\n        .b()"),
    ("scala", "def f() = {\n  val x = ¦\n}\n", "a\n    .map(b)\n  c()\n", "a\n    .map(b)"),
]

# language, document, what the model writes, what is kept where several lines are asked for
BLOCKS = [
    ("python", "def f():¦\n", "\n    x = 1\n    return x\n\n\ny", "\n    x = 1\n    return x"),
    (
        "javascript",
        "function f() {¦\n",
        "\n  if (a) {\n    b();\n  }\n}\nf();\n",
        "\n  if (a) {\n    b();\n  }\n}",
    ),
    (
        "typescript",
        "class A {\n  f(): void {¦\n\n  g() {}\n}\n",
        "\n    b();\n  }\n\n  h() {}\n",
        "\n    b();\n  }",
    ),
    (
        "typescriptreact",
        "function A() {\n  return (¦\n}\n",
        "\n    <p>a</p>\n  );\n}\n",
        "\n    <p>a</p>\n  );",
    ),
    ("go", "func f() {\n\tif a {¦\n\tb()\n}\n", "\n\t\tc()\n\t}\n\td()\n", "\n\t\tc()\n\t}"),
    (
        "rust",
        "fn f() {\n    match x {\n        A => {¦\n    }\n}\n",
        "\n            b();\n        }\n        B => {}\n",
        "\n            b();\n        }",
    ),
    (
        "java",
        "class A {\n  void f() {¦\n}\n",
        "\n    for (;;) {\n      b();\n    }\n  }\n\n  void g() {\n",
        "\n    for (;;) {\n      b();\n    }\n  }",
    ),
    (
        "c",
        "int f(void) {¦\n",
        "\n#if A\n    b();\n#endif\n    return 1;\n}\n\nint g",
        "\n#if A\n    b();\n#endif\n    return 1;\n}",
    ),
    (
        "cpp",
        "struct A {¦\n",
        "\n    int a;\n    int b() {\n        return a;\n    }\n};\n\nstruct B {\n",
        "\n    int a;\n    int b() {\n        return a;\n    }\n};",
    ),
    (
        "csharp",
        "class A {\n    int F()\n    {¦\n}\n",
        "\n        return 1;\n    }\n\n    int G()\n",
        "\n        return 1;\n    }",
    ),
    ("ruby", "def f¦\n", "\n  if a\n    b if c\n  end\nend\n\ndef g\n", "\n  if a\n    b if c\n  end\nend"),
    (
        "php",
        "<?php\nfunction f() {¦\n",
        "\n    foreach ($a as $b) {\n        c();\n    }\n}\n\nf();\n",
        "\n    foreach ($a as $b) {\n        c();\n    }\n}",
    ),
    (
        "shellscript",
        "for a in b; do¦\n",
        "\n  case $a in\n    c) d;;\n  esac\ndone\necho e\n",
        "\n  case $a in\n    c) d;;\n  esac\ndone",
    ),
    (
        "lua",
        "function f()¦\n",
        "\n  if a then\n    b()\n  end\nend\n\nf()\n",
        "\n  if a then\n    b()\n  end\nend",
    ),
    (
        "kotlin",
        "fun f() {¦\n",
        "\n    when (a) {\n        1 -> b()\n    }\n}\n\nfun g",
        "\n    when (a) {\n        1 -> b()\n    }\n}",
    ),
    (
        "swift",
        "func f() {¦\n",
        "\n    guard a else {\n        return\n    }\n}\n\nfunc g",
        "\n    guard a else {\n        return\n    }\n}",
    ),
    (
        "scala",
        "def f() = {¦\n",
        "\n  a match {\n    case 1 => b\n  }\n}\n\ndef g",
        "\n  a match {\n    case 1 => b\n  }\n}",
    ),
]


# language, document, what the model writes of which only the first declaration is kept
DECLARATIONS = [
    ("python", "¦\n", "def f():\n    a()", "\n\n\ndef g():\n"),
    ("javascript", "¦\n", "function f() {\n  a();\n}", "\n\nfunction g() {\n"),
    ("typescript", "class A {\n  ¦\n}\n", "private f() {\n    a();\n  }", "\n\n  private g() {\n"),
    ("typescriptreact", "¦\n", "export function F() {\n  return <p/>;\n}", "\n\nexport function G"),
    ("go", "¦\n", "func f() {\n\ta()\n}", "\n\nfunc g() {\n"),
    ("rust", "impl A {\n    ¦\n}\n", "pub fn f() {\n        a();\n    }", "\n\n    pub fn g() {\n"),
    ("java", "class A {\n    ¦\n}\n", "public void f() {\n        a();\n    }", "\n\n    public void g"),
    ("c", "¦\n", "int f(void) {\n    return 1;\n}", "\n\nint g(void) {\n"),
    ("cpp", "¦\n", "struct A {\n    int a;\n};", "\n\nstruct B {\n"),
    (
        "csharp",
        "class A\n{\n    ¦\n}\n",
        "public void F()\n    {\n        B();\n    }",
        "\n\n    public void G",
    ),
    ("ruby", "class A\n  ¦\nend\n", "def f\n    a\n  end", "\n\n  def g\n"),
    (
        "php",
        "<?php\nclass A {\n    ¦\n}\n",
        "public function f() {\n        a();\n    }",
        "\n\n    public function g",
    ),
    ("shellscript", "¦\n", "f() {\n  a\n}", "\n\ng() {\n"),
    ("lua", "¦\n", "local function f()\n  a()\nend", "\n\nlocal function g()\n"),
    ("kotlin", "class A {\n    ¦\n}\n", "fun f() {\n        a()\n    }", "\n\n    fun g() {\n"),
    ("swift", "struct A {\n    ¦\n}\n", "func f() {\n        a()\n    }", "\n\n    func g() {\n"),
    ("scala", "object A {\n  ¦\n}\n", "def f() = {\n    a()\n  }", "\n\n  def g() = {\n"),
]


@pytest.mark.parametrize(
    "rows", [STATEMENTS, BLOCKS, DECLARATIONS], ids=["statements", "blocks", "declarations"]
)
def test_no_language_is_left_out(rows: list[tuple[str, ...]]) -> None:
    """A language that is parsed is also stopped."""
    assert {row[0] for row in rows} == {language.name for language in LANGUAGES}


@pytest.mark.parametrize(
    ("language", "marked", "generated", "expected"), STATEMENTS, ids=[r[0] for r in STATEMENTS]
)
def test_one_line_is_one_statement(kept, language: str, marked: str, generated: str, expected: str) -> None:
    """What a statement opens is closed before it is complete, and what follows is not waited for."""
    assert kept(marked, generated, language, is_multi=False) == expected


@pytest.mark.parametrize(("language", "marked", "generated", "expected"), BLOCKS, ids=[r[0] for r in BLOCKS])
def test_a_block_ends_with_what_closes_it(
    kept, language: str, marked: str, generated: str, expected: str
) -> None:
    """The closer comes along where the document lacks it."""
    assert kept(marked, generated, language, is_multi=True) == expected


@pytest.mark.parametrize(("language", "marked", "generated", "expected"), BLOCKS, ids=[r[0] for r in BLOCKS])
def test_a_closer_that_stands_below_is_left_out(
    kept, language: str, marked: str, generated: str, expected: str
) -> None:
    """An editor that closes brackets by itself has written it already."""
    if language == "python":
        return
    body, _, closer = expected.rpartition("\n")
    before, after = marked.split("¦")
    assert kept(f"{before}¦\n{closer}{after}", generated, language, is_multi=True) == body


@pytest.mark.parametrize(
    ("language", "marked", "first", "following"), DECLARATIONS, ids=[r[0] for r in DECLARATIONS]
)
def test_the_next_declaration_is_another_suggestion(
    kept, language: str, marked: str, first: str, following: str
) -> None:
    """A model asked for one function likes to go on with the next."""
    assert kept(marked, first + following, language, is_multi=True) == first
