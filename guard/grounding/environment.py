"""Which Python environment a file belongs to.  Everything is read; no interpreter is started.

An environment counts if it lies in the workspace or if the workspace names it.  What happens to be
active in the shell that started the editor says little about the project that is open: it counts where
the project has none, if the caller wants that.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

MAX_FILE_BYTES = 1_000_000
_FOLDERS = (".venv", "venv", "env", ".env")
_VERSION = re.compile(r"3\.\d{1,2}")
_POETRY_UNSAFE = re.compile(r'[ $`!*@"\\\r\n\t]')
_MAX_POETRY_NAME = 42
_CONDA_ROOTS = (
    "miniconda3",
    "anaconda3",
    "miniforge3",
    "mambaforge",
    "micromamba",
    ".conda",
    "opt/miniconda3",
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the modules of a file come from."""

    python: Path | None
    """The folder of the environment (`sys.prefix`); None where none was found."""
    site_packages: tuple[Path, ...] = ()
    version: str = ""
    """As in `3.11`; empty if nothing says it."""
    extra_paths: tuple[Path, ...] = ()
    """Folders the workspace puts on the path itself, besides its root."""
    why: str = "no environment was found"


def active_environment(variables: Mapping[str, str] | None = None) -> Path | None:
    """The folder of the environment that is active in the shell that started us; None where none is."""
    told = os.environ if variables is None else variables
    named = [Path(told[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if told.get(name)]
    return next((folder for folder in named if _is_environment(folder)), None)


def find_environment(
    path: str,
    root: Path,
    *,
    home: Path | None = None,
    variables: Mapping[str, str] | None = None,
    otherwise: Path | None = None,
) -> Environment:
    """That of the file `path` in the workspace `root`; the folder `otherwise`, where it has none.

    `home` and `variables` stand for the person's home folder and the environment variables.
    """
    search = _Search(
        Path(path), root, home or Path.home(), os.environ if variables is None else variables, _toml(root)
    )
    extra = tuple(dict.fromkeys(search.extra_paths()))
    for folder, why in search.candidates():
        if _is_environment(folder):
            version = _version_of(folder)
            return Environment(folder, tuple(_site_packages(folder, version)), version, extra, why)
    if otherwise is not None and _is_environment(otherwise):
        version, why = _version_of(otherwise), "the project has none, and this one is active"
        return Environment(otherwise, tuple(_site_packages(otherwise, version)), version, extra, why)
    return Environment(None, extra_paths=extra)


@dataclass(frozen=True, slots=True)
class _Search:
    path: Path
    root: Path
    home: Path
    variables: Mapping[str, str]
    project: dict[str, Any] = field(default_factory=dict[str, Any])

    def candidates(self) -> Iterator[tuple[Path, str]]:
        """Folders that may be the environment, the likeliest first, and what speaks for each."""
        for parent in self._parents():
            for name in _FOLDERS:
                yield parent / name, f"{name} in {parent.name or parent}"
        active = self.variables.get("VIRTUAL_ENV", "")
        if active and Path(active).is_relative_to(self.root):
            yield Path(active), "VIRTUAL_ENV, which is in the workspace"
        yield from self._named()
        yield from self._uv()
        yield from self._pdm()
        yield from self._poetry()
        yield from self._pipenv()
        yield from self._conda()
        yield from self._pyenv()

    def extra_paths(self) -> Iterator[Path]:
        named = [*_strings(_get(self.project, "tool", "pyright", "extraPaths"))]
        named += _strings(_get(self.project, "tool", "basedpyright", "extraPaths"))
        named += _strings(_get(_json(self.root / "pyrightconfig.json"), "extraPaths"))
        named += _strings(_get(self.project, "tool", "pytest", "ini_options", "pythonpath"))
        dotenv = re.search(
            r"^\s*(?:export\s+)?PYTHONPATH\s*=\s*(.*)$", _read(self.root / ".env"), re.MULTILINE
        )
        if dotenv is not None:
            named += re.split(r"[:;]", dotenv[1].strip().strip("\"'"))
        named += self.variables.get("PYTHONPATH", "").split(os.pathsep)
        for name in named:
            folder = _inside(self.root, name) if name.strip() else None
            if folder is not None and folder.is_dir() and folder != self.root:
                yield folder

    def _parents(self) -> Iterator[Path]:
        """The folders of the file, up to the root."""
        folder = (self.root / self.path).parent
        while folder.is_relative_to(self.root):
            yield folder
            if folder == self.root:
                return
            folder = folder.parent
        yield self.root

    def _named(self) -> Iterator[tuple[Path, str]]:
        for table, source in (
            (_get(self.project, "tool", "pyright"), "[tool.pyright]"),
            (_get(self.project, "tool", "basedpyright"), "[tool.basedpyright]"),
            (_json(self.root / "pyrightconfig.json"), "pyrightconfig.json"),
        ):
            name = _get(table, "venv")
            if isinstance(name, str) and name:
                folder = _inside(self.root, str(_get(table, "venvPath") or "."))
                yield folder / name, f"`venv` of {source}"
        named = _get(self.project, "tool", "ty", "environment", "python")
        if isinstance(named, str) and named:
            yield _prefix_of(_inside(self.root, named)), "`python` of [tool.ty.environment]"

    def _uv(self) -> Iterator[tuple[Path, str]]:
        named = self.variables.get("UV_PROJECT_ENVIRONMENT", "")
        if named and ((self.root / "uv.lock").exists() or _get(self.project, "tool", "uv") is not None):
            yield _inside(self.root, named), "UV_PROJECT_ENVIRONMENT, of a project of uv"

    def _pdm(self) -> Iterator[tuple[Path, str]]:
        named = _read(self.root / ".pdm-python").strip()
        if named:
            yield _prefix_of(Path(named)), ".pdm-python"

    def _poetry(self) -> Iterator[tuple[Path, str]]:
        name = _get(self.project, "tool", "poetry", "name")
        if not isinstance(name, str):
            name = _get(self.project, "project", "name")
            if not (self.root / "poetry.lock").exists() or not isinstance(name, str):
                return
        for folder in _poetry_folders(self.home, self.variables):
            for found in _matching(folder, f"{poetry_name(name, self.root)}-py"):
                yield found, "the environment that poetry keeps for the project"

    def _pipenv(self) -> Iterator[tuple[Path, str]]:
        if not (self.root / "Pipfile").exists():
            return
        workon = self.variables.get("WORKON_HOME", "")
        folder = Path(workon) if workon else self.home / ".local" / "share" / "virtualenvs"
        for found in _matching(folder, f"{self.root.name}-"):
            if _read(found / ".project").strip() == str(self.root):
                yield found, "the environment that pipenv keeps for the project"

    def _conda(self) -> Iterator[tuple[Path, str]]:
        text = _read(self.root / "environment.yml") or _read(self.root / "environment.yaml")
        name, prefix = (
            match[1].strip("\"'") if (match := re.search(rf"^{key}:\s*(\S+)", text, re.MULTILINE)) else ""
            for key in ("name", "prefix")
        )
        if prefix:
            yield Path(prefix), "`prefix` of environment.yml"
        if not name:
            return
        active = self.variables.get("CONDA_PREFIX", "")
        if active and Path(active).name == name:
            yield Path(active), "CONDA_PREFIX, which environment.yml names"
        for line in _read(self.home / ".conda" / "environments.txt").splitlines():
            if Path(line.strip()).name == name:
                yield Path(line.strip()), "the environment of conda that environment.yml names"
        for base in _CONDA_ROOTS:
            yield self.home / base / "envs" / name, "the environment of conda that environment.yml names"

    def _pyenv(self) -> Iterator[tuple[Path, str]]:
        named = self.variables.get("PYENV_ROOT", "")
        versions = (Path(named) if named else self.home / ".pyenv") / "versions"
        for parent in self._parents():
            for line in _read(parent / ".python-version").splitlines():
                version = line.strip()
                if not version or version.startswith("#") or "/" in version or "\\" in version:
                    continue
                yield versions / version, f"{version} of pyenv, which .python-version names"
                if _VERSION.fullmatch(version):
                    for found in sorted(_matching(versions, f"{version}."), reverse=True):
                        yield found, f"{found.name} of pyenv, which .python-version names"


def poetry_name(name: str, root: Path) -> str:
    """What poetry calls the environment of the project in `root`, without the version of Python."""
    safe = _POETRY_UNSAFE.sub("_", name.lower())[:_MAX_POETRY_NAME]
    place = os.path.normcase(os.path.realpath(root))
    digest = base64.urlsafe_b64encode(hashlib.sha256(place.encode()).digest()).decode()
    return f"{safe}-{digest[:8]}"


def _poetry_folders(home: Path, variables: Mapping[str, str]) -> Iterator[Path]:
    if named := variables.get("POETRY_VIRTUALENVS_PATH"):
        yield Path(named)
    if cache := variables.get("POETRY_CACHE_DIR"):
        yield Path(cache) / "virtualenvs"
    yield Path(variables.get("XDG_CACHE_HOME") or home / ".cache") / "pypoetry" / "virtualenvs"
    yield home / "Library" / "Caches" / "pypoetry" / "virtualenvs"
    if local := variables.get("LOCALAPPDATA"):
        yield Path(local) / "pypoetry" / "Cache" / "virtualenvs"


def _is_environment(folder: Path) -> bool:
    """Whether packages are installed in it: of a venv, of conda, or a whole installation."""
    if (folder / "pyvenv.cfg").is_file() or (folder / "conda-meta").is_dir():
        return True
    return any(True for _ in _libraries(folder))


def _libraries(folder: Path) -> Iterator[Path]:
    for name in ("lib", "lib64"):
        yield from (found / "site-packages" for found in _matching(folder / name, "python3."))
    if (folder / "Lib" / "site-packages").is_dir():
        yield folder / "Lib" / "site-packages"


def _site_packages(folder: Path, version: str) -> Iterator[Path]:
    found = [path for path in _libraries(folder) if path.is_dir()]
    yield from dict.fromkeys(path for path in found if len(found) == 1 or not version or version in str(path))
    settings = _settings(folder)
    if settings.get("include-system-site-packages", "").lower() == "true" and settings.get("home"):
        prefix = Path(settings["home"]).parent
        places = [*_libraries(prefix), prefix / "lib" / "python3" / "dist-packages"]
        places.append(prefix / "local" / "lib" / f"python{version}" / "dist-packages")
        yield from (
            path
            for path in places
            if path.is_dir() and (not version or version in str(path) or "3/" in str(path))
        )


def _version_of(folder: Path) -> str:
    settings = _settings(folder)
    for text in (settings.get("version", ""), settings.get("version_info", "")):
        if match := _VERSION.match(text):
            return match.group()
    for path in _matching(folder / "conda-meta", "python-3."):
        if match := _VERSION.search(path.name):
            return match.group()
    for path in _matching(folder / "lib", "python3."):
        if match := _VERSION.search(path.name):
            return match.group()
    return ""


def _settings(folder: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in _read(folder / "pyvenv.cfg").splitlines())
    return {key.strip().lower(): value.strip() for key, _, value in lines}


def _prefix_of(python: Path) -> Path:
    """The environment of an interpreter, or the folder itself."""
    is_program = python.parent.name in ("bin", "Scripts")
    return python.parent.parent if is_program else python


def _matching(folder: Path, start: str) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.startswith(start))
    except OSError:
        return []


def _inside(root: Path, name: str) -> Path:
    """A path that the workspace names: absolute, of the home folder, or from its root."""
    return root / name.replace("${workspaceFolder}", ".").strip()


def _read(path: Path) -> str:
    """Empty where there is nothing to read: none of these files has to be there, or be sound."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
            return ""
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _toml(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(root / "pyproject.toml"))
    except (ValueError, RecursionError):
        return {}


def _json(path: Path) -> dict[str, Any]:
    text = _read(path)
    try:
        value: Any = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)) if text else {}
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _get(table: Any, *keys: str) -> Any:
    for key in keys:
        table = cast("dict[str, Any]", table).get(key) if isinstance(table, dict) else None
    return table


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, str) and "\0" not in item]
