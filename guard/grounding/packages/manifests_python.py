"""What Python's manifests and lock files ask for.  Texts in, names out; nothing is run, and nothing raises
but ValueError, for a file that is not what it should be.
"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import yaml

from .naming import is_python_name, normalized

Names = dict[str, bool]
"""Normalized names of distributions, and whether each is needed always: not in an extra, a group for
development, a lock file, or on some platforms only."""

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EGG = re.compile(r"#egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_LOCKED = re.compile(r'^\[\[package\]\]\s*\nname\s*=\s*"([^"\n]+)"', re.MULTILINE)
_POETRY_OWN = "python"


def read_pyproject(text: str) -> Names:
    table = _toml(text)
    project = _table(table.get("project"))
    found = _required(_texts(project.get("dependencies")))
    for group in _table(project.get("optional-dependencies")).values():
        _add(found, _required(_texts(group)), always=False)
    for group in _table(table.get("dependency-groups")).values():
        _add(found, _required(_texts(group)), always=False)
    _add(found, _required(_texts(_table(table.get("build-system")).get("requires"))), always=False)
    tool = _table(table.get("tool"))
    poetry = _table(tool.get("poetry"))
    _add(found, _keys(poetry.get("dependencies")), always=True)
    _add(found, _keys(poetry.get("dev-dependencies")), always=False)
    for group in _table(poetry.get("group")).values():
        _add(found, _keys(_table(group).get("dependencies")), always=False)
    for name in ("uv", "pdm"):
        told = _table(tool.get(name)).get("dev-dependencies")
        for group in (told, *_table(told).values()):
            _add(found, _required(_texts(group)), always=False)
    for place in ("hatch", "pixi"):
        for feature in _table(_table(tool.get(place)).get("envs")).values():
            _add(found, _required(_texts(_table(feature).get("dependencies"))), always=False)
    return found


def own_name(text: str) -> str:
    """What a pyproject.toml calls its own distribution; empty where it does not say."""
    table = _toml(text)
    poetry = _table(_table(table.get("tool")).get("poetry"))
    name = _table(table.get("project")).get("name") or poetry.get("name")
    return normalized(name) if isinstance(name, str) and is_python_name(name) else ""


def read_requirements(text: str) -> Names:
    """Without what `-r` leads to: see `included`."""
    lines = text.replace("\\\n", " ").splitlines()
    return _required(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def included(text: str) -> list[str]:
    """The files that requirements include, as written."""
    found = re.findall(r"^\s*(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s*)(\S+)", text, re.MULTILINE)
    return [one for one in found if "://" not in one]


def read_setup_cfg(text: str) -> Names:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    found = _required(parser.get("options", "install_requires", fallback="").splitlines())
    if parser.has_section("options.extras_require"):
        for _, value in parser.items("options.extras_require"):
            _add(found, _required(value.splitlines()), always=False)
    for key in ("setup_requires", "tests_require"):
        _add(found, _required(parser.get("options", key, fallback="").splitlines()), always=False)
    return found


def read_setup_py(text: str) -> Names:
    """What is written out in it; it is not run."""
    found: Names = {}
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError("it is not Python") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in (
            "install_requires",
            "extras_require",
            "tests_require",
        ):
            strings = [
                one.value
                for one in ast.walk(node)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            _add(found, _required(strings), always=node.arg == "install_requires")
    return found


def read_pipfile(text: str) -> Names:
    table = _toml(text)
    found = _keys(table.get("packages"))
    _add(found, _keys(table.get("dev-packages")), always=False)
    return found


def read_environment(text: str) -> Names:
    """Conda's, with what it hands to pip."""
    try:
        told: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("it is not YAML") from error
    found: Names = {}
    for one in _list(_table(told).get("dependencies")):
        if isinstance(one, str):
            _add(found, _required([one.rpartition("::")[2]]), always=False)  # conda's names may be others
        else:
            _add(found, _required(_texts(_table(one).get("pip"))), always=True)
    return found


def read_lock(text: str) -> Names:
    """uv's, poetry's and pdm's: all that was ever resolved, for any platform."""
    names = _LOCKED.findall(text)
    if not names and text.strip():
        _toml(text)
    return {normalized(name): False for name in names if is_python_name(name)}


def read_pipfile_lock(text: str) -> Names:
    import json

    try:
        table = _table(json.loads(text))
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    found: Names = {}
    for part in ("default", "develop"):
        _add(found, _keys(table.get(part)), always=False)
    return found


READERS: dict[str, Callable[[str], Names]] = {
    "pyproject.toml": read_pyproject,
    "setup.cfg": read_setup_cfg,
    "setup.py": read_setup_py,
    "Pipfile": read_pipfile,
    "Pipfile.lock": read_pipfile_lock,
    "environment.yml": read_environment,
    "environment.yaml": read_environment,
    "uv.lock": read_lock,
    "poetry.lock": read_lock,
    "pdm.lock": read_lock,
}


def requirement_name(line: str) -> str:
    """The distribution that a line of requirements asks for, normalized; empty for an option or a path."""
    egg = _EGG.search(line)
    if egg:
        return normalized(egg[1])
    if line.lstrip().startswith(("-", ".", "/")) or re.match(r"\s*[\w+]+:", line):
        return ""
    found = _NAME.match(line)
    if found is None or "/" in line.partition("@")[0].partition(";")[0].partition("#")[0]:
        return ""
    name = found[1].rstrip("._-")
    rest = line[found.end() :].lstrip()
    if rest and rest[0] not in "[(<>=!~;@#, ":
        return ""
    return normalized(name) if is_python_name(name) else ""


def _required(lines: Iterable[str]) -> Names:
    found: Names = {}
    for line in lines:
        if name := requirement_name(line):
            found[name] = found.get(name, False) or ";" not in line.partition("#")[0]
    return found


def _add(found: Names, more: Names, *, always: bool) -> None:
    for name, needed in more.items():
        found[name] = found.get(name, False) or (needed and always)


def _keys(value: object) -> Names:
    """Of a table of packages; one with markers, or optional, is not needed always."""
    found: Names = {}
    for name, told in _table(value).items():
        if name.lower() != _POETRY_OWN and is_python_name(name):
            details = _table(told)
            found[normalized(name)] = not details.get("optional") and "markers" not in details
    return found


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {key: one for key, one in cast("dict[object, object]", value).items() if isinstance(key, str)}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _texts(value: object) -> Iterator[str]:
    return (one for one in _list(value) if isinstance(one, str))
