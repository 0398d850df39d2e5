"""The façade: built in the background, watched, several windows at once, mended when damaged."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from truepenny.context.errors import IndexDamagedError
from truepenny.context.extraction import extract
from truepenny.context.index.watcher import Changes, Watcher
from truepenny.context.index.workspace import WorkspaceIndex
from truepenny.context.languages import language_of_path

from .conftest import PATIENCE_S, Workspace, eventually


@pytest.fixture
def index(workspace: Workspace) -> Iterator[WorkspaceIndex]:
    """Started, built and watching."""
    workspace.write("a.py", "def first(): pass\n")
    opened = start(workspace, [])
    yield opened
    opened.close()


def start(
    workspace: Workspace, notes: list[str], on_changes: Callable[[Changes], None] = lambda _: None
) -> WorkspaceIndex:
    opened = WorkspaceIndex(workspace.root, workspace.cache, on_note=notes.append, on_changes=on_changes)
    opened.start()
    assert opened.wait_until_built(PATIENCE_S)
    assert opened.wait_until_watching(PATIENCE_S)
    return opened


def knows(index: WorkspaceIndex, name: str) -> bool:
    return bool(index.reader.definitions(name))


def test_changes_are_seen_without_being_told(workspace: Workspace, index: WorkspaceIndex) -> None:
    """Written, changed, moved, removed; files and folders."""
    assert knows(index, "first")
    workspace.write("b.py", "def second(): pass\n")
    assert eventually(lambda: knows(index, "second"))
    workspace.write("b.py", "def third(): pass\n")
    assert eventually(lambda: knows(index, "third") and not knows(index, "second"))
    workspace.write("new/deep/c.py", "def fourth(): pass\n")
    assert eventually(lambda: knows(index, "fourth"))
    (workspace.root / "new").rename(workspace.root / "moved")
    assert eventually(lambda: [one.path for one in index.reader.definitions("fourth")] == ["moved/deep/c.py"])
    shutil.rmtree(workspace.root / "moved")
    (workspace.root / "b.py").unlink()
    assert eventually(lambda: not knows(index, "fourth") and not knows(index, "third"))


def test_others_are_told_of_changes(workspace: Workspace) -> None:
    """Once the index knows of them."""
    seen: set[str] = set()
    workspace.write("a.py", "def first(): pass\n")
    index = start(workspace, [], lambda changes: seen.update(changes.paths))
    workspace.write("b.py", "def second(): pass\n")
    assert eventually(lambda: "b.py" in seen)
    assert knows(index, "second")
    index.close()


def test_new_rules_count_at_once(workspace: Workspace, index: WorkspaceIndex) -> None:
    """An ignored file leaves the index."""
    workspace.write(".gitignore", "a.py\n")
    assert eventually(lambda: not knows(index, "first"))
    workspace.write(".gitignore", "")
    assert eventually(lambda: knows(index, "first"))


def test_a_checkout_is_one_scan(workspace: Workspace, index: WorkspaceIndex) -> None:
    """Hundreds of files at once, and back."""
    for nth in range(300):
        workspace.write(f"m{nth}.py", f"def f{nth}(): pass\n")
    workspace.git("add", ".")
    workspace.git("commit", "-qm", "many")
    assert eventually(lambda: knows(index, "f299") and knows(index, "f0"))
    workspace.git("rm", "-q", "m*.py")
    workspace.git("commit", "-qm", "none")
    assert eventually(lambda: index.reader.counts().files == 1)
    workspace.git("checkout", "-q", "HEAD~1")
    assert eventually(lambda: index.reader.counts().files == 301)


def test_an_update_is_there_when_it_returns(workspace: Workspace, index: WorkspaceIndex) -> None:
    """After a save, and where no notice comes."""
    workspace.write("b.py", "def second(): pass\n")
    index.update(["b.py"])
    assert knows(index, "second")
    (workspace.root / "b.py").unlink()
    index.update(["b.py", "never_there.py", "a.py"])
    assert not knows(index, "second")
    assert knows(index, "first")


def test_two_windows_share_and_one_may_leave(workspace: Workspace, index: WorkspaceIndex) -> None:
    """Each sees what the other has read."""
    other = start(workspace, [])
    workspace.write("b.py", "def second(): pass\n")
    assert eventually(lambda: knows(index, "second") and knows(other, "second"))
    other.close()
    workspace.write("b.py", "def third(): pass\n")
    assert eventually(lambda: knows(index, "third"))


def test_buffers_stand_on_top(workspace: Workspace, index: WorkspaceIndex) -> None:
    """What is typed counts before it is saved."""
    language = language_of_path("a.py")
    assert language is not None
    text = "def typed(): pass\n"
    index.overlay.open("a.py", text, extract(text, language))
    assert (knows(index, "typed"), knows(index, "first")) == (True, False)
    index.overlay.close("a.py")
    assert (knows(index, "typed"), knows(index, "first")) == (False, True)


def test_damage_is_mended_and_said(workspace: Workspace) -> None:
    """By whoever meets it: the reader's user, or an update."""
    for nth in range(30):
        workspace.write(f"m{nth}.py", f"def f{nth}(): pass\n")
    notes: list[str] = []
    index = start(workspace, notes)
    try:
        path = workspace.location.database
        data = path.read_bytes()
        path.write_bytes(data[:100] + b"\xa5" * len(data))
        index.reader.close()
        with pytest.raises(IndexDamagedError) as caught:
            index.reader.definitions("f1")
        index.report_damage(caught.value)
        assert index.wait_until_built(PATIENCE_S)
        assert knows(index, "f29")
        assert any("built anew" in note for note in notes)
    finally:
        index.close()


