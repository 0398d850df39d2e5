"""The walk: what it finds, and that nothing on a disk can stop it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from truepenny.context.index.scanner import Found, Listing, Refused, Scanner

from .conftest import Workspace


def paths(listing: Listing) -> list[str]:
    return [one.path for one in listing.found]


def reasons(listing: Listing) -> dict[str, str]:
    return {one.path: one.reason for one in listing.refused}


def test_sources_are_found_in_order_and_the_rest_has_a_reason(workspace: Workspace) -> None:
    """One of each kind."""
    for path in ("b.py", "a/z.go", "a/b/c.ts", "node_modules/m/index.js", "env/lib/x.py", "env/pyvenv.cfg"):
        workspace.write(path, "x\n")
    workspace.write("picture.png", b"\x89PNG")
    workspace.write(".git/hooks/x.py")
    workspace.write("__pycache__/x.py")
    workspace.write("big.py", b"#" * 1_000_001)
    workspace.write(".env", "A=1")
    (workspace.root / "link.py").symlink_to("b.py")
    os.mkfifo(workspace.root / "pipe.py")
    listing = Scanner(workspace.root).scan()
    assert paths(listing) == ["b.py", "a/z.go", "a/b/c.ts"]
    assert reasons(listing) == {
        "node_modules/": "vendored",
        "env/": "vendored",
        "big.py": "large",
        ".env": "sensitive",
        "link.py": "link",
        "pipe.py": "unreadable",
    }
    assert listing.num_other == 1


def test_links_make_no_loops_and_lead_nowhere(workspace: Workspace, tmp_path: Path) -> None:
    """A folder inside itself; a way out of the workspace; a link to nothing."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "theirs.py").write_text("x = 1\n")
    workspace.write("a/own.py")
    (workspace.root / "a" / "loop").symlink_to(workspace.root)
    (workspace.root / "out").symlink_to(outside)
    (workspace.root / "dangling.py").symlink_to("nowhere.py")
    assert paths(Scanner(workspace.root).scan()) == ["a/own.py"]
    assert Scanner(workspace.root).look("a/loop/a/own.py") is None
    assert Scanner(workspace.root).look("out/theirs.py") is None


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems have names in Unicode alone")
def test_names_that_are_not_utf_8_are_kept(workspace: Workspace) -> None:
    """A file system takes any bytes."""
    name = os.fsdecode(b"caf\xe9.py")
    workspace.write(name, "x = 1\n")
    assert paths(Scanner(workspace.root).scan()) == [name]
    assert isinstance(Scanner(workspace.root).look(name), Found)


def test_what_vanishes_meanwhile_is_not_there(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout runs while we walk."""
    workspace.write("a/x.py")
    gone = workspace.write("b/y.py")
    real = os.scandir
    scanner = Scanner(workspace.root)

    def scandir(path: Path):
        if path.name == "b":
            gone.unlink(missing_ok=True)
            if gone.parent.exists():
                gone.parent.rmdir()
        return real(path)

    monkeypatch.setattr("truepenny.context.index.scanner.os.scandir", scandir)
    assert paths(scanner.scan()) == ["a/x.py"]


def test_more_files_than_the_limit_are_counted(workspace: Workspace) -> None:
    """Left out, and said so."""
    for nth in range(5):
        workspace.write(f"{nth}.py")
    listing = Scanner(workspace.root, max_files=3).scan()
    assert (paths(listing), listing.num_left_out) == (["0.py", "1.py", "2.py"], 2)


def test_deep_folders_are_walked(workspace: Workspace) -> None:
    """Nothing recurses."""
    folder = "/".join(["d"] * 600)
    workspace.write(f"{folder}/x.py")
    assert paths(Scanner(workspace.root).scan()) == [f"{folder}/x.py"]


def test_one_look_says_what_the_walk_says(workspace: Workspace) -> None:
    """After a save a file is judged alone, by the same rules."""
    workspace.write(".gitignore", "*_gen.py\nout/\n")
    sources = ("a.py", "a_gen.py", "out/b.py", "d/c.py", "vendor/v.py")
    for path in (*sources, "d/.env", "env/pyvenv.cfg", "env/e.py"):
        workspace.write(path, "x = 1\n")
    listing = Scanner(workspace.root).scan()
    walked = {one.path: one for one in (*listing.found, *listing.refused)}
    for whole in workspace.root.rglob("*"):
        path = whole.relative_to(workspace.root).as_posix()
        if whole.is_file() and not path.startswith(".git/"):
            assert Scanner(workspace.root).look(path) == walked.get(path), path


def test_a_folder_is_walked_or_not(workspace: Workspace) -> None:
    """What a new folder means for the watcher."""
    workspace.write(".gitignore", "out/\n")
    for folder in ("src/deep", "out", "node_modules", "__pycache__", "out/deep"):
        (workspace.root / folder).mkdir(parents=True)
    scanner = Scanner(workspace.root)
    walked = [
        one
        for one in ("src", "src/deep", "out", "out/deep", "node_modules", "__pycache__", "absent")
        if scanner.walks(one)
    ]
    assert walked == ["src", "src/deep"]


def test_a_root_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Removed while the editor was open."""
    assert Scanner(tmp_path / "absent").scan().found == []
    assert not isinstance(Scanner(tmp_path / "absent").look("x.py"), Found | Refused)
