"""Wrong is refused, unfinished is not, and what the document had wrong anyway is not our business."""

from __future__ import annotations

import random
import sysconfig
from pathlib import Path

import pytest

from truepenny.context.files import read_file
from truepenny.guard.errors import CheckError
from truepenny.guard.syntax import SyntaxCheck
from truepenny.guard.verdict import Action, Passage

PY = "def total(xs):\n    "
PY_END = "\n\n\ndef other():\n    return 1\n"
JS = "function total(xs) {\n  "
JS_END = "\n}\n\nfunction other() { return 1; }\n"
GO = "package p\n\nfunc Total(xs []int) int {\n\t"
GO_END = "\n}\n\nfunc Other() int { return 1 }\n"
JAVA = "class A {\n  int total(List<Integer> xs) {\n    "
JAVA_END = "\n  }\n\n  int other() { return 1; }\n}\n"
RUST = "fn total(xs: &[i32]) -> i32 {\n    "
RUST_END = "\n}\n\nfn other() -> i32 { 1 }\n"
C = "#include <stdio.h>\n\nint total(const int *xs, int n) {\n    "
C_END = "\n}\n\nint other(void) { return 1; }\n"


def check(language: str, before: str, suggestion: str, after: str, expected: str | None) -> None:
    """`expected` is what may be shown: the suggestion itself, a beginning of it, or None for nothing."""
    verdicts = SyntaxCheck().judge(Passage(before, suggestion, after, language))
    if expected == suggestion:
        assert verdicts == (), verdicts
        return
    (verdict,) = verdicts
    assert verdict.kind == "syntax"
    assert "does not parse" in verdict.evidence
    shown = None if verdict.action == Action.WITHHOLD else suggestion[: verdict.start]
    assert shown == expected
    assert verdict.end == len(suggestion)


GOOD = [
    ("python", PY, "return sum(xs)", PY_END),
    ("python", PY, "for x in xs:", PY_END),
    ("python", PY, "if not xs:\n        return 0\n    return sum(xs)", PY_END),
    ("python", PY, "result = foo(a,", PY_END),
    ("python", PY, 'text = "unfinished', PY_END),
    ("python", PY, '"""Adds up.', PY_END),
    ("python", PY, 'text = f"{xs[0]} of {len(xs', PY_END),
    ("python", PY, "try:\n        return sum(xs)", PY_END),
    ("python", PY + "y = [", "1, 2", "]" + PY_END),
    ("python", PY + "y = foo(", "a, b", ")" + PY_END),
    ("python", PY + "y = foo(a, ", "b)\n    return y", PY_END),
    ("python", PY, "y = x if x els", PY_END),
    ("python", "class A:\n    ", "@property\n    ", PY_END),
    ("python", "", "from os im", "\n"),
    ("python", PY, "s = 'ü😀' + str(xs)", PY_END),
    ("python", "import os\n\n", "@cache\ndef f():", "\n"),
    ("python", PY + "data = {\n        ", '"a": 1,\n        "b": 2,', "\n    }" + PY_END),
    ("javascript", JS, "return xs.reduce((a, b) => a + b, 0);", JS_END),
    ("javascript", JS, "if (!xs.length) {", JS_END),
    ("javascript", JS, "for (const x of xs) {\n    sum += x;\n  }", JS_END),
    ("javascript", JS, "return `${xs.length} of ${total", JS_END),
    ("javascript", JS + "return xs.map(", "x => x + 1", ");" + JS_END),
    ("javascript", JS, "/* adds up", JS_END),
    ("javascript", JS, "const ok = xs.every((x) => {", JS_END),
    (
        "typescriptreact",
        "const A = () => {\n  return ",
        "<div className={x}>\n    {items.map((i) => <b>{i}</b>)}\n  </div>;",
        "\n}\n",
    ),
    ("typescript", "interface A {\n  ", "name: string;\n  parent?: A;", "\n}\n"),
    ("go", GO, "for _, x := range xs {\n\t\tsum += x\n\t}\n\treturn sum", GO_END),
    ("go", GO, "if err != nil {", GO_END),
    ("go", GO, 'fmt.Println("unfinished', GO_END),
    ("go", GO, "x := 'a", GO_END),
    ("java", JAVA, "int sum = 0;\n    for (int x : xs) {\n      sum += x;\n    }\n    return sum;", JAVA_END),
    ("java", JAVA, "int sum = 0", JAVA_END),
    ("java", JAVA, "return xs.stream().mapToInt(x -> x)", ".sum();" + JAVA_END),
    ("java", JAVA, "if (xs.isEmpty()) {", JAVA_END),
    ("rust", RUST, "xs.iter().sum()", RUST_END),
    ("rust", RUST, "let mut sum = 0;\n    for x in xs {\n        sum += x;\n    }\n    sum", RUST_END),
    ("rust", RUST, "match xs.first() {\n        Some(x) => *x,", RUST_END),
    ("c", C, 'printf("%d\\n", n);\n    return xs[0];', C_END),
    ("c", C, "for (int i = 0; i < n; i++) {", C_END),
    ("c", C, "LIST_FOREACH(x, xs) {\n        use(x);\n    }", C_END),
    ("c", C, "int sum = 0", C_END),
    (
        "cpp",
        "#include <vector>\nint f(const std::vector<int>& v) {\n  ",
        "for (auto x : v) { s += x; }",
        "\n}\n",
    ),
    ("csharp", "class A {\n  int F() {\n    ", "var x = items.Where(i => i > 1);", "\n  }\n}\n"),
    ("ruby", "def f(xs)\n  ", "xs.each do |x|", "\nend\n"),
    ("ruby", "def f(xs)\n  ", "xs.each do |x|\n    puts x\n  end", "\nend\n"),
    ("php", "<?php\nfunction f($xs) {\n  ", "return array_sum($xs);", "\n}\n"),
    ("shellscript", "f() {\n  ", 'for x in "$@"; do\n    echo "$x"\n  done', "\n}\n"),
    ("cobol", "", "MOVE ( TO ]", ""),
    ("plaintext", "", "((((", ""),
]

