"""Names that are always the same and tell no path."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from truepenny.lsp_server.prompting.workspace import Workspace, user_salt

FOLDER = "/home/me/secret-project"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def name(path: str) -> str:
    return Workspace().name(path)


def test_a_name_is_the_same_in_every_editor_and_tells_nothing(cache: Path) -> None:
    """One folder, however its path is spelled; no folder has no name."""
    assert name(FOLDER) == name(FOLDER) == name(FOLDER + "/")
    assert name(FOLDER) != name(FOLDER + "2")
    assert "secret" not in name(FOLDER)
    assert name("") == ""
    assert len(name("/")) == len(name(FOLDER)) == 32
    workspace = Workspace()
    assert workspace.id == ""
    workspace.opened(["a.py"], FOLDER)
    assert workspace.id == name(FOLDER)


@pytest.mark.skipif(sys.platform == "win32", reason="no modes on Windows; the cache folder is the user's")
def test_the_key_is_this_users(cache: Path) -> None:
    """Whoever knows it could tell which projects there are."""
    user_salt()

    assert stat.S_IMODE((cache / "salt").stat().st_mode) == 0o600
    assert [path.name for path in cache.iterdir()] == ["salt"]


def test_a_damaged_key_is_made_anew(cache: Path) -> None:
    """What was cached under the old names is lost, and nothing else."""
    before = name(FOLDER)
    (cache / "salt").write_bytes(b"half")

    assert name(FOLDER) not in ("", before)
    assert name(FOLDER) == name(FOLDER)


def test_without_a_place_for_the_key_names_hold_for_this_process(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A read-only home is no reason to stop completing."""
    cache.write_text("in the way")
    workspace = Workspace()

    assert workspace.name(FOLDER) == workspace.name(FOLDER) != ""
    assert name(FOLDER) != workspace.name(FOLDER)
    assert "cannot be kept" in caplog.text
