"""JavaScript and TypeScript: relative paths with their endings, `tsconfig` paths, packages."""

from __future__ import annotations

from ..facts import Import
from .target import Target
from .workspace import (
    Environment,
    Table,
    Workspace,
    above,
    as_list,
    as_table,
    as_text,
    folder_of,
    joined,
    json_table,
)

_ENDINGS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".d.mts", ".d.cts", ".js", ".jsx", ".mjs", ".cjs", ".vue")
_WRITTEN = {  # what a module says, and what it may have been written as
    ".js": (".ts", ".tsx", ".d.ts", ".js", ".jsx"),
    ".jsx": (".tsx", ".jsx"),
    ".mjs": (".mts", ".d.mts", ".mjs"),
    ".cjs": (".cts", ".d.cts", ".cjs"),
}
_BUILT = ("dist/esm/", "dist/cjs/", "dist/", "build/", "lib/", "out/", "es/", "esm/")
_CONDITIONS = ("types", "import", "module", "node", "default", "require", "browser")
_CONFIGS = ("tsconfig.json", "jsconfig.json")
_MAX_EXTENDS = 5


class JavaScriptRules:
    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        del environment  # packages are found from the importer upwards
        self._workspace = workspace
        self._packages: dict[str, str] | None = None
        self._tables: dict[str, Table] = {}

    def targets(self, one: Import, importer: str) -> list[Target]:
        module = one.module.partition("?")[0]
        folder = folder_of(importer)
        if module.startswith((".", "/")):
            found = self._file(joined(folder, module) if module[0] == "." else module.lstrip("/"))
        else:
            found = self._mapped(module, folder) or self._package(module.removeprefix("node:"), folder)
        return [Target(found)] if found else []

    def _file(self, base: str) -> str | None:
        """A module at `base`: as it stands, with an ending, as another ending, or a folder's."""
        is_file = self._workspace.is_file
        for ending, sources in _WRITTEN.items():
            if base.endswith(ending):
                stem = base.removesuffix(ending)
                for source in sources:
                    if is_file(stem + source):
                        return stem + source
        for ending in _ENDINGS:
            if is_file(base + ending):
                return base + ending
        if "." in base.rpartition("/")[2] and is_file(base):
            return base
        package = self._table(joined(base, "package.json"))
        entry = self._entry(base, package, ".") if package else None
        if entry:
            return entry
        for ending in _ENDINGS:
            if is_file(joined(base, "index" + ending)):
                return joined(base, "index" + ending)
        return None

    def _table(self, path: str) -> Table:
        found = self._tables.get(path)
        if found is None:
            text = self._workspace.text(path) if self._workspace.is_file(path) else ""
            found = self._tables[path] = json_table(text)
        return found

    def _mapped(self, module: str, folder: str) -> str | None:
        """By the `paths` and `baseUrl` of the nearest configuration that has any."""
        for near in above(folder):
            for name in _CONFIGS:
                path = joined(near, name)
                if not self._workspace.is_file(path):
                    continue
                base, paths = self._options(path)
                for pattern, places in paths.items():
                    rest = _matched(pattern, module)
                    for place in as_list(places) if rest is not None else []:
                        found = self._file(joined(base or near, as_text(place).replace("*", rest or "")))
                        if found:
                            return found
                if base is not None:
                    found = self._file(joined(base, module))
                    if found:
                        return found
        return None

    def _options(self, path: str) -> tuple[str | None, Table]:
        """`baseUrl` as a folder, and `paths`, of a configuration and those it extends."""
        base: str | None = None
        for _ in range(_MAX_EXTENDS):
            table, folder = self._table(path), folder_of(path)
            options = as_table(table.get("compilerOptions"))
            url = as_text(options.get("baseUrl"))
            base = joined(folder, url) if url and base is None else base
            paths = as_table(options.get("paths"))
            if paths:
                return (folder if base is None else base), paths
            parent = as_text(table.get("extends"))
            if not parent.startswith("."):
                break
            path = joined(folder, parent if parent.endswith(".json") else parent + ".json")
        return base, {}

    def _package(self, module: str, folder: str) -> str | None:
        """A package of the workspace by its name, or one in a `node_modules` above."""
        parts = module.split("/")
        size = 2 if module.startswith("@") else 1
        name, rest = "/".join(parts[:size]), "/".join(parts[size:])
        if self._packages is None:
            self._packages = {}
            for path in self._workspace.ending("package.json"):
                own = as_text(self._table(path).get("name"))
                if own and "node_modules/" not in path:
                    self._packages.setdefault(own, folder_of(path))
        places = [self._packages[name]] if name in self._packages else []
        for near in above(folder):
            typed = name.removeprefix("@").replace("/", "__")
            places += [joined(near, f"node_modules/{name}"), joined(near, f"node_modules/@types/{typed}")]
        for place in places:
            package = self._table(joined(place, "package.json"))
            found = self._entry(place, package, f"./{rest}" if rest else ".")
            if found is None and rest:
                found = self._file(joined(place, rest)) or self._file(joined(place, "src/" + rest))
            if found:
                return found
        return None

    def _entry(self, folder: str, package: Table, subpath: str) -> str | None:
        """What a package exports at `subpath`, as source where what is built is not there."""
        exports = package.get("exports")
        if exports is not None:
            places = _exported(exports, subpath)
        elif subpath == ".":
            places = [as_text(package.get(key)) for key in ("types", "typings", "module", "main")]
        else:
            places = []
        for place in places:
            found = self._built(folder, place) if place else None
            if found:
                return found
        if subpath != ".":
            return None
        for place in ("index", "src/index", "src/main", "lib/index"):
            for ending in _ENDINGS:
                if self._workspace.is_file(joined(folder, place + ending)):
                    return joined(folder, place + ending)
        return None

    def _built(self, folder: str, place: str) -> str | None:
        """`dist/x.js`, or `src/x.ts` it is built from."""
        bare = place.removeprefix("./")
        if bare in ("", "."):
            return None
        stems = [bare]
        for built in _BUILT:
            if bare.startswith(built):
                stems += ["src/" + bare.removeprefix(built), bare.removeprefix(built)]
        for stem in stems:
            whole = joined(folder, stem)
            if self._workspace.is_file(whole):
                return whole
            for ending in (".d.ts", ".d.mts", ".d.cts", ".js", ".mjs", ".cjs"):
                if whole.endswith(ending):
                    whole = whole.removesuffix(ending)
                    break
            for ending in _ENDINGS:
                if self._workspace.is_file(whole + ending):
                    return whole + ending
        return None


