"""What the real clangd says of a line, in our words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from truepenny.guard.grounding.checkers.checker import ShadowChecker
from truepenny.guard.grounding.checkers.clang import clang_checker
from truepenny.guard.grounding.finding import Fault

ANSWER_S = 60.0

pytestmark = pytest.mark.skipif(
    shutil.which("clangd") is None,
    reason="NOT TESTED: clangd is not on PATH (install it from your system's packages)",
)

C = """\
#include <stdio.h>
#include <string.h>
struct box { int size; };
void put(int thing);
int use(struct box *box, int number) {
  """
CPP = """\
#include <string>
#include <vector>
namespace near { void put(int); }
struct Box { void put(int thing); int size; };
int use(Box box, std::string text, std::vector<int> many) {
  """

Row = tuple[str, str, Fault, str, str, str]
ROWS: list[Row] = [
    # file, code, fault, name, receiver, nearest
    ("a.c", "box->depth = 1;", Fault.MISSING_MEMBER, "depth", "struct box", ""),
    ("a.c", "undefined_thing;", Fault.MISSING_NAME, "undefined_thing", "", ""),
    ("a.c", 'strlenn("a");', Fault.MISSING_NAME, "strlenn", "", ""),
    ("a.c", "foo_t z;", Fault.MISSING_NAME, "foo_t", "", ""),
    ("a.c", "struct box b = { .depth = 1 };", Fault.UNKNOWN_ARGUMENT, "depth", "struct box", ""),
    ("a.c", "put(1, 2);", Fault.WRONG_CALL, "", "", ""),
    ("a.c", "number();", Fault.WRONG_CALL, "", "", ""),
    ("a.cpp", "text.lenght();", Fault.MISSING_MEMBER, "lenght", "std::basic_string<char>", ""),
    ("a.cpp", "many.push_bak(1);", Fault.MISSING_MEMBER, "push_bak", "std::vector<int>", "push_back"),
    ("a.cpp", "std::vectr<int> v;", Fault.MISSING_MEMBER, "vectr", "std", "vector"),
    ("a.cpp", "near::gone();", Fault.MISSING_MEMBER, "gone", "near", ""),
    ("a.cpp", "box.putt(1);", Fault.MISSING_MEMBER, "putt", "Box", "put"),
    ("a.cpp", "boxx.put(1);", Fault.MISSING_NAME, "boxx", "", "box"),
    ("a.cpp", "box.put();", Fault.WRONG_CALL, "", "", ""),
]

SOUND = [
    ("a.c", 'printf("%d", box->size); put(number); return (int)strlen("ä");'),
    ("a.cpp", "many.push_back((int)text.size()); box.put(many[0]); near::put(1);"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def checker(root: Path) -> Iterator[ShadowChecker]:
    made = clang_checker(str(root))
    yield made
    made.close()


def found(checker: ShadowChecker, root: Path, file: str, code: str) -> list[Row]:
    text = (C if file.endswith(".c") else CPP) + code + "\n  return 0;\n}\n"
    said = checker.findings(str(root / file), text, ANSWER_S)
    for one in said:
        assert not one.name or text[one.start : one.end] == one.name
    return [(file, code, one.fault, one.name, one.receiver, one.nearest) for one in said]


@pytest.mark.parametrize("row", ROWS, ids=[row[1] for row in ROWS])
def test_what_clangd_says_becomes_a_finding(checker: ShadowChecker, root: Path, row: Row):
    assert row in found(checker, root, row[0], row[1])


@pytest.mark.parametrize(("file", "code"), SOUND)
def test_what_exists_is_not_reported(checker: ShadowChecker, root: Path, file: str, code: str):
    assert found(checker, root, file, code) == []


def test_with_a_header_missing_all_is_a_hint(checker: ShadowChecker, root: Path):
    """It may define any name; where headers are is the build's business."""
    text = '#include "generated.h"\nint use(void) { return made_there(1) + undefined_thing; }\n'
    said = checker.findings(str(root / "b.c"), text, ANSWER_S)
    assert "undefined_thing" in {one.name for one in said}
    assert {one.fault for one in said} == {Fault.POSSIBLY_MISSING}


def test_members_of_a_known_type(checker: ShadowChecker, root: Path):
    text = C + "box->;\n}\n"
    assert "size" in checker.members(str(root / "a.c"), text, text.index("box->;") + 5, ANSWER_S)


def test_a_plugin_of_the_workspace_is_not_loaded(tmp_path: Path):
    """Nor is a compiler that it names asked for anything."""
    mark, compiler = tmp_path / "ran", tmp_path / "cc"
    compiler.write_text(f"#!/bin/sh\ntouch {mark}\n")
    compiler.chmod(0o755)
    command = f"{compiler} -fplugin={tmp_path}/evil.so -Xclang -load -Xclang {tmp_path}/evil.so -c a.c"
    (tmp_path / "compile_commands.json").write_text(
        f'[{{"directory": "{tmp_path}", "file": "a.c", "command": "{command}"}}]'
    )
    (tmp_path / ".clangd").write_text(
        "CompileFlags:\n  Add: [-include, /no/such/header.h]\nDiagnostics:\n  Suppress: '*'\n"
    )
    checker = clang_checker(str(tmp_path))
    try:
        text = "int use(void) { return undefined_thing; }\n"
        assert [one.name for one in checker.findings(str(tmp_path / "a.c"), text, ANSWER_S)] == [
            "undefined_thing"
        ]
    finally:
        checker.close()
    assert not mark.exists()
