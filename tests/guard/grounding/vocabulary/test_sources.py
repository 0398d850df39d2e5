"""The standard library of an environment is found without running its interpreter."""

from __future__ import annotations

from pathlib import Path

import pytest

from truepenny.guard.grounding.environment import Environment
from truepenny.guard.grounding.vocabulary.sources import sources_of


@pytest.mark.parametrize("place", ["base/lib/python3.11", "env/lib/python3.11", "base/Lib"])
def test_the_library_of_an_environment(tmp_path: Path, place: str):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "os.py").write_text("")
    other = tmp_path / "base" / "lib" / "python3.12"
    other.mkdir(parents=True)
    (other / "os.py").write_text("")
    home = tmp_path / "base" / "bin" if place != "base/Lib" else tmp_path / "base"
    (tmp_path / "env").mkdir(exist_ok=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text(f"home = {home}\nversion = 3.11.7\n")
    found = sources_of(Environment(tmp_path / "env", (tmp_path / "site",), "3.11"), tmp_path)
    assert found.python_library == tmp_path / place
    assert found.python == (tmp_path / "site",)
    assert found.web == ()


def test_without_an_environment_there_is_none(tmp_path: Path):
    (tmp_path / "node_modules").mkdir()
    found = sources_of(Environment(None), tmp_path, tmp_path / "ts")
    assert (found.python, found.python_library) == ((), None)
    assert (found.web, found.web_library) == ((tmp_path / "node_modules",), tmp_path / "ts")