BAD = [
    ("python", PY, "return sum(xs))", PY_END, "return sum(xs)"),
    ("python", PY, "y = = 1", PY_END, None),
    ("python", PY, "y = 1\n    z = = 2\n    return z", PY_END, "y = 1"),
    ("python", PY, "if xs:\n        y = 1\n    else return", PY_END, "if xs:\n        y = 1"),
    ("python", PY, "y = 1\n      z = 2", PY_END, "y = 1"),
    ("python", PY, "y = 1\n  z = 2", PY_END, "y = 1"),
    ("python", PY, "for x in xs:\n    y = x\n    z = y", PY_END, None),
    ("python", PY, "if xs:\n        y = 1\n      else:\n        y = 2", PY_END, "if xs:\n        y = 1"),
    ("python", PY, "foo(]", PY_END, None),
    ("python", PY + "y = foo(", "a)", ")" + PY_END, "a"),
    ("python", PY, "x = 'é' 5\n    y = 2", PY_END, None),
    ("python", "", "function f() {", "\n", None),
    ("javascript", JS, "let x = 1;\n  let y = = 2;", JS_END, "let x = 1;"),
    ("javascript", JS, "return 1;\n}", JS_END, "return 1;"),
    ("javascript", JS, "if (x) {\n    y = 1;\n    z = ];\n  }", JS_END, "if (x) {\n    y = 1;"),
    ("javascript", JS, "def f(self):", JS_END, None),
    ("go", GO, "sum := 0\n\tfor x in xs {\n\t}", GO_END, "sum := 0"),
    ("go", GO, "return 1\n}", GO_END, "return 1"),
    ("java", JAVA, "int a = 1;\n    int b == 2;", JAVA_END, "int a = 1;"),
    ("rust", RUST, "let a = 1;\n    let = 2;", RUST_END, "let a = 1;"),
    ("rust", RUST, "for (int i = 0; i < n; i++) {", RUST_END, None),
    ("c", C, "int a = 1;\n    int b = );", C_END, "int a = 1;"),
    ("c", C, "return 0;\n}", C_END, "return 0;"),
    ("ruby", "def f(xs)\n  ", "x = 1\n  y = = 2", "\nend\n", "x = 1"),
    ("php", "<?php\nfunction f($xs) {\n  ", "$a = 1;\n  $b = = 2;", "\n}\n", "$a = 1;"),
    ("shellscript", "f() {\n  ", "echo hi\n  if )", "\n}\n", "echo hi"),
]


@pytest.mark.parametrize(("language", "before", "suggestion", "after"), GOOD)
def test_sound_and_unfinished_suggestions_pass_untouched(language, before, suggestion, after):
    """A false alarm costs the person a good suggestion."""
    check(language, before, suggestion, after, suggestion)


@pytest.mark.parametrize(("language", "before", "suggestion", "after", "shown"), BAD)
def test_broken_suggestions_are_cut_to_the_last_clean_line(language, before, suggestion, after, shown):
    """Or withheld, where nothing clean is left."""
    check(language, before, suggestion, after, shown)


