"""Pain 8: without the repository, signatures and arguments are guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from truepenny.context.index.location import locate
from truepenny.context.index.process import run_build
from truepenny.lsp_server.prompting import gathering
from truepenny.lsp_server.prompting.gathering import StoredIndex
from truepenny.lsp_server.snapshot import Trigger

from .desk import ask

SIGNATURE = "def find(self, key: str, *, is_strict: bool)"
MARKED = "from store import Rows\n\n\ndef read(rows: Rows):\n    return rows.¦\n"


def model(prompt: str) -> str:
    """Writes the right arguments if it has seen them, as models do."""
    told, _, _ = prompt.partition("main.py\n")
    return 'find("a", is_strict=True)\n' if SIGNATURE in told else "find(1)\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[str, StoredIndex]]:
    """`main.py` of a repository whose `store.py` has the signature, and the repository's index."""
    monkeypatch.setattr(gathering, "WAITING_DEADLINE_S", 60.0)  # however busy the machine is
    root = tmp_path / "tide"
    (root / ".git").mkdir(parents=True)
    (root / "store.py").write_text(f"class Rows:\n    {SIGNATURE} -> str:\n        return key\n")
    location = locate(root, tmp_path / "cache")

    def built() -> tuple[str, StoredIndex]:
        run_build(location)
        return str(root / "main.py"), StoredIndex(location)

    return built


def test_the_arguments_are_those_of_the_repository(
    workspace: Callable[[], tuple[str, StoredIndex]],
) -> None:
    """The definition of what is named at the cursor is in the prompt, before the document's own text."""
    path, index = workspace()

    answer = ask(MARKED, model, path=path, trigger=Trigger.INVOKED, index=index)

    assert 'rows.find("a", is_strict=True)' in answer.after


def test_without_it_the_model_guesses() -> None:
    """So the test above fails for a server that tells of one file only."""
    assert "rows.find(1)" in ask(MARKED, model, path="/elsewhere/main.py", trigger=Trigger.INVOKED).after
