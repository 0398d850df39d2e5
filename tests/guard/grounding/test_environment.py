"""Which environment a workspace uses, by what lies in it and in the home folder; all made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from truepenny.guard.grounding.environment import (
    Environment,
    active_environment,
    find_environment,
    poetry_name,
)

FILE = "src/app/main.py"


def make_environment(folder: Path, version: str = "3.11", settings: str = "") -> Path:
    """A folder that looks like a virtual environment."""
    (folder / "lib" / f"python{version}" / "site-packages").mkdir(parents=True)
    (folder / "bin").mkdir()
    text = f"home = /nowhere/bin\nversion = {version}.4\n{settings}"
    (folder / "pyvenv.cfg").write_text(text, "utf-8")
    return folder


class Machine:
    """A home folder, a workspace and environment variables."""

    def __init__(self, tmp_path: Path) -> None:
        self.home, self.root = tmp_path / "home", tmp_path / "code" / "project"
        self.variables: dict[str, str] = {}
        (self.root / "src" / "app").mkdir(parents=True)
        self.home.mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def find(self, path: str = FILE) -> Environment:
        return find_environment(path, self.root, home=self.home, variables=self.variables)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_another_counts_where_the_workspace_has_none(machine: Machine):
    other = make_environment(machine.home / "other", "3.12")
    found = find_environment(
        FILE, machine.root, home=machine.home, variables=machine.variables, otherwise=other
    )
    assert (found.python, found.version) == (other, "3.12")
    own = make_environment(machine.root / ".venv")
    found = find_environment(
        FILE, machine.root, home=machine.home, variables=machine.variables, otherwise=other
    )
    assert found.python == own


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_which_one_is_active(tmp_path: Path, variable: str):
    made = make_environment(tmp_path / "made")
    assert active_environment({variable: str(made)}) == made
    assert active_environment({variable: str(tmp_path / "gone")}) is None
    assert active_environment({}) is None


@pytest.mark.parametrize("name", [".venv", "venv", "env"])
def test_a_folder_in_the_workspace(machine: Machine, name: str):
    made = make_environment(machine.root / name)
    found = machine.find()
    assert found.python == made
    assert found.version == "3.11"
    assert found.site_packages == (made / "lib" / "python3.11" / "site-packages",)
    assert name in found.why


def test_the_nearest_folder_upwards_counts(machine: Machine):
    make_environment(machine.root / ".venv")
    inner = make_environment(machine.root / "src" / ".venv", "3.12")
    assert machine.find().python == inner
    assert machine.find("other.py").python == machine.root / ".venv"


def test_a_folder_above_the_workspace_is_not_its_own(machine: Machine):
    make_environment(machine.root.parent / ".venv")
    assert machine.find().python is None


def test_a_folder_that_is_no_environment_does_not_count(machine: Machine):
    machine.write("env/settings.ini", "")
    assert machine.find().python is None


def test_the_active_environment_counts_only_in_the_workspace(machine: Machine):
    machine.variables["VIRTUAL_ENV"] = str(make_environment(machine.home / "elsewhere"))
    assert machine.find().python is None
    inside = make_environment(machine.root / "build" / "py")
    machine.variables["VIRTUAL_ENV"] = str(inside)
    assert machine.find().python == inside


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.pyright]\nvenvPath = "envs"\nvenv = "mine"\n'),
        ("pyrightconfig.json", '{\n  // a remark\n  "venvPath": "envs", "venv": "mine"}'),
        ("pyproject.toml", '[tool.ty.environment]\npython = "envs/mine"\n'),
        ("pyproject.toml", '[tool.ty.environment]\npython = "envs/mine/bin/python"\n'),
    ],
)
def test_one_that_the_workspace_names(machine: Machine, name: str, text: str):
    made = make_environment(machine.root / "envs" / "mine")
    machine.write(name, text)
    assert machine.find().python == made


@pytest.mark.parametrize(
    "text",
    ['[tool.poetry]\nname = "My Project"\n', '[project]\nname = "My Project"\n'],
)
def test_poetry_keeps_it_in_its_cache(machine: Machine, text: str):
    machine.write("pyproject.toml", text)
    machine.write("poetry.lock", "")
    name = poetry_name("My Project", machine.root)
    made = make_environment(machine.home / ".cache" / "pypoetry" / "virtualenvs" / f"{name}-py3.11")
    found = machine.find()
    assert found.python == made
    assert "poetry" in found.why


def test_poetry_may_keep_it_elsewhere(machine: Machine):
    machine.write("pyproject.toml", '[tool.poetry]\nname = "p"\n')
    machine.variables["POETRY_CACHE_DIR"] = str(machine.home / "cache")
    name = poetry_name("p", machine.root)
    made = make_environment(machine.home / "cache" / "virtualenvs" / f"{name}-py3.12", "3.12")
    assert machine.find().python == made


def test_the_name_that_poetry_gives():
    """As poetry computes it: unsafe letters are underscores, then eight letters of a hash of the folder."""
    assert poetry_name("My Project!", Path("/srv/code/app")) == "my_project_-mb1MfNUJ"


def test_a_project_of_poetry_is_not_that_of_another_folder(machine: Machine):
    machine.write("pyproject.toml", '[tool.poetry]\nname = "p"\n')
    name = poetry_name("p", machine.root.parent)
    make_environment(machine.home / ".cache" / "pypoetry" / "virtualenvs" / f"{name}-py3.11")
    assert machine.find().python is None


def test_uv_may_be_told_where(machine: Machine):
    made = make_environment(machine.home / "uv-env")
    machine.variables["UV_PROJECT_ENVIRONMENT"] = str(made)
    assert machine.find().python is None
    machine.write("uv.lock", "")
    assert machine.find().python == made


def test_pdm_writes_it_down(machine: Machine):
    made = make_environment(machine.home / "pdm-env")
    machine.write(".pdm-python", f"{made}/bin/python\n")
    assert machine.find().python == made


def test_pipenv_writes_the_project_into_it(machine: Machine):
    machine.write("Pipfile", "")
    base = machine.home / ".local" / "share" / "virtualenvs"
    other, mine = make_environment(base / "project-AAAA"), make_environment(base / "project-BBBB")
    (other / ".project").write_text("/somewhere/else", "utf-8")
    (mine / ".project").write_text(str(machine.root), "utf-8")
    assert machine.find().python == mine


def test_conda_is_named_by_the_workspace(machine: Machine):
    made = machine.home / "miniconda3" / "envs" / "science"
    (made / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    (made / "conda-meta").mkdir()
    (made / "conda-meta" / "python-3.12.1-h1.json").write_text("{}", "utf-8")
    machine.variables["CONDA_PREFIX"] = str(made)
    assert machine.find().python is None, "what is active says nothing about the project"
    machine.write("environment.yml", "name: science\ndependencies: []\n")
    found = machine.find()
    assert (found.python, found.version) == (made, "3.12")
    machine.variables.clear()
    assert machine.find().python == made


@pytest.mark.parametrize(
    ("named", "expected"), [("3.12.1", "3.12.1"), ("3.12", "3.12.9"), ("tools", "tools")]
)
def test_pyenv_is_named_by_a_file(machine: Machine, named: str, expected: str):
    for version in ("3.11.2", "3.12.1", "3.12.9", "tools"):
        (machine.home / ".pyenv" / "versions" / version / "lib" / "python3.12" / "site-packages").mkdir(
            parents=True
        )
    machine.write(".python-version", f"{named}\n")
    assert machine.find().python == machine.home / ".pyenv" / "versions" / expected


def test_a_version_is_no_way_out_of_the_folder(machine: Machine):
    make_environment(machine.home / "elsewhere")
    machine.write(".python-version", "../../elsewhere\n")
    assert machine.find().python is None


def test_packages_of_the_system_where_it_shares_them(machine: Machine):
    system = machine.home / "usr"
    (system / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    settings = f"home = {system / 'bin'}\ninclude-system-site-packages = true\n"
    made = make_environment(machine.root / ".venv", settings=settings)
    assert machine.find().site_packages == (
        made / "lib" / "python3.11" / "site-packages",
        system / "lib" / "python3.11" / "site-packages",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", "PYTHONPATH=lib:nowhere\n"),
        (".env", 'export PYTHONPATH="lib"\n'),
        ("pyproject.toml", '[tool.pyright]\nextraPaths = ["lib", "nowhere"]\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = "lib"\n'),
        ("pyrightconfig.json", '{"extraPaths": ["lib"]}'),
    ],
)
def test_folders_on_the_path(machine: Machine, name: str, text: str):
    (machine.root / "lib").mkdir()
    machine.write(name, text)
    assert machine.find().extra_paths == (machine.root / "lib",)


def test_folders_of_the_variable(machine: Machine):
    (machine.root / "lib").mkdir()
    machine.variables["PYTHONPATH"] = str(machine.root / "lib")
    assert machine.find().extra_paths == (machine.root / "lib",)


@pytest.mark.parametrize("text", ["", "[tool.poetry", "tool = 3", "[tool]\npyright = []\npoetry = 3\n", "\0"])
def test_a_broken_manifest_names_nothing(machine: Machine, text: str):
    machine.write("pyproject.toml", text)
    machine.write("pyrightconfig.json", text or "[1]")
    assert machine.find() == Environment(None)
