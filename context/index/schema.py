"""The tables, and how a database is opened, created, found damaged and put aside.

SQLite in WAL mode: many readers, who never wait, and one writer at a time.  `synchronous=NORMAL`
keeps the file sound through a power cut; the last moments may be lost, and are then read again.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import IndexDamagedError, IndexUnavailableError
from .location import SCHEMA_VERSION, Location

_BUSY_S = 20.0
_LOCK_S = 20.0
_APPLICATION_ID = 0x54507964

_TABLES = """
CREATE TABLE roots (              -- one workspace, or worktree of it
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    complete INTEGER NOT NULL DEFAULT 0,    -- a build has come to its end
    num_other INTEGER NOT NULL DEFAULT 0,
    num_left_out INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE contents (           -- the facts of some bytes in some language, whatever their path
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    language TEXT NOT NULL,
    num_lines INTEGER NOT NULL,
    num_bytes INTEGER NOT NULL,
    num_words INTEGER NOT NULL,   -- in the search index
    package TEXT NOT NULL,
    doc TEXT NOT NULL,
    note TEXT NOT NULL,           -- why not everything was read
    imports TEXT NOT NULL,        -- JSON
    uses BLOB NOT NULL,           -- pairs of 32 bits: name, count; by name
    unused_since INTEGER          -- seconds; no file has this content
);
CREATE INDEX contents_by_words ON contents (num_words);  -- their sum, without the rows
CREATE TABLE files (
    root_id INTEGER NOT NULL,
    path BLOB NOT NULL,           -- relative, `/`, as the file system has it
    content_id INTEGER,           -- none where refused
    reason TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    PRIMARY KEY (root_id, path)
) WITHOUT ROWID;
CREATE INDEX files_by_content ON files (content_id);
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE definitions (
    content_id INTEGER NOT NULL,
    nth INTEGER NOT NULL,
    name_id INTEGER NOT NULL,
    parent_id INTEGER NOT NULL,   -- the last part of the parent's name; 0: none
    fields TEXT NOT NULL,         -- JSON
    PRIMARY KEY (content_id, nth)
) WITHOUT ROWID;
CREATE INDEX definitions_by_name ON definitions (name_id);
CREATE INDEX definitions_by_parent ON definitions (parent_id);
CREATE TABLE uses (name_id INTEGER NOT NULL, content_id INTEGER NOT NULL, num INTEGER NOT NULL,
    PRIMARY KEY (name_id, content_id)) WITHOUT ROWID;
CREATE TABLE imports (word_id INTEGER NOT NULL, content_id INTEGER NOT NULL,
    PRIMARY KEY (word_id, content_id)) WITHOUT ROWID;   -- each word of what is imported
CREATE VIRTUAL TABLE words USING fts5
    (text, content='', tokenize="unicode61 remove_diacritics 0 tokenchars '_$'");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row);
"""


@dataclass(frozen=True, slots=True)
class Opened:
    connection: sqlite3.Connection
    file: tuple[int, int]
    """Device and inode: whether it is still the one at its path."""
    note: str = ""
    """What a person should know: the old index was damaged and where it is now.  Else empty."""


def open_database(location: Location, *, mend: bool) -> Opened:
    """A connection in autocommit mode, usable from any one thread at a time; created if need be.

    A database that is damaged, or of another version, is put aside and begun anew; or without `mend`,
    `IndexDamagedError` is raised.  Raises `IndexUnavailableError` when the cache folder cannot be written.
    """
    make_folder(location)
    note = ""
    try:
        connection = _connected(location)
    except IndexDamagedError as damage:
        if not mend:
            raise
        connection = _connected(location, repair=True)
        note = f"{damage}; it is being built anew"
    return Opened(connection, file_of(location), note)


def make_folder(location: Location) -> None:
    """For this user alone: it holds signatures and comments of a person's code."""
    try:
        location.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unavailable(location, error) from error


def file_of(location: Location) -> tuple[int, int]:
    """Which file is at the database's path; zeros where there is none."""
    try:
        status = location.database.stat()
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)


def check(connection: sqlite3.Connection, location: Location) -> None:
    """Reads the whole database; raises `IndexDamagedError` when it is not sound."""
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise damaged(location, error) from error
    if found != ("ok",):
        raise damaged(location, found[0] if found else "no answer")


