"""The text of a module tells what a stub leaves out, and what is made at run time."""

from __future__ import annotations

from pathlib import Path

import pytest

from truepenny.guard.grounding.environment import Environment
from truepenny.guard.grounding.modules import ProjectModules

BOUND = [
    "def name(): ...",
    "class name: ...",
    "name = 1",
    "name: int = 1",
    "import name",
    "from x import name",
    "from x import other as name",
    "from x import (\n    name,\n)",
    '__all__ = ["name"]',
]
NOT_BOUND = ["", "# name is nice", "x.name()", "names = 1", "def f(): return name == 1"]


@pytest.fixture
def modules(tmp_path: Path) -> ProjectModules:
    site = tmp_path / "site-packages"
    (site / "package" / "inner").mkdir(parents=True)
    return ProjectModules(lambda _path: (tmp_path / "work", Environment(None, (site,))))


def write(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / "site-packages" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.mark.parametrize("text", BOUND)
def test_a_text_has_a_name(modules: ProjectModules, tmp_path: Path, text: str):
    write(tmp_path, "package/__init__.py", text)
    assert modules.has("package", "name", "a.py")


@pytest.mark.parametrize("text", NOT_BOUND)
def test_a_mention_is_no_name(modules: ProjectModules, tmp_path: Path, text: str):
    write(tmp_path, "package/__init__.py", text)
    assert not modules.has("package", "name", "a.py")


@pytest.mark.parametrize(
    "text",
    [
        "globals()[n] = 1",
        "def f(out=vars()): out[n] = 1",
        "setattr(m, n, 1)",
        "sys.modules[n] = m",
        "exec(code)",
    ],
)
def test_a_module_that_makes_names_is_told_by_its_text(modules: ProjectModules, tmp_path: Path, text: str):
    write(tmp_path, "package/inner/__init__.py", text)
    assert modules.is_dynamic("package.inner", "a.py")
    write(tmp_path, "package/py.typed", "")
    assert not modules.is_dynamic("package.inner", "a.py"), "a checker knows better what is typed"


def test_a_module_that_is_written_again_is_read_again(modules: ProjectModules, tmp_path: Path):
    write(tmp_path, "package/__init__.py", "x = 1")
    assert not modules.has("package", "name", "a.py")
    write(tmp_path, "package/__init__.py", "name = 1  # longer")
    assert modules.has("package", "name", "a.py")


def test_a_compiled_module_is_there(modules: ProjectModules, tmp_path: Path):
    write(tmp_path, "package/fast.cpython-311-x86_64-linux-gnu.so", "")
    assert modules.exists("package.fast", "a.py")
    assert not modules.exists("package.slow", "a.py")


@pytest.mark.parametrize("module", ["", "..", "../../etc/passwd", "a b", "os\0"])
def test_what_is_no_name_of_a_module_is_not_looked_for(modules: ProjectModules, module: str):
    assert not modules.exists(module, "a.py")


def test_the_standard_library_is_not_made_at_run_time(modules: ProjectModules):
    assert modules.exists("os", "a.py")
    assert not modules.is_dynamic("os", "a.py")
