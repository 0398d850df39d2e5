"""A small file of what became of requests, so that `truepenny why` and `truepenny stats` can tell.

One JSON object per line, a `Record` or a change of one; two files of at most 1 MB, for this user
alone.  No code and no names: a document is a keyed hash (`workspace`), a reason is stripped of what
it quotes, and of a finding of the guard only the rule's name is kept.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout

from ...guard.verdict import Action
from ...models.endpoint import RUNTIME_VARIABLE
from ..settings import Settings
from .outcomes import Fate, Outcome, Stage, Way

logger = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
"""Of one file.  When it is full it becomes the older one, whose place it takes."""

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|‘[^’]*’|“[^”]*”|«[^»]*»")
_WORD = re.compile(r"[^\s(),;:!?]+")
_PLAIN_WORD = re.compile(r"[A-Z]?[a-z'’-]+\.?|[A-Z]+|[\d.,%#/+-]+|[–—…·→≥≤<>=+&]+|[a-z]+\+\+|[a-z]#")


@dataclass(frozen=True, slots=True)
class Record:
    """One request, as the journal has it."""

    session: str
    """A random name of the server's run; `id` counts within it."""
    id: str
    at_s: float
    document: str
    """A keyed hash of its path."""
    language: str
    version: int | None
    way: Way
    shown: bool
    reason: str
    stage: Stage
    setting: str
    stage_ms: dict[str, float]
    total_ms: float
    prompt_tokens: int = 0
    reused_tokens: int = 0
    computed_tokens: int = 0
    completion_tokens: int = 0
    num_chars: int = 0
    fate: Fate = "answered"
    displayed_ms: float | None = None
    """None where the editor does not say."""
    accepted_chars: int = 0
    kept: dict[str, float] = field(default_factory=dict[str, float])
    """Share of what was accepted that is still there, by seconds after."""


def record_of(outcome: Outcome, session: str, document: str) -> Record:
    """`document` is its hash."""
    tree = outcome.timing
    return Record(
        session=session,
        id=outcome.id,
        at_s=round(outcome.at_s, 3),
        document=document,
        language=outcome.language,
        version=outcome.version,
        way=outcome.way,
        shown=outcome.shown,
        reason=public_reason(outcome),
        stage=outcome.stage,
        setting=outcome.setting if outcome.setting in setting_names() else "",
        stage_ms={name: round(ms, 2) for name, ms in (tree.sums() if tree else {}).items()},
        total_ms=round(tree.ms, 2) if tree else 0.0,
        prompt_tokens=outcome.prompt_tokens,
        reused_tokens=outcome.reused_tokens,
        computed_tokens=outcome.computed_tokens,
        completion_tokens=outcome.completion_tokens,
        num_chars=outcome.num_chars,
    )


@cache
def setting_names() -> frozenset[str]:
    """All that a person can set, dotted from the top."""
    names: set[str] = set()
    defaults = Settings()
    for group in fields(defaults):
        value = getattr(defaults, group.name)
        inner = fields(value) if is_dataclass(value) else ()
        names |= {f"{group.name}.{one.name}" for one in inner} or {group.name}
    return frozenset(names)


def public_reason(outcome: Outcome) -> str:
    """The reason without anything that may come from a document."""
    if outcome.stage == "guard":
        return f"the guard withheld it{_rules_of(outcome, Action.ANNOTATE)}"
    changes = _rules_of(outcome, Action.REPAIR)
    if outcome.shown and changes:
        doubt = f"; {without_names(outcome.reason)}" if outcome.reason else ""
        return f"the guard changed it{changes}{doubt}"
    return without_names(outcome.reason)


def _rules_of(outcome: Outcome, least: Action) -> str:
    """In brackets, or nothing.  Rules are ours, and say nothing of a document."""
    rules = sorted(
        {f"{verdict.kind}: {verdict.rule}" for verdict in outcome.verdicts if verdict.action >= least}
    )
    return f" ({', '.join(rules)})" if rules else ""


def without_names(reason: str) -> str:
    """Only plain words, numbers and names of settings are left; each other word is an ellipsis."""
    known = setting_names()

    def plain(found: re.Match[str]) -> str:
        word = found[0]
        return word if word in known or _PLAIN_WORD.fullmatch(word) or word == "…" else "…"

    if reason.startswith("internal error"):
        return "internal error, see the log"
    return _WORD.sub(plain, _QUOTED.sub("…", reason))


def journal_folder() -> Path:
    """The cache, or the runtime folder where one was chosen: an environment of one's own stays one."""
    from ...models.store import cache_root  # which brings numpy along

    given = os.environ.get(RUNTIME_VARIABLE)
    return (Path(given) if given else cache_root()) / "journal"


class Journal:
    """Appends, from a thread of its own, so that no request waits for a disk.  Trouble is logged once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._is_broken = False

    def add(self, record: Record) -> None:
        self._thread.submit(self._append, asdict(record))

    def change(self, record: Record, **changed: Any) -> None:
        """Some fields of a record that was added have become these."""
        self._thread.submit(self._append, {"session": record.session, "id": record.id, "changed": changed})

    def close(self) -> None:
        """What was added is written when this returns."""
        self._thread.shutdown(wait=True)

    def _append(self, line: Mapping[str, Any]) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / "journal.jsonl"
            self._turn_over(path)
            # One write, at the end of the file: lines of several servers do not mix.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, (json.dumps(line, separators=(",", ":")) + "\n").encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            if not self._is_broken:
                self._is_broken = True
                logger.warning("the journal in %s cannot be written: %s", self._folder, error)

    def _turn_over(self, path: Path) -> None:
        if not path.exists() or path.stat().st_size < MAX_BYTES:
            return
        try:
            with FileLock(path.with_suffix(".lock"), timeout=0, mode=0o600):
                if path.stat().st_size >= MAX_BYTES:  # else another server was first
                    path.replace(path.with_suffix(".older.jsonl"))
        except Timeout:
            return  # another server is at it


def read_journal(folder: Path) -> list[Record]:
    """Oldest first.  A line that cannot be read, such as one half written, is passed over."""
    records: dict[tuple[str, str], Record] = {}
    for name in ("journal.older.jsonl", "journal.jsonl"):
        try:
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue
        _take(text.splitlines(), records)
    return sorted(records.values(), key=lambda record: record.at_s)


_FIELDS = frozenset(field.name for field in fields(Record))


def _take(lines: Iterable[str], records: dict[tuple[str, str], Record]) -> None:
    for line in lines:
        try:
            raw = cast("dict[str, Any]", json.loads(line))
            key = (str(raw["session"]), str(raw["id"]))
            if "changed" not in raw:
                records[key] = Record(**{name: raw[name] for name in raw if name in _FIELDS})
            elif key in records:
                changed = {name: raw["changed"][name] for name in raw["changed"] if name in _FIELDS}
                records[key] = replace(records[key], **changed)
        except (ValueError, KeyError, TypeError) as error:
            logger.debug("a line of the journal is passed over: %s", error)
