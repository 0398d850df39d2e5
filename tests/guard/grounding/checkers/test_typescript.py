"""What the real TypeScript says of a line, in our words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from truepenny.guard.errors import CheckerError
from truepenny.guard.grounding.checkers import typescript
from truepenny.guard.grounding.checkers.checker import ShadowChecker
from truepenny.guard.grounding.finding import Fault
from truepenny.models.store import cache_root

ANSWER_S = 30.0

PREAMBLE = """\
import fs from "fs";
import { here } from "./near";
interface Box { size: number; name?: string }
class Crate { put(thing: string, twice?: boolean): void {} }
declare const box: Box;
declare const crate: Crate;
declare const mixed: string | number;
declare const letter: "a" | "b";
declare function send(box: Box): void;
"""

Row = tuple[str, Fault, str, str, str, str]
ROWS: list[Row] = [
    # code, fault, the part of it, name, receiver, nearest
    ("box.depth;", Fault.MISSING_MEMBER, "depth", "depth", "Box", ""),
    ("box.sise;", Fault.MISSING_MEMBER, "sise", "sise", "Box", ""),
    ("'ä😀', box.depth;", Fault.MISSING_MEMBER, "depth", "depth", "Box", ""),
    ("new Crate().putt();", Fault.MISSING_MEMBER, "putt", "putt", "Crate", "put"),
    ("'a'.foo();", Fault.MISSING_MEMBER, "foo", "foo", '"a"', ""),
    ("letter.foo();", Fault.MISSING_MEMBER, "foo", "foo", '"a" | "b"', ""),
    ("[1].pusj(2);", Fault.MISSING_MEMBER, "pusj", "pusj", "number[]", ""),
    ("JSON.parze('1');", Fault.MISSING_MEMBER, "parze", "parze", "JSON", "parse"),
    (
        "document.getElementByIdd('a');",
        Fault.MISSING_MEMBER,
        "getElementByIdd",
        "getElementByIdd",
        "Document",
        "getElementById",
    ),
    ("fs.readFileSink('a');", Fault.MISSING_MEMBER, "readFileSink", "readFileSink", "fs", "readlink"),
    ("process.exitt(1);", Fault.MISSING_MEMBER, "exitt", "exitt", "Process", "exit"),
    ("import { gone } from './near';", Fault.MISSING_MEMBER, "gone", "gone", "./near", ""),
    ("import { heree } from './near';", Fault.MISSING_MEMBER, "heree", "heree", "./near", "here"),
    (
        "let p: Intl.NumberFormatt;",
        Fault.MISSING_MEMBER,
        "NumberFormatt",
        "NumberFormatt",
        "Intl",
        "NumberFormat",
    ),
    ("import { z } from 'zod';", Fault.MISSING_MODULE, "zod", "zod", "", ""),
    ("import z from './nowhere';", Fault.MISSING_MODULE, "./nowhere", "./nowhere", "", ""),
    ("import z from 'node:fss';", Fault.MISSING_MODULE, "node:fss", "node:fss", "", ""),
    ("boxx.size;", Fault.MISSING_NAME, "boxx", "boxx", "", "box"),
    ("let x: Promis<number>;", Fault.MISSING_NAME, "Promis", "Promis", "", "Promise"),
    ("let x: Zork;", Fault.MISSING_NAME, "Zork", "Zork", "", ""),
    ("let x = { zork };", Fault.MISSING_NAME, "zork", "zork", "", ""),
    ("send({ size: 1, depth: 2 });", Fault.UNKNOWN_ARGUMENT, "depth", "depth", "Box", ""),
    ("send({ size: 1, nam: 'a' });", Fault.UNKNOWN_ARGUMENT, "nam", "nam", "Box", "name"),
    ("fetch('a', { metod: 'b' });", Fault.UNKNOWN_ARGUMENT, "metod", "metod", "RequestInit", "method"),
    ("crate.put();", Fault.WRONG_CALL, "put", "", "", ""),
    ("crate.put('a', true, 3);", Fault.WRONG_CALL, "3", "", "", ""),
    ("box.size();", Fault.WRONG_CALL, "size", "", "", ""),
    ("mixed.toUpperCase();", Fault.POSSIBLY_MISSING, "toUpperCase", "toUpperCase", "string | number", ""),
]

SOUND = [
    "fs.readFileSync('a', 'utf8').trim();",
    "box.size = 'three';",  # wrong, but everything it names exists
    "send({ size: 1 });",
    "crate.put(3);",
    "here.toFixed(2);",
    "[1].at(-1);",
    "const unused = 1;",
    "import logo from './logo.svg';",
    "import thing from '@/made/by/a/bundler';",
]

SCRIPT_ROWS: list[Row] = [
    ("JSON.parze('1');", Fault.MISSING_MEMBER, "parze", "parze", "JSON", "parse"),
    ("[1].pusj(2);", Fault.MISSING_MEMBER, "pusj", "pusj", "number[]", ""),
    ("require('os').zork;", Fault.MISSING_MEMBER, "zork", "zork", "os", ""),
    ("zork(1);", Fault.MISSING_NAME, "zork", "zork", "", ""),
    ("// @ts-nocheck\nzork(1);", Fault.MISSING_NAME, "zork", "zork", "", ""),
]

SCRIPT_SOUND = [
    "const o = { x: 1 }; o.y = 3; o.y;",
    "function f() {} f.cache = {}; f.cache;",
    "function f(a, b) { return a.anything(b); } f(1); f(1, 2, 3);",
    "document.querySelector('input').value; document.getElementById('a').value;",
    "window.mine = 1; window.mine;",
    "try { f(); } catch (error) { error.code; } function f() {}",
    "module.exports = { a: 1 };",
    "new Error('a').code;",
]


def checkers_folder() -> Path:
    return Path(os.environ.get("TRUEPENNY_TEST_CHECKERS") or cache_root() / "checkers")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "near.ts").write_text("export const here = 1;\n")
    (folder / "logo.svg").write_text("<svg/>\n")
    return folder


@pytest.fixture(scope="module")
def make() -> Iterator[Callable[[Path], ShadowChecker]]:
    made: list[ShadowChecker] = []

    def one(folder: Path) -> ShadowChecker:
        try:
            made.append(typescript.typescript_checker(str(folder), checkers_folder()))
        except CheckerError as error:
            pytest.skip(f"NOT TESTED: {error} (it needs the network once)")
        return made[-1]

    yield one
    for checker in made:
        checker.close()


@pytest.fixture(scope="module")
def checker(make: Callable[[Path], ShadowChecker], root: Path) -> ShadowChecker:
    return make(root)


def found(checker: ShadowChecker, path: Path, code: str, preamble: str = PREAMBLE) -> list[Row]:
    text = preamble + code + "\n"
    said = checker.findings(str(path), text, ANSWER_S)
    return [(code, one.fault, text[one.start : one.end], one.name, one.receiver, one.nearest) for one in said]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_typescript_says_becomes_a_finding(checker: ShadowChecker, root: Path, row: Row):
    assert row in found(checker, root / "module.ts", row[0])


@pytest.mark.parametrize("code", SOUND)
def test_what_exists_is_not_reported(checker: ShadowChecker, root: Path, code: str):
    assert found(checker, root / "module.ts", code) == []


@pytest.mark.parametrize("row", SCRIPT_ROWS, ids=[row[0] for row in SCRIPT_ROWS])
def test_javascript_is_checked_too(checker: ShadowChecker, root: Path, row: Row):
    assert row in found(checker, root / "module.js", row[0], "")


@pytest.mark.parametrize("code", SCRIPT_SOUND)
def test_what_javascript_does_every_day_is_not_reported(checker: ShadowChecker, root: Path, code: str):
    """Its types are guesses: a line elsewhere may add what is missing."""
    assert found(checker, root / "module.js", code, "") == []


def test_a_component_takes_only_its_own_properties(make: Callable[[Path], ShadowChecker], tmp_path: Path):
    (tmp_path / "tsconfig.json").write_text('{"compilerOptions": {"jsx": "react"}}')
    text = (
        "declare namespace JSX { interface Element {} interface IntrinsicElements { b: { id?: string } } "
        "interface IntrinsicAttributes {} }\n"
        "declare function Card(props: { title: string }): JSX.Element;\n"
        "const one = <Card title='a' heading='b' />;\n"
        "const two = <bb id='a' />;\n"
    )
    said = make(tmp_path).findings(str(tmp_path / "module.tsx"), text, ANSWER_S)
    assert {(one.fault, one.name) for one in said} >= {
        (Fault.UNKNOWN_ARGUMENT, "heading"),
        (Fault.MISSING_MEMBER, "bb"),
    }


def test_members_of_a_known_type(checker: ShadowChecker, root: Path):
    text = PREAMBLE + "crate.pu;\n"
    names = checker.members(str(root / "module.ts"), text, text.index("crate.pu") + 6, ANSWER_S)
    assert names == ("put",)


def test_changes_on_the_disk_are_seen_when_told(checker: ShadowChecker, root: Path):
    text, path = "import { thing } from './late';\n", str(root / "module.ts")
    assert [one.name for one in checker.findings(path, text, ANSWER_S)] == ["./late"]
    (root / "late.ts").write_text("export const thing = 1;\n")
    checker.changed([str(root / "late.ts")])
    assert checker.findings(path, text, ANSWER_S) == ()
    (root / "late.ts").write_text("export const other = 1;\n")
    checker.changed([str(root / "late.ts")])
    assert [one.name for one in checker.findings(path, text, ANSWER_S)] == ["thing"]


def test_what_was_shown_of_one_file_is_not_held_against_another(checker: ShadowChecker, root: Path):
    (root / "one.ts").write_text("export const real = 1;\n")
    checker.changed([str(root / "one.ts")])
    assert checker.findings(str(root / "one.ts"), "export const invented = 1;\n", ANSWER_S) == ()
    (only,) = checker.findings(str(root / "two.ts"), "import { real, invented } from './one';\n", ANSWER_S)
    assert only.name == "invented"


HOSTILE = {
    "unchecked": '{"compilerOptions": {"noCheck": true}}',
    "left out": '{"files": [], "exclude": ["**/*"]}',
    "broken": "{{{",
    "plugins": '{"compilerOptions": {"plugins": [{"name": "./plugin.js"}]}}',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_workspace_cannot_switch_the_checker_off(
    make: Callable[[Path], ShadowChecker], tmp_path: Path, case: str
):
    """It finds what is wrong, or says that it was not asked; a plugin is not run."""
    (tmp_path / "tsconfig.json").write_text(HOSTILE[case])
    mark = tmp_path / "ran"
    (tmp_path / "plugin.js").write_text(f"require('fs').writeFileSync({str(mark)!r}, '')")
    try:
        said = make(tmp_path).findings(str(tmp_path / "m.ts"), "JSON.parze('1');\n", ANSWER_S)
    except CheckerError as error:
        outcome = "not asked" if "does not check" in str(error) else str(error)
    else:
        outcome = " ".join(one.name for one in said)
    assert outcome in ("parze", "not asked")
    assert not mark.exists()


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    return path


def test_it_is_found_in_the_folder_of_checkers_and_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    checkers, root, bin_ = tmp_path / "checkers", tmp_path / "root", tmp_path / "bin"
    bin_.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(bin_), "relative", ""]))
    with pytest.raises(CheckerError, match="truepenny checkers add typescript"):
        typescript.find(checkers, str(root))
    modules = tmp_path / "lib" / "node_modules"
    elsewhere = executable(modules / "@typescript" / "typescript-linux-x64" / "lib" / "tsc")
    (bin_ / "tsc").symlink_to(executable(modules / "typescript" / "bin" / "tsc"))
    assert typescript.find(checkers, str(root)) == elsewhere
    with pytest.raises(CheckerError):
        typescript.find(checkers, str(tmp_path))  # it lies in this workspace
    ours = executable(
        checkers / "typescript" / "node_modules" / "@typescript" / "typescript-linux-x64" / "lib" / "tsc"
    )
    assert typescript.find(checkers, str(root)) == ours
