"""The bars hold on a sample: what is right is left alone, what is not there is found and mended.

`tests/benchmarks/grounding.py` measures all of it, untyped code too.
"""

from __future__ import annotations

import random
import sysconfig
import warnings
from pathlib import Path

import pytest

from truepenny.models.store import cache_root

from . import cases_python, cases_typescript, installed, mutation, working, workspace
from .judges import Grounded, Place
from .snippets import Case
from .tally import Tally, judged, tally, wrong

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
SEED = 11
NUM_SNIPPETS = 30
"""Of each language; two cases of each are judged."""


def place(tmp_path: Path) -> Place:
    return Place(SITE_PACKAGES, tmp_path / "cache", cache_root() / "checkers")


def outcome(check: Grounded, cases: list[Case]) -> tuple[Tally, str]:
    check.wait(cases[0].path)
    try:
        outcomes = [judged(check, case) for case in cases]
    finally:
        check.close()
    return tally(outcomes), "\n".join(wrong(outcomes))


def sample(cases: list[Case]) -> list[Case]:
    """Typed cases only, as many right as wrong."""
    typed = [one for one in cases if not one.is_untyped]
    rng = random.Random(SEED)
    right = [one for one in typed if not one.is_planted]
    planted = [one for one in typed if one.is_planted]
    return rng.sample(right, NUM_SNIPPETS) + rng.sample(planted, NUM_SNIPPETS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def test_python_names_that_do_not_exist(root: Path, tmp_path: Path) -> None:
    workspace.write_python(root, SITE_PACKAGES)
    cases, gone = cases_python.present(cases_python.cases(SEED), SITE_PACKAGES)
    if gone:
        warnings.warn(f"{', '.join(gone)} not installed: their cases are left out", stacklevel=1)
    found, why = outcome(Grounded(root, place(tmp_path), has_names=False), sample(cases))
    assert not found.unvouched, why
    assert found.false == 0, why
    assert found.recall >= 0.85, why
    assert found.repair_rate >= 0.6, why  # thirty of them swing; of all it is more


def test_typescript_names_that_do_not_exist(root: Path, tmp_path: Path) -> None:
    if not (cache_root() / "checkers" / "typescript").is_dir():
        pytest.skip("TypeScript is not here: `truepenny checkers add typescript` fetches it")
    workspace.write_typescript(root)
    found, why = outcome(
        Grounded(root, place(tmp_path), has_names=False), sample(cases_typescript.cases(SEED))
    )
    assert not found.unvouched, why
    assert found.false == 0, why
    assert found.recall >= 0.8, why


@pytest.mark.parametrize("package", ["httpx", "jinja2"])
def test_renamed_calls_of_a_package(package: str, root: Path, tmp_path: Path) -> None:
    folder = SITE_PACKAGES / package
    installed.make_workspace(root, folder)
    cases = mutation.cases(installed.sources(folder), 15, SEED)
    found, why = outcome(Grounded(root, place(tmp_path), has_names=False), cases)
    assert not found.unvouched, why
    assert found.recall >= 0.8, why


@pytest.mark.parametrize("package", ["httpx", "jinja2"])
def test_working_code_is_left_alone(package: str, root: Path, tmp_path: Path) -> None:
    folder = SITE_PACKAGES / package
    installed.make_workspace(root, folder)
    cases = working.cases(installed.sources(folder), 15, SEED)
    found, why = outcome(Grounded(root, place(tmp_path), has_names=False), cases)
    assert not found.unvouched, why
    assert found.false == 0, why
