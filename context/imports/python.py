"""Python: source roots, packages, relative imports, and what is installed."""

from __future__ import annotations

from ..facts import Import
from .target import Target
from .workspace import Environment, Workspace, above, folder_of, joined, nearest

_ENDINGS = (".py", ".pyi", "/__init__.py", "/__init__.pyi")


class PythonRules:
    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        self._workspace = workspace
        self._installed = environment.python
        self._projects: tuple[str, ...] | None = None

    def targets(self, one: Import, importer: str) -> list[Target]:
        if one.level:
            folder = folder_of(importer)
            for _ in range(one.level - 1):
                folder = folder_of(folder)
            base = joined(folder, one.module.replace(".", "/")) if one.module else folder
            return self._of_base(base, one)
        path = one.module.replace(".", "/")
        for root in self._roots(importer):
            found = self._of_base(joined(root, path), one)
            if found:
                return found
        tails = [end for ending in _ENDINGS for end in self._workspace.ending(path + ending)]
        close = nearest([end for end in tails if "/" in path or self._is_root(end, path)], importer)
        if close:
            return self._of_base(
                close.removesuffix(".py").removesuffix(".pyi").removesuffix("/__init__"), one
            )
        return self._of_installed(path, one)

    def _is_root(self, end: str, path: str) -> bool:
        """Whether a top-level name stands where one can: not inside a package."""
        root = end[: end.rindex(path)].rstrip("/")
        return not self._workspace.is_file(joined(root, "__init__.py"))

    def _of_base(self, base: str, one: Import) -> list[Target]:
        """The module at `base`, and those of its submodules that are named."""
        submodules = [
            Target(path, name.name) for name in one.names if (path := self._module(f"{base}/{name.name}"))
        ]
        module = self._module(base)
        if module is None:
            return submodules
        return [*submodules, Target(module)]

    def _module(self, base: str) -> str | None:
        for ending in _ENDINGS:
            if self._workspace.is_file(base + ending):
                return base + ending
        return None

    def _roots(self, importer: str) -> list[str]:
        """Folders top-level names are looked for in, the closest first."""
        folder = folder_of(importer)
        top = folder
        while top and self._workspace.is_file(joined(top, "__init__.py")):
            top = folder_of(top)
        roots = [top, folder]
        for near in above(top):
            roots += [near, joined(near, "src")]
        if self._projects is None:
            marks = ("pyproject.toml", "setup.py", "setup.cfg")
            self._projects = tuple(
                dict.fromkeys(folder_of(path) for mark in marks for path in self._workspace.ending(mark))
            )
        for project in self._projects:
            roots += [project, joined(project, "src"), joined(project, "lib")]
        return list(dict.fromkeys(roots))

    def _of_installed(self, path: str, one: Import) -> list[Target]:
        top, _, rest = path.partition("/")
        for root in self._installed:
            for package in (f"{top}-stubs", top):
                found = self._of_base(f"{root}/{package}" + (f"/{rest}" if rest else ""), one)
                if found:
                    return found
        return []
