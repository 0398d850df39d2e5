"""One process for each kind and project, few at a time, none for ever."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from truepenny.guard.errors import CheckerError
from truepenny.guard.grounding.checkers import registry
from truepenny.guard.grounding.checkers.registry import Checkers, PythonPlace
from truepenny.guard.grounding.checkers.roots import Kind, root_of
from truepenny.guard.grounding.finding import Fault

ANSWER_S = 30.0


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Checkers]]:
    made: list[Checkers] = []

    def one(**options: object) -> Checkers:
        made.append(Checkers(tmp_path / "checkers", **options))  # type: ignore[arg-type]  # as it is called
        return made[-1]

    yield one
    for checkers in made:
        checkers.close()


def project(folder: Path, *marks: str) -> Path:
    for mark in marks:
        (folder / mark).parent.mkdir(parents=True, exist_ok=True)
        (folder / mark).write_text("")
    return folder


@pytest.mark.parametrize(
    ("kind", "marks", "file", "expected"),
    [
        ("python", ["pyproject.toml"], "src/pkg/a.py", "."),
        ("python", [".git/HEAD", "part/pyproject.toml"], "part/a.py", "part"),
        ("python", [".git/HEAD", "part/setup.cfg"], "other/a.py", "."),
        ("python", ["setup.py", "pkg/setup.py", "pkg/__init__.py"], "pkg/a.py", "."),
        ("python", ["setup.py", "__init__.py", ".git/HEAD"], "pkg/a.py", "."),
        ("python", [], "some/where/a.py", "some/where"),
        ("typescript", ["package.json", "web/tsconfig.json"], "web/src/a.ts", "web"),
        ("go", ["go.mod"], "cmd/a.go", "."),
        ("rust", ["Cargo.toml", "part/Cargo.toml"], "part/src/lib.rs", "."),
        ("clang", ["compile_commands.json"], "src/a.c", "."),
    ],
)
def test_the_root_of_a_file(tmp_path: Path, kind: Kind, marks: list[str], file: str, expected: str):
    folder = project(tmp_path / "w", *marks)
    assert Path(root_of(kind, str(folder / file))) == (folder / expected).resolve()


def test_the_home_folder_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Many people have a repository or a package.json in theirs."""
    home = project(tmp_path / "home", ".git/HEAD", "package.json")
    monkeypatch.setenv("HOME", str(home))
    assert root_of("python", str(home / "notes" / "a.py")) == str(home / "notes")


def test_files_of_one_project_share_a_checker(tmp_path: Path, make: Callable[..., Checkers]):
    checkers = make()
    one, two = project(tmp_path / "one", "pyproject.toml"), project(tmp_path / "two", "pyproject.toml")
    first = checkers.checker_for("python", str(one / "a.py"))
    assert first is not None
    assert checkers.checker_for("python", str(one / "sub" / "b.py")) is first
    other = checkers.checker_for("python", str(two / "a.py"))
    assert other is not first
    assert len(checkers.alive) == 2


def test_what_ty_is_told_is_written_once(tmp_path: Path, make: Callable[..., Checkers]):
    """In our folder and not in a temporary one: nobody tidies up after a process that was killed."""
    path = str(project(tmp_path / "w", "pyproject.toml") / "a.py")
    for _ in range(2):
        checker = make().checker_for("python", path)
        assert checker is not None
        assert [one.name for one in checker.findings(path, "import absent\n", ANSWER_S)] == ["absent"]
    assert len(list((tmp_path / "checkers" / "ty").glob("*/ty.toml"))) == 1


def test_the_one_used_least_lately_makes_room(tmp_path: Path, make: Callable[..., Checkers]):
    checkers = make()
    roots = [project(tmp_path / f"{number}", "pyproject.toml") for number in range(registry.MAX_ALIVE + 1)]
    made = [checkers.checker_for("python", str(root / "a.py")) for root in roots[:-1]]
    assert checkers.checker_for("python", str(roots[0] / "a.py")) is made[0]
    checkers.checker_for("python", str(roots[-1] / "a.py"))
    assert len(checkers.alive) == registry.MAX_ALIVE
    assert made[0] in checkers.alive
    assert made[1] not in checkers.alive


def test_idle_ones_are_ended(tmp_path: Path, make: Callable[..., Checkers]):
    checkers = make(idle_s=0.05)
    path = str(project(tmp_path / "w", "pyproject.toml") / "a.py")
    assert checkers.checker_for("python", path) is not None
    until_s = time.monotonic() + ANSWER_S
    while checkers.alive and time.monotonic() < until_s:
        time.sleep(0.01)
    assert checkers.alive == ()
    again = checkers.checker_for("python", path)
    assert again is not None
    assert checkers.alive == (again,)


