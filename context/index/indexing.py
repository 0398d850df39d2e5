"""From files to rows: read, look up, extract, write.  Runs in a worker, and in an editor after a save."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from ..extraction import CountedFacts, extract_counted
from .scanner import NO_STAMP, Found, Refused, Scanner
from .source import key_of, read, text_of
from .store import Prepared, Store

log = logging.getLogger(__name__)


def index_files(
    store: Store,
    scanner: Scanner,
    files: Sequence[Found],
    *,
    on_file: Callable[[str], None] = lambda _path: None,
) -> None:
    """Writes the facts of `files`, in one transaction.  `on_file` is told each path before it is read."""
    prepared: list[Prepared] = []
    gone: list[str] = []
    for found in files:
        on_file(found.path)
        one = _prepare(store, scanner, found)
        if one is None:
            gone.append(found.path)
        else:
            prepared.append(one)
    _write(store, scanner, files, prepared, gone, keep_old=True)


def update_files(store: Store, scanner: Scanner, paths: Iterable[str]) -> bool:
    """Brings a few paths up to date after they changed, appeared or vanished; whether anything differs.

    A path that was a folder stands for everything in it.
    """
    files: list[Found] = []
    prepared: list[Prepared] = []
    gone: list[str] = []
    for path in sorted(set(paths)):
        known, judged = store.entry(path), scanner.look(path)
        one = None
        if isinstance(judged, Refused):
            one = Prepared(path, NO_STAMP, reason=judged.reason)
            if known is not None and known.reason == judged.reason:
                continue
        elif judged is not None:
            if known is not None and known.stamp == judged.stamp:
                continue
            one = _prepare(store, scanner, judged)
            files.append(judged)
        if one is not None:
            prepared.append(one)
        elif known is not None:
            gone.append(path)
        elif not scanner.walks(path):
            gone += store.paths_below(path + "/")
    if prepared or gone:
        _write(store, scanner, files, prepared, gone, keep_old=False)
    return bool(prepared or gone)


def _write(
    store: Store,
    scanner: Scanner,
    files: Sequence[Found],
    prepared: Sequence[Prepared],
    gone: Sequence[str],
    *,
    keep_old: bool,
) -> None:
    lost = {one.path for one in store.apply(prepared, gone, keep_old=keep_old)}
    if lost:  # their facts were there when we looked and have been dropped since
        again = [_prepare(store, scanner, found, anew=True) for found in files if found.path in lost]
        store.apply([one for one in again if one is not None], keep_old=keep_old)


def _prepare(store: Store, scanner: Scanner, found: Found, *, anew: bool = False) -> Prepared | None:
    """`None` where the file has gone."""
    source = read(scanner.root, found, scanner.max_bytes)
    if source is None:
        return None
    text, reason = text_of(found, source)
    if reason is not None:
        return Prepared(found.path, source.stamp, reason=reason)
    key = key_of(source.data, found.language.name)
    if not anew and store.has(key):
        return Prepared(found.path, source.stamp, key)
    facts = _facts(found, text)
    if facts is None:
        return Prepared(found.path, source.stamp, reason="failed")
    num_lines = text.count("\n") + (not text.endswith("\n") and bool(text))
    return Prepared(found.path, source.stamp, key, facts, num_lines, len(source.data))


def _facts(found: Found, text: str) -> CountedFacts | None:
    try:
        return extract_counted(text, found.language)
    except Exception:  # one file must not keep the others out
        log.exception("no facts could be read from %s", found.path)
        return None
