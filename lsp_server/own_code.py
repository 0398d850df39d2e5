"""What the licence check is told of the workspace: its files that may have what a suggestion has.

Asked only after a match was found, on the thread that judges.  The index names the files, the disk says
what is in them; the file that had it last is looked at first, since it will have the next line too.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..context.errors import ContextError, IndexDamagedError
from ..context.files import read_file
from ..guard.licence.known import telling_lines
from ..guard.verdict import Passage
from .prompting.gathering import Source

logger = logging.getLogger(__name__)

MAX_FILES = 8
MAX_NAMES = 16
DEADLINE_S = 0.05
"""For reading files; those that were not reached do not count."""
_NAME = re.compile(r"[^\W\d]\w{3,}")


@dataclass(frozen=True, slots=True)
class _Held:
    """A file as it was read."""

    path: Path
    stamp: tuple[int, int]
    text: str


class WorkspaceCode:
    """Of one assistant.  Without an index it knows of no file."""

    def __init__(self, source: Callable[[], Source | None]) -> None:
        self._source = source
        self._last: _Held | None = None

    def texts_like(self, passage: Passage) -> tuple[str, ...]:
        """The texts of files that share lines with the suggestion, most lines first."""
        source = self._source()
        lines = telling_lines(passage.suggestion)
        if source is None or not lines:
            return ()
        last = self._last
        if last is not None and _stamp(last.path) == last.stamp and all(one in last.text for one in lines):
            return (last.text,)
        shared = [(sum(one in held.text for one in lines), held) for held in _likely(source, passage)]
        ranked = [held for num, held in sorted(shared, key=lambda one: -one[0]) if num]
        self._last = ranked[0] if ranked else None
        return tuple(held.text for held in ranked)


def _likely(source: Source, passage: Passage) -> Iterator[_Held]:
    until = time.monotonic() + DEADLINE_S
    names = sorted(set(_NAME.findall(passage.suggestion)), key=lambda name: (-len(name), name))
    try:
        hits = source.reader.search(names[:MAX_NAMES], MAX_FILES)
    except IndexDamagedError as damage:
        source.report_damage(damage)
        return
    except ContextError as error:
        logger.info("what the workspace has is not known: %s", error)
        return
    for hit in hits:
        if time.monotonic() > until:
            logger.info("%d files were not compared: time was up", len(hits))
            return
        path = source.location.root / hit.path
        try:
            stamp = _stamp(path)
            text = read_file(path).text
        except (ContextError, OSError) as error:
            logger.info("%s is not compared: %s", hit.path, error)
        else:
            yield _Held(path, stamp, text)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