def test_paths_outside_are_not_ours(workspace: Workspace, index: WorkspaceIndex, tmp_path: Path) -> None:
    """An editor may open anything."""
    assert index.path_of(workspace.root / "p" / "a.py") == "p/a.py"
    assert index.path_of(tmp_path / "elsewhere.py") is None


def test_what_is_ignored_makes_no_noise(workspace: Workspace) -> None:
    """Compilers and test runs write all the time."""
    workspace.write(".gitignore", "out/\n")
    (workspace.root / "out").mkdir()
    told: list[Changes] = []
    watcher = Watcher(workspace.root, told.append)
    watcher.start()
    assert watcher.wait_until_ready(PATIENCE_S)
    workspace.write("out/a.py")
    workspace.write("__pycache__/a.py")
    workspace.write(".git/x.py")
    workspace.write("seen.py")
    assert eventually(lambda: bool(told))
    watcher.close()
    assert {path for one in told for path in one.paths} <= {"seen.py", "out"}


@pytest.mark.parametrize("poll", [False, True])
def test_polling_sees_what_notices_tell(workspace: Workspace, *, poll: bool) -> None:
    """Where the operating system has no notices to give."""
    workspace.write("a.py", "x = 1\n")
    seen: set[str] = set()
    watcher = Watcher(workspace.root, lambda changes: seen.update(changes.paths), poll=poll)
    watcher.start()
    assert watcher.wait_until_ready(PATIENCE_S)
    workspace.write("b.py", "x = 1\n")
    (workspace.root / "a.py").unlink()
    assert eventually(lambda: {"a.py", "b.py"} <= seen)
    watcher.close()


def test_where_watching_fails_it_polls(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more watches to be had."""

    def fail(*_paths: object, **_options: object) -> object:
        raise OSError(28, "no space left on device (watches)")

    monkeypatch.setattr("truepenny.context.index.watcher.watchfiles.watch", fail)
    seen: set[str] = set()
    watcher = Watcher(workspace.root, lambda changes: seen.update(changes.paths))
    watcher.start()
    assert watcher.wait_until_ready(PATIENCE_S)
    workspace.write("b.py", "x = 1\n")
    assert eventually(lambda: "b.py" in seen)
    watcher.close()


def test_a_workspace_may_vanish(workspace: Workspace, index: WorkspaceIndex) -> None:
    """Nothing is raised, and closing works."""
    shutil.rmtree(workspace.root)
    index.update(["a.py"])
    assert not knows(index, "first")


def test_importing_it_is_cheap() -> None:
    """No grammar is loaded, and no tensor library."""
    heavy = "'torch' in sys.modules, 'tree_sitter_go' in sys.modules"
    code = f"import sys, truepenny.context.index.reader; print({heavy})"
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
