"""C and C++: included files, beside the includer, below the workspace, or installed."""

from __future__ import annotations

from ..facts import Import
from .target import Target
from .workspace import Environment, Workspace, above, folder_of, joined, nearest

_FOLDERS = ("", "include", "src", "inc")


class HeaderRules:
    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        self._workspace = workspace
        self._installed = environment.includes

    def targets(self, one: Import, importer: str) -> list[Target]:
        is_file = self._workspace.is_file
        folder = folder_of(importer)
        if not one.system and is_file(joined(folder, one.module)):
            return [Target(joined(folder, one.module))]
        for near in above(folder):
            for below in _FOLDERS:
                path = joined(joined(near, below), one.module)
                if is_file(path):
                    return [Target(path)]
        tail = one.module.lstrip("./")
        close = nearest(self._workspace.ending(tail), importer) if not one.system or "/" in tail else ""
        if close:
            return [Target(close)]
        for root in self._installed:
            if is_file(f"{root}/{one.module}"):
                return [Target(f"{root}/{one.module}")]
        return []
