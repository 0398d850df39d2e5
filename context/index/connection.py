"""A connection that reads, opened when first used and again when the database has been replaced."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import Any

from ..errors import IndexUnavailableError
from .location import Location
from .schema import damaged, file_of, open_database

_CHECKED_EVERY_S = 0.02
"""Whether the database has been replaced: of the dozens of questions of one ranking, the first asks."""


class ReadingConnection:
    """For several threads; one question at a time.

    Raises `IndexDamagedError` and `IndexUnavailableError`.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._checked_at_s = 0.0
        self._root_id = 0

    def close(self) -> None:
        """May be used again after it."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def rows(self, sql: str, **values: object) -> list[Any]:
        """All rows of one question; `:root` is the workspace."""
        with self._lock:
            try:
                connection = self._current()
                return connection.execute(sql, {"root": self._root_id, **values}).fetchall()
            except sqlite3.OperationalError as error:
                raise IndexUnavailableError(
                    f"the index {self._location.database} cannot be read ({error}): "
                    "run `truepenny index --rebuild`"
                ) from error
            except sqlite3.DatabaseError as error:
                raise damaged(self._location, error) from error

    def _current(self) -> sqlite3.Connection:
        connection = self._connection
        if connection is None or self._is_replaced():
            if connection is not None:
                connection.close()
            opened = open_database(self._location, mend=False)
            connection = self._connection = opened.connection
            self._file, self._root_id = opened.file, 0
        if self._root_id == 0:
            path = os.fsencode(self._location.root)
            found = connection.execute("SELECT id FROM roots WHERE path = ?", (path,)).fetchone()
            self._root_id = found[0] if found else 0
        return connection

    def _is_replaced(self) -> bool:
        now = time.monotonic()
        if now - self._checked_at_s < _CHECKED_EVERY_S:
            return False
        self._checked_at_s = now
        return file_of(self._location) != self._file
