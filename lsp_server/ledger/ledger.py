"""What a session remembers of its answers, for whoever asks later: why, statistics, traces, the journal."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ..confidence.habits import Habits
from ..editor.documents import Documents, path_of
from ..editor.inline import Answer
from .afterlife import Afterlife, Later, Shown
from .journal import Journal, Record, record_of
from .outcomes import Fate, Outcomes
from .stats import Stats, summed_up
from .trace import Trace

logger = logging.getLogger(__name__)

NUM_RECORDS = 1000
"""A record takes a kilobyte; the journal has them all."""


def _loop_later() -> Later:
    return asyncio.get_running_loop().call_later


class Ledger:
    """Belongs to one event loop.  `name_of` hashes a path; without a journal nothing leaves memory."""

    def __init__(
        self,
        documents: Documents,
        name_of: Callable[[str], str],
        journal: Journal | None = None,
        later: Callable[[], Later] = _loop_later,
    ) -> None:
        self.outcomes = Outcomes()
        self.trace = Trace()
        self.keeps_journal = True
        """By setting; whether there is a journal is for whoever starts the server to say."""
        self.habits: Habits | None = None
        """Who else is told what becomes of suggestions."""
        self._documents = documents
        self._name_of = lru_cache(maxsize=1024)(name_of)
        self._journal = journal
        self._session = secrets.token_hex(4)
        self._records: OrderedDict[str, Record] = OrderedDict()
        self._written: set[str] = set()
        self._choices: tuple[str, dict[str, Shown]] = ("", {})
        """The id of the last request that was answered, and its choices by theirs."""
        self._chosen = ""
        self._afterlife = Afterlife(documents, self, later)

    def answered(self, uri: str, answer: Answer) -> None:
        """A request about `uri` came to this."""
        outcome, asked, placed = answer.outcome, answer.asked, answer.placed
        self.outcomes.add(uri, outcome)
        is_written = self._journal is not None and self.keeps_journal
        record = record_of(outcome, self._session, self._name_of(path_of(uri)) if is_written else "")
        self._records[outcome.id] = record
        if self._journal is not None and is_written:
            self._journal.add(record)
            self._written.add(outcome.id)
        while len(self._records) > NUM_RECORDS:
            self._written.discard(self._records.popitem(last=False)[0])
        selected = asked.selected if asked is not None else None
        self.trace.add(record, outcome.timing, asked.query if asked is not None else None, selected, placed)
        if asked is not None and placed is not None:
            choices = {each.outcome.id: _shown(uri, each) for each in (answer, *answer.others)}
            self._choices = (outcome.id, {id_: shown for id_, shown in choices.items() if shown is not None})
            self._choose(outcome.id)

    def shown(self, id_: str) -> None:
        """The editor says that this suggestion is on the screen."""
        id_ = self._choose(id_)
        if self._mark(id_, "displayed"):
            self._afterlife.displayed(id_)

    def taken(self, id_: str, length: int | None = None) -> None:
        """The editor says that it was accepted: whole, or up to `length` UTF-16 units of its text."""
        id_ = self._choose(id_)
        if length is not None and length <= 0:
            return
        self._afterlife.accepted(id_, length)
        record = self._records.get(id_)
        is_part = length is not None and (record is None or record.fate != "accepted")
        self._mark(id_, "partially_accepted" if is_part else "accepted", length or 0)

    def edited(self, uri: str) -> None:
        """The document was changed or closed: what was displayed in it is gone."""
        self._afterlife.gone(uri)

    def stats(self) -> Stats:
        """Of this session."""
        return summed_up(self._records.values())

    def close(self) -> None:
        """May be called twice."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def displayed(self, id_: str, ms: float) -> None:
        if self.habits is not None:
            self.habits.displayed(id_, ms)
        self._change(id_, displayed_ms=round(ms, 1))

    def accepted(self, id_: str, num_chars: int, *, is_whole: bool) -> None:
        if self.habits is not None:
            self.habits.accepted(id_)
        fate: Fate = "accepted" if is_whole else "partially_accepted"
        self._change(id_, fate=fate, accepted_chars=num_chars)

    def kept(self, id_: str, after_s: int, share: float) -> None:
        record = self._records.get(id_)
        if record is not None:
            self._change(id_, kept={**record.kept, str(after_s): round(share, 3)})

    def _choose(self, id_: str) -> str:
        """The id of its request: the choice that is looked at stands for all."""
        first, choices = self._choices
        if id_ not in choices:
            return id_
        if id_ != self._chosen:
            self._chosen = id_
            self._afterlife.sent(first, choices[id_])
        return first

    def _mark(self, id_: str, fate: Fate, length: int = 0) -> bool:
        is_known = self.outcomes.mark(id_, fate, length)
        if not is_known:
            logger.info("no suggestion %r is remembered to be %s", id_, fate)
        return is_known

    def _change(self, id_: str, **changed: Any) -> None:
        record = self._records.get(id_)
        if record is None:
            return
        self._records[id_] = replace(record, **changed)
        if self._journal is not None and id_ in self._written and self.keeps_journal:
            self._journal.change(record, **changed)


def _shown(uri: str, answer: Answer) -> Shown | None:
    asked, placed = answer.asked, answer.placed
    if asked is None or placed is None:
        return None
    return Shown(uri, placed, max(0, asked.cursor - placed.start), len(asked.document.text))
