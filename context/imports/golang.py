"""Go: packages of the workspace's modules, of `vendor`, of the module cache and of Go itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..facts import Import
from .target import MAX_TARGETS, Target
from .workspace import Environment, Workspace, above, folder_of, joined

_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)
_REQUIRED = re.compile(r"^\s*(?:require\s+)?([\w./~-]+)\s+(v[\w.+-]+)", re.MULTILINE)
_REPLACED = re.compile(
    r"^\s*(?:replace\s+)?([\w./~-]+)(?:\s+v[\w.+-]+)?\s*=>\s*(\S+)(?:\s+(v\S+))?", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class _Module:
    folder: str
    name: str
    required: dict[str, str] = field(default_factory=dict[str, str])
    replaced: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])


class GoRules:
    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        self._workspace = workspace
        self._environment = environment
        self._modules = tuple(self._read(path) for path in workspace.ending("go.mod"))

    def _read(self, path: str) -> _Module:
        text = re.sub(r"//[^\n]*", "", self._workspace.text(path))
        name = _MODULE.search(text)
        replaced = {found[1]: (found[2], found[3] or "") for found in _REPLACED.finditer(text)}
        required = {found[1]: found[2] for found in _REQUIRED.finditer(text)}
        return _Module(folder_of(path), name[1].strip('"') if name else "", required, replaced)

    def targets(self, one: Import, importer: str) -> list[Target]:
        for folder in self._folders(one.module, importer):
            files = [path for path in self._workspace.files(folder) if _is_package_file(path)]
            if files:
                return [Target(path) for path in files[:MAX_TARGETS]]
        return []

    def _folders(self, module: str, importer: str) -> list[str]:
        """Where the package may be, the likeliest first."""
        if module.startswith("."):
            return [joined(folder_of(importer), module)]
        found: list[str] = []
        own = self._own_module(importer)
        for one in sorted(self._modules, key=lambda one: (one is not own, -len(one.name))):
            rest = _below(one.name, module)
            if rest is not None:
                found.append(joined(one.folder, rest))
        found.append(joined(own.folder if own else "", f"vendor/{module}"))
        if own:
            found += self._required(own, module)
        if self._environment.go_root and "." not in module.partition("/")[0]:
            found.append(f"{self._environment.go_root}/{module}")
        return found

    def _own_module(self, importer: str) -> _Module | None:
        folders = {one.folder: one for one in self._modules}
        return next((folders[folder] for folder in above(folder_of(importer)) if folder in folders), None)

    def _required(self, own: _Module, module: str) -> list[str]:
        names = own.required.keys() | own.replaced.keys()
        fitting = [name for name in names if _below(name, module) is not None]
        if not fitting:
            return []
        name = max(fitting, key=len)
        rest = _below(name, module) or ""
        place, version = own.replaced.get(name, (name, own.required.get(name, "")))
        if place.startswith("."):
            return [joined(joined(own.folder, place), rest)]
        if not self._environment.go_modules:
            return []
        escaped = re.sub("[A-Z]", lambda found: "!" + found[0].lower(), place)
        return [f"{self._environment.go_modules}/{escaped}@{version}" + (f"/{rest}" if rest else "")]


def _is_package_file(path: str) -> bool:
    return path.endswith(".go") and not path.endswith("_test.go")


def _below(name: str, module: str) -> str | None:
    """What `module` adds to the module path `name`; `None` where it is not in it."""
    if name and module == name:
        return ""
    return module.removeprefix(name + "/") if name and module.startswith(name + "/") else None