@pytest.mark.parametrize(
    ("language", "before", "suggestion", "after"),
    [
        ("python", "def broken(:\n    x = = 1\n\n\ndef f():\n    ", "return 1", "\n"),
        ("python", PY, "return sum(xs)", "\n\n\ndef broken(:\n    pass ]\n"),
        ("javascript", "function broken( {\n\nfunction f() {\n  ", "return 1;", "\n}\n"),
        ("java", "class A { int f( { }\n  void g() {\n    ", "x();", "\n  }\n}\n"),
        ("go", "package p\n\nfunc f( {\n\nfunc g() {\n\t", "x := 1", "\n}\n"),
        ("c", "EXPORT(int) f(void) MACRO\n{\n    ", "return 1;", "\n}\n"),
        ("c", "struct s {\n    ", "OBJECT_HEAD\n    int flags;", "\n};\n"),
    ],
)
def test_old_errors_are_not_blamed_on_the_suggestion(language, before, suggestion, after):
    """People ask for suggestions in the middle of unfinished work."""
    check(language, before, suggestion, after, suggestion)


@pytest.mark.parametrize(
    ("language", "before", "suggestion", "after", "repaired"),
    [
        ("java", JAVA, "return foo(1));", JAVA_END, "return foo(1);"),
        ("c", C, "if (n > 0)) {\n        return 1;\n    }", C_END, "if (n > 0) {\n        return 1;\n    }"),
        ("javascript", JS, "const y = xs[0]];\n  return y;", JS_END, "const y = xs[0];\n  return y;"),
        ("python", PY, "if foo(xs)):\n        return 1", PY_END, "if foo(xs):\n        return 1"),
    ],
)
def test_a_bracket_too_many_is_left_out(language, before, suggestion, after, repaired):
    """The commonest slip, where the rest of the line says what was meant."""
    (verdict,) = SyntaxCheck().judge(Passage(before, suggestion, after, language))
    assert verdict.action == Action.REPAIR
    assert suggestion[: verdict.start] + (verdict.replacement or "") + suggestion[verdict.end :] == repaired


HEADER = "#ifndef A_H\n#define A_H\n\nnamespace shop {\n\n"
HEADER_END = "\n\n}  // namespace shop\n\n#endif\n"
CLASS = "#pragma once\n\nclass SHOP_API Basket final {\n public:\n  "
CLASS_END = "\n\n private:\n  int size_;\n};\n"


@pytest.mark.parametrize(
    ("path", "before", "suggestion", "after"),
    [
        ("a.h", HEADER, "template <typename T>\nclass Basket : T {\n public:\n  ~Basket();\n};", HEADER_END),
        ("a.h", HEADER, "using Names = std::vector<std::string>;\nstruct Basket;", HEADER_END),
        ("a.h", HEADER + "class Basket {\n", " public:\n  explicit Basket(int size);", "\n};" + HEADER_END),
        ("a.hpp", CLASS, "virtual ~Basket() = default;\n  void add(int id) override;", CLASS_END),
        ("a.cpp", "", "class SHOP_API Basket {\n public:\n  Basket(const Basket&) = delete;\n};", "\n"),
        ("a.cpp", "int f() {\n", "  TRY_AND_LOG({\n    g();\n  })\n}\n\nint h() {\n  return 1;", "\n}\n"),
        ("a.cpp", "", "inline int f(const A& a = {}, B b={}) {\n  return ::shop::f(a, b);\n}", "\n"),
        ("a.c", "", "static hidden_attr fast_attr int total(int n)\n{\n    return n;\n}", "\n"),
        ("a.c", "#define EACH(x) \\\n", "  do_one(x); \\\n  /* then */ \\\n  else_do(x)", "\n"),
    ],
)
def test_what_macros_and_headers_hide_is_not_blamed_on_the_suggestion(
    path: str, before: str, suggestion: str, after: str
) -> None:
    """Whether a header is C or C++ its name does not say, and attributes are macros by any name."""
    language = "cpp" if path.endswith("pp") else "c"
    assert SyntaxCheck().judge(Passage(before, suggestion, after, language, path)) == ()


