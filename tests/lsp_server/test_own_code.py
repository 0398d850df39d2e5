"""Code of the open workspace may be repeated, and a stranger's may not: from the folder to the judgement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from truepenny.context.index.location import locate
from truepenny.context.index.process import run_build
from truepenny.guard.licence.check import LicenceCheck
from truepenny.guard.licence.index import LicenceIndex
from truepenny.guard.licence.writer import IndexWriter
from truepenny.guard.pipeline import Guard
from truepenny.guard.verdict import Action, Judgement, Passage
from truepenny.lsp_server import own_code, vouching
from truepenny.lsp_server.own_code import WorkspaceCode
from truepenny.lsp_server.prompting.gathering import StoredIndex
from truepenny.lsp_server.settings import GuardSettings
from truepenny.lsp_server.vouching import Vouching

from ..guard.licence.corpus import part, source  # noqa: TID252  (tests are no installed package)

OURS, THEIRS, LENT = 501, 502, 503
Judged = Callable[..., Judgement]


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judged]:
    """A copyleft project, open as the workspace, that is in an index of licensed code too."""
    monkeypatch.setattr(own_code, "DEADLINE_S", 60.0)  # however busy the machine is
    root = tmp_path / "project"
    root.mkdir()
    (root / "ours.py").write_text(source(OURS))
    for i in range(20):
        (root / f"part{i}.py").write_text(source(600 + i))
    location = locate(root, tmp_path / "cache")
    run_build(location)
    with IndexWriter(tmp_path / "licensed") as writer:
        writer.add("project", "1", "ours.py", "GPL-3.0-only", "", source(OURS))
        writer.add("stranger", "2", "theirs.py", "GPL-3.0-only", "", source(THEIRS))
        writer.add("lender", "3", "lent.py", "LGPL-2.1-only", "", source(LENT))
        writer.finish()
    check = LicenceCheck([LicenceIndex.open(tmp_path / "licensed")])
    monkeypatch.setattr(vouching, "the_guard", lambda: Guard([check]))
    index = StoredIndex(location)

    def judge(text: str, settings: GuardSettings | None = None, *, is_open: bool = True) -> Judgement:
        async def inside() -> Judgement:
            own = WorkspaceCode(lambda: index if is_open else None)
            asked = Vouching(settings or GuardSettings(deadline_ms=0), own)
            passage = Passage("", text, "", "python", str(root / "new.py"))
            found = await asked.judged(passage)
            assert asked.judge(passage).verdicts == found.verdicts
            await asked.aclose()
            return found

        return asyncio.run(inside())

    yield judge
    index.close()
    check.close()


@pytest.mark.parametrize(
    ("seed", "workspace", "expected"),
    [
        (OURS, "open", "shown"),
        (OURS, "not open", "withheld"),
        (THEIRS, "open", "withheld"),
        (610, "open", "shown"),
    ],
    ids=["own", "own, not open", "a stranger's", "in no index"],
)
def test_a_workspace_may_repeat_itself(judged: Judged, seed: int, workspace: str, expected: str) -> None:
    """Silent about the project's own code, and about nothing else."""
    text = part(source(seed), 30, 20)
    found = judged(text, is_open=workspace == "open")
    if expected == "shown":
        assert (found.text, found.verdicts) == (text, ())
    else:
        assert (found.text, found.action) == ("", Action.WITHHOLD)


def test_what_is_no_longer_there_is_not_own(judged: Judged, tmp_path: Path) -> None:
    """The disk counts, not what the index remembers."""
    (tmp_path / "project" / "ours.py").unlink()
    assert judged(part(source(OURS), 30, 20)).text == ""


@pytest.mark.parametrize(("setting", "action"), [("withhold", Action.WITHHOLD), ("show", Action.ANNOTATE)])
def test_weak_copyleft_is_the_person_s_choice(judged: Judged, setting, action: Action) -> None:
    """Shown with its reference, or not at all."""
    found = judged(part(source(LENT), 30, 20), GuardSettings(weak_copyleft=setting, deadline_ms=0))
    assert [one.action for one in found.verdicts] == [action]
    reference = found.verdicts[0].reference
    assert reference is not None
    assert (reference.licence, reference.name, reference.path) == ("LGPL-2.1-only", "lender", "lent.py")
