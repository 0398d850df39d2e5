"""Questions to the index.  Never waits for a writer.

Open buffers shadow the disk: where a file is open, only what its buffer says counts.  Answers are in
a fixed order, by path and then by place, unless said otherwise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ..facts import Definition, Import
from . import rows
from .answers import Counts, FileEntry, Hit, LanguageCounts, Located, RefusedFile, Use
from .connection import ReadingConnection
from .location import Location
from .overlay import Buffer, Overlay
from .search import Statistics, bm25, match_expression, search_words

_FILES = "files f JOIN contents c ON c.id = f.content_id"
_HERE = "f.content_id = d.content_id AND f.root_id = :root"
_DEFINITIONS = (
    f"SELECT s.path, {rows.DEFINITION_COLUMNS} FROM ("  # noqa: S608  (constants)
    "SELECT q.name AS name, f.path AS path, d.content_id AS content_id, d.nth AS nth FROM names q "
    f"CROSS JOIN definitions d ON {{column}} = q.id CROSS JOIN files f ON {_HERE} "
    "WHERE {condition} AND {shown} ORDER BY {order}f.path, d.nth LIMIT :limit"
    ") s JOIN definitions d ON d.content_id = s.content_id AND d.nth = s.nth JOIN names n ON n.id = d.name_id"
)
"""The inner question is answered from indexes alone, names first (`CROSS` keeps that order); only what
is wanted is then read."""

_FILE_COLUMNS = "f.path, c.language, c.num_lines, c.num_bytes, c.package, c.doc, c.note"
_FOLDER_FILES = frozenset({"__init__", "index", "mod", "lib", "main"})
"""Modules that go by the name of their folder."""

Resolve = Callable[[str, Import], Collection[str]]
"""From the path of a file and one of its imports to the paths it means."""


class Reader:
    """Raises `IndexDamagedError` and `IndexUnavailableError` from any method."""

    def __init__(self, location: Location, overlay: Overlay | None = None) -> None:
        self.overlay = overlay or Overlay()
        self._connection = ReadingConnection(location)

    def close(self) -> None:
        """May be used again after it; then it opens anew."""
        self._connection.close()

    def definitions(self, name: str, limit: int = 200) -> tuple[Located, ...]:
        """Definitions of exactly this name."""
        buffers = self.overlay.buffers()
        shown = [Located(path, one) for path, buffer in buffers.items() for one in buffer.named(name)]
        return self._located("d.name_id", "q.name = :name", {"name": name}, shown, buffers, limit)

    def definitions_with_prefix(self, prefix: str, limit: int = 200) -> tuple[Located, ...]:
        """Definitions whose name begins with `prefix`, case told apart, by name; none for an empty one."""
        if not prefix:
            return ()
        buffers = self.overlay.buffers()
        shown = [
            Located(path, one)
            for path, buffer in buffers.items()
            for one in buffer.facts.definitions
            if one.name.startswith(prefix)
        ]
        values = {"low": prefix, "high": prefix + "\U0010ffff"}
        condition = "q.name >= :low AND q.name < :high"
        return self._located("d.name_id", condition, values, shown, buffers, limit, by_name=True)

    def members(self, parent: str, limit: int = 500) -> tuple[Located, ...]:
        """What is defined inside types called `parent`.  `Inner` finds any; `Outer.Inner` only those."""
        buffers = self.overlay.buffers()
        last = rows.last_part(parent)
        shown = [Located(path, one) for path, buffer in buffers.items() for one in buffer.members_of(last)]
        found = self._located("d.parent_id", "q.name = :name", {"name": last}, shown, buffers, limit)
        return tuple(one for one in found if last == parent or _ends_with(one.definition.parent, parent))

    def definitions_in(self, path: str) -> tuple[Definition, ...]:
        """Of one file, in order of the text; none where it is not in the index."""
        if (buffer := self.overlay.buffers().get(path)) is not None:
            return buffer.facts.definitions
        found = self._connection.rows(
            f"SELECT {rows.DEFINITION_COLUMNS} FROM files f JOIN definitions d ON {_HERE} "  # noqa: S608  (constants)
            "JOIN names n ON n.id = d.name_id WHERE f.root_id = :root AND f.path = :path ORDER BY d.nth",
            path=os.fsencode(path),
        )
        return tuple(map(rows.definition_of, found))

    def file(self, path: str) -> FileEntry | None:
        """`None` where it is not in the index."""
        if (buffer := self.overlay.buffers().get(path)) is not None:
            return buffer.entry
        found = self._of_file(_FILE_COLUMNS, path)
        return _file_of(found) if found else None

    def files(self, below: str = "") -> tuple[FileEntry, ...]:
        """Those whose path begins with `below`."""
        buffers, low = self.overlay.buffers(), os.fsencode(below)
        found = self._connection.rows(
            f"SELECT {_FILE_COLUMNS} FROM {_FILES} "  # noqa: S608  (constants)
            "WHERE f.root_id = :root AND f.path >= :low AND f.path < :high",
            low=low,
            high=low + b"\xff",
        )
        entries = [entry for entry in map(_file_of, found) if entry.path not in buffers]
        entries += [buffer.entry for path, buffer in buffers.items() if path.startswith(below)]
        return tuple(sorted(entries, key=lambda entry: entry.path))

    def imports(self, path: str) -> tuple[Import, ...]:
        """Of one file, in order of the text."""
        if (buffer := self.overlay.buffers().get(path)) is not None:
            return buffer.facts.imports
        found = self._of_file("c.imports", path)
        return rows.imports_of(found[0]) if found else ()

    def importing(self, words: Iterable[str], limit: int = 500) -> tuple[tuple[str, tuple[Import, ...]], ...]:
        """Files with an import in which one of `words` stands: part of its module, or a name it takes."""
        wanted, buffers = sorted(set(words)), self.overlay.buffers()
        shown, hidden = _hiding(buffers)
        found = self._connection.rows(
            "SELECT DISTINCT f.path, c.imports FROM names q JOIN imports i ON i.word_id = q.id "  # noqa: S608  (constants)
            "JOIN contents c ON c.id = i.content_id "
            "JOIN files f ON f.content_id = c.id AND f.root_id = :root "
            f"WHERE q.name IN (SELECT value FROM json_each(:words)) AND {shown} ORDER BY f.path LIMIT :limit",
            **{"words": json.dumps(wanted), "limit": limit, **hidden},
        )
        pairs = [(os.fsdecode(path), rows.imports_of(text)) for path, text in found]
        for path, buffer in buffers.items():
            if not buffer.import_words.isdisjoint(wanted):
                pairs.append((path, buffer.facts.imports))
        return tuple(sorted(pairs, key=lambda pair: pair[0])[:limit])

    def importers(self, path: str, resolve: Resolve, limit: int = 500) -> tuple[str, ...]:
        """The files one of whose imports means `path`, says `resolve`.

        Asked of those that name the file, or its folder where it speaks for that (`__init__.py`, Go).
        """
        folder, _, name = path.rpartition("/")
        stem = name.partition(".")[0]
        words = {stem, folder.rpartition("/")[2]}
        if stem in _FOLDER_FILES:
            words.add(rows.UNNAMED)
        return tuple(
            importer
            for importer, imports in self.importing(words - {""}, limit)
            if importer != path and any(path in resolve(importer, one) for one in imports)
        )

    def references(self, name: str, limit: int = 500) -> tuple[Use, ...]:
        """The files that use `name`, most often first."""
        buffers = self.overlay.buffers()
        shown, hidden = _hiding(buffers)
        found = self._connection.rows(
            "SELECT f.path, u.num FROM names q JOIN uses u ON u.name_id = q.id "  # noqa: S608  (constants)
            "JOIN files f ON f.content_id = u.content_id AND f.root_id = :root "
            f"WHERE q.name = :name AND {shown} ORDER BY u.num DESC, f.path LIMIT :limit",
            **{"name": name, "limit": limit, **hidden},
        )
        uses = [Use(os.fsdecode(path), name, num) for path, num in found]
        uses += [Use(path, name, num) for path, one in buffers.items() if (num := one.uses.get(name, 0))]
        return tuple(sorted(uses, key=lambda use: (-use.num, use.path))[:limit])

    def uses(self, path: str) -> tuple[Use, ...]:
        """The names one file uses, in order of the names."""
        if (buffer := self.overlay.buffers().get(path)) is not None:
            return tuple(Use(path, name, num) for name, num in sorted(buffer.uses.items()))
        found = self._of_file("c.uses", path)
        nums = dict(rows.unpacked(found[0])) if found else {}
        names = self._connection.rows(
            "SELECT name, id FROM names WHERE id IN (SELECT value FROM json_each(:ids))",
            ids=json.dumps(list(nums)),
        )
        return tuple(Use(path, name, nums[name_id]) for name, name_id in sorted(names))

    def shared_uses(self, path: str, names: Collection[str]) -> tuple[int, int]:
        """How many of `names` one file uses, and how many different names it uses in all."""
        if (buffer := self.overlay.buffers().get(path)) is not None:
            return sum(name in buffer.uses for name in set(names)), len(buffer.uses)
        found = self._of_file("c.uses", path)
        if not found:
            return 0, 0
        ids = {name_id for name_id, _ in rows.unpacked(found[0])}
        wanted = self._connection.rows(
            "SELECT id FROM names WHERE name IN (SELECT value FROM json_each(:names))",
            names=json.dumps(sorted(names)),
        )
        return sum(name_id in ids for (name_id,) in wanted), len(ids)

    def search(self, names: Iterable[str], limit: int = 50) -> tuple[Hit, ...]:
        """Files by the identifiers in them (BM25), best first; names are taken apart as the files' are."""
        words, buffers = search_words(names), self.overlay.buffers()
        if not words:
            return ()
        shown, hidden = _hiding(buffers)
        found = self._connection.rows(
            "SELECT f.path, -bm25(words) AS score FROM words "  # noqa: S608  (constants)
            "JOIN files f ON f.content_id = words.rowid AND f.root_id = :root "
            f"WHERE words MATCH :match AND {shown} ORDER BY score DESC, f.path LIMIT :limit",
            **{"match": match_expression(words), "limit": limit, **hidden},
        )
        hits = [Hit(os.fsdecode(path), score) for path, score in found]
        if buffers:
            statistics = self._statistics(words)
            scores = {path: bm25(words, buffer.words, statistics) for path, buffer in buffers.items()}
            hits += [Hit(path, score) for path, score in scores.items() if score > 0]
        return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.path))[:limit])

    def is_complete(self) -> bool:
        """Whether a build has seen the whole workspace; since then it follows what is changed."""
        rows = self._connection.rows("SELECT complete FROM roots WHERE id = :root")
        return bool(rows and rows[0][0])

    def counts(self) -> Counts:
        """Of the disk alone."""
        rows_of, here = self._connection.rows, "WHERE f.root_id = :root"
        by_language = rows_of(
            f"SELECT c.language, count(*), sum(c.num_lines), sum(c.num_bytes) FROM {_FILES} {here} "  # noqa: S608  (constants)
            "GROUP BY c.language ORDER BY 3 DESC, 1"
        )
        definitions = rows_of(f"SELECT count(*) FROM files f JOIN definitions d ON {_HERE}")  # noqa: S608  (constants)
        uses = rows_of(
            f"SELECT coalesce(sum(u.num), 0) FROM files f JOIN uses u ON u.content_id = f.content_id {here}"  # noqa: S608  (constants)
        )
        refused = rows_of(f"SELECT count(*) FROM files f {here} AND f.reason != ''")  # noqa: S608  (constants)
        root = rows_of("SELECT complete, num_other, num_left_out FROM roots WHERE id = :root")
        complete, other, left_out = root[0] if root else (0, 0, 0)
        return Counts(
            files=sum(row[1] for row in by_language),
            lines=sum(row[2] for row in by_language),
            bytes=sum(row[3] for row in by_language),
            definitions=definitions[0][0],
            references=uses[0][0],
            refused=refused[0][0],
            other=other,
            left_out=left_out,
            complete=bool(complete),
            languages=tuple(LanguageCounts(*row[:3]) for row in by_language),
        )

    def refused(self) -> tuple[RefusedFile, ...]:
        """What is kept out of the index, and why."""
        found = self._connection.rows(
            "SELECT path, reason FROM files WHERE root_id = :root AND reason != '' ORDER BY path"
        )
        return tuple(RefusedFile(os.fsdecode(path), reason) for path, reason in found)

    def _located(
        self,
        column: str,
        condition: str,
        values: dict[str, Any],
        shown: list[Located],
        buffers: Mapping[str, Buffer],
        limit: int,
        *,
        by_name: bool = False,
    ) -> tuple[Located, ...]:
        """By path, or by name first; `shown` is what the buffers answer."""
        on_disk, hidden = _hiding(buffers)
        order = "q.name, " if by_name else ""
        sql = _DEFINITIONS.format(column=column, condition=condition, shown=on_disk, order=order)
        found = self._connection.rows(sql, **values, **hidden, limit=limit)
        located = shown + [Located(os.fsdecode(row[0]), rows.definition_of(row[1:])) for row in found]
        located.sort(key=lambda one: (one.path, one.definition.start))
        if by_name:
            located.sort(key=lambda one: one.definition.name)
        return tuple(located[:limit])

    def _of_file(self, columns: str, path: str) -> tuple[Any, ...] | None:
        found = self._connection.rows(
            f"SELECT {columns} FROM {_FILES} WHERE f.root_id = :root AND f.path = :path",  # noqa: S608  (constants)
            path=os.fsencode(path),
        )
        return found[0] if found else None

    def _statistics(self, words: tuple[str, ...]) -> Statistics:
        found = self._connection.rows(
            "SELECT term, doc FROM vocabulary WHERE term IN (SELECT value FROM json_each(:words))",
            words=json.dumps(words),
        )
        num_files, total = self._connection.rows(
            "SELECT count(*), coalesce(sum(num_words), 0) FROM contents"
        )[0]
        return Statistics(num_files, total / max(1, num_files), dict(found))


def _hiding(buffers: Mapping[str, Buffer]) -> tuple[str, dict[str, Any]]:
    """The condition that a file is not open, and its values."""
    values: dict[str, Any] = {f"open{nth}": os.fsencode(path) for nth, path in enumerate(sorted(buffers))}
    return f"f.path NOT IN ({', '.join(':' + name for name in values)})", values


def _file_of(row: tuple[Any, ...]) -> FileEntry:
    return FileEntry(os.fsdecode(row[0]), *row[1:])


def _ends_with(parent: str, wanted: str) -> bool:
    return parent == wanted or parent.endswith("." + wanted)
