"""Packages that a text tells somebody to install."""

from __future__ import annotations

import pytest

from truepenny.guard.grounding.install import InstallCheck
from truepenny.guard.grounding.packages.standing import KnownPackages
from truepenny.guard.pipeline import Guard
from truepenny.guard.verdict import Action, Passage


@pytest.fixture
def guard(tmp_path) -> Guard:
    return Guard([InstallCheck(KnownPackages(tmp_path))])


@pytest.mark.parametrize(
    ("before", "suggestion", "after_it", "actions"),
    [
        ("", "# pip install reqeusts\n", "# pip install requests\n", [Action.REPAIR]),
        ("", "# pip install requests numpy\n", "# pip install requests numpy\n", []),
        ("x = 1  # needs pip install ", "reqeusts", "requests", [Action.REPAIR]),
        ("# pip install reqe", "usts", "", [Action.WITHHOLD]),
        ("# pip install reqeusts\n", "x = 1\n", "x = 1\n", []),
        ("", "npm install expresss\n", "npm install express\n", [Action.REPAIR]),
        ("", "pip install quarkfluxer-toolbox\n", "pip install quarkfluxer-toolbox\n", [Action.ANNOTATE]),
        ("", "pip install -r requirements.txt\n", "pip install -r requirements.txt\n", []),
        ("", "pip install .\n", "pip install .\n", []),
    ],
)
def test_what_is_to_be_installed(guard, before, suggestion, after_it, actions):
    """A look-alike becomes what it looks like; what nobody knows is remarked on."""
    judgement = guard.judge(Passage(before, suggestion, "", "shellscript"))
    assert judgement.vouched
    assert judgement.text == after_it
    assert [one.action for one in judgement.verdicts] == actions