@pytest.mark.parametrize(
    ("path", "before", "suggestion", "after"),
    [
        ("a.h", "#pragma once\n\nnamespace shop {\n", "struct Basket { int a = ); };", "\n}\n"),
        ("a.h", "#pragma once\n", "int total(int *xs, int n;", "\n"),
        ("a.hpp", CLASS, "void add(int id]];", CLASS_END),
        ("a.cpp", "int f() {\n", "  def g(x):\n    return = 1", "\n}\n"),
        ("a.c", C, "int a = 1;\n    b = = 2;", C_END),
    ],
)
def test_what_is_wrong_everywhere_is_refused_there_too(
    path: str, before: str, suggestion: str, after: str
) -> None:
    """No place and no macro makes it sound."""
    language = "cpp" if path.endswith("pp") else "c"
    assert SyntaxCheck().judge(Passage(before, suggestion, after, language, path)) != ()


def test_an_unfinished_line_is_there_to_be_finished():
    """Without the suggestion the line is an error; with a bad one it still is."""
    check("python", PY + "y = ", "foo(1)", PY_END, "foo(1)")
    check("python", PY + "y = ", "foo(]", PY_END, None)
    check("java", JAVA + "int y = ", "foo(1);", JAVA_END, "foo(1);")
    check("java", JAVA + "int y = ", "foo(1;", JAVA_END, None)


def test_evidence_names_the_line_and_no_text():
    """The text refused may be half of a password."""
    (verdict,) = SyntaxCheck().judge(Passage(PY, "y = 1\n    tok en = 'hunter-two'", PY_END, "python"))
    assert verdict.evidence == "the suggestion does not parse from its line 2 on: unexpected identifier"


def test_the_file_name_tells_the_language_where_the_editor_does_not():
    """Some clients call everything plain text."""
    passage = Passage("", "y = = 1", "\n", "plaintext", path="a.py")
    assert SyntaxCheck().judge(passage)[0].action == Action.WITHHOLD


def test_what_cannot_be_parsed_is_no_pass():
    """The pipeline turns this into unvouched."""
    with pytest.raises(CheckError, match="too deeply nested"):
        SyntaxCheck().judge(Passage("a<" * 9_000, "x;", "", "java"))


def test_a_large_document_is_judged_by_what_is_near():
    """Five megabytes round the cursor do not decide about one line."""
    filler = "def f():\n    return 1\n\n\n" * 50_000
    check("python", filler + PY, "return sum(xs)", PY_END + filler, "return sum(xs)")
    check("python", filler + PY, "return sum(xs))", PY_END + filler, "return sum(xs)")


def spans(text: str, rng: random.Random, count: int):
    """Places in real code: before, the true text of one to five lines, after."""
    lines = text.splitlines(keepends=True)
    for _ in range(count):
        n = rng.randint(1, 5)
        first = rng.randrange(0, max(1, len(lines) - n))
        yield "".join(lines[:first]), "".join(lines[first : first + n]), "".join(lines[first + n :])


def standard_library(count: int) -> list[str]:
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    random.Random(11).shuffle(files)
    texts = [read_file(path).text for path in files[: count * 2]]
    return [text for text in texts if 500 < len(text) < 60_000][:count]


@pytest.mark.parametrize("shape", ["lines", "to the end of a line", "cut anywhere"])
def test_the_true_text_of_real_code_passes(shape: str):
    """The bar is 99.5 % of the standard library; measured on far more, it was 100 %."""
    rng = random.Random(f"true text {shape}")
    judged, failed = 0, []
    for text in standard_library(25):
        for before, span, after in spans(text, rng, 4):
            if not span.strip():
                continue
            lead, line_end = len(span) - len(span.lstrip()), len(span.rstrip("\n"))
            start, end, rest = {
                "lines": (0, len(span), ""),
                "to the end of a line": (lead, line_end, span[line_end:]),
                "cut anywhere": (lead, rng.randint(lead + 1, max(lead + 1, line_end)), span[line_end:]),
            }[shape]
            passage = Passage(before + span[:start], span[start:end], rest + after, "python")
            judged += 1
            failed += [(passage.suggestion, v) for v in SyntaxCheck().judge(passage)]
    assert judged > 50
    assert len(failed) <= 0.005 * judged, failed[:3]


def test_broken_real_code_is_refused():
    """A bracket too many at the end of a true span: the commonest slip of small models."""
    rng = random.Random("broken")
    refused = judged = 0
    for text in standard_library(20):
        for before, span, after in spans(text, rng, 2):
            if not span.strip() or '"""' in before + span or "#" in span:
                continue
            judged += 1
            refused += bool(SyntaxCheck().judge(Passage(before, span.rstrip() + ")", "\n" + after, "python")))
    assert refused >= 0.9 * judged
