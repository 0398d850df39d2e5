"""What gopls and rust-analyzer say, in our words: the sentences always, the servers where they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from truepenny.guard.errors import CheckerError
from truepenny.guard.grounding.checkers import go, rust
from truepenny.guard.grounding.checkers.dialect import Diagnostic
from truepenny.guard.grounding.checkers.sentences import Sentences
from truepenny.guard.grounding.finding import Fault

ANSWER_S = 120.0

Row = tuple[Sentences, str, str, Fault, str, str, str]
GO, RUST = go.SENTENCES, rust.SENTENCES
ROWS: list[Row] = [
    # table, code, message, fault, name, receiver, nearest
    (
        *(
            GO,
            "MissingFieldOrMethod",
            "b.putt undefined (type Box has no field or method putt, but does have put)",
        ),
        *(Fault.MISSING_MEMBER, "putt", "Box", "put"),
    ),
    (
        *(GO, "MissingFieldOrMethod", "b.putt undefined (type *x.Box has no field or method putt)"),
        *(Fault.MISSING_MEMBER, "putt", "*x.Box", ""),
    ),
    (GO, "UndeclaredImportedName", "undefined: fmt.Printtln", Fault.MISSING_MEMBER, "Printtln", "fmt", ""),
    (
        *(GO, "UndeclaredImportedName", "Printtln not declared by package fmt"),
        *(Fault.MISSING_MEMBER, "Printtln", "fmt", ""),
    ),
    (GO, "UndeclaredName", "undefined: boxx", Fault.MISSING_NAME, "boxx", "", ""),
    (GO, "UndeclaredName", "undeclared name: boxx", Fault.MISSING_NAME, "boxx", "", ""),
    (
        *(GO, "BrokenImport", 'could not import no/such (no required module provides package "no/such")'),
        *(Fault.MISSING_MODULE, "no/such", "", ""),
    ),
    (
        *(GO, "MissingLitField", "unknown field depth in struct literal of type Box"),
        *(Fault.UNKNOWN_ARGUMENT, "depth", "Box", ""),
    ),
    (GO, "WrongArgCount", "not enough arguments in call to put", Fault.WRONG_CALL, "", "put", ""),
    (RUST, "E0599", "no method `putt` on type `Box`", Fault.MISSING_MEMBER, "putt", "Box", ""),
    (RUST, "E0609", "no field `depth` on type `Box`", Fault.MISSING_MEMBER, "depth", "Box", ""),
    (RUST, "E0432", "unresolved import", Fault.MISSING_MODULE, "", "", ""),
    (RUST, "E0425", "no such value in this scope", Fault.MISSING_NAME, "", "", ""),
    (RUST, "E0560", "no such field", Fault.UNKNOWN_ARGUMENT, "", "", ""),
]


@pytest.mark.parametrize("row", ROWS, ids=[row[2] for row in ROWS])
def test_what_is_said_becomes_a_finding(row: Row):
    sentences, code, message, fault, name, receiver, nearest = row
    found = sentences.read(Diagnostic(code, message, 0, 3), "abc", "/w/a")
    assert found is not None
    assert (found.fault, found.name, found.receiver, found.nearest) == (fault, name, receiver, nearest)


@pytest.mark.parametrize("sentences", [GO, RUST], ids=["go", "rust"])
def test_what_is_not_about_names_is_nothing(sentences: Sentences):
    assert sentences.read(Diagnostic("UnusedVar", "declared and not used: x", 0, 1), "x", "/w/a") is None


@pytest.mark.skipif(shutil.which("gopls") is None, reason="NOT TESTED: gopls is not on PATH")
def test_the_real_gopls(tmp_path: Path):
    (tmp_path / "go.mod").write_text("module w\n\ngo 1.21\n")
    (tmp_path / "a.go").write_text("package w\n")
    text = 'package w\n\nimport "strings"\n\nfunc Use(a string) string { return strings.ToUper(a) }\n'
    checker = go.go_checker(str(tmp_path))
    try:
        said = checker.findings(str(tmp_path / "a.go"), text, ANSWER_S)
        assert [(one.fault, one.name) for one in said] == [(Fault.MISSING_MEMBER, "ToUper")]
    finally:
        checker.close()


def runs_rust_analyzer() -> bool:
    try:
        return rust.find("/no/workspace").is_file()
    except CheckerError:
        return False


def test_the_proxy_of_rustup_is_not_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is on PATH with any toolchain, and asks the workspace which one to run."""
    proxy = tmp_path / "bin" / "rust-analyzer"
    real = tmp_path / "rustup" / "toolchains" / "stable-x" / "bin" / "rust-analyzer"
    for program in (tmp_path / "cargo" / "rustup", real):
        program.parent.mkdir(parents=True)
        program.write_text("")
        program.chmod(0o755)
    proxy.parent.mkdir()
    proxy.symlink_to(tmp_path / "cargo" / "rustup")
    monkeypatch.setenv("PATH", str(proxy.parent))
    monkeypatch.setenv("RUSTUP_HOME", str(tmp_path / "rustup"))
    assert rust.find("/no/workspace") == real
    real.unlink()
    with pytest.raises(CheckerError, match="rustup component add"):
        rust.find("/no/workspace")


@pytest.mark.skipif(not runs_rust_analyzer(), reason="NOT TESTED: rust-analyzer does not run here")
def test_the_real_rust_analyzer(tmp_path: Path):
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "w"\nversion = "0.1.0"\nedition = "2021"\n')
    (tmp_path / "src" / "lib.rs").write_text("")
    text = "pub struct Crate;\nimpl Crate { pub fn put(&self) {} }\npub fn f(c: Crate) { c.putt(); }\n"
    checker = rust.rust_checker(str(tmp_path))
    try:
        said = checker.findings(str(tmp_path / "src" / "lib.rs"), text, ANSWER_S)
        assert (Fault.MISSING_MEMBER, "putt") in [(one.fault, one.name) for one in said]
    finally:
        checker.close()
