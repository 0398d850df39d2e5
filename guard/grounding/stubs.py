"""Type stubs for packages that have no types of their own, for the analysis only.

They are dependencies of ours and lie in our environment.  A checker is given a folder of our cache
that holds links to those whose package the person has installed; nothing is put where the person's
program would find it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from .environment import Environment

DISTRIBUTIONS = (
    "pandas-stubs",
    "types-cachetools",
    "types-docutils",
    "types-jsonschema",
    "types-markdown",
    "types-openpyxl",
    "types-paramiko",
    "types-protobuf",
    "types-psutil",
    "types-psycopg2",
    "types-pygments",
    "types-pymysql",
    "types-python-dateutil",
    "types-pytz",
    "types-pyyaml",
    "types-requests",
    "types-setuptools",
    "types-simplejson",
    "types-six",
    "types-tabulate",
    "types-toml",
    "types-tqdm",
)
_SUFFIX = "-stubs"


def stub_folder(cache: Path, environment: Environment) -> Path | None:
    """The folder for a checker's search path; None where no stubs are of use in `environment`.

    Raises OSError: the cache cannot be written.
    """
    wanted = [path for path in _ours() if _is_wanted(path.name.removesuffix(_SUFFIX), environment)]
    if not wanted:
        return None
    marks = [f"{path}\0{path.stat().st_mtime_ns}" for path in wanted]
    name = hashlib.blake2b("\n".join(marks).encode(), digest_size=8).hexdigest()
    folder = cache / "stubs" / name
    if not folder.is_dir():
        _fill(folder, wanted)
    return folder


def _ours() -> Iterator[Path]:
    """The `x-stubs` folders of our own environment."""
    for name in DISTRIBUTIONS:
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # an install without it is poorer, not broken
        tops = {file.parts[0] for file in found.files or () if file.parts[0].endswith(_SUFFIX)}
        yield from (path for top in sorted(tops) if (path := Path(str(found.locate_file(top)))).is_dir())


def _is_wanted(module: str, environment: Environment) -> bool:
    """Whether the package is there, without types of its own or stubs the person has chosen."""
    for site in environment.site_packages:
        if (site / f"{module}{_SUFFIX}").is_dir():
            return False
        if (site / f"{module}.py").is_file():
            return not (site / f"{module}.pyi").is_file()
        if (site / module).is_dir():
            return not (site / module / "py.typed").is_file()
    return False


def _fill(folder: Path, stubs: list[Path]) -> None:
    """Makes the folder whole or not at all: two processes may do it at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".stubs-", dir=folder.parent))
    try:
        for path in stubs:
            try:
                (made / path.name).symlink_to(path, target_is_directory=True)
            except OSError:  # a system without links
                shutil.copytree(path, made / path.name)
        made.rename(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not folder.is_dir():
            raise
