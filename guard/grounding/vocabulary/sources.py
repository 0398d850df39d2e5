"""Where the names of a project come from, by its environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..environment import Environment
from .parts import Sources


def sources_of(environment: Environment, root: Path, web_library: Path | None = None) -> Sources:
    """`web_library`: a folder with TypeScript's `lib.*.d.ts`, for projects that have none of their own."""
    modules = root / "node_modules"
    return Sources(
        python=environment.site_packages,
        python_library=next(_libraries(environment), None),
        web=(modules,) if modules.is_dir() else (),
        web_library=web_library,
    )


def _libraries(environment: Environment) -> Iterator[Path]:
    """Folders of the standard library: in the environment, or beside the interpreter it was made with."""
    if environment.python is None:
        return
    for prefix in (environment.python, *_bases(environment.python)):
        folders = [prefix / "Lib", *sorted(prefix.glob("lib/python3*"))]
        wanted = [one for one in folders if not environment.version or one.name.endswith(environment.version)]
        for folder in (*wanted, prefix / "Lib"):
            if (folder / "os.py").is_file():
                yield folder


def _bases(prefix: Path) -> Iterator[Path]:
    """What `pyvenv.cfg` calls home is the folder of the interpreter; nothing in it is run."""
    try:
        text = (prefix / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip().lower() == "home" and value.strip():
            home = Path(value.strip())
            yield home
            yield home.parent
