"""The files of modules: where stubs are silent or a module makes its names at run time, its text tells.

Read only; nothing is imported.
"""

from __future__ import annotations

import re
import sys
import sysconfig
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from .environment import Environment
from .hierarchy import defines

MAX_FILE_BYTES = 1_000_000
NUM_KEPT = 128
_STANDARD = Path(sysconfig.get_path("stdlib"))
_COMPILED = (".so", ".pyd")
_DYNAMIC = re.compile(
    r"\bvars\(\)|\bglobals\(\)|\bsetattr\(|\bsys\.modules\b|\bModuleType\(|\blazy_loader\b|^\s*exec\(",
    re.MULTILINE,
)
_IMPORTED = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)

EnvironmentOf = Callable[[str], tuple[Path, Environment]]
"""By the path of a file: the root of its project, and its environment."""


class ProjectModules:
    """`Modules` for every project.  Keeps the texts it read last."""

    def __init__(self, environment_of: EnvironmentOf) -> None:
        self._environment_of = environment_of
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, tuple[int, str]] = OrderedDict()

    def has(self, module: str, name: str, path: str) -> bool:
        """See `Modules`."""
        texts = list(self._sources(module, path))
        if module.partition(".")[0] not in sys.stdlib_module_names:
            texts = texts[:1]  # a file that is called like a standard module may stand beside it
        word = re.escape(name)
        bound = (
            rf"^\s*(?:(?:async\s+)?def|class)\s+{word}\b|\b{word}\s*(?::[^=\n]+)?=(?!=)"
            rf"|^\s+{word},?\s*(?:#.*)?$|\bimport\b[^\n]*\b{word}\b|\bas\s+{word}\b|[\"']{word}[\"']"
        )
        return any(re.search(bound, text, re.MULTILINE) for text in texts)

    def is_dynamic(self, module: str, path: str) -> bool:
        """See `Modules`."""
        for file in self._files(module, path):
            if file.suffix == ".py":
                return not self._is_typed(file) and _DYNAMIC.search(self._read(file)) is not None
        return False

    def _is_typed(self, file: Path) -> bool:
        """Whether somebody wrote down what is in it, so that a checker knows better than its text."""
        if file.is_relative_to(_STANDARD) and "site-packages" not in file.parts:
            return True
        if file.with_suffix(".pyi").is_file():
            return True
        return any((folder / "py.typed").is_file() for folder in file.parents[:6])

    def exists(self, module: str, path: str) -> bool:
        """See `Modules`."""
        return next(self._files(module, path), None) is not None

    def derived_has(self, kind: str, name: str, text: str, path: str, *, by_itself: bool = True) -> bool:
        """See `Modules`."""
        return defines(self._packages(text, path), kind, name, by_itself=by_itself)

    def _packages(self, text: str, path: str) -> Iterator[Path]:
        """The workspace, and the packages that `text` imports."""
        root, environment = self._environment_of(path)
        yield root
        for name in sorted(set(_IMPORTED.findall(text)) - sys.stdlib_module_names):
            for folder in (*environment.extra_paths, *environment.site_packages):
                if (folder / name).is_dir():
                    yield folder / name
                    break

    def _sources(self, module: str, path: str) -> Iterator[str]:
        for file in self._files(module, path):
            if file.suffix == ".py":
                yield self._read(file)

    def _files(self, module: str, path: str) -> Iterator[Path]:
        if not re.fullmatch(r"\w+(\.\w+)*", module):
            return
        for folder in self._folders(path):
            place = folder.joinpath(*module.split("."))
            candidates = [place.with_name(f"{place.name}.py"), place / "__init__.py"]
            yield from (file for file in candidates if file.is_file())
            try:
                beside = [one for one in place.parent.iterdir() if one.name.startswith(f"{place.name}.")]
            except OSError:
                continue
            yield from (one for one in beside if one.suffix in _COMPILED)

    def _folders(self, path: str) -> Iterator[Path]:
        root, environment = self._environment_of(path)
        yield root
        yield root / "src"
        yield from environment.extra_paths
        yield from environment.site_packages
        yield _STANDARD

    def _read(self, file: Path) -> str:
        try:
            status = file.stat()
            with self._lock:
                kept = self._kept.get(file)
            if kept is not None and kept[0] == status.st_mtime_ns:
                return kept[1]
            if status.st_size > MAX_FILE_BYTES:
                return ""
            text = file.read_text("utf-8", errors="replace")
        except OSError:
            return ""  # it went away: what cannot be read says nothing
        with self._lock:
            self._kept[file] = (status.st_mtime_ns, text)
            while len(self._kept) > NUM_KEPT:
                self._kept.popitem(last=False)
        return text
