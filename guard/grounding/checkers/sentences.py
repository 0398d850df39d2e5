"""Names out of sentences, for the checkers whose sentences are simple."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..finding import Fault, Finding
from .dialect import Diagnostic


@dataclass(frozen=True, slots=True)
class Sentences:
    """One table of rules and one of sentences; the groups are `name` and `receiver`."""

    faults: Mapping[str, Fault]
    patterns: Sequence[re.Pattern[str]]
    """The first that fits counts; for the sentence, which is the first line of the message."""
    nearest: re.Pattern[str]
    """Its own "did you mean", in the one group."""

    def read(self, said: Diagnostic, text: str, path: str) -> Finding | None:
        del path
        fault = self.faults.get(said.code)
        if fault is None:
            return None
        sentence = said.message.partition("\n")[0]
        matches = (match for pattern in self.patterns if (match := pattern.search(sentence)))
        parts = next((match.groupdict() for match in matches), dict[str, str | None]())
        name = parts.get("name") or ""
        shown = text[said.start : said.end]
        start, end = said.start, said.end
        if name and (at := shown.rfind(name)) != -1:
            start, end = said.start + at, said.start + at + len(name)
        nearest = self.nearest.search(sentence)
        receiver = parts.get("receiver") or ""
        return Finding(fault, start, end, name, receiver, sentence, nearest[1] if nearest else "")
