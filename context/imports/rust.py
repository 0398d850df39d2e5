"""Rust: `crate`, `self` and `super`, modules as files, and the crates of the workspace."""

from __future__ import annotations

from ..facts import Import
from .target import Target
from .workspace import Environment, Workspace, above, as_table, as_text, folder_of, joined, toml_table

_ROOTS = ("lib.rs", "main.rs", "mod.rs")


class RustRules:
    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        del environment
        self._workspace = workspace
        self._crates: dict[str, str] = {}
        """Crate names, as code writes them, to the file each begins with."""
        for path in workspace.ending("Cargo.toml"):
            table = toml_table(workspace.text(path))
            name = as_text(as_table(table.get("package")).get("name"))
            library = as_table(table.get("lib"))
            root = joined(folder_of(path), as_text(library.get("path")) or "src/lib.rs")
            called = (as_text(library.get("name")) or name).replace("-", "_")
            if called and workspace.is_file(root):
                self._crates.setdefault(called, root)

    def targets(self, one: Import, importer: str) -> list[Target]:
        path = one.module.split("::") if one.module else []
        if not path and one.names:  # `use name;`
            return [target for name in one.names for target in self._named(name.name, importer)]
        if not path:
            return []
        first, rest = path[0], path[1:]
        if first == "crate":
            return self._walk(self._crate_root(importer), rest, one)
        if first in ("self", "super"):
            module = importer
            while path and path[0] in ("self", "super"):
                module = self._above(module) if path[0] == "super" else module
                path = path[1:]
            return self._walk(module, path, one)
        if first in self._crates:
            return self._walk(self._crates[first], rest, one)
        for start in (importer, self._crate_root(importer)):
            below = self._child(start, first)
            if below:
                return self._walk(below, rest, one)
        return []

    def _named(self, name: str, importer: str) -> list[Target]:
        found = self._crates.get(name) or self._child(importer, name)
        found = found or self._child(self._crate_root(importer), name)
        return [Target(found, name)] if found else []

    def _walk(self, start: str, path: list[str], one: Import) -> list[Target]:
        """Down `path` as far as it is files; what is left is in the last of them."""
        if not start:
            return []
        for part in path:
            below = self._child(start, part)
            if below is None:
                return [Target(start)]
            start = below
        named = [Target(file, name.name) for name in one.names if (file := self._child(start, name.name))]
        return [*named, Target(start)]

    def _child(self, module: str, name: str) -> str | None:
        """The file of module `name` declared in the file `module`."""
        folder, _, file = module.rpartition("/")
        places = [folder] if file in _ROOTS else [joined(folder, file.removesuffix(".rs"))]
        if file not in _ROOTS and not any(self._workspace.is_file(joined(folder, root)) for root in _ROOTS):
            places.append(folder)  # of a binary, a test or an example: each file begins a crate
        for place in places:
            for path in (joined(place, f"{name}.rs"), joined(place, f"{name}/mod.rs")):
                if path != module and self._workspace.is_file(path):
                    return path
        return None

    def _above(self, module: str) -> str:
        """The file of the module around the file `module`; empty above a crate."""
        folder, _, file = module.rpartition("/")
        outer = folder_of(folder) if file == "mod.rs" else folder
        inner = folder if file == "mod.rs" else ""
        for name in _ROOTS:
            path = joined(outer, name)
            if path != module and self._workspace.is_file(path):
                return path
        beside = (inner and outer) or outer
        path = f"{beside}.rs"
        return path if beside and self._workspace.is_file(path) else ""

    def _crate_root(self, importer: str) -> str:
        for folder in above(folder_of(importer)):
            if self._workspace.is_file(joined(folder, "Cargo.toml")):
                for name in ("src/lib.rs", "src/main.rs"):
                    if self._workspace.is_file(joined(folder, name)):
                        if name == "src/lib.rs" and importer == joined(folder, "src/main.rs"):
                            return importer
                        return joined(folder, name)
                return importer
        return importer
