"""What an editor gets of names that do not exist: a real server, a real type checker, a scripted model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..pains.editor import INVOKED, Editor, editor  # noqa: TID252  (tests are no installed package)

WAIT_S = 60.0
SHIPS = """\
class Ship:
    def __init__(self, name: str) -> None:
        self.name = name

    def sail(self) -> None:
        print(self.name)
"""


@dataclass(frozen=True)
class Case:
    """What the model would write at the mark, what is shown, and the rule of the verdict, if any."""

    marked: str
    written: str
    shown: str | None
    rule: str
    says: str = ""


CASES = {
    "what another language calls it": Case(
        "def first(prices: list[int]) -> None:\n    |\n",
        "prices.push(1)",
        "prices.append(1)",
        "grounding/missing-member",
        "append",
    ),
    "a member of the workspace's own class": Case(
        "from ships import Ship\n\n\ndef second(ship: Ship) -> None:\n    |\n",
        "ship.sails()",
        "ship.sail()",
        "grounding/missing-member",
        "sail",
    ),
    "a module that nobody has": Case(
        "import os\nimport |\n\n\ndef third() -> str:\n    return os.sep\n",
        "quarkfluxer_toolbox",
        None,
        "grounding/missing-module",
        "quarkfluxer_toolbox",
    ),
    "what is there": Case(
        "def fourth(prices: list[int]) -> None:\n    |\n", "prices.append(4)", "prices.append(4)", ""
    ),
}


@pytest.fixture(scope="module")
def typing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Editor, Path]]:
    """One editor in a workspace; decoding is free, so that the guard has something to do."""
    root = tmp_path_factory.mktemp("workspace")
    (root / "pyproject.toml").write_text('[project]\nname = "fleet"\nversion = "1"\n')
    (root / "ships.py").write_text(SHIPS)
    (root / ".venv" / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text("home = /nowhere\nversion = 3.11.4\n")
    replies = [(case.marked.partition("|")[0], f"{case.written}\n") for case in CASES.values()]
    settings = {"guard": {"deadline_ms": 10_000}, "grounding": {"decode": False}, "engine_prewarm": False}
    with editor(settings, replies=replies) as one:
        yield one, root


def vouched(typing: Editor, marked: str, path: str) -> list[str]:
    """Asked until the type checker is there; before that what is shown is unvouched, and says so."""
    deadline_s = time.monotonic() + WAIT_S
    while True:
        items = typing.ask(marked, path=path, trigger=INVOKED)
        told = typing.why(path)
        if told["vouched"] or time.monotonic() > deadline_s:
            assert told["vouched"], told
            return items
        assert "grounding" in told["reason"], told
        time.sleep(0.2)
        # Another text: what was remembered is unvouched.
        marked += "\n"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_names(typing: tuple[Editor, Path], case: Case) -> None:
    """Mended, withheld or let through; why, is on the answer."""
    one, root = typing
    path = str(root / f"{abs(hash(case.marked))}.py")
    items = vouched(one, case.marked, path)
    told = one.why(path)
    assert items == ([case.shown] if case.shown else []), told
    found = [verdict for verdict in told["verdicts"] if verdict["rule"] == case.rule]
    assert bool(found) == bool(case.rule), told["verdicts"]
    assert all(case.says in verdict["evidence"] for verdict in found)
    if case.shown is None:
        assert case.says in told["reason"]
