"""`Checker` over any language server: one process, one shadow document at a time, answers kept."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from ...errors import CheckerError
from ..finding import Finding
from .dialect import Dialect
from .lsp import Session
from .process import Keeper

NUM_KEPT = 64
"""Answers.  The text without the suggestion is asked for again and again."""
_WORD = re.compile(r"\w+")


class ShadowChecker:
    """Implements `Checker`.  It starts when it is made, in the background."""

    def __init__(self, dialect: Dialect) -> None:
        self.name = dialect.name
        self.root = dialect.root
        self._dialect = dialect
        self._keeper = Keeper(dialect)
        self._turn = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._age = 0
        self._untold: dict[str, None] = {}
        self._memory = threading.Lock()
        self.used_at_s = time.monotonic()
        """When it was asked last, by the monotonic clock."""

    def findings(self, path: str, text: str, deadline_s: float) -> tuple[Finding, ...]:
        until_s = self._until_s(deadline_s)
        key = _key(path, text)
        with self._memory:
            age = self._age
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        with self._session(until_s) as session:
            said = session.diagnostics(path, text, until_s - time.monotonic())
        read = [one for each in said if (one := self._dialect.read(each, text, path)) is not None]
        found = tuple(self._dialect.sift(read))
        with self._memory:
            if age == self._age:
                self._kept[key] = found
                while len(self._kept) > NUM_KEPT:
                    self._kept.popitem(last=False)
        return found

    def members(self, path: str, text: str, offset: int, deadline_s: float) -> tuple[str, ...]:
        until_s = self._until_s(deadline_s)
        word = _WORD.match(text, offset)
        if word is not None:  # servers filter by a name that is there already
            text = text[:offset] + text[word.end() :]
        with self._session(until_s) as session:
            names = session.completions(path, text, offset, until_s - time.monotonic())
        # What every object has is offered for a receiver of which nothing is known.
        return () if all(name.startswith("__") for name in names) else names

    def arguments(self, path: str, text: str, offset: int, deadline_s: float) -> tuple[str, ...]:
        """Parameters of the call whose brackets `offset` is in; empty where that is not known."""
        until_s = self._until_s(deadline_s)
        with self._session(until_s) as session:
            return session.parameters(path, text, offset, until_s - time.monotonic())

    def changed(self, paths: Iterable[str]) -> None:
        """These files are new, different or gone on the disk: what was said may no longer hold.

        Returns at once; the server is told before the next question.
        """
        with self._memory:
            self._age += 1
            self._kept.clear()
            self._untold.update(dict.fromkeys(paths))

    def wait(self, deadline_s: float) -> bool:
        """Whether it is ready, at the latest after `deadline_s`."""
        try:
            self._keeper.session(deadline_s)
        except CheckerError:
            return False
        return True

    @property
    def is_hopeless(self) -> bool:
        """It has failed again and again, and never once come up: what PATH has of it does not run."""
        return self._keeper.is_hopeless

    @property
    def memory_bytes(self) -> int:
        return self._keeper.memory_bytes

    @property
    def pid(self) -> int:
        return self._keeper.pid

    @property
    def reason(self) -> str:
        """Why it failed last; empty if it never did."""
        return self._keeper.reason

    def close(self) -> None:
        self._keeper.close()

    def _until_s(self, deadline_s: float) -> float:
        self.used_at_s = time.monotonic()
        return self.used_at_s + deadline_s

    @contextmanager
    def _session(self, until_s: float) -> Generator[Session]:
        """The session, ours alone."""
        if not self._turn.acquire(timeout=max(until_s - time.monotonic(), 0.0)):
            raise CheckerError(f"{self.name} is busy with another text")
        try:
            session = self._keeper.session(until_s - time.monotonic())
            with self._memory:
                untold, self._untold = self._untold, {}
            if untold:
                session.changed(untold)
            yield session
        finally:
            self._turn.release()


def _key(path: str, text: str) -> bytes:
    return hashlib.blake2b(f"{path}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
