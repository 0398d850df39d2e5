"""Ruby, PHP, shell and Lua."""

from __future__ import annotations

from ..facts import Import
from .target import Target
from .workspace import (
    Environment,
    Workspace,
    above,
    as_list,
    as_table,
    as_text,
    folder_of,
    joined,
    json_table,
    nearest,
)


class RubyRules:
    """`require_relative` from the file, `require` from `lib`."""

    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        del environment
        self._workspace = workspace

    def targets(self, one: Import, importer: str) -> list[Target]:
        path = one.module if one.module.endswith(".rb") else one.module + ".rb"
        places = [joined(folder_of(importer), path)] if path.startswith(".") else []
        for near in above(folder_of(importer)):
            places += [joined(near, "lib/" + path), joined(near, path)]
        for place in places:
            if self._workspace.is_file(place):
                return [Target(place)]
        close = nearest(self._workspace.ending(path.lstrip("./")), importer) if "/" in path else ""
        return [Target(close)] if close else []


class PhpRules:
    """Classes by PSR-4 where `composer.json` says so, by their folders where not; included files."""

    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        del environment
        self._workspace = workspace
        self._prefixes: list[tuple[str, str]] = []
        for path in workspace.ending("composer.json"):
            table = json_table(workspace.text(path))
            for section in ("autoload", "autoload-dev"):
                prefixes = as_table(as_table(table.get(section)).get("psr-4"))
                for prefix, folders in prefixes.items():
                    for folder in [as_text(folders), *map(as_text, as_list(folders))]:
                        if folder:
                            self._prefixes.append((prefix, joined(folder_of(path), folder.rstrip("/"))))
        self._prefixes.sort(key=lambda one: (-len(one[0]), one[1]))

    def targets(self, one: Import, importer: str) -> list[Target]:
        if not one.names:
            return self._included(one.module, importer)
        return [
            Target(path, name.name)
            for name in one.names
            if (path := self._class(f"{one.module}\\{name.name}".lstrip("\\"), importer))
        ]

    def _class(self, name: str, importer: str) -> str:
        for prefix, folder in self._prefixes:
            if name.startswith(prefix):
                path = joined(folder, name.removeprefix(prefix).replace("\\", "/") + ".php")
                if self._workspace.is_file(path):
                    return path
        parts = name.split("\\")
        for first in range(len(parts)):
            close = nearest(self._workspace.ending("/".join(parts[first:]) + ".php"), importer)
            if close and (len(parts) - first > 1 or len(parts) == 1):
                return close
        return ""

    def _included(self, module: str, importer: str) -> list[Target]:
        for near in above(folder_of(importer)):
            path = joined(near, module.lstrip("/"))
            if self._workspace.is_file(path):
                return [Target(path)]
        return []


class ShellRules:
    """What is sourced, as far as its path is written out."""

    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        del environment
        self._workspace = workspace

    def targets(self, one: Import, importer: str) -> list[Target]:
        """`"$DIR/lib/log.sh"` is looked for as `lib/log.sh`."""
        path = one.module
        if "$" in path:
            path = path.rpartition("}")[2] if "}" in path else path.partition("/")[2]
        path = path.rpartition(")")[2].strip("\"'/")
        for near in above(folder_of(importer)):
            if path and self._workspace.is_file(joined(near, path)):
                return [Target(joined(near, path))]
        return []


class LuaRules:
    """`a.b` is `a/b.lua` or `a/b/init.lua`, from any folder on the way."""

    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        del environment
        self._workspace = workspace

    def targets(self, one: Import, importer: str) -> list[Target]:
        path = one.module.removesuffix(".lua").replace(".", "/")
        for near in above(folder_of(importer)):
            for folder in ("", "lua", "src", "lib"):
                for ending in (".lua", "/init.lua"):
                    place = joined(joined(near, folder), path + ending)
                    if self._workspace.is_file(place):
                        return [Target(place)]
        close = nearest(self._workspace.ending(path + ".lua"), importer)
        return [Target(close)] if close else []
