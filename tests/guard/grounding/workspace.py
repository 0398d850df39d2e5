"""A workspace that is made up: a small package, and folders where an environment would be found."""

from __future__ import annotations

from pathlib import Path

HARBOUR = {
    "harbour/__init__.py": '''
"""Ships and where they lie."""

from .models import Ship, Status, Tanker
from .registry import Registry

__all__ = ["Registry", "Ship", "Status", "Tanker"]
''',
    "harbour/models.py": """
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    AT_SEA = "at sea"
    MOORED = "moored"
    UNKNOWN = "unknown"


@dataclass
class Berth:
    number: int
    depth_m: float = 10.0


@dataclass
class Ship:
    name: str
    length_m: float
    flag: str = ""
    status: Status = Status.AT_SEA
    berth: int | None = None

    @classmethod
    def from_row(cls, row: Sequence[str]) -> Ship:
        name, length_m, flag = row
        return cls(name, float(length_m), flag)

    @property
    def is_moored(self) -> bool:
        return self.status is Status.MOORED

    def moor(self, berth: int, *, tug_count: int = 0) -> None:
        self.status = Status.MOORED
        self.berth = berth

    def depart(self) -> None:
        self.status = Status.AT_SEA
        self.berth = None

    def as_row(self) -> list[str]:
        return [self.name, str(self.length_m), self.flag]


@dataclass
class Tanker(Ship):
    cargo_t: float = 0.0

    def discharge(self, amount_t: float) -> float:
        self.cargo_t = max(0.0, self.cargo_t - amount_t)
        return self.cargo_t
""",
    "harbour/registry.py": """
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .models import Ship


class UnknownShipError(LookupError):
    def __init__(self, ship_name: str) -> None:
        super().__init__(f"no ship is called {ship_name}")
        self.ship_name = ship_name


class Change:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._names: dict[str, str] = {}

    def rename(self, old: str, new: str) -> None:
        self._names[old] = new

    def commit(self) -> None:
        for ship in self._registry.ships:
            ship.name = self._names.get(ship.name, ship.name)


class Registry:
    def __init__(self) -> None:
        self._ships: dict[str, Ship] = {}

    @property
    def ships(self) -> list[Ship]:
        return list(self._ships.values())

    def enter(self, ship: Ship) -> None:
        self._ships[ship.name] = ship

    def find(self, name: str) -> Ship:
        if name not in self._ships:
            raise UnknownShipError(name)
        return self._ships[name]

    def by_flag(self, flag: str) -> list[Ship]:
        return [ship for ship in self.ships if ship.flag == flag]

    @contextmanager
    def transaction(self) -> Iterator[Change]:
        yield Change(self)
""",
    "harbour/units.py": """
METRES_PER_MILE = 1852.0


def knots_to_kmh(knots: float) -> float:
    return knots * METRES_PER_MILE / 1000


def format_position(latitude: float, longitude: float, *, digits: int = 3, separator: str = ", ") -> str:
    return f"{latitude:.{digits}f}{separator}{longitude:.{digits}f}"
""",
    "harbour/feed.py": """
from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    ship: str
    knots: float


class Feed:
    def __init__(self, url: str) -> None:
        self.url = url
        self.is_open = False

    async def __aenter__(self) -> Feed:
        self.is_open = True
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        self.is_open = False

    async def reports(self) -> AsyncIterator[Report]:
        yield Report(ship="Ada", knots=11.5)
""",
    "harbour/settings.py": """
from __future__ import annotations

import os
from typing import NamedTuple


class Settings(NamedTuple):
    feed_url: str = "demo"
    timeout_s: float = 3.0
    verbose: bool = False


def load_settings(path: str) -> Settings:
    return Settings(verbose=bool(os.environ.get("HARBOUR_VERBOSE", "1")))
""",
    "pyproject.toml": """
[project]
name = "harbour"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
    "attrs", "httpx", "jinja2", "numpy", "pandas", "pydantic", "pyyaml", "requests", "rich", "sqlalchemy",
    "urllib3",
]
""",
}

ROUTES = {
    "package.json": """
{ "name": "routes", "version": "0.1.0", "private": true, "type": "module" }
""",
    "tsconfig.json": """
{
  "compilerOptions": {
    "target": "ES2022",
    "lib": ["ES2023", "DOM", "DOM.Iterable"],
    "module": "ESNext",
    "moduleResolution": "bundler",
    "strict": true,
    "allowJs": true,
    "checkJs": false,
    "esModuleInterop": true,
    "types": ["node"],
    "noEmit": true
  }
}
""",
    "src/types.ts": """
export enum Mode {
  Train = "train",
  Bus = "bus",
  Walk = "walk",
}

export interface Route {
  from: string;
  to: string;
  km: number;
  mode: Mode;
  stops?: Stop[];
}

export interface Stop {
  station: string;
  platform: number;
}

export interface Options {
  avoidTolls: boolean;
  maxKm: number;
}
""",
    "src/store.ts": """
import type { Route } from "./types";

export class Store<T> {
  protected readonly things = new Map<string, T>();

  constructor(readonly title: string) {}

  get count(): number {
    return this.things.size;
  }

  put(key: string, thing: T): void {
    this.things.set(key, thing);
  }

  find(key: string): T | undefined {
    return this.things.get(key);
  }

  drop(key: string): boolean {
    return this.things.delete(key);
  }

  values(): T[] {
    return [...this.things.values()];
  }
}

export class RouteStore extends Store<Route> {
  constructor() {
    super("routes");
  }

  longerThan(km: number): Route[] {
    return this.values().filter((route) => route.km > km);
  }
}
""",
    "src/api.ts": """
import { Mode, type Options, type Route } from "./types";

export class RouteError extends Error {
  constructor(readonly reason: string) {
    super(`no route: ${reason}`);
  }
}

export async function planRoute(from: string, to: string, options: Partial<Options> = {}): Promise<Route> {
  if (from === to) {
    throw new RouteError("same place");
  }
  return { from, to, km: options.maxKm ?? 10, mode: Mode.Train };
}

export function kmToMiles(km: number): number {
  return km * 0.621371;
}
""",
    "src/index.ts": """
export { kmToMiles, planRoute, RouteError } from "./api";
export { RouteStore, Store } from "./store";
export { Mode, type Options, type Route, type Stop } from "./types";
""",
}


def write_typescript(root: Path, node_types: Path | None = None) -> None:
    """The other package; `node_types` is a `node_modules` folder that holds `@types`."""
    for name, text in ROUTES.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.lstrip(), encoding="utf-8")
    if node_types is not None:
        (root / "node_modules").symlink_to(node_types)


def write_python(root: Path, site_packages: Path | None = None, version: str = "3.11") -> None:
    """The package below `root`; with `site_packages`, a `.venv` that holds what is installed there."""
    for name, text in HARBOUR.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.lstrip(), encoding="utf-8")
    if site_packages is not None:
        write_environment(root, site_packages, version)


def write_environment(root: Path, site_packages: Path, version: str = "3.11") -> None:
    """A `.venv` that holds what is installed in `site_packages`."""
    library = root / ".venv" / "lib" / f"python{version}"
    library.mkdir(parents=True, exist_ok=True)
    (library / "site-packages").symlink_to(site_packages)
    home = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    (root / ".venv" / "pyvenv.cfg").write_text(home, encoding="utf-8")
