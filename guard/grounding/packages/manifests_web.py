"""What `package.json` and the lock files beside it ask for.  Raises ValueError for a file that is not
what it should be, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import cast

from .naming import is_web_name

Names = dict[str, bool]
"""Names, and whether each is needed always, as in `manifests_python`."""

_YARN = re.compile(r'^"?((?:@[^@/"\s]+/)?[^@"\s:]+)@', re.MULTILINE)
_PNPM = re.compile(r"^ {2,}['\"]?/?((?:@[\w.-]+/)?[\w.-]+)[@/]\d", re.MULTILINE)
_BUN = re.compile(r'^\s*"((?:@[\w.-]+/)?[\w.-]+)":\s*\[', re.MULTILINE)


def read_package(text: str) -> Names:
    table = _json(text)
    found: Names = {}
    for section, always in (
        ("dependencies", True),
        ("devDependencies", True),
        ("peerDependencies", False),
        ("optionalDependencies", False),
    ):
        for name in _table(table.get(section)):
            if is_web_name(name):
                found[name] = found.get(name, False) or always
    for section in ("bundledDependencies", "bundleDependencies"):
        listed = table.get(section)
        for name in cast("list[object]", listed) if isinstance(listed, list) else []:
            if isinstance(name, str) and is_web_name(name):
                found.setdefault(name, False)
    return found


def own_name(text: str) -> str:
    name = _json(text).get("name")
    return name if isinstance(name, str) and is_web_name(name) else ""


def read_npm_lock(text: str) -> Names:
    table = _json(text)
    paths = [path.rpartition("node_modules/")[2] for path in _table(table.get("packages")) if path]
    return _only_names([*paths, *_table(table.get("dependencies"))])


def read_yarn_lock(text: str) -> Names:
    return _only_names(_YARN.findall(text))


def read_pnpm_lock(text: str) -> Names:
    return _only_names(_PNPM.findall(text))


def read_bun_lock(text: str) -> Names:
    return _only_names(_BUN.findall(text))


READERS: dict[str, Callable[[str], Names]] = {
    "package.json": read_package,
    "package-lock.json": read_npm_lock,
    "npm-shrinkwrap.json": read_npm_lock,
    "yarn.lock": read_yarn_lock,
    "pnpm-lock.yaml": read_pnpm_lock,
    "bun.lock": read_bun_lock,
}


def _only_names(names: list[str]) -> Names:
    return {name: False for name in names if is_web_name(name)}


def _json(text: str) -> dict[str, object]:
    try:
        return _table(json.loads(text))
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error


def _table(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
