"""What an engine is told of the editor's workspace: names that tell no path, and which documents are open.

A name is a keyed hash; the key is a file of this user, `<cache>/salt`, made when first needed.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Collection
from pathlib import Path

from ...models.client import EngineClient
from ...models.errors import ModelsError
from ...models.store import cache_root

logger = logging.getLogger(__name__)

_SALT_BYTES = 32
_NAME_CHARS = 32


class Workspace:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._salt: bytes | None = None
        self._folder = ""
        self._open: tuple[str, ...] = ()
        self._told: tuple[EngineClient, str, tuple[str, ...]] | None = None
        self._telling: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """Always the same for a folder; empty where there is none."""
        return self.name(self._folder)

    def name(self, path: str) -> str:
        """Always the same for a path."""
        if not path:
            return ""
        self._salt = self._salt or user_salt()
        key = os.path.normcase(path).rstrip("/\\") or path
        return hmac.new(self._salt, key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:_NAME_CHARS]

    def opened(self, paths: Collection[str], folder: str) -> None:
        self._open, self._folder = tuple(paths), folder

    def tell(self, client: EngineClient) -> None:
        """Tell this engine what is open, in the background, if it does not know."""
        news = (client, self._folder, self._open)
        knows_nothing = self._told is None or self._told[0] is not client
        if self._told == news or (knows_nothing and not self._open):
            return
        self._told = news
        if self._telling is None or self._telling.done():  # else the one under way finds the news
            self._telling = asyncio.ensure_future(self._tell())

    async def aclose(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)  # it has logged its failure

    async def _tell(self) -> None:
        told = None
        while self._told is not None and told != self._told:
            told = self._told
            client, folder, documents = told
            try:
                await client.opened([self.name(path) for path in documents], self.name(folder))
            except ModelsError as error:
                logger.info("the engine was not told which documents are open: %s", error)


def user_salt() -> bytes:
    """The key of this user.  Where it cannot be kept, one that holds for this process."""
    path = cache_root() / "salt"
    try:
        return _kept_salt(path)
    except OSError as error:
        logger.warning("%s cannot be kept (%s): other editors do not share what is computed", path, error)
        return secrets.token_bytes(_SALT_BYTES)


def _kept_salt(path: Path) -> bytes:
    salt = _read(path)
    if salt is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"salt.{os.getpid()}.partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_SALT_BYTES))
        partial.replace(path)
        salt = _read(path)  # of two that began at once, both use what stands there in the end
    if salt is None:
        raise OSError(f"{path} is not what was just written")
    return salt


def _read(path: Path) -> bytes | None:
    try:
        salt = path.read_bytes()
    except FileNotFoundError:
        return None
    return salt if len(salt) == _SALT_BYTES else None
