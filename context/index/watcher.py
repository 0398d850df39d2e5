"""Tells of changes in a workspace: which paths, or that so much changed that a scan is cheaper.

`watchfiles` (the operating system's own notices) where it works; where not (no more watches, some
network drives), a scan every few seconds.  Only folders that the scanner walks are watched: on Linux
each costs a watch, and `node_modules` has thousands.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import watchfiles

from .exclusion import SKIPPED_FOLDERS
from .scanner import RULE_FILES, Listing, Scanner

log = logging.getLogger(__name__)

MAX_CHANGES = 50
"""More at once are a checkout or an installation: then a scan is due."""

_DEBOUNCE_MS = 400
_STEP_MS = 60
_MIN_POLL_S = 2.0
_POLL_SHARE = 20.0
"""Polling takes at most one part in so many of the time."""


@dataclass(frozen=True, slots=True)
class Changes:
    """`paths` are relative to the root; they may have appeared, changed or vanished."""

    paths: frozenset[str]
    rescan: bool
    """Rules or folders changed, or too much did: `paths` is not all of it."""


class Watcher:
    """A thread that calls `on_changes`, never twice at once."""

    def __init__(self, root: Path, on_changes: Callable[[Changes], None], *, poll: bool = False) -> None:
        self._root = root
        self._on_changes = on_changes
        self._scanner = Scanner(root)
        # Windows' drives, seen from a Linux inside it, send no notices.
        self._poll = poll or (root.is_relative_to("/mnt") and "microsoft" in platform.release().lower())
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index-watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait_until_ready(self, timeout_s: float) -> bool:
        """Whether changes from now on are seen."""
        return self._ready.wait(timeout_s)

    def close(self) -> None:
        """Waits for a call of `on_changes` under way."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        if not self._poll:
            try:
                self._listen()
            except (OSError, RuntimeError) as error:
                log.warning(
                    "%s cannot be watched (%s): it is scanned now and then instead", self._root, error
                )
        if not self._stop.is_set():
            self._poll_until_stopped()

    def _listen(self) -> None:
        """Until stopped.  Begins again where folders came or went: the list of those watched is fixed."""
        is_first = True
        while not self._stop.is_set():
            recursive = sys.platform in ("darwin", "win32")
            folders = {""} if recursive else set(self._scanner.scan().folders)
            there = [self._root / folder for folder in sorted(folders)]
            batches = watchfiles.watch(
                *(folder for folder in there if folder.is_dir()),
                watch_filter=None,
                debounce=_DEBOUNCE_MS,
                step=_STEP_MS,
                stop_event=self._stop,
                rust_timeout=500,
                yield_on_timeout=True,
                force_polling=False,
                recursive=recursive,
                ignore_permission_denied=True,
            )
            self._pass_on(batches, missed=not is_first)
            is_first = False
            if not self._root.is_dir():
                return

    def _pass_on(self, batches: Iterator[set[tuple[watchfiles.Change, str]]], *, missed: bool) -> None:
        """Until folders changed.  What happened between two listenings was `missed`: hence a scan."""
        if missed:
            self._on_changes(Changes(frozenset(), rescan=True))
        for batch in batches:
            self._ready.set()
            changes = self._sorted_out(path for _kind, path in batch)
            if changes is None:
                continue
            self._on_changes(changes)
            if changes.rescan and sys.platform not in ("darwin", "win32"):
                return

    def _sorted_out(self, paths: Iterable[str]) -> Changes | None:
        kept: set[str] = set()
        rescan = False
        for path in paths:
            relative = os.path.relpath(path, self._root).replace(os.sep, "/")
            parts = relative.split("/")
            if relative == "." or parts[0] == ".." or not SKIPPED_FOLDERS.isdisjoint(parts):
                continue
            if os.path.isdir(path):  # noqa: PTH112  (many, and no need of objects)
                if not self._scanner.walks(relative):
                    continue
                rescan = True
            rescan |= parts[-1] in RULE_FILES
            kept.add(relative)
        if not kept:
            return None
        return Changes(frozenset(kept), rescan or len(kept) > MAX_CHANGES)

    def _poll_until_stopped(self) -> None:
        before = _stamps(self._scanner.scan())
        self._ready.set()
        pause_s = _MIN_POLL_S
        while not self._stop.wait(pause_s):
            begun = time.monotonic()
            now = _stamps(self._scanner.scan())
            changed = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
            if changed:
                self._on_changes(Changes(frozenset(changed), rescan=len(changed) > MAX_CHANGES))
            before = now
            pause_s = max(_MIN_POLL_S, _POLL_SHARE * (time.monotonic() - begun))


def _stamps(listing: Listing) -> dict[str, object]:
    found: dict[str, object] = {one.path: one.stamp for one in listing.found}
    found.update((one.path, one.reason) for one in listing.refused)
    return found
