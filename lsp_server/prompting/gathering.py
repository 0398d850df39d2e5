"""What prompts tell of the rest of the workspace: the index of an editor's folder, and packs made from it.

The index is opened, built and watched in the background; questions are answered on a thread of their
own.  A request never waits for a build: while there is no index, there are no chunks.  Trouble with the
index is logged, and costs the chunks, not the suggestion.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ...context.errors import ContextError, IndexDamagedError
from ...context.packing.pack import Pack
from ...models.store import cache_root
from ..settings import ContextSettings
from ..snapshot import Query
from ..status import Indexing, Status

if TYPE_CHECKING:  # the index is imported when a folder is opened, so that start-up stays fast
    from ...context.extraction import FactsOf
    from ...context.facts import FileFacts
    from ...context.index.build import Progress
    from ...context.index.location import Location
    from ...context.index.overlay import Overlay
    from ...context.index.reader import Reader
    from ...context.index.watcher import Changes

logger = logging.getLogger(__name__)

IDLE_DEADLINE_S = 0.4
"""In a pause."""
WAITING_DEADLINE_S = 0.1
"""While somebody waits; then whatever is ready."""
_MAX_VISITS = 16
_SHOWN_EVERY = 20
"""Of the files read: how often progress is told."""

Count = Callable[[str], int]
OnStatus = Callable[[Status], None]
OnChanges = Callable[[Path, "Changes"], None]


class Source(Protocol):
    """An index to ask; `WorkspaceIndex` is one."""

    @property
    def location(self) -> Location: ...

    @property
    def reader(self) -> Reader: ...

    @property
    def overlay(self) -> Overlay: ...

    def path_of(self, path: str | Path) -> str | None:
        """Relative to the workspace; None outside of it."""
        ...

    def report_damage(self, damage: IndexDamagedError) -> None: ...

    def close(self) -> None: ...


class StoredIndex:
    """The index of a workspace as it was left: nothing is built and nothing watched."""

    def __init__(self, location: Location) -> None:
        from ...context.index.overlay import Overlay
        from ...context.index.reader import Reader

        self.location = location
        self.overlay = Overlay()
        self.reader = Reader(location, self.overlay)

    def path_of(self, path: str | Path) -> str | None:
        try:
            return Path(path).resolve().relative_to(self.location.root).as_posix()
        except (ValueError, OSError):
            return None

    def report_damage(self, damage: IndexDamagedError) -> None:
        logger.warning("%s: run `truepenny index --rebuild %s`", damage, self.location.root)

    def close(self) -> None:
        self.reader.close()


class Gathering:
    """One per assistant; belongs to its event loop."""

    def __init__(
        self,
        settings: ContextSettings,
        on_status: OnStatus = lambda _: None,
        source: Source | None = None,
        on_changes: OnChanges = lambda _root, _changes: None,
    ) -> None:
        """`source`, when given, is asked whatever folder is open.

        `on_changes` is called, on another thread, when files of that folder have changed on the disk.
        """
        self._settings = settings
        self._on_status = on_status
        self._on_changes = on_changes
        self._is_given = source is not None
        self._folder = ""
        self._desk = None if source is None else _Desk(source, settings)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gathering")

    @property
    def is_on(self) -> bool:
        """Is there an index to ask?"""
        return self._desk is not None and self._settings.enabled and self._settings.tokens > 0

    @property
    def source(self) -> Source | None:
        """The index of the folder that is open; questions to its `reader` may come from any thread."""
        return None if self._desk is None else self._desk.source

    def opened(self, paths: Collection[str], folder: str) -> None:
        """These documents are open, in the workspace of `folder`: its index is kept from now on."""
        if folder != self._folder and not self._is_given:
            self._folder = folder
            if self._desk is not None:
                self._thread.submit(self._desk.close)
                self._desk = None
            is_wanted = self._settings.enabled and self._settings.tokens > 0
            if is_wanted and folder and is_project(Path(folder)):
                self._desk = _Desk(_started(folder, self._on_status, self._on_changes), self._settings)
        if self._desk is not None:
            self._thread.submit(self._desk.keep_only, frozenset(paths))

    def place(self, query: Query) -> tuple[str, str]:
        """The document's path in the workspace, and the workspace's name; both empty outside of it."""
        if self._desk is None:
            return "", ""
        path = self._desk.source.path_of(query.snapshot.path)
        return (path, self._desk.source.location.root.name) if path else ("", "")

    async def follow(self, pack: Pack, query: Query, count: Count, *, is_waiting: bool = False) -> Pack:
        """The pack that should follow `pack`, seen from `query`.  Never raises but for cancellation."""
        if self._desk is None or not self.is_on:
            return pack
        deadline_s = WAITING_DEADLINE_S if is_waiting else IDLE_DEADLINE_S
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._desk.follow, pack, query, count, deadline_s)

    async def aclose(self) -> None:
        """Stops a build under way; what it has written stays."""
        desk, self._desk = self._desk, None
        if desk is not None:
            self._thread.submit(desk.close)
        await asyncio.to_thread(self._thread.shutdown)


class _Desk:
    """What is done with one index, all of it on one thread."""

    def __init__(self, source: Source, settings: ContextSettings) -> None:
        from ...context.index.scanner import Scanner

        self.source = source
        self._settings = settings
        self._scanner = Scanner(source.location.root)
        self._documents: dict[str, FactsOf] = {}
        self._visits: OrderedDict[tuple[str, int], None] = OrderedDict()

    def follow(self, pack: Pack, query: Query, count: Count, deadline_s: float) -> Pack:
        from ...context.gather import Question, Visit, follow

        path = self.source.path_of(query.snapshot.path)
        if path is None:
            return pack
        text, offset = query.snapshot.text, query.offset
        try:
            facts = self._shown(path, query)
            self._visit(path, text.count("\n", 0, offset))
            recent = tuple(Visit(where, line) for where, line in reversed(self._visits))
            question = Question(path, text, offset, query.snapshot.language, recent, facts)
            return follow(
                pack,
                question,
                self.source.reader,
                budget_tokens=self._settings.tokens,
                count=count,
                deadline_s=deadline_s,
            )
        except IndexDamagedError as damage:
            self.source.report_damage(damage)
        except (ContextError, OSError) as error:
            logger.info("nothing is told of other files: %s", error)
        except Exception:  # a fault of ours costs the chunks, not the suggestion
            logger.exception("ranking for %s failed", path)
        return pack

    def keep_only(self, paths: Collection[str]) -> None:
        """The other documents were closed: what the disk holds counts again."""
        kept = {self.source.path_of(path) for path in paths}
        for path in [one for one in self._documents if one not in kept]:
            del self._documents[path]
            self.source.overlay.close(path)

    def close(self) -> None:
        self.source.close()

    def _shown(self, path: str, query: Query) -> FileFacts | None:
        """The facts of the document as it is; shown to other documents too, if it is one to be indexed."""
        from ...context.extraction import FactsOf
        from ...context.index.exclusion import text_or_reason
        from ...context.index.scanner import Found
        from ...context.languages import find_language

        text = query.snapshot.text
        if text_or_reason(path, text.encode("utf-8", "replace"))[1] is not None:
            return None  # it holds a key, say
        document = self._documents.get(path)
        if document is None:
            language = find_language(query.snapshot.language, path)
            if language is None or not isinstance(self._scanner.look(path), Found):
                return None
            document = self._documents[path] = FactsOf(text, language)
        else:
            document.replace(text)
        self.source.overlay.open(path, text, document.facts)
        return document.facts

    def _visit(self, path: str, line: int) -> None:
        """One place per document and ten lines, the latest last."""
        near = [visit for visit in self._visits if visit[0] == path and abs(visit[1] - line) < 10]
        for visit in near:
            del self._visits[visit]
        self._visits[path, line] = None
        while len(self._visits) > _MAX_VISITS:
            self._visits.popitem(last=False)


def _started(folder: str, on_status: OnStatus, on_changes: OnChanges) -> Source:
    from ...context.index.workspace import WorkspaceIndex

    told = Indexing(0, 0)

    def tell(progress: Progress) -> None:
        nonlocal told
        is_over = progress.phase == "done"
        now = Indexing(progress.num_done, progress.num_total, is_over=is_over)
        if is_over or now.num_done - told.num_done >= _SHOWN_EVERY or told.num_total != now.num_total:
            told = now
            on_status(Status("normal", busy=False, message="", indexing=now))

    index = WorkspaceIndex(
        folder, cache_root(), on_progress=tell, on_changes=partial(on_changes, Path(folder))
    )
    index.start()
    return index


def is_project(folder: Path) -> bool:
    """Not somebody's whole home or disk, opened by accident."""
    try:
        whole = folder.resolve()
        return whole.is_dir() and whole not in (Path.home().resolve(), Path(whole.anchor))
    except (OSError, RuntimeError):
        return False
