"""Code that is nobody else's: the user's own, and the texts of licences.

What stands in the workspace already is not a finding when a suggestion repeats it, and a licence's
own text is meant to be copied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .lexing import U64, Ints, lex
from .winnowing import CHANNELS, Channel, fingerprints, grams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..verdict import Passage
    from .lexing import Lexemes

NEARBY_CHARS = 40_000
"""Of the text before and after: what stands there is the user's own and may be repeated."""
OWN_CHARS = 16_000
"""Of another file, at least; twice as much as the suggestion is long."""
MIN_LINE_CHARS = 12
MAX_OWN_TEXTS = 3

_MARKS = re.compile(
    r"(?i)without any warranty|gnu (?:lesser |affero |library )?general public licen[cs]e"
    r"|permission is hereby granted|redistribution and use in source|\bthe above copyright notice"
    r"|licensed under the|provided [\"'“]?as is|spdx-license-identifier|all rights reserved"
    r"|free software foundation|terms and conditions|merchantability"
)
_CODE_SIGN = re.compile(r"[={}\[\]<>|\\;]|\w\(|\)\s*:$|^\s*(?:def|class|import|from|return|if|for)\b.*:?$")


class Known(Protocol):
    """Anything that can say which k-grams of a query are not worth a word."""

    def places(self, lexemes: Lexemes, channel: Channel) -> Ints:
        """Where known k-grams begin, in order."""
        ...


class OwnCode(Protocol):
    """The user's workspace, asked when something was found: a suggestion may repeat what it has."""

    def texts_like(self, passage: Passage) -> Iterable[str]:
        """Texts of files that may have what the suggestion has, the likeliest first."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class KnownCode:
    """The fingerprints of some texts; some 10 bytes per line."""

    hashes: dict[str, U64]
    """By channel, sorted."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> KnownCode:
        found: dict[str, list[U64]] = {one.name: [] for one in CHANNELS}
        for text in texts:
            lexemes = lex(text)
            for channel in CHANNELS:
                found[channel.name].append(fingerprints(lexemes, channel)[0])
        none = np.empty(0, np.uint64)
        return cls({name: np.unique(np.concatenate([none, *parts])) for name, parts in found.items()})

    @classmethod
    def every_gram_of(cls, text: str) -> KnownCode:
        """All k-grams, not the chosen ones: for one text, so that nothing of it is missed."""
        lexemes = lex(text)
        return cls({one.name: np.unique(grams(lexemes, one)[0]) for one in CHANNELS})

    def places(self, lexemes: Lexemes, channel: Channel) -> Ints:
        kept = self.hashes[channel.name]
        hashes, telling = grams(lexemes, channel)
        if not len(kept) or not len(telling):
            return np.empty(0, np.int64)
        asked = hashes[telling]
        at = np.minimum(np.searchsorted(kept, asked), len(kept) - 1)
        return telling[kept[at] == asked]


def nearby(passage: Passage) -> list[Known]:
    """The user's text round the suggestion, where it has a line of the suggestion already."""
    lines = telling_lines(passage.suggestion)
    pieces = (passage.before[-NEARBY_CHARS:], passage.after[:NEARBY_CHARS])
    return [KnownCode.every_gram_of(text) for text in pieces if any(line in text for line in lines)]


def own(passage: Passage, texts: Iterable[str]) -> list[Known]:
    """What `texts` of the workspace have of the suggestion; of a long one, round where it stands."""
    lines = telling_lines(passage.suggestion)
    shared = [
        (text, places) for text in texts if (places := [at for one in lines if (at := text.find(one)) >= 0])
    ]
    shared.sort(key=lambda one: -len(one[1]))
    found: list[Known] = []
    for text, places in shared[:MAX_OWN_TEXTS]:
        middle = sorted(places)[len(places) // 2]
        reach = max(OWN_CHARS // 2, len(passage.suggestion))
        found.append(KnownCode.every_gram_of(text[max(0, middle - reach) : middle + reach]))
    return found


def telling_lines(suggestion: str) -> list[str]:
    """The lines that are long enough to say something, bare of white space, each once."""
    stripped = dict.fromkeys(line.strip() for line in suggestion.splitlines())
    return [line for line in stripped if len(line) >= MIN_LINE_CHARS]


def covered(places: Ints, count: int, channel: Channel) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of `count` lexemes known k-grams cover.

    Fingerprints may be up to `w` apart in text that is known throughout, so smaller gaps are closed.
    """
    known = np.zeros(count, bool)
    last = -channel.k - channel.w
    for place in places.tolist():
        begin = last if place - last <= channel.k + channel.w else place
        known[begin : place + channel.k] = True
        last = place
    return known


def licences(suggestion: str) -> list[Known]:
    """The texts of licences in the suggestion."""
    return [KnownCode.every_gram_of(suggestion[begin:end]) for begin, end in licence_spans(suggestion)]


def licence_spans(text: str) -> list[tuple[int, int]]:
    """Where `text` speaks of terms and not of a computation: prose round the phrases licences use."""
    if not _MARKS.search(text):
        return []
    spans: list[tuple[int, int]] = []
    begin: int | None = None
    at = 0
    for line in [*text.splitlines(keepends=True), "="]:
        bare = line.strip(" \t\r\n#/*-'\"")
        prose = not bare or not _CODE_SIGN.search(bare)
        if prose and begin is None:
            begin = at
        elif not prose and begin is not None:
            if _MARKS.search(" ".join(text[begin:at].split())):
                spans.append((begin, at))
            begin = None
        at += len(line)
    return spans
