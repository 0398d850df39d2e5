"""`truepenny checkers` as a person types it; npm is not asked for anything."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from truepenny.guard.grounding.checkers import typescript
from truepenny.lsp_server.cli import main
from truepenny.lsp_server.commands.checkers import checkers_folder, npm_arguments


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH besides those of the system's own tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, script: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


NPM = """\
echo "$@" > "$0.arguments"
pwd > "$0.folder"
PATH=/usr/bin:/bin
lib="node_modules/@typescript/typescript-linux-x64/lib"
mkdir -p "$lib"
touch "$lib/tsc"
chmod +x "$lib/tsc"
"""


def test_npm_runs_no_scripts_and_installs_only_what_is_named(tmp_path: Path):
    """A package's install script would be somebody's code, run unasked."""
    arguments = npm_arguments("/usr/bin/npm", tmp_path)
    assert arguments[:2] == ["/usr/bin/npm", "install"]
    assert "--ignore-scripts" in arguments
    assert arguments[arguments.index("--prefix") + 1] == str(tmp_path)
    assert tuple(arguments[-2:]) == typescript.PACKAGES
    assert all("@" in package[1:] for package in typescript.PACKAGES)  # each with its version


def test_adding_typescript(bin_: Path, capsys: pytest.CaptureFixture[str]):
    program(bin_ / "npm", NPM)
    assert main(["checkers", "add", "typescript", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    folder = typescript.folder_of(checkers_folder())
    assert Path(told["path"]).is_relative_to(folder)
    assert (bin_ / "npm.folder").read_text().strip() == str(folder)  # a workspace's .npmrc is not read
    assert typescript.find(checkers_folder(), "/w") == Path(told["path"])


FAILURES = {
    "no npm": (None, "install Node.js"),
    "no network": ("echo 'npm ERR! code ENOTFOUND' >&2; exit 1", "ENOTFOUND"),
    "not for this machine": ("exit 0", "truepenny checkers add typescript"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_could_not_be_added_is_told(bin_: Path, capsys: pytest.CaptureFixture[str], case: str):
    script, expected = FAILURES[case]
    if script is not None:
        program(bin_ / "npm", script)
    assert main(["checkers", "add", "typescript"]) == 2
    assert expected in capsys.readouterr().err


def test_the_list_says_what_is_there_and_what_to_do(bin_: Path, capsys: pytest.CaptureFixture[str]):
    program(bin_ / "clangd")
    assert main(["checkers", "list", "--json"]) == 1
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out.splitlines()[-1])["checkers"]}
    assert os.access(found["ty"]["path"], os.X_OK)
    assert found["clangd"]["path"] == str(bin_ / "clangd")
    assert "truepenny checkers add typescript" in found["typescript"]["fix"]
    assert "rustup" in found["rust-analyzer"]["fix"]
    assert all(bool(one["path"]) != bool(one["fix"]) for one in found.values())
