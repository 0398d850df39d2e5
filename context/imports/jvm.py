"""Languages whose packages are folders: Java, Kotlin, Scala, and C# by custom."""

from __future__ import annotations

from ..facts import Import
from .target import MAX_TARGETS, Target, each
from .workspace import Environment, Workspace, nearest

_SUFFIXES = (".java", ".kt", ".scala", ".cs")


class PackageRules:
    def __init__(self, workspace: Workspace, environment: Environment) -> None:
        del environment
        self._workspace = workspace

    def targets(self, one: Import, importer: str) -> list[Target]:
        path = one.module.replace(".", "/")
        if one.wildcard or not one.names:
            return self._file(path, importer) or self._folder(path, importer)
        found: list[Target] = []
        for name in one.names:
            whole = self._file(f"{path}/{name.name}", importer)
            found += [Target(target.path, name.name) for target in whole]
        return found or self._file(path, importer) or self._folder(path, importer)

    def _file(self, path: str, importer: str) -> list[Target]:
        """`a/b/Row` with an ending; the importer's own language first."""
        own = importer[importer.rfind(".") :]
        for suffix in sorted(_SUFFIXES, key=lambda suffix: suffix != own):
            close = nearest(self._workspace.ending(path + suffix), importer)
            if close:
                return [Target(close)]
        return []

    def _folder(self, path: str, importer: str) -> list[Target]:
        """All of a package; several folders may hold parts of it."""
        tails = [path, path.replace("/", ".")]
        folders = [folder for tail in tails for folder in self._workspace.folders(tail)]
        files = [
            file for folder in folders for file in self._workspace.files(folder) if file.endswith(_SUFFIXES)
        ]
        close = nearest(folders, importer)
        return each(sorted(files, key=lambda file: not file.startswith(close + "/"))[:MAX_TARGETS])
