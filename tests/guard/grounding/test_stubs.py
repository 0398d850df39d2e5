"""Stubs are for the analysis, for what is installed, and never where a program would find them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from truepenny.guard.grounding.environment import Environment
from truepenny.guard.grounding.stubs import DISTRIBUTIONS, stub_folder


def environment(tmp_path: Path, *modules: str) -> Environment:
    site = tmp_path / "env" / "site-packages"
    for module in modules:
        path = site / module
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", "utf-8")
    return Environment(tmp_path / "env", (site,), "3.11")


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_stubs_come_with_us(name: str):
    try:
        files = distribution(name).files
    except PackageNotFoundError:
        pytest.fail(f"{name} is a dependency and is not installed: install truepenny again")
    assert any(file.parts[0].endswith("-stubs") for file in files or ())


def test_only_what_is_installed_is_there(tmp_path: Path):
    found = stub_folder(tmp_path / "cache", environment(tmp_path, "yaml/__init__.py", "tabulate.py"))
    assert found is not None
    assert sorted(path.name for path in found.iterdir()) == ["tabulate-stubs", "yaml-stubs"]
    assert (found / "yaml-stubs" / "__init__.pyi").is_file()


@pytest.mark.parametrize(
    "modules",
    [
        (),
        ("numpy/__init__.py",),
        ("yaml/__init__.py", "yaml/py.typed"),  # it has types of its own
        ("yaml/__init__.py", "yaml-stubs/__init__.pyi"),  # the person has chosen others
        ("tabulate.py", "tabulate.pyi"),
    ],
)
def test_where_none_is_of_use_there_is_no_folder(tmp_path: Path, modules: tuple[str, ...]):
    assert stub_folder(tmp_path / "cache", environment(tmp_path, *modules)) is None
    assert not (tmp_path / "cache").exists()


def test_it_is_made_once_and_again_for_another_environment(tmp_path: Path):
    first = environment(tmp_path / "a", "yaml/__init__.py")
    second = environment(tmp_path / "b", "yaml/__init__.py", "six.py")
    cache = tmp_path / "cache"
    assert stub_folder(cache, first) == stub_folder(cache, first) != stub_folder(cache, second)
    assert len(list((cache / "stubs").iterdir())) == 2


def test_nothing_is_put_into_the_environment(tmp_path: Path):
    made = environment(tmp_path, "yaml/__init__.py")
    before = sorted((tmp_path / "env").rglob("*"))
    stub_folder(tmp_path / "cache", made)
    assert sorted((tmp_path / "env").rglob("*")) == before