def damaged(location: Location, what: object) -> IndexDamagedError:
    return IndexDamagedError(f"the index {location.database} is damaged ({what})")


def _connected(location: Location, *, repair: bool = False) -> sqlite3.Connection:
    """Opens what is there, or creates it, one process at a time."""
    path = location.database
    if not repair and path.exists():
        try:
            return _open_existing(location)
        except FileNotFoundError:
            pass  # moved aside by another process this moment
    try:
        with FileLock(location.repair_lock, timeout=_LOCK_S):
            if path.exists():
                try:
                    return _open_existing(location)  # another process was quicker
                except IndexDamagedError:
                    if not repair:
                        raise
                    put_aside(path)
            return _create(location)
    except Timeout as error:
        raise IndexUnavailableError(
            f"another process has held {location.repair_lock} for {_LOCK_S:.0f} s: close other editors"
        ) from error
    except OSError as error:
        raise _unavailable(location, error) from error


def _open_existing(location: Location) -> sqlite3.Connection:
    connection = _plain(location)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if version == SCHEMA_VERSION:
            _tune(connection)
            connection.execute("SELECT id FROM roots LIMIT 1").fetchone()
            return connection
    except sqlite3.OperationalError as error:
        connection.close()
        if "no such table" in str(error):
            raise damaged(location, error) from error
        raise _unavailable(location, error) from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise damaged(location, error) from error
    connection.close()
    raise IndexDamagedError(f"the index {location.database} is of version {version}, not {SCHEMA_VERSION}")


def _create(location: Location) -> sqlite3.Connection:
    """Made under another name first: nobody ever opens half a schema."""
    new = location.database.with_suffix(f".{os.getpid()}.new")
    for path in (new, *_companions(new)):
        path.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.execute("PRAGMA page_size = 8192")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(f"BEGIN;{_TABLES}")
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        raise _unavailable(location, error) from error
    for path in _companions(location.database):
        path.unlink(missing_ok=True)  # of a database that somebody removed
    new.replace(location.database)
    return _open_existing(location)


def _plain(location: Location) -> sqlite3.Connection:
    try:
        uri = location.database.as_uri() + "?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except sqlite3.OperationalError as error:
        if not location.database.exists():
            raise FileNotFoundError(location.database) from error
        raise _unavailable(location, error) from error


def _tune(connection: sqlite3.Connection) -> None:
    for pragma in (
        "synchronous = NORMAL",
        "cache_size = -4000",  # KiB
        "temp_store = MEMORY",
        "journal_size_limit = 16000000",
        "wal_autocheckpoint = 2000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def repair(location: Location, file: tuple[int, int]) -> None:
    """Puts a damaged database aside, so that the next to open it begins anew.

    `file` is the one found damaged: if another process was quicker, nothing is done.
    """
    try:
        with FileLock(location.repair_lock, timeout=_LOCK_S):
            if file_of(location) == file:
                put_aside(location.database)
    except (OSError, Timeout) as error:
        raise _unavailable(location, error) from error


def put_aside(database: Path) -> None:
    """Renames a database to `….damaged`, where one is kept for inspection.  Hold the repair lock."""
    with suppress(FileNotFoundError):
        database.replace(database.with_suffix(".damaged"))
    for path in _companions(database):
        path.unlink(missing_ok=True)


def _companions(database: Path) -> tuple[Path, Path]:
    return database.with_name(database.name + "-wal"), database.with_name(database.name + "-shm")


def remove_old(location: Location, *, older_than_s: float) -> None:
    """Removes databases of other versions that nobody has written for so long."""
    for path in location.folder.glob("facts-*.sqlite3*"):
        if path.name.startswith(location.database.name):
            continue
        with suppress(OSError):  # another process may be removing it too, or have it open
            if abs(time.time() - path.stat().st_mtime) > older_than_s:
                path.unlink()


def _unavailable(location: Location, error: Exception) -> IndexUnavailableError:
    return IndexUnavailableError(
        f"the index in {location.folder} cannot be opened ({error}): make the folder writable, "
        "or set TRUEPENNY_CACHE to one that is"
    )
