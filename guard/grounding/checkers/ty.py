"""Python: `ty`, the type checker that comes with us.

It is told everything by a file of our own, so that what the workspace says in `ty.toml` or
`[tool.ty]` cannot switch a rule or a file off; what it says about where its modules are and which
Python it is for is taken over.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, cast

from ...errors import CheckerError
from .checker import ShadowChecker
from .dialect import Dialect, nothing_to_remove
from .ty_messages import FAULTS, read

PROBE = "truepenny_asks_whether_this_file_is_checked\n"
MAX_CONFIG_BYTES = 1_000_000
_VERSION = re.compile(r"3\.\d{1,2}")
_PLATFORM = re.compile(r"[a-z0-9]{1,16}")


def binary() -> str:
    """The program, from the environment that runs us.  Raises CheckerError where it is not there."""
    name = "ty.exe" if sys.platform == "win32" else "ty"
    places = [Path(sysconfig.get_path("scripts")), Path(sys.executable).parent]
    try:
        for file in distribution("ty").files or []:
            if file.name == name:
                places.insert(0, Path(os.fspath(file.locate())).parent)
    except PackageNotFoundError:
        pass  # it may lie there all the same
    for place in places:
        found = place.resolve() / name
        if found.is_file() and os.access(found, os.X_OK):
            return str(found)
    raise CheckerError(f"no {name} beside {sys.executable}: reinstall truepenny, which depends on ty")


def ty_checker(
    root: str,
    python: str | None = None,
    search_paths: Sequence[str] = (),
    python_version: str | None = None,
    folder: Path | None = None,
) -> ShadowChecker:
    """For the workspace in `root`.

    `python` is the environment whose packages count: a folder, as in `environment.python` of ty;
    without one only the standard library, the workspace and `search_paths` do.  `search_paths` come
    first of all (stubs).  `folder` is ours, for what ty is told, a file for each project; without one
    it is told in a temporary place.  Raises CheckerError: ty is not installed, the folder cannot be
    written.
    """
    program = binary()
    kept = folder if folder is not None else Path(tempfile.mkdtemp(prefix="truepenny-ty-"))
    try:
        where = python if python is not None and Path(python).is_dir() else _nowhere(kept)
        told = _told(kept, _configuration(root, where, search_paths, python_version))
    except OSError as error:
        raise CheckerError(f"what ty has to be told cannot be written: {error}") from error
    settings = {
        "configurationFile": str(told),
        "completions": {"autoImport": False},
        "inlayHints": {"variableTypes": False, "callArgumentNames": False},
        "diagnosticMode": "openFilesOnly",
    }
    return ShadowChecker(
        Dialect(
            name="ty",
            argv=(program, "server"),
            root=root,
            language_ids={".py": "python"},
            read=read,
            options={"logLevel": "warn", **settings},
            settings={"ty": settings},
            probe=PROBE,
            remove=nothing_to_remove
            if folder is not None
            else lambda: shutil.rmtree(kept, ignore_errors=True),
        )
    )


def _nowhere(folder: Path) -> str:
    """An environment without packages: else ty takes the one it is installed in, which is ours."""
    environment = folder / "nothing"
    (environment / "lib" / "python3.13" / "site-packages").mkdir(parents=True, exist_ok=True)
    (environment / "Lib" / "site-packages").mkdir(parents=True, exist_ok=True)
    _write(environment / "pyvenv.cfg", f"home = {folder}\n")
    return str(environment)


def _told(folder: Path, configuration: str) -> Path:
    """A file that says this, and is called after it: several processes may want the same."""
    digest = hashlib.blake2b(configuration.encode(), digest_size=8).hexdigest()
    path = folder / digest / "ty.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, configuration)
    return path


def _write(path: Path, text: str) -> None:
    """Whole or not at all: another process may be reading it."""
    if path.exists() and path.read_text("utf-8") == text:
        return
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.replace(file.name, path)  # noqa: PTH105  # of a name


def _configuration(root: str, python: str, search_paths: Sequence[str], version: str | None) -> str:
    theirs = _environment_of(Path(root))
    extra = [*search_paths, *_folders(root, theirs.get("extra-paths"))]
    environment: dict[str, Any] = {"python": python}
    if extra:
        environment["extra-paths"] = extra
    if roots := _folders(root, theirs.get("root")):
        environment["root"] = roots
    for key, pattern, default in (
        ("python-version", _VERSION, version),
        ("python-platform", _PLATFORM, None),
    ):
        value = theirs.get(key, default)
        if isinstance(value, str) and pattern.fullmatch(value):
            environment[key] = value
    # A JSON string, list of strings or word is one in TOML too.
    lines = ["[environment]", *(f"{key} = {json.dumps(value)}" for key, value in environment.items())]
    lines += ["[src]", "respect-ignore-files = false", f"exclude = {json.dumps(_EXCLUDE)}", "[rules]"]
    lines += [f'{rule} = "error"' for rule in FAULTS]
    return "\n".join(lines) + "\n"


_EXCLUDE = ["!**/dist/", "!**/build/", "!**/_build/", "!**/buck-out/"]
"""What ty leaves out by itself, and people write code in."""


def _environment_of(root: Path) -> dict[str, Any]:
    """The part of the project's configuration that says where things are; nothing if it is broken."""
    for name, keys in (("ty.toml", ("environment",)), ("pyproject.toml", ("tool", "ty", "environment"))):
        path = root / name
        try:
            if path.stat().st_size > MAX_CONFIG_BYTES:
                continue
            table: Any = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        for key in keys:
            table = cast("dict[str, Any]", table).get(key) if isinstance(table, dict) else None
        if isinstance(table, dict):
            return cast("dict[str, Any]", table)
    return {}


def _folders(root: str, named: Any) -> list[str]:
    """Folders of the workspace that its configuration names, absolute."""
    items = cast("list[Any]", named) if isinstance(named, list) else []
    found = [Path(root, item).resolve() for item in items if isinstance(item, str) and "\0" not in item]
    inside = Path(root).resolve()
    return [str(path) for path in found if path.is_dir() and path.is_relative_to(inside)]
