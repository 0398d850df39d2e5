"""The index of one workspace, as an editor's server holds it: built in the background, kept up to
date, asked through `reader`, with open buffers on top.

Any number of these, in any number of processes, share one database.  Questions can be asked at once;
until the first build is through, the answers are what is there so far.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import ContextError, IndexDamagedError, IndexUnavailableError
from .build import BuildReport, Progress
from .indexing import update_files
from .location import locate
from .overlay import Overlay
from .process import run_build
from .reader import Reader
from .scanner import Scanner
from .schema import file_of, repair
from .store import Store
from .watcher import Changes, Watcher

log = logging.getLogger(__name__)


class WorkspaceIndex:
    """`start` it, ask `reader`, `close` it.

    `on_progress`, `on_note` and `on_changes` are called from other threads; a note is for a person to read:
    the index was damaged and is built anew, or cannot be built.
    """

    def __init__(
        self,
        root: str | Path,
        cache_folder: str | Path,
        *,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        on_note: Callable[[str], None] = log.warning,
        on_changes: Callable[[Changes], None] = lambda _changes: None,
    ) -> None:
        self.location = locate(root, cache_folder)
        self.overlay = Overlay()
        self.reader = Reader(self.location, self.overlay)
        self._on_progress = on_progress
        self._on_note = on_note
        self._on_changes = on_changes
        self._watcher = Watcher(self.location.root, self._changed)
        self._scanner = Scanner(self.location.root)
        self._store: Store | None = None
        self._store_lock = threading.Lock()
        self._state = threading.Condition()
        self._is_wanted = True
        self._is_building = False
        self._cancel = threading.Event()
        self._builder = threading.Thread(target=self._build_when_wanted, name="index-builder", daemon=True)
        self.last_build: BuildReport | None = None

    def start(self) -> None:
        """Begins to build and to watch; returns at once."""
        self._builder.start()
        self._watcher.start()

    def close(self) -> None:
        """Stops a build under way; what it has written stays."""
        self._cancel.set()
        with self._state:
            self._state.notify_all()
        self._watcher.close()
        if self._builder.is_alive():
            self._builder.join()
        with self._store_lock:
            self._drop_store()
        self.reader.close()

    def rescan(self) -> None:
        """Looks at every file again, in the background."""
        with self._state:
            self._is_wanted = True
            self._state.notify_all()

    def wait_until_built(self, timeout_s: float | None = None) -> bool:
        """Whether no build is wanted or under way any more."""
        with self._state:
            return self._state.wait_for(lambda: not (self._is_wanted or self._is_building), timeout_s)

    def wait_until_watching(self, timeout_s: float) -> bool:
        return self._watcher.wait_until_ready(timeout_s)

    def update(self, paths: Iterable[str]) -> None:
        """Brings a few files up to date, here and now: after a save, say.  Paths are relative.

        A fault of the index is told through `on_note`, and a build mends it.
        """
        file = file_of(self.location)
        try:
            with self._store_lock:
                if self._store is None:
                    self._store = Store(self.location)
                else:
                    self._store.renew()
                update_files(self._store, self._scanner, paths)
        except IndexDamagedError as damage:
            self._mend(damage, file)
        except IndexUnavailableError as error:
            self._on_note(str(error))

    def path_of(self, path: str | Path) -> str | None:
        """`path` relative to the workspace, with `/`; `None` where it is outside."""
        whole = Path(path)
        for root in (self.location.root, None):
            try:
                return (whole if root else whole.resolve()).relative_to(self.location.root).as_posix()
            except (ValueError, OSError):
                continue
        return None

    def report_damage(self, damage: IndexDamagedError) -> None:
        """For whoever asked `reader` and was told of damage: the index is built anew."""
        self._mend(damage, file_of(self.location))

    def _mend(self, damage: IndexDamagedError, file: tuple[int, int]) -> None:
        self._on_note(f"{damage}; it is being built anew")
        with self._store_lock:
            self._drop_store()
        self.reader.close()
        try:
            repair(self.location, file)
        except IndexUnavailableError as error:
            self._on_note(str(error))
        self.rescan()

    def _drop_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _changed(self, changes: Changes) -> None:
        if changes.rescan:
            self.rescan()
        else:
            self.update(changes.paths)
        self._on_changes(changes)

    def _build_when_wanted(self) -> None:
        while True:
            with self._state:
                self._is_building = False
                self._state.notify_all()
                self._state.wait_for(lambda: self._is_wanted or self._cancel.is_set())
                if self._cancel.is_set():
                    return
                self._is_wanted, self._is_building = False, True
            try:
                self.last_build = run_build(self.location, on_progress=self._on_progress, cancel=self._cancel)
            except (ContextError, OSError) as error:
                self._on_note(str(error))
            else:
                if self.last_build.note:
                    self._on_note(self.last_build.note)
