"""What suggestions are grounded in follows the disk: with the real type checker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from truepenny.context.index.watcher import Changes
from truepenny.guard.pipeline import Guard
from truepenny.guard.verdict import Action, Judgement, Passage
from truepenny.lsp_server.grounds import Grounds
from truepenny.lsp_server.settings import GroundingSettings

WAIT_S = 60.0
SHIPS = """\
class Ship:
    def sail(self) -> None: ...
"""
CHANGED = Changes(frozenset({"ships.py"}), rescan=False)
ANYTHING = Changes(frozenset(), rescan=True)
BEFORE = "from ships import Ship\n\n\ndef go(ship: Ship) -> None:\n    "


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "fleet"\nversion = "1"\n')
    (folder / "ships.py").write_text(SHIPS)
    return folder


@pytest.fixture
def grounds() -> Iterator[Grounds]:
    made = Grounds(GroundingSettings(), lambda: None)
    yield made
    made.close()


def judged(grounds: Grounds, root: Path, suggestion: str) -> Judgement:
    """Once the checker is there: before that nothing is vouched for."""
    passage = Passage(BEFORE, suggestion, "\n", "python", str(root / "main.py"))
    deadline_s = time.monotonic() + WAIT_S
    while True:
        judgement = Guard(grounds.checks()).judge(passage)
        if judgement.vouched or time.monotonic() > deadline_s:
            return judgement
        assert judgement.unfinished == ("grounding",)
        time.sleep(0.05)


@pytest.mark.parametrize("changes", [CHANGED, ANYTHING])
def test_a_member_that_was_written_since_is_there(grounds: Grounds, root: Path, changes: Changes):
    """In another file, which was saved: what the checker has read of it is old."""
    grounds.start("python", str(root / "main.py"))
    assert judged(grounds, root, "ship.weigh_anchor()\n").action > Action.ANNOTATE
    (root / "ships.py").write_text(f"{SHIPS}\n    def weigh_anchor(self) -> None: ...\n")
    grounds.changed(root, changes)
    assert judged(grounds, root, "ship.weigh_anchor()\n").action is Action.PASS


def test_what_has_no_place_on_the_disk_is_left_alone(grounds: Grounds, root: Path):
    """An untitled document: there is no folder to start a checker for."""
    passage = Passage(BEFORE, "ship.weigh_anchor()\n", "\n", "python", str(root / "gone" / "main.py"))
    judgement = Guard(grounds.checks()).judge(passage)
    assert judgement.vouched
    assert judgement.action is Action.PASS


def test_switched_off_nothing_is_asked(root: Path):
    grounds = Grounds(GroundingSettings(enabled=False), lambda: None)
    grounds.start("python", str(root / "main.py"))
    assert grounds.checks() == ()
