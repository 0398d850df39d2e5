"""Where a module or a package stands: the ladder from the standard library to names nobody knows.

    standard library → the workspace's own → installed → declared → well known → published →
    a look-alike, or unknown

What is installed, declared or the workspace's own is never a look-alike: people do call things so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ....context.languages import language_of_path
from ..knowledge import Source, Standing
from . import known, standard
from .declared import Manifests
from .errors import PackagesError
from .filter import NameFilter
from .installed import Site, read_site
from .known import Registry
from .look_alike import MIN_CHARS, distance, look_alike_of
from .naming import is_python_name, is_web_name, normalized

log = logging.getLogger(__name__)

FRESH_S = 2.0
"""For so long folders of packages are not looked at again."""
FILTERS = {"pypi": "pypi.names", "npm": "npm.names"}
"""File names in the folder of filters."""
_ROOTS = ("", "src", "lib", "python")
"""Below a folder above the file: where its top-level modules may be."""
_WEB = frozenset({"javascript", "typescript", "typescriptreact"})


@dataclass(frozen=True, slots=True)
class Installation:
    """The environment a workspace uses.  Folders need not exist."""

    python: tuple[Path, ...] = ()
    """`site-packages` and others that are on the path."""
    python_version: tuple[int, int] | None = None
    web: tuple[Path, ...] = ()
    """`node_modules` besides those above a file."""


class KnownPackages:
    """`Packages`, for one workspace.  Reads again what has changed."""

    def __init__(
        self, root: Path, installation: Installation | None = None, filters: Path | None = None
    ) -> None:
        """`filters`: the folder that `truepenny packages refresh` fills; else nobody is known to publish."""
        self.root = root
        self._installation = installation or Installation()
        self._manifests = Manifests(root)
        self._filters = filters
        self._opened: dict[Registry, tuple[int, NameFilter | None]] = {}
        self._lock = threading.Lock()
        self._sites: tuple[float, tuple[int, ...], tuple[Site, ...]] | None = None

    def standing(self, module: str, path: str) -> Standing:
        """See `Packages`.  Of a language whose packages we do not know: `Source.WORKSPACE`, no objection."""
        registry = registry_of(path)
        if registry is None or not module:
            return Standing(Source.WORKSPACE)
        folder = self._folder(path)
        return self._web(module, folder) if registry == "npm" else self._python(module, folder)

    def standing_of_package(self, name: str, registry: Registry, path: str = "") -> Standing:
        """Of a distribution by its own name, as `pip install` and `npm i` take it."""
        folder = self._folder(path)
        asked = normalized(name) if registry == "pypi" else name
        declared = self._manifests.declared(folder, registry)
        if asked in declared.own:
            return Standing(Source.WORKSPACE, asked)
        if registry == "npm":
            is_installed = self._is_in_node_modules(asked, folder)
        else:
            is_installed = any(
                one.name == asked for site in self._python_sites() for one in site.distributions
            )
        if is_installed:
            return Standing(Source.INSTALLED, asked)
        return self._published(asked, name, registry, folder)

    def not_installed(self, path: str) -> tuple[str, ...]:
        """What the projects around a file always need and have not installed, sorted."""
        registry = registry_of(path)
        if registry is None:
            return ()
        folder = self._folder(path)
        declared = self._manifests.declared(folder, registry)
        wanted = sorted(
            name for name, always in declared.names.items() if always and name not in declared.own
        )
        if registry == "npm":
            return tuple(name for name in wanted if not self._is_in_node_modules(name, folder))
        there = {one.name for site in self._python_sites() for one in site.distributions}
        return tuple(name for name in wanted if name not in there)

    def _python(self, module: str, folder: Path) -> Standing:
        top = module.partition(".")[0]
        if not top:
            return Standing(Source.WORKSPACE)
        if standard.is_python_standard(top, self._installation.python_version):
            return Standing(Source.STANDARD)
        if self._is_own_module(top, folder):
            return Standing(Source.WORKSPACE)
        sites = self._python_sites()
        if any(top in site.modules for site in sites):
            return Standing(Source.INSTALLED, self._distribution(module, sites))
        distribution = known.distribution_of(module)
        guess = distribution or normalized(top)
        found = self._published(guess, top, "pypi", folder)
        if found.source in (Source.UNKNOWN, Source.LOOK_ALIKE):
            return self._doubtful_module(top, found, sites)
        if found.source is Source.PUBLISHED and (alike := _module_like(top)):
            return Standing(Source.LOOK_ALIKE, found.distribution, alike, self._nearest(top, sites))
        return found

    def _web(self, module: str, folder: Path) -> Standing:
        if module.startswith((".", "/", "#", "~", "@/", "$")) or ":" in module.removeprefix("node:"):
            is_standard = standard.is_node_standard(module)
            return Standing(Source.STANDARD if is_standard else Source.WORKSPACE)
        if standard.is_node_standard(module):
            return Standing(Source.STANDARD)
        parts = module.split("/")
        name = "/".join(parts[: 2 if module.startswith("@") else 1])
        declared = self._manifests.declared(folder, "npm")
        if name in declared.own:
            return Standing(Source.WORKSPACE, name)
        if self._is_in_node_modules(name, folder):
            return Standing(Source.INSTALLED, name)
        return self._published(name, name, "npm", folder)

    def _published(self, name: str, written: str, registry: Registry, folder: Path) -> Standing:
        """The lower half of the ladder, for a distribution; `written` as it stands in the text."""
        if name in self._manifests.declared(folder, registry).names:
            return Standing(Source.DECLARED, name)
        if name in known.ranks(registry) or name in known.DISTRIBUTIONS.values():
            return Standing(Source.WELL_KNOWN, name)
        alike = look_alike_of(written, registry)
        if alike:
            return Standing(Source.LOOK_ALIKE, "", alike)
        is_name = is_python_name(name) if registry == "pypi" else is_web_name(name)
        published = self._filter(registry)
        if is_name and published is not None and name in published:
            return Standing(Source.PUBLISHED, name)
        return Standing(Source.UNKNOWN)

    def _doubtful_module(self, top: str, found: Standing, sites: Sequence[Site]) -> Standing:
        nearest = self._nearest(top, sites)
        alike = _module_like(top) or (_module_name(found.look_alike_of) if found.look_alike_of else "")
        if alike:
            return Standing(Source.LOOK_ALIKE, "", alike, nearest)
        return Standing(Source.UNKNOWN, "", "", nearest)

    def _nearest(self, top: str, sites: Sequence[Site]) -> str:
        """An importable module one slip away, or two for a long name."""
        names = {name for site in sites for name in site.modules if not name.startswith("_")}
        return _nearest(top, names | set(standard.python_modules()))

    def _distribution(self, module: str, sites: Iterable[Site]) -> str:
        top = module.partition(".")[0]
        owners = [one.name for site in sites for one in site.distributions if top in one.modules]
        usual = known.distribution_of(module)
        return usual if usual in owners else (owners[0] if owners else "")

    def _is_own_module(self, top: str, folder: Path) -> bool:
        for place in self._own_folders(folder):
            if (place / f"{top}.py").is_file() or (place / f"{top}.pyi").is_file():
                return True
            if _is_package(place / top):
                return True
        return False

    def _own_folders(self, folder: Path) -> Iterable[Path]:
        """Folders above the file, the root's own below it, and what they put on the path by habit."""
        inside = folder == self.root or self.root in folder.parents
        above = [folder, *(one for one in folder.parents if one == self.root or self.root in one.parents)]
        for place in above if inside else [self.root]:
            if not self._is_inside_package(place):
                yield from (place / name for name in _ROOTS)
        try:
            projects = [one for one in self.root.iterdir() if one.is_dir() and not one.name.startswith(".")]
        except OSError:
            return
        for project in projects:
            if not self._is_inside_package(project):
                yield project
            if (project / "src").is_dir():
                yield project / "src"

    def _is_inside_package(self, folder: Path) -> bool:
        """Whether what stands there is imported by a longer name: `mypy.py` of a package is not `mypy`."""
        return folder != self.root and (folder / "__init__.py").is_file()

    def _is_in_node_modules(self, name: str, folder: Path) -> bool:
        if not is_web_name(name):
            return False
        inside = folder == self.root or self.root in folder.parents
        above = [folder, *(one for one in folder.parents if one == self.root or self.root in one.parents)]
        places = [place / "node_modules" for place in (above if inside else [self.root])]
        typed = "@types/" + name.removeprefix("@").replace("/", "__")
        return any(
            (place / one).is_dir() for place in (*places, *self._installation.web) for one in (name, typed)
        )

    def _folder(self, path: str) -> Path:
        return (self.root / path).parent if path else self.root

    def _python_sites(self) -> tuple[Site, ...]:
        with self._lock:
            now = time.monotonic()
            if self._sites is not None and now - self._sites[0] < FRESH_S:
                return self._sites[2]
            stamps = tuple(map(_changed_ns, self._installation.python))
            if self._sites is None or self._sites[1] != stamps:
                sites = tuple(read_site(one) for one in self._installation.python)
            else:
                sites = self._sites[2]
            self._sites = (now, stamps, sites)
            return sites

    def _filter(self, registry: Registry) -> NameFilter | None:
        if self._filters is None:
            return None
        path = self._filters / FILTERS[registry]
        changed = _changed_ns(path)
        with self._lock:
            held = self._opened.get(registry)
            if held is None or held[0] != changed:
                held = self._opened[registry] = (changed, _open(path) if changed else None)
            return held[1]


