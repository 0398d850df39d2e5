# ruff: noqa: E501  (a row of data is a line)
"""The ladder, rung by rung, on a small workspace."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.grounding.knowledge import Packages, Source
from truepenny.guard.grounding.packages import manifests_python, manifests_web
from truepenny.guard.grounding.packages.declared import Manifests
from truepenny.guard.grounding.packages.filter import NameFilter
from truepenny.guard.grounding.packages.installed import read_site
from truepenny.guard.grounding.packages.standing import Installation, KnownPackages

FILES = {
    "pyproject.toml": """
[project]
name = "our-books"
dependencies = ["Ledger_Kit>=1", "httpx[http2]; python_version > '3'", "requests==2"]
[project.optional-dependencies]
plots = ["plotting-kit"]
[dependency-groups]
dev = ["testing-kit", {include-group = "x"}]
[tool.poetry.dependencies]
python = "^3.11"
poetic = "^1"
""",
    "requirements.txt": "-r more/base.txt\nrequired-kit==1 # note\n--hash=x\n./local\nhttps://x.test/a.whl\n",
    "more/base.txt": "included-kit\n-r ../../outside.txt\n",
    "src/books/__init__.py": "",
    "src/books/mypy.py": "",
    "src/books/pages/leaf.py": "",
    "scripts/helper.py": "",
    "tools/namespace/part.py": "",
    "empty_folder/readme.md": "",
    "web/package.json": '{"name": "our-web", "dependencies": {"ledger-web": "1"}, "devDependencies": {"@types/quill": "1"}}',
    "web/node_modules/there/package.json": "{}",
    "web/node_modules/@scope/kit/package.json": "{}",
    "web/node_modules/@types/typed/package.json": "{}",
    "web/package-lock.json": '{"packages": {"": {}, "node_modules/locked": {}, "node_modules/a/node_modules/@b/c": {}}}',
    "env/site/ledger_kit-1.0.dist-info/RECORD": "ledger/__init__.py,,\nledger_kit-1.0.dist-info/METADATA,,\n../../bin/x,,\n",
    "env/site/ledger/__init__.py": "",
    "env/site/opencv_python-4.dist-info/top_level.txt": "cv2\n",
    "env/site/loose.py": "",
    "env/site/__editable__.near-1.pth": "",
    "env/site/__editable___near_finder.py": "MAPPING: dict[str, str] = {'nearby': '/x/nearby'}\nNAMESPACES = {}\n",
}

PYTHON = [
    ("os.path", Source.STANDARD, ""),
    ("tomllib", Source.STANDARD, ""),
    ("distutils", Source.UNKNOWN, ""),
    ("books.pages", Source.WORKSPACE, ""),
    ("helper", Source.WORKSPACE, ""),
    ("namespace", Source.WORKSPACE, ""),
    (".pages", Source.WORKSPACE, ""),
    ("ledger", Source.INSTALLED, "ledger-kit"),
    ("cv2", Source.INSTALLED, "opencv-python"),
    ("loose", Source.INSTALLED, ""),
    ("nearby", Source.INSTALLED, ""),
    ("httpx", Source.DECLARED, "httpx"),
    ("requests.adapters", Source.DECLARED, "requests"),
    ("plotting_kit", Source.DECLARED, "plotting-kit"),
    ("poetic", Source.DECLARED, "poetic"),
    ("required_kit", Source.DECLARED, "required-kit"),
    ("included_kit", Source.DECLARED, "included-kit"),
    ("numpy.linalg", Source.WELL_KNOWN, "numpy"),
    ("PIL.Image", Source.WELL_KNOWN, "pillow"),
    ("google.cloud.storage", Source.WELL_KNOWN, "google-cloud-storage"),
    ("yaml", Source.WELL_KNOWN, "pyyaml"),
    ("rarely_used", Source.PUBLISHED, "rarely-used"),
    ("empty_folder", Source.UNKNOWN, ""),
    ("nobodys_package", Source.UNKNOWN, ""),
]
ALIKE = [
    ("reqeusts", "requests", ""),
    ("ledgerr", "", "ledger"),
    ("sklearm", "sklearn", ""),
    ("colections", "", "collections"),
    ("beautifulsoup", "bs4", ""),
]
WEB = [
    ("fs/promises", Source.STANDARD),
    ("node:test", Source.STANDARD),
    ("./near", Source.WORKSPACE),
    ("@/components/x", Source.WORKSPACE),
    ("#inner", Source.WORKSPACE),
    ("our-web/x", Source.WORKSPACE),
    ("there/deep", Source.INSTALLED),
    ("@scope/kit/x", Source.INSTALLED),
    ("typed", Source.INSTALLED),
    ("ledger-web", Source.DECLARED),
    ("locked", Source.DECLARED),
    ("@b/c", Source.DECLARED),
    ("react", Source.WELL_KNOWN),
    ("reactt", Source.LOOK_ALIKE),
    ("nobodys-package-at-all", Source.UNKNOWN),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text)
    (tmp_path / "outside.txt").write_text("must-not-be-read\n")
    return tmp_path / "root"


@pytest.fixture
def packages(root: Path, tmp_path: Path) -> KnownPackages:
    NameFilter.of(["rarely-used"], "a list", "2024-01-01").save(tmp_path / "filters" / "pypi.names")
    installation = Installation((root / "env" / "site",), (3, 13))
    return KnownPackages(root, installation, tmp_path / "filters")


@pytest.mark.parametrize(("module", "source", "distribution"), PYTHON)
def test_rungs_of_python(packages: Packages, module: str, source: Source, distribution: str):
    found = packages.standing(module, "scripts/run.py")
    assert (found.source, found.distribution) == (source, distribution)


def test_a_module_beside_it_in_a_package_is_another_one(packages: Packages):
    assert packages.standing("mypy.plugin", "src/books/run.py").source is Source.WELL_KNOWN


@pytest.mark.parametrize(("module", "alike", "nearest"), ALIKE)
def test_slips_of_modules(packages: Packages, module: str, alike: str, nearest: str):
    found = packages.standing(module, "scripts/run.py")
    assert found.source is (Source.LOOK_ALIKE if alike else Source.UNKNOWN)
    assert (found.look_alike_of, found.nearest) == (alike, nearest)


@pytest.mark.parametrize(("module", "source"), WEB)
def test_rungs_of_the_web(packages: Packages, module: str, source: Source):
    assert packages.standing(module, "web/src/app.ts").source is source


def test_other_languages_raise_no_objection(packages: Packages):
    assert packages.standing("anything", "main.go").source is Source.WORKSPACE


def test_distributions_by_their_own_names(packages: KnownPackages):
    for name, source in [
        ("Ledger.Kit", Source.INSTALLED),
        ("our-books", Source.WORKSPACE),
        ("numpy", Source.WELL_KNOWN),
        ("cv2", Source.UNKNOWN),
        ("rarely_used", Source.PUBLISHED),
        ("python-requests", Source.LOOK_ALIKE),
    ]:
        assert packages.standing_of_package(name, "pypi").source is source, name


def test_what_is_needed_and_not_there(packages: KnownPackages):
    """Extras, groups, lock files and what a marker leaves out on some machines do not count."""
    assert packages.not_installed("scripts/run.py") == ("included-kit", "poetic", "requests", "required-kit")
    assert packages.not_installed("web/src/app.ts") == ("@types/quill", "ledger-web")


def test_what_is_outside_is_not_read(packages: KnownPackages):
    assert packages.standing("must_not_be_read", "run.py").source is Source.UNKNOWN


def test_what_is_installed_later_is_seen(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("truepenny.guard.grounding.packages.standing.FRESH_S", 0.0)
    packages = KnownPackages(root, Installation((root / "env" / "site",)))
    assert packages.standing("later", "run.py").source is Source.UNKNOWN
    (root / "env" / "site" / "later.py").write_text("")
    assert packages.standing("later", "run.py").source is Source.INSTALLED


def test_a_damaged_filter_is_said_and_knows_nothing(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "pypi.names").write_bytes(b"nonsense")
    packages = KnownPackages(root, filters=tmp_path)
    assert packages.standing("rarely_used", "run.py").source is Source.UNKNOWN
    assert "packages refresh" in caplog.text


READERS = [*manifests_python.READERS.items(), *manifests_web.READERS.items()]
BROKEN = [
    "[[[",
    "{",
    '{"dependencies": 3}',
    '{"dependencies": [1]}',
    "dependencies: [1, {pip: 3}]",
    "\0\x01",
    "a\n b\n= c",
]


@pytest.mark.parametrize(("name", "reader"), READERS, ids=[name for name, _ in READERS])
@given(text=st.sampled_from(BROKEN) | st.text(max_size=200))
def test_broken_manifests_raise_nothing_else(name: str, reader, text: str):
    try:
        names = reader(text)
    except ValueError:
        return
    assert all(isinstance(one, str) and one for one in names)


@pytest.mark.parametrize(
    "name",
    ["pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "poetry.lock", "package.json", "environment.yml"],
)
def test_a_broken_file_is_named_in_the_log(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture):
    (tmp_path / name).write_text("[[[ {")
    registry = "npm" if name == "package.json" else "pypi"
    with caplog.at_level(logging.WARNING):
        assert Manifests(tmp_path).declared(tmp_path, registry).names == {}
    assert name in caplog.text


LOCKS = [
    (
        manifests_python.read_lock,
        '[[package]]\nname = "Ledger_Kit"\nversion = "1"\n\n[[package]]\nname = "b"\n',
        "ledger-kit b",
    ),
    (manifests_python.read_setup_py, "setup(install_requires=['a>1'], extras_require={'x': ['b']})", "a b x"),
    (manifests_python.read_setup_cfg, "[options]\ninstall_requires =\n  a>=1\n  b[c]\n", "a b"),
    (manifests_python.read_pipfile, '[packages]\na = "*"\n[dev-packages]\nb = "*"\n', "a b"),
    (manifests_python.read_pipfile_lock, '{"default": {"a": {}}, "develop": {"b": {}}}', "a b"),
    (
        manifests_python.read_environment,
        "dependencies:\n- python=3.11\n- conda-forge::numpy>=1\n- pip:\n  - rich\n",
        "numpy python rich",
    ),
    (manifests_web.read_yarn_lock, '"@a/b@^1", "@a/b@^2":\n  version "1"\n\nc@~1:\n', "@a/b c"),
    (
        manifests_web.read_pnpm_lock,
        "packages:\n\n  /@a/b@1.0.0:\n  '@c/d@2.0.0':\n  e@1.1.1:\n",
        "@a/b @c/d e",
    ),
]


@pytest.mark.parametrize(("reader", "text", "expected"), LOCKS)
def test_lock_files_and_their_kin(reader, text: str, expected: str):
    assert sorted(reader(text)) == sorted(expected.split())


TRAPS = [
    '"docutils',
    "!git",
    "-e",
    "#x",
    "$X",
    "<a>",
    "a b c",
    "../up",
    "C:\\x",
    "[dev]",
    "",
    " ",
    "a/b",
    "@",
    "=1",
]


@pytest.mark.parametrize("line", TRAPS)
def test_what_is_no_name_is_none(line: str):
    assert manifests_python.requirement_name(line) in ("", "a")


def test_a_site_that_is_not_there_is_empty(tmp_path: Path):
    assert read_site(tmp_path / "nowhere").modules == frozenset()
