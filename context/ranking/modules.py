"""What imports and modules offer, by the paths of files and the names they define."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..facts import Import
from ..index.answers import Located
from .lookup import Lookup, last_word, nearness
from .scene import Scene

_MAX_PASSED_ON = 2
"""So many times may a module pass on what another passed on to it."""


class Modules:
    """For one question; asks the index through `lookup`."""

    def __init__(self, scene: Scene, lookup: Lookup) -> None:
        self._scene = scene
        self._lookup = lookup

    def exports(self, files: Sequence[str], depth: int = 0) -> tuple[Located, ...]:
        """What a module offers: its top level, and what it passes on."""
        found: dict[tuple[str, int], Located] = {}
        for path in files:
            for one in self._lookup.definitions_in(path):
                if not one.parent:
                    found.setdefault((path, one.start), Located(path, one))
            if depth < _MAX_PASSED_ON:
                for one in self._passed_on(path, depth):
                    found.setdefault((one.path, one.definition.start), one)
        return tuple(found.values())

    def module(self, one: Import, importer: str, name: str = "") -> tuple[str, ...]:
        """The files of an import's module, or of the module `name` in it."""
        whole = f"{one.module}.{name}" if name else one.module
        return self._lookup.module_files(whole, one.level, importer)

    def imported(self, name: str) -> tuple[tuple[Located, ...], tuple[str, ...]]:
        """What an imported name means: definitions, likeliest first, and the files of a module."""
        one, original = self._scene.imported[name]
        if not original:
            return (), self.module(one, self._scene.path)
        if original == "default":
            files = self.module(one, self._scene.path)
            return tuple(item for item in self.exports(files) if item.definition.name == name), files
        words = words_of_module(one.module)
        found = [item for item in self._lookup.named(original) if not item.definition.parent]
        found = [item for item in found if item.path != self._scene.path]
        near = self._lookup.nearest(found, self._scene.path, words)[:2]
        if near:
            return near, ()
        files = self.module(one, self._scene.path, original)
        return (), tuple(path for path in files if last_word(path.rpartition(".")[0]) == original or not near)

    def _passed_on(self, path: str, depth: int) -> Iterable[Located]:
        """By `from .x import y` in a package, `pub use`, `export … from`."""
        passes = path.rpartition("/")[2] in ("__init__.py", "__init__.pyi")
        for one in self._lookup.imports(path):
            if not (one.exported or passes) or not (one.names or one.wildcard):
                continue
            files = tuple(f for f in self.module(one, path) if f != path)[:2]
            if not files or nearness(files[0], path) < 0:
                continue
            offered = {item.definition.name: item for item in self.exports(files, depth + 1)}
            names = offered if one.wildcard else [name.name for name in one.names]
            yield from (offered[name] for name in names if name in offered)


def words_of_module(module: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", module.replace("-", "_")))