def _matched(pattern: str, module: str) -> str | None:
    """What `*` of a pattern stands for, `None` where it does not match."""
    before, star, after = pattern.partition("*")
    if not star:
        return "" if module == pattern else None
    long_enough = len(module) >= len(before) + len(after)
    if long_enough and module.startswith(before) and module.endswith(after):
        return module[len(before) : len(module) - len(after)]
    return None


def _exported(exports: object, subpath: str) -> list[str]:
    """The places `exports` names for `subpath`, types first; conditions are followed without end."""
    table = as_table(exports)
    rest = ""
    value: object = exports
    if any(key.startswith(".") for key in table):
        value = table.get(subpath)
        if value is None:
            matches = [
                (key, between)
                for key in table
                if "*" in key and (between := _matched(key, subpath)) is not None
            ]
            if not matches:
                return []
            key, rest = max(matches, key=lambda one: len(one[0]))
            value = table[key]
    elif subpath != ".":
        return []
    found: list[str] = []
    pending: list[object] = [value]
    while pending:
        one = pending.pop(0)
        if isinstance(one, str):
            found.append(one.replace("*", rest))
            continue
        conditions = as_table(one)
        pending += as_list(one) + [conditions[key] for key in _CONDITIONS if key in conditions]
    return sorted(
        dict.fromkeys(found), key=lambda place: not place.endswith((".d.ts", ".d.mts", ".d.cts", ".ts"))
    )
