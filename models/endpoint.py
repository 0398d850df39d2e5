"""Where an engine listens: a Unix socket only its user can open, or a URL the user named.

On Windows, which has no Unix sockets in asyncio, loopback with a random bearer token in a file only
the user can read.  One engine per user, model, precision and version: the name says which.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import platformdirs

from .errors import EngineUnavailableError

FAKE_MODEL = "fake"
"""The model name under which an engine process serves `testing.FakeModel`."""

ALREADY_RUNNING = 3
"""Exit code of an engine process that found another serving what it was to serve."""

RUNTIME_VARIABLE = "TRUEPENNY_RUNTIME"
_LONGEST_SOCKET_PATH = 100
"""Unix sockets allow 104 to 108 bytes."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach an engine.  `socket` is None for one reached over TCP."""

    url: str
    socket: Path | None = None
    token: str | None = None
    is_record: bool = False
    """Found in the record an engine of ours left, where there are no sockets."""

    @property
    def is_ours(self) -> bool:
        """An engine process of this user, not a server of somebody else."""
        return self.is_record or self.socket is not None


@dataclass(frozen=True, slots=True)
class EngineFiles:
    """The files of one engine: `address` is the socket, or on Windows the record of port and token.

    `lock` is held by the client that is starting it, `owner` by the engine itself while it lives: there
    are never two.
    """

    address: Path
    lock: Path
    owner: Path
    log: Path

    def endpoint(self) -> Endpoint | None:
        """Where it should be listening; None if it has left no address."""
        if uses_sockets():
            return Endpoint("http://engine", socket=self.address) if self.address.exists() else None
        try:
            record = json.loads(self.address.read_text(encoding="utf-8"))
            url = f"http://127.0.0.1:{int(record['port'])}"
            return Endpoint(url, token=str(record["token"]), is_record=True)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # not there, or not ours: starting an engine replaces it


def uses_sockets() -> bool:
    return sys.platform != "win32"


def engine_files(model: str, precision: str) -> EngineFiles:
    """Raises EngineUnavailableError when the runtime folder is not safe to use."""
    folder = runtime_folder()
    key = f"{model}|{precision}|{version('truepenny')}"
    shown = re.sub(r"[^A-Za-z0-9.-]", "_", model[:24])  # a name, never a path
    name = f"{shown}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"
    suffix = ".sock" if uses_sockets() else ".json"
    address = folder / f"{name}{suffix}"
    if uses_sockets() and len(os.fsencode(address)) > _LONGEST_SOCKET_PATH:
        raise EngineUnavailableError(
            f"the socket path {address} is too long: set {RUNTIME_VARIABLE} to a shorter folder"
        )
    return EngineFiles(address, *(folder / f"{name}.{suffix}" for suffix in ("lock", "owner", "log")))


def runtime_folder() -> Path:
    """A folder only this user can enter, made if need be.  Raises EngineUnavailableError if there is none."""
    given = os.environ.get(RUNTIME_VARIABLE)
    folder = Path(given) if given else _default_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A link is only as good as whoever made it.
        owners = {folder.stat().st_uid, folder.lstat().st_uid}
        if hasattr(os, "getuid") and owners != {os.getuid()}:
            raise EngineUnavailableError(
                f"{folder} belongs to another user: remove it or set {RUNTIME_VARIABLE} to a folder of yours"
            )
        if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise EngineUnavailableError(
            f"the runtime folder {folder} cannot be used ({error}): set {RUNTIME_VARIABLE} to another"
        ) from error
    return folder


def _default_folder() -> Path:
    """The session's runtime folder where there is one, else a folder in the user's cache.

    Never one in the system's temporary folder, where anybody may have made it first.
    """
    session = os.environ.get("XDG_RUNTIME_DIR")
    if session and Path(session).is_dir():
        return Path(session) / "truepenny"
    return platformdirs.user_cache_path("truepenny", appauthor=False) / "run"
