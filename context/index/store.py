"""Writing: facts of contents, and which file has which content.

A `Store` is one connection that writes.  Each `apply` is one transaction: after a crash a batch is
there as a whole or not at all.  SQLite lets one process write at a time; the others wait for that
one transaction.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import IndexUnavailableError
from . import rows
from .exclusion import Reason
from .location import Location
from .scanner import Listing, Stamp
from .schema import Opened, check, damaged, file_of, open_database

if TYPE_CHECKING:
    from ..extraction import CountedFacts

_MAX_KNOWN_NAMES = 40_000
_KEEP_UNUSED_S = 7 * 24 * 3600
"""Facts of contents no file has any more: the other branch comes back."""
_MIN_KEPT_UNUSED = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one path."""

    stamp: Stamp
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """One file, ready to be written.  `facts` is absent where the store has them, or where refused."""

    path: str
    stamp: Stamp
    key: bytes = b""
    facts: CountedFacts | None = None
    num_lines: int = 0
    num_bytes: int = 0
    reason: Reason | None = None


class Store:
    """Raises `IndexDamagedError` and `IndexUnavailableError` from any method."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.note = ""
        """What opening found amiss, for a person; else empty."""
        self._ids: dict[str, int] = {}
        self._open()

    def _open(self) -> None:
        opened: Opened = open_database(self.location, mend=True)
        self._connection, self._file = opened.connection, opened.file
        self.note = opened.note or self.note
        self._ids.clear()
        with self._writing():
            path = os.fsencode(self.location.root)
            execute = self._connection.execute
            execute("INSERT OR IGNORE INTO roots (path) VALUES (?)", (path,))
            self.root_id: int = execute("SELECT id FROM roots WHERE path = ?", (path,)).fetchone()[0]

    def close(self) -> None:
        self._connection.close()

    def check(self) -> None:
        """Reads the whole database; raises `IndexDamagedError` when it is not sound."""
        check(self._connection, self.location)

    def renew(self) -> bool:
        """Opens the database again where another process has put it aside; whether that was so."""
        if file_of(self.location) == self._file:
            return False
        self._connection.close()
        self._open()
        return True

    def entries(self) -> dict[str, Entry]:
        """Every path of this workspace the store knows."""
        with self._reading():
            found = self._connection.execute(
                "SELECT path, reason, size_bytes, mtime_ns, ctime_ns, inode FROM files WHERE root_id = ?",
                (self.root_id,),
            ).fetchall()
        return {os.fsdecode(path): Entry(Stamp(*stamp), reason or None) for path, reason, *stamp in found}

    def entry(self, path: str) -> Entry | None:
        with self._reading():
            found = self._connection.execute(
                "SELECT reason, size_bytes, mtime_ns, ctime_ns, inode FROM files "
                "WHERE root_id = ? AND path = ?",
                (self.root_id, os.fsencode(path)),
            ).fetchone()
        return Entry(Stamp(*found[1:]), found[0] or None) if found else None

    def paths_below(self, folder: str) -> list[str]:
        """The paths the store knows that begin with `folder`, which ends in `/`."""
        low = os.fsencode(folder)
        with self._reading():
            found = self._connection.execute(
                "SELECT path FROM files WHERE root_id = ? AND path >= ? AND path < ?",
                (self.root_id, low, low + b"\xff"),
            ).fetchall()
        return [os.fsdecode(path) for (path,) in found]

    def has(self, key: bytes) -> bool:
        """Whether the facts of this content are known, from whatever file."""
        with self._reading():
            return self._content_id(key) is not None

    def apply(
        self, prepared: Sequence[Prepared], gone: Iterable[str] = (), *, keep_old: bool = True
    ) -> list[Prepared]:
        """Writes files and forgets those that are `gone`, in one transaction.

        Unless `keep_old`, contents that no file has after that are forgotten at once.
        Returns what could not be written: files without facts whose content another process has
        dropped meanwhile.
        """
        with self._writing():
            replaced: set[int] = set()
            if not keep_old:
                replaced = self._contents_at([one.path for one in prepared] + list(gone))
            lost = [one for one in prepared if not self._put(one)]
            for path in gone:
                self._connection.execute(
                    "DELETE FROM files WHERE root_id = ? AND path = ?", (self.root_id, os.fsencode(path))
                )
            for content_id in replaced:
                if not self._is_used(content_id):
                    self._forget(content_id)
        return lost

    def begin(self) -> bool:
        """Marks a build as begun; whether the one before came to its end."""
        with self._writing():
            complete = self._connection.execute(
                "SELECT complete FROM roots WHERE id = ?", (self.root_id,)
            ).fetchone()[0]
            self._connection.execute("UPDATE roots SET complete = 0 WHERE id = ?", (self.root_id,))
        return bool(complete)

    def finish(self, listing: Listing) -> None:
        """Marks a build as complete and forgets what has been of no use for long."""
        with self._writing():
            self._connection.execute(
                "UPDATE roots SET complete = 1, num_other = ?, num_left_out = ? WHERE id = ?",
                (listing.num_other, listing.num_left_out, self.root_id),
            )
            self._forget_unused()
        with self._reading():
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._connection.execute("PRAGMA optimize")

    def _put(self, one: Prepared) -> bool:
        content_id = None
        if one.reason is None:
            content_id = self._content_id(one.key)
            if content_id is None:
                if one.facts is None:
                    return False
                content_id = self._insert(one, one.facts)
        stamp = one.stamp
        self._connection.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self.root_id, os.fsencode(one.path), content_id, one.reason or ""),
                *(stamp.size_bytes, stamp.mtime_ns, stamp.ctime_ns, stamp.inode),
            ),
        )
        return True

    def _insert(self, one: Prepared, counted: CountedFacts) -> int:
        facts, uses = counted.facts, rows.with_short_names(counted.uses)
        ids = self._ids_of(rows.names_in(facts) | uses.keys())
        execute, executemany = self._connection.execute, self._connection.executemany
        document = rows.document_of({definition.name for definition in facts.definitions} | uses.keys())
        cursor = execute(
            "INSERT INTO contents (key, language, num_lines, num_bytes, num_words, package, doc, note, "
            "imports, uses) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(one.key, facts.language, one.num_lines, one.num_bytes, len(document.split())),
                *(facts.package, facts.doc, facts.skipped or facts.truncated),
                rows.imports_text(facts.imports),
                rows.packed(uses, ids),
            ),
        )
        content_id = cursor.lastrowid
        assert content_id is not None
        executemany(
            "INSERT INTO definitions VALUES (?, ?, ?, ?, ?)",
            rows.definition_rows(content_id, facts.definitions, ids),
        )
        executemany(
            "INSERT INTO uses VALUES (?, ?, ?)",
            sorted((ids[name], content_id, num) for name, num in uses.items()),
        )
        executemany(
            "INSERT INTO imports VALUES (?, ?)",
            sorted((ids[word], content_id) for word in rows.import_words(facts.imports)),
        )
        execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (content_id, document))
        return content_id

    def _forget(self, content_id: int) -> None:
        execute = self._connection.execute
        found = execute("SELECT uses, imports FROM contents WHERE id = ?", (content_id,)).fetchone()
        if found is None:
            return
        used = [name_id for name_id, _num in rows.unpacked(found[0])]
        defined = execute("SELECT name_id FROM definitions WHERE content_id = ?", (content_id,)).fetchall()
        names = self._names_of({*used, *(row[0] for row in defined)})
        execute(
            "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)",
            (content_id, rows.document_of(names)),
        )
        self._connection.executemany(
            "DELETE FROM uses WHERE name_id = ? AND content_id = ?", [(one, content_id) for one in used]
        )
        words = self._ids_of(rows.import_words(rows.imports_of(found[1])))
        self._connection.executemany(
            "DELETE FROM imports WHERE word_id = ? AND content_id = ?",
            [(one, content_id) for one in words.values()],
        )
        execute("DELETE FROM definitions WHERE content_id = ?", (content_id,))
        execute("DELETE FROM contents WHERE id = ?", (content_id,))

    def _forget_unused(self) -> None:
        """What nobody has used for a week, and of the rest not more than is in use."""
        now, execute = int(time.time()), self._connection.execute
        for root_id, path in execute("SELECT id, path FROM roots").fetchall():
            if not os.path.isdir(path):  # noqa: PTH112  (bytes: it may not be UTF-8)
                execute("DELETE FROM files WHERE root_id = ?", (root_id,))
                execute("DELETE FROM roots WHERE id = ?", (root_id,))
        execute(
            "UPDATE contents SET unused_since = NULL WHERE unused_since IS NOT NULL "
            "AND id IN (SELECT content_id FROM files)"
        )
        execute(
            "UPDATE contents SET unused_since = ? WHERE (unused_since IS NULL OR unused_since > ?) "
            "AND id NOT IN (SELECT content_id FROM files WHERE content_id IS NOT NULL)",
            (now, now),  # the clock went back: count from now
        )
        used = execute("SELECT count(*) FROM contents WHERE unused_since IS NULL").fetchone()[0]
        unused = execute(
            "SELECT id, unused_since FROM contents WHERE unused_since IS NOT NULL "
            "ORDER BY unused_since DESC, id DESC"
        ).fetchall()
        for nth, (content_id, since) in enumerate(unused):
            if since < now - _KEEP_UNUSED_S or nth >= max(used, _MIN_KEPT_UNUSED):
                self._forget(content_id)

    def _content_id(self, key: bytes) -> int | None:
        found = self._connection.execute("SELECT id FROM contents WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def _contents_at(self, paths: Iterable[str]) -> set[int]:
        found: set[int] = set()
        for path in paths:
            row = self._connection.execute(
                "SELECT content_id FROM files WHERE root_id = ? AND path = ? AND content_id IS NOT NULL",
                (self.root_id, os.fsencode(path)),
            ).fetchone()
            if row:
                found.add(row[0])
        return found

    def _is_used(self, content_id: int) -> bool:
        return bool(
            self._connection.execute(
                "SELECT EXISTS (SELECT 1 FROM files WHERE content_id = ?)", (content_id,)
            ).fetchone()[0]
        )

    def _ids_of(self, names: Iterable[str]) -> dict[str, int]:
        """The ids of names, given out where they are new.  Inside a transaction."""
        if len(self._ids) > _MAX_KNOWN_NAMES:
            self._ids.clear()
        known = self._ids
        new = [name for name in names if name not in known]
        if new:
            self._connection.executemany(
                "INSERT OR IGNORE INTO names (name) VALUES (?)", [(name,) for name in sorted(new)]
            )
            execute = self._connection.execute
            for name in new:
                known[name] = execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()[0]
        return {name: known[name] for name in names}

    def _names_of(self, ids: Iterable[int]) -> list[str]:
        names: list[str] = []
        for name_id in ids:
            found = self._connection.execute("SELECT name FROM names WHERE id = ?", (name_id,)).fetchone()
            if found is None:
                raise damaged(self.location, f"name {name_id} is missing")
            names.append(found[0])
        return names

    @contextmanager
    def _writing(self) -> Generator[None, None, None]:
        """One transaction, taken back as a whole when anything goes wrong."""
        with self._reading():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._ids.clear()  # those given out in it are nobody's again
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Generator[None, None, None]:
        """SQLite's errors, in our own words."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise IndexUnavailableError(
                f"the index {self.location.database} cannot be written ({error}): is the disk full, "
                "or another program holding it?"
            ) from error
        except sqlite3.DatabaseError as error:
            raise damaged(self.location, error) from error
