"""Walks a workspace and says of each file: to be indexed, refused (and why), or no source at all.

Nothing is followed: neither links (so there are no loops and nothing outside the workspace) nor what
changes underneath: files and folders that vanish meanwhile are simply not there.  Nothing is opened
either, except the rule files; content is judged when it is read (`source.read`).
Paths are relative to the root, with `/`; names that are not UTF-8 are kept (`os.fsdecode`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from ..language_table import Language
from ..languages import language_of_path
from .exclusion import (
    MAX_FILE_BYTES,
    SKIPPED_FOLDERS,
    Reason,
    is_environment,
    is_vendored_folder,
    refused_by_name,
)
from .ignoring import ATTRIBUTES_FILE, IGNORE_FILE, Rules, rules_of

RULE_FILES = frozenset({IGNORE_FILE, ATTRIBUTES_FILE})
MAX_FILES = 50_000
"""More are left out, in order of the walk, and the listing says so."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells cheaply that a file is as it was.  Compared for equality only: clocks go back."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        # As SQLite keeps them: signed, 64 bits.
        inode = status.st_ino & 0x7FFF_FFFF_FFFF_FFFF
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode)


NO_STAMP = Stamp(0, 0, 0, 0)
"""Of files that were not looked at; equals no file's."""


@dataclass(frozen=True, slots=True)
class Found:
    path: str
    language: Language
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that would have been indexed but for `reason`, or a folder: its path ends in `/`."""

    path: str
    reason: Reason


@dataclass(slots=True)
class Listing:
    found: list[Found] = field(default_factory=list[Found])
    refused: list[Refused] = field(default_factory=list[Refused])
    folders: list[str] = field(default_factory=list[str])
    """Those that were walked; the root is the empty path."""
    num_other: int = 0
    """Files in no language we know."""
    num_left_out: int = 0
    """Files beyond `MAX_FILES`."""


class Scanner:
    """The rules of one workspace.  Not for several threads at once."""

    def __init__(self, root: Path, *, max_bytes: int = MAX_FILE_BYTES, max_files: int = MAX_FILES) -> None:
        self.root = root
        self.max_bytes = max_bytes
        self.max_files = max_files
        self._base = ""

    def scan(self) -> Listing:
        """Everything, in order of paths within each folder."""
        listing = Listing()
        pending: list[tuple[str, Rules | None]] = [("", self._rules_above())]
        while pending:
            folder, outer = pending.pop()
            inner = list(self._walk_one(folder, outer, listing))
            pending += reversed(inner)
        return listing

    def look(self, path: str) -> Found | Refused | None:
        """What `scan` would say of one file now; `None`: ignored, not there, or no source."""
        reached = self._reached(path)
        if reached is None or _is_folder(reached[0]):
            return None
        return self._judge_file(reached[0], path, reached[1])

    def walks(self, path: str) -> bool:
        """Whether `scan` would go into the folder at `path`."""
        reached = self._reached(path)
        return reached is not None and self._judge_folder(reached[0], path + "/", reached[1]) is True

    def _reached(self, path: str) -> tuple[os.DirEntry[str], Rules | None] | None:
        """The entry at `path` and the rules it is judged by; `None` where `scan` would not come there."""
        rules, folder = self._rules_above(), ""
        parts = path.split("/")
        for nth, part in enumerate(parts, start=1):
            entries = self._entries(folder) or []
            names = frozenset(entry.name for entry in entries)
            entry = next((one for one in entries if one.name == part), None)
            if entry is None or (folder and is_environment(names)):
                return None
            rules = rules_of(self.root / folder, self._base + folder, rules, names)
            if nth == len(parts):
                return entry, rules
            folder += part + "/"
            if self._judge_folder(entry, folder, rules) is not True:
                return None
        return None

    def _walk_one(
        self, folder: str, outer: Rules | None, listing: Listing
    ) -> Iterator[tuple[str, Rules | None]]:
        """Lists one folder; yields those inside it that are to be walked, with the rules they inherit."""
        entries = self._entries(folder)
        if entries is None:
            listing.refused.append(Refused(folder, "unreadable"))
            return
        names = frozenset(entry.name for entry in entries)
        if folder and is_environment(names):
            listing.refused.append(Refused(folder, "vendored"))
            return
        listing.folders.append(folder)
        rules = rules_of(self.root / folder, self._base + folder, outer, names)
        for entry in entries:
            path = folder + entry.name
            if _is_folder(entry):
                verdict = self._judge_folder(entry, path + "/", rules)
                if verdict is True:
                    yield path + "/", rules
                elif isinstance(verdict, Refused):
                    listing.refused.append(verdict)
                continue
            judged = self._judge_file(entry, path, rules)
            if judged is None:
                listing.num_other += 1
            elif isinstance(judged, Refused):
                listing.refused.append(judged)
            elif len(listing.found) >= self.max_files:
                listing.num_left_out += 1
            else:
                listing.found.append(judged)

    def _entries(self, folder: str) -> list[os.DirEntry[str]] | None:
        """In order of names; empty where it vanished, `None` where it may not be listed."""
        try:
            with os.scandir(self.root / folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError:
            return None

    def _judge_folder(self, entry: os.DirEntry[str], path: str, rules: Rules | None) -> Refused | bool | None:
        """`True`: walk it.  `None` where it is not worth a word.  `path` ends in `/`."""
        if not _is_folder(entry) or entry.name in SKIPPED_FOLDERS:
            return None
        whole = self._base + path
        if rules is not None and rules.is_ignored(whole[:-1], is_folder=True):
            return None
        if is_vendored_folder(entry.name):
            # Asked of a file in it: attributes are of files.
            is_own = rules is not None and rules.mark(whole + "x", "vendored") is False
            return True if is_own else Refused(path, "vendored")
        return True

    def _judge_file(self, entry: os.DirEntry[str], path: str, rules: Rules | None) -> Found | Refused | None:
        reason = refused_by_name(path)
        language = language_of_path(entry.name)
        if language is None and reason != "sensitive":
            return None
        whole = self._base + path
        if rules is not None and rules.is_ignored(whole, is_folder=False):
            return None
        if reason == "generated" and rules is not None and rules.mark(whole, "generated") is False:
            reason = None
        if language is None or reason is not None:
            return Refused(path, reason or "unreadable")
        if rules is not None:
            if rules.mark(whole, "vendored"):
                return Refused(path, "vendored")
            if rules.mark(whole, "generated"):
                return Refused(path, "generated")
        return self._judge_status(entry, path, language)

    def _judge_status(self, entry: os.DirEntry[str], path: str, language: Language) -> Found | Refused | None:
        try:
            # Windows leaves the inode out of what it lists.
            status = entry.stat(follow_symlinks=False) if os.name != "nt" else os.lstat(entry.path)
        except FileNotFoundError:
            return None
        except OSError:
            return Refused(path, "unreadable")
        if stat.S_ISLNK(status.st_mode):
            return Refused(path, "link")
        if not stat.S_ISREG(status.st_mode):
            return Refused(path, "unreadable")
        if status.st_size > self.max_bytes:
            return Refused(path, "large")
        return Found(path, language, Stamp.of(status))

    def _rules_above(self) -> Rules | None:
        """Of the repository the root lies in, from its top down to the root, the root's own left out.

        Sets what the paths of rules are relative to: the top.
        """
        tops = [self.root, *self.root.parents]
        depth = next((nth for nth, folder in enumerate(tops) if (folder / ".git").exists()), 0)
        rules: Rules | None = None
        self._base = ""
        for above, folder in pairwise(tops[depth::-1]):
            names = frozenset(name for name in (".git", *RULE_FILES) if os.path.lexists(above / name))
            rules = rules_of(above, self._base, rules, names)
            self._base += folder.name
            if rules is not None and rules.is_ignored(self._base, is_folder=True):
                self._base = ""  # whoever opens an ignored folder means it
                return None
            self._base += "/"
        return rules


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
