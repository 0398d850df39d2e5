"""Imports lead to files: by paths and by the files that configure a build, nothing else.

Each row is a workspace in little: what the file `at` says, and where it leads.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.extraction import extract
from truepenny.context.facts import Import, ImportedName
from truepenny.context.imports import Environment, ListedWorkspace, Resolver
from truepenny.context.imports.workspace import json_table, nearest
from truepenny.context.languages import language_of_path


def resolver(
    files: dict[str, str] | list[str], environment: Environment | None = None, root: str | None = None
):
    texts = files if isinstance(files, dict) else dict.fromkeys(files, "")
    return Resolver(ListedWorkspace(texts, texts.__getitem__, root), environment)


def check(
    files: dict[str, str] | list[str],
    at: str,
    says: str,
    leads: str,
    environment: Environment | None = None,
    root: str | None = None,
) -> None:
    """`leads`: paths, each with `=name` where a name is the whole file, of all imports in `says`."""
    language = language_of_path(at)
    assert language is not None
    found = resolver(files, environment, root)
    targets = [target for one in extract(says, language).imports for target in found.targets(at, one)]
    assert [f"{one.path}={one.name}" if one.name else one.path for one in targets] == leads.split()


PYTHON = [
    "pyproject.toml",
    "src/tide/__init__.py",
    "src/tide/gauge.py",
    "src/tide/store/__init__.py",
    "src/tide/store/rows.py",
    "src/tide/store/typed.pyi",
    "tests/test_gauge.py",
    "tests/helpers.py",
    "tools/run.py",
    "packages/wave/pyproject.toml",
    "packages/wave/wave/__init__.py",
    "packages/wave/wave/height.py",
]


@pytest.mark.parametrize(
    ("at", "says", "leads"),
    [
        ("tests/test_gauge.py", "import tide.gauge", "src/tide/gauge.py"),
        ("tests/test_gauge.py", "import tide.gauge as g, tide", "src/tide/gauge.py src/tide/__init__.py"),
        ("tests/test_gauge.py", "from tide.store.rows import Row", "src/tide/store/rows.py"),
        (
            "tests/test_gauge.py",
            "from tide.store import rows, Shelf",
            "src/tide/store/rows.py=rows src/tide/store/__init__.py",
        ),
        ("tests/test_gauge.py", "import helpers", "tests/helpers.py"),
        ("tests/test_gauge.py", "from wave.height import top", "packages/wave/wave/height.py"),
        ("src/tide/gauge.py", "from . import store", "src/tide/store/__init__.py=store src/tide/__init__.py"),
        ("src/tide/gauge.py", "from .store.typed import *", "src/tide/store/typed.pyi"),
        ("src/tide/store/rows.py", "from ..gauge import Gauge", "src/tide/gauge.py"),
        ("src/tide/store/__init__.py", "from .rows import Row", "src/tide/store/rows.py"),
        ("src/tide/store/rows.py", "from ..... import far", ""),
        ("tools/run.py", "import gauge", ""),
        ("tools/run.py", "import os, unknown.module", ""),
    ],
)
def test_python(at: str, says: str, leads: str):
    """`src` layouts, several projects, packages, submodules, levels."""
    check(PYTHON, at, says, leads)


def test_python_installed(tmp_path: Path):
    """Beside the workspace, `-stubs` first; the environment is told, not looked for."""
    site = tmp_path / "site-packages"
    for name in ("httpy/__init__.py", "httpy/client.py", "yamly.py", "yamly-stubs/__init__.pyi"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).touch()
    place = site.as_posix()
    environment = Environment(python=(place,))
    says = "from httpy import client, get\nimport yamly\n"
    leads = f"{place}/httpy/client.py=client {place}/httpy/__init__.py {place}/yamly-stubs/__init__.pyi"
    check(["a.py"], "a.py", says, leads, environment)
    check(["a.py"], "a.py", says, "")


SCRIPT = {
    "package.json": '{"name": "harbour", "workspaces": ["packages/*"]}',
    "tsconfig.json": """{
      // the usual comments
      "compilerOptions": {"baseUrl": ".", "paths": {
        "@app/*": ["src/*", "lib/*"], "config": ["src/config.ts"],
      },},
    }""",
    "src/index.ts": "",
    "src/config.ts": "",
    "src/gauge.ts": "",
    "src/view.tsx": "",
    "src/store/index.ts": "",
    "src/store/rows.d.ts": "",
    "lib/old.js": "",
    "web/tsconfig.json": '{"extends": "../tsconfig"}',
    "web/main.ts": "",
    "packages/wave/package.json": """{"name": "@tide/wave", "exports": {
      ".": {"import": {"types": "./dist/index.d.ts", "default": "./dist/index.js"}},
      "./height": "./dist/height.js",
      "./parts/*": "./dist/parts/*.js"
    }}""",
    "packages/wave/src/index.ts": "",
    "packages/wave/src/height.ts": "",
    "packages/wave/src/parts/top.ts": "",
    "packages/shelf/package.json": '{"name": "shelf", "main": "./lib/shelf.js"}',
    "packages/shelf/lib/shelf.js": "",
}


@pytest.mark.parametrize(
    ("at", "says", "leads"),
    [
        ("src/gauge.ts", 'import { Row } from "./store";', "src/store/index.ts"),
        ("src/gauge.ts", 'import { Row } from "./store/rows";', "src/store/rows.d.ts"),
        ("src/gauge.ts", 'import { View } from "./view.js";', "src/view.tsx"),
        ("src/store/index.ts", 'export * from "../gauge";', "src/gauge.ts"),
        ("src/store/index.ts", 'import "..";', "src/index.ts"),
        ("src/gauge.ts", 'import a from "@app/old"; import b from "config";', "lib/old.js src/config.ts"),
        ("src/gauge.ts", 'import a from "src/view";', "src/view.tsx"),
        ("web/main.ts", 'import a from "@app/gauge";', "src/gauge.ts"),
        ("src/gauge.ts", 'import { top } from "@tide/wave";', "packages/wave/src/index.ts"),
        ("src/gauge.ts", 'import { top } from "@tide/wave/height";', "packages/wave/src/height.ts"),
        ("src/gauge.ts", 'import { top } from "@tide/wave/parts/top";', "packages/wave/src/parts/top.ts"),
        ("src/gauge.ts", 'import { top } from "@tide/wave/secret";', ""),
        ("src/gauge.ts", 'const shelf = require("shelf");', "packages/shelf/lib/shelf.js"),
        ("lib/old.js", 'const { Row } = require("../src/store/index.js");', "src/store/index.ts"),
        ("lib/old.js", 'await import("../src/gauge.js");', "src/gauge.ts"),
        ("src/gauge.ts", 'import fs from "node:fs"; import x from "left-pad";', ""),
    ],
)
def test_javascript_and_typescript(at: str, says: str, leads: str):
    """Endings, `index`, `paths`, `extends`, packages of the workspace, sources of what is built."""
    check(SCRIPT, at, says, leads)


def test_node_modules(tmp_path: Path):
    """The typings of what is installed, the nearest first; `@types` where a package has none."""
    places = {
        "node_modules/zed/package.json": '{"types": "./index.d.ts", "main": "./index.js"}',
        "node_modules/zed/index.d.ts": "",
        "node_modules/zed/sub/part.js": "",
        "node_modules/express/package.json": '{"main": "main.js"}',
        "node_modules/@types/express/package.json": '{"types": "index.d.ts"}',
        "node_modules/@types/express/index.d.ts": "",
        "node_modules/@types/node/package.json": "{}",
        "node_modules/@types/node/fs.d.ts": "",
    }
    for name, text in places.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    says = 'import z from "zed"; import p from "zed/sub/part"; import e from "express";'
    leads = "node_modules/zed/index.d.ts node_modules/zed/sub/part.js node_modules/@types/express/index.d.ts"
    check(["src/a.ts"], "src/a.ts", says, leads, root=tmp_path.as_posix())


GO = {
    "go.mod": "module example.com/tide // its name\n\ngo 1.24\nrequire (\n\tgithub.com/Some/Lib v1.2.0\n)\n",
    "main.go": "",
    "store/rows.go": "",
    "store/shelf.go": "",
    "store/rows_test.go": "",
    "tools/go.mod": "module example.com/tide/tools\n\nreplace example.com/tide => ../\n",
    "tools/run.go": "",
    "tools/log/log.go": "",
}


@pytest.mark.parametrize(
    ("at", "says", "leads"),
    [
        ("main.go", 'import "example.com/tide/store"', "store/rows.go store/shelf.go"),
        ("store/rows.go", 'import "example.com/tide"', "main.go"),
        ("main.go", 'import l "example.com/tide/tools/log"', "tools/log/log.go"),
        ("tools/run.go", 'import "example.com/tide/store"', "store/rows.go store/shelf.go"),
        ("main.go", 'import ("fmt"; "example.com/other")', ""),
    ],
)
def test_go(at: str, says: str, leads: str):
    """Packages are folders without their tests; the nearest module is asked first."""
    check(GO, at, says, leads)


def test_go_installed(tmp_path: Path):
    """From the module cache, where capitals are written `!c`, and from Go itself."""
    cached = tmp_path / "mod/github.com/!some/!lib@v1.2.0/part"
    cached.mkdir(parents=True)
    (cached / "part.go").touch()
    own = tmp_path / "root/fmt"
    own.mkdir(parents=True)
    (own / "print.go").touch()
    place = tmp_path.as_posix()
    environment = Environment(go_modules=f"{place}/mod", go_root=f"{place}/root")
    says = 'package a\nimport ("fmt"; "github.com/Some/Lib/part")'
    leads = f"{place}/root/fmt/print.go {place}/mod/github.com/!some/!lib@v1.2.0/part/part.go"
    check(GO, "main.go", says, leads, environment)


RUST = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
    "crates/tide-core/Cargo.toml": '[package]\nname = "tide-core"\n',
    "crates/tide-core/src/lib.rs": "",
    "crates/tide-core/src/gauge.rs": "",
    "crates/tide-core/src/store/mod.rs": "",
    "crates/tide-core/src/store/rows.rs": "",
    "crates/tide-core/src/gauge/clock.rs": "",
    "crates/app/Cargo.toml": '[package]\nname = "app"\n',
    "crates/app/src/main.rs": "",
    "crates/app/src/view.rs": "",
    "crates/app/tests/common/mod.rs": "",
    "crates/app/tests/all.rs": "",
}
CORE = "crates/tide-core/src"


@pytest.mark.parametrize(
    ("at", "says", "leads"),
    [
        (f"{CORE}/lib.rs", "mod gauge; mod store;", f"{CORE}/gauge.rs {CORE}/store/mod.rs"),
        (f"{CORE}/gauge.rs", "use crate::store::rows::Row;", f"{CORE}/store/rows.rs"),
        (
            f"{CORE}/gauge.rs",
            "use crate::store::{rows, Shelf};",
            f"{CORE}/store/rows.rs=rows {CORE}/store/mod.rs",
        ),
        (f"{CORE}/gauge.rs", "use crate::store::Shelf;", f"{CORE}/store/mod.rs"),
        (
            f"{CORE}/gauge.rs",
            "mod clock; use self::clock::Clock;",
            f"{CORE}/gauge/clock.rs {CORE}/gauge/clock.rs",
        ),
        (f"{CORE}/gauge/clock.rs", "use super::Gauge;", f"{CORE}/gauge.rs"),
        (f"{CORE}/gauge/clock.rs", "use super::super::store::Shelf;", f"{CORE}/store/mod.rs"),
        (f"{CORE}/store/rows.rs", "use super::*;", f"{CORE}/store/mod.rs"),
        (
            f"{CORE}/store/mod.rs",
            "use super::gauge::Gauge; use rows::Row;",
            f"{CORE}/gauge.rs {CORE}/store/rows.rs",
        ),
        ("crates/app/src/main.rs", "use tide_core::gauge::Gauge;", f"{CORE}/gauge.rs"),
        (
            "crates/app/src/main.rs",
            "use tide_core::Gauge; use view::View;",
            f"{CORE}/lib.rs crates/app/src/view.rs",
        ),
        ("crates/app/src/view.rs", "use crate::main_thing;", "crates/app/src/main.rs"),
        ("crates/app/tests/all.rs", "mod common;", "crates/app/tests/common/mod.rs"),
        (f"{CORE}/lib.rs", "use std::fmt; use serde::Serialize; use super::x;", ""),
    ],
)
def test_rust(at: str, says: str, leads: str):
    """The module tree as files, both ways of writing it, and the crates of the workspace."""
    check(RUST, at, says, leads)


JVM = [
    "app/src/main/java/harbour/tide/Gauge.java",
    "app/src/main/java/harbour/rows/Row.java",
    "app/src/main/java/harbour/rows/Shelf.java",
    "other/src/main/java/harbour/rows/Row.java",
    "app/src/main/kotlin/harbour/tools/Clock.kt",
    "app/src/main/kotlin/harbour/tools/more.kt",
    "app/src/main/scala/harbour/wave/Height.scala",
]
MAIN, ROWS, OTHER = "app/src/main", "app/src/main/java/harbour/rows", "other/src/main/java/harbour/rows"


@pytest.mark.parametrize(
    ("at", "says", "leads"),
    [
        (JVM[0], "import harbour.rows.Row;", f"{MAIN}/java/harbour/rows/Row.java=Row"),
        (
            JVM[0],
            "import harbour.rows.*;",
            f"{ROWS}/Row.java {ROWS}/Shelf.java {OTHER}/Row.java",
        ),
        (JVM[0], "import static harbour.rows.Shelf.open;", f"{MAIN}/java/harbour/rows/Shelf.java"),
        (JVM[0], "import harbour.tools.Clock;", f"{MAIN}/kotlin/harbour/tools/Clock.kt=Clock"),
        (
            JVM[4],
            "import harbour.tools.half",
            f"{MAIN}/kotlin/harbour/tools/Clock.kt {MAIN}/kotlin/harbour/tools/more.kt",
        ),
        (JVM[6], "import harbour.rows.{Row => R}", f"{MAIN}/java/harbour/rows/Row.java=Row"),
        (JVM[0], "import java.util.List;", ""),
    ],
)
def test_java_kotlin_scala(at: str, says: str, leads: str):
    """Package folders below any source root; the importer's own project first."""
    check(JVM, at, says, leads)