def test_the_environment_of_a_project_is_taken(tmp_path: Path, make: Callable[..., Checkers]):
    root = project(tmp_path / "w", "pyproject.toml")
    site = tmp_path / "env" / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.1\n")
    (site / "installed.py").write_text("here = 1\n")
    asked: list[str] = []

    def place_of(root: str) -> PythonPlace:
        asked.append(root)
        return PythonPlace(environment=str(tmp_path / "env"))

    checker = make(place_of=place_of).checker_for("python", str(root / "a.py"))
    assert checker is not None
    said = checker.findings(str(root / "a.py"), "import installed, absent\ninstalled.gone\n", ANSWER_S)
    assert [(one.fault, one.name) for one in said] == [
        (Fault.MISSING_MODULE, "absent"),
        (Fault.MISSING_MEMBER, "gone"),
    ]
    assert asked == [str(root)]


@pytest.mark.parametrize(
    ("language", "file"), [("typescript", "a.ts"), ("go", "a.go"), ("rust", "a.rs"), ("cpp", "a.cpp")]
)
def test_what_is_not_installed_is_no_checker(
    tmp_path: Path, make: Callable[..., Checkers], monkeypatch: pytest.MonkeyPatch, language: str, file: str
):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    checkers = make()
    assert checkers.checker_for(language, str(tmp_path / "w" / file)) is None
    assert "install" in checkers.why_none(language, str(tmp_path / "w" / file)) or language in (
        "typescript",
        "rust",
    )
    assert checkers.why_none(language, str(tmp_path / "w" / file))


def test_what_comes_with_us_is_never_merely_absent(tmp_path: Path, make: Callable[..., Checkers]):
    """Without it every text would count as sound."""
    (tmp_path / "checkers").write_text("not a folder")
    with pytest.raises(CheckerError, match="cannot be written"):
        make().checker_for("python", str(tmp_path / "w" / "a.py"))


@pytest.mark.parametrize(("language", "path"), [("cobol", "/w/a.cob"), ("python", None), ("python", "a.py")])
def test_what_has_no_place_or_language_has_no_checker(
    make: Callable[..., Checkers], language: str, path: str | None
):
    assert make().checker_for(language, path) is None


@pytest.mark.parametrize("language", ["cpp", "rust", "go", "typescript"])
def test_a_program_of_the_workspace_is_never_started(
    tmp_path: Path, make: Callable[..., Checkers], monkeypatch: pytest.MonkeyPatch, language: str
):
    """Even where somebody has put it on PATH, or linked to it from there."""
    root = project(tmp_path / "w", ".git/HEAD", "Cargo.toml")
    inside, outside = root / "node_modules" / ".bin", tmp_path / "bin"
    inside.mkdir(parents=True)
    outside.mkdir()
    for name in ("clangd", "rust-analyzer", "gopls", "go", "tsc"):
        (inside / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (inside / name).chmod(0o755)
        (outside / name).symlink_to(inside / name)
    monkeypatch.setenv("PATH", os.pathsep.join([str(inside), str(outside), "node_modules/.bin"]))
    monkeypatch.chdir(root)
    assert make().checker_for(language, str(root / "a.x")) is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", [".cargo/config.toml", "rust-toolchain.toml"])
def test_a_workspace_does_not_choose_what_cargo_executes(
    tmp_path: Path, make: Callable[..., Checkers], monkeypatch: pytest.MonkeyPatch, name: str
):
    root, bin_ = project(tmp_path / "w", "Cargo.toml", name), tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "rust-analyzer").write_text("#!/bin/sh\n")
    (bin_ / "rust-analyzer").chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_))
    checkers = make()
    assert checkers.checker_for("rust", str(root / "src" / "a.rs")) is None
    assert name in checkers.why_none("rust", str(root / "src" / "a.rs"))


def test_a_program_that_never_runs_counts_as_absent(
    tmp_path: Path, make: Callable[..., Checkers], monkeypatch: pytest.MonkeyPatch
):
    """A proxy of rustup without the component: it is not the suggestion that is to blame."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "rust-analyzer").write_text("#!/bin/sh\necho unknown binary >&2\nexit 1\n")
    (bin_ / "rust-analyzer").chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_))
    path = str(project(tmp_path / "w", "Cargo.toml") / "src" / "a.rs")
    checkers = make()
    checker = checkers.checker_for("rust", path)
    assert checker is not None
    while not checker.is_hopeless:
        with pytest.raises(CheckerError):
            checker.findings(path, "", ANSWER_S)
    assert checkers.checker_for("rust", path) is None
    assert "unknown binary" in checkers.why_none("rust", path)