def registry_of(path: str) -> Registry | None:
    language = language_of_path(path)
    if language is None:
        return None
    return "pypi" if language.name == "python" else "npm" if language.name in _WEB else None


def _module_name(distribution: str) -> str:
    """What is imported of a well-known distribution."""
    return _imported().get(distribution, distribution.replace("-", "_"))


@cache
def _imported() -> dict[str, str]:
    found: dict[str, str] = {}
    for module, distribution in known.DISTRIBUTIONS.items():
        if "." not in module:
            found.setdefault(distribution, module)
    return found


def _module_like(top: str) -> str:
    """A well-known module that `top` is a slip away from, where it is not called like its distribution."""
    if top in known.DISTRIBUTIONS:
        return ""
    return _nearest(top, [one for one in known.DISTRIBUTIONS if "." not in one])


def _nearest(name: str, others: Iterable[str]) -> str:
    if len(name) < MIN_CHARS:
        return ""
    limit = 1 if len(name) < 9 else 2
    best, slips = "", limit + 1
    for other in sorted(others):
        if len(other) >= MIN_CHARS - 1 and abs(len(other) - len(name)) <= limit:
            now = distance(name, other, limit)
            if 0 < now < slips:
                best, slips = other, now
    return best


def _is_package(folder: Path) -> bool:
    """With or without an `__init__.py`; a folder without Python in it is none."""
    try:
        return folder.is_dir() and any(
            one.suffix in (".py", ".pyi") or (one.is_dir() and (one / "__init__.py").is_file())
            for one in folder.iterdir()
        )
    except OSError:
        return False


def _changed_ns(path: Path) -> int:
    """0 where there is nothing."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _open(path: Path) -> NameFilter | None:
    try:
        return NameFilter.open(path)
    except PackagesError as error:
        log.warning("%s: which packages are published is not known", error)
        return None