OTHERS = {
    "src/gauge.c": "",
    "src/gauge.h": "",
    "src/deep/clock.cpp": "",
    "include/tide/store.hpp": "",
    "third/zlib/zlib.h": "",
    "lib/harbour/rows.rb": "",
    "lib/harbour/shelf.rb": "",
    "composer.json": '{"autoload": {"psr-4": {"Harbour\\\\": "php/"}}}',
    "php/Tide/Gauge.php": "",
    "php/helpers.php": "",
    "old/Tools/Clock.php": "",
    "bin/run.sh": "",
    "bin/lib/log.sh": "",
    "lua/harbour/rows.lua": "",
    "lua/harbour/store/init.lua": "",
    "net/Harbour/Rows/Row.cs": "",
    "Sources/a.swift": "",
}


@pytest.mark.parametrize(
    ("at", "says", "leads"),
    [
        ("src/gauge.c", '#include "gauge.h"\n', "src/gauge.h"),
        ("src/deep/clock.cpp", "#include <tide/store.hpp>\n", "include/tide/store.hpp"),
        (
            "src/deep/clock.cpp",
            '#include "../gauge.h"\n#include "zlib/zlib.h"\n',
            "src/gauge.h third/zlib/zlib.h",
        ),
        ("src/gauge.c", "#include <stdio.h>\n#include <zlib.h>\n", ""),
        ("lib/harbour/shelf.rb", 'require_relative "rows"', "lib/harbour/rows.rb"),
        ("lib/harbour/shelf.rb", 'require "harbour/rows"\nrequire "json"', "lib/harbour/rows.rb"),
        ("php/helpers.php", "<?php use Harbour\\Tide\\Gauge as G;", "php/Tide/Gauge.php=Gauge"),
        ("php/helpers.php", "<?php use Old\\Tools\\Clock;", "old/Tools/Clock.php=Clock"),
        ("php/Tide/Gauge.php", "<?php require_once __DIR__ . '/../helpers.php';", "php/helpers.php"),
        ("php/Tide/Gauge.php", "<?php require 'helpers.php';", "php/helpers.php"),
        ("bin/run.sh", 'source "$(dirname "$0")/lib/log.sh"', "bin/lib/log.sh"),
        ("bin/run.sh", '. "${HERE}/lib/log.sh"', "bin/lib/log.sh"),
        ("lua/harbour/rows.lua", 'local s = require("harbour.store")', "lua/harbour/store/init.lua"),
        ("net/a.cs", "using Harbour.Rows;", "net/Harbour/Rows/Row.cs"),
        ("Sources/a.swift", "import Foundation", ""),
    ],
)
def test_the_others(at: str, says: str, leads: str):
    """C, C++, Ruby, PHP, shell, Lua, C#; for Swift nothing is known."""
    check(OTHERS, at, says, leads)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ('{"a": "// not a note", /* a note */ "b": [1, 2,], }', {"a": "// not a note", "b": [1, 2]}),
        ('{"a": "/* nor */ this, }"}', {"a": "/* nor */ this, }"}),
        ("{", {}),
        ("[1]", {}),
        ("[" * 100_000, {}),
    ],
)
def test_configuration_is_read_leniently(text: str, table: dict[str, object]):
    """With comments and last commas, as editors' files have them; what cannot be read says nothing."""
    assert json_table(text) == table


def test_the_nearest_of_several():
    """The most folders shared, then the shortest."""
    paths = ["a/x/m.py", "a/b/c/m.py", "a/b/m.py", "m.py"]
    assert nearest(paths, "a/b/z.py") == "a/b/m.py"
    assert nearest(paths, "q/z.py") == "m.py"
    assert nearest([], "a.py") == ""


def test_no_import_leaves_its_folders(tmp_path: Path):
    """A source file cannot name a file of the machine: neither absolutely nor by climbing."""
    secret = tmp_path / "secret.h"
    secret.touch()
    includes = tmp_path / "include"
    includes.mkdir()
    environment = Environment(includes=(includes.as_posix(),), python=(includes.as_posix(),))
    says = f'#include "{secret.as_posix()}"\n#include <../secret.h>\n#include "../../secret.h"\n'
    check(["src/a.c"], "src/a.c", says, "", environment, root=(tmp_path / "work").as_posix())
    (includes / "open.h").touch()
    check(["src/a.c"], "src/a.c", "#include <open.h>\n", f"{includes.as_posix()}/open.h", environment)


NAMES = st.text(alphabet="ab./:\\*~\0 é-_@", max_size=12)


@given(
    at=st.sampled_from(
        ["a/b.py", "b.ts", "a/c.go", "a/src/d.rs", "E.java", "f.c", "g.rb", "h.php", "i.sh", "j.lua"]
    ),
    one=st.builds(
        Import,
        module=NAMES,
        names=st.lists(st.builds(ImportedName, NAMES), max_size=2).map(tuple),
        level=st.integers(0, 4),
        wildcard=st.booleans(),
        system=st.booleans(),
    ),
    files=st.lists(NAMES, max_size=4),
)
def test_any_import_has_an_answer(at: str, one: Import, files: list[str]):
    """Whatever stands in a file: paths that exist, or none; twice the same."""
    found = resolver([*files, "a/b.py", "a/src/lib.rs", "Cargo.toml", "go.mod", "package.json"], root=None)
    assert found.targets(at, one) == found.targets(at, one)
    assert len(found.paths(at, one)) == len(set(found.paths(at, one)))
