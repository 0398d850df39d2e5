"""What of a suggestion stands in licensed code, by how much, and how sure.

Every k-gram of the suggestion, and of the `CONTEXT_LEXEMES` before it, is looked up in both channels;
k-grams found in one file are chained over gaps (`chains`), and a chain counts when it covers
`MIN_COVERAGE` of the stretch it spans.  Names do not count in the renamed channel, so there it must
also be the same things that have other names throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .chains import BAND, MAX_GAP, Chain, best_chain, clusters, consistency, variety
from .known import Known, covered
from .lexing import SHAPE_CODES, Lexemes, lex
from .winnowing import CHANNELS, Channel

if TYPE_CHECKING:
    import numpy.typing as npt

    from .index import LicenceIndex
    from .lexing import U8, Ints
    from .policy import Grade
    from .records import IndexedFile

    Bools = npt.NDArray[np.bool_]

CONTEXT_LEXEMES = 65
WINDOW_LEXEMES = 512
"""A longer suggestion is looked at in pieces, each with the end of the piece before."""

COPY_LEXEMES = 65
NEAR_COPY_LEXEMES = 100
SIMILAR_LEXEMES = 41
NEAR_LEXEMES = 65
"""In the renamed channel: as much as its guarantee, and only if it is most of the suggestion."""
MOST = 0.6
ALL = 0.9
BLOCK_LEXEMES = 20
BLOCK_LINES = 8
"""All of a suggestion of so many lines is a copy with fewer lexemes: much of it is comments."""
MAX_BEGUN = 0.5
"""Of what is left of a cut suggestion, at most so much may be the beginning of the copy."""

MIN_COVERAGE = 0.8
MIN_DIFFERENT = 12
"""Different lexemes in what is shared; fewer are a row of zeros or the like."""
MIN_VARIETY = 24
"""In the renamed channel: different five lexemes in a row."""
MIN_FORTH = 0.85
MIN_BACK = 0.6
MIN_REPEATED_WORDS = 5
MAX_CANDIDATES = 12
_MIN_RUN = {"exact": 8, "renamed": 16}
_TAIL_CHARS = 4_000


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The lexemes of the text before and of the suggestion; those from `first` are the suggestion's."""

    lexemes: Lexemes
    first: int
    offset: int
    """Where the suggestion begins in the text that was lexed."""
    suggestion: str

    @classmethod
    def of(cls, before: str, suggestion: str) -> Query:
        tail = before[-_TAIL_CHARS:]
        if len(tail) < len(before):
            tail = tail[tail.find("\n") + 1 :]
        lexemes = lex(tail + suggestion)
        first = int(np.searchsorted(lexemes.ends, len(tail), side="right"))
        return cls(lexemes, first, len(tail), suggestion)

    def windows(self) -> list[Query]:
        """In pieces of bounded size."""
        pieces: list[Query] = []
        for begin in range(self.first, len(self.lexemes), WINDOW_LEXEMES):
            start = max(0, begin - CONTEXT_LEXEMES)
            part = self.lexemes.part(start, begin + WINDOW_LEXEMES)
            pieces.append(Query(part, begin - start, self.offset, self.suggestion))
        return pieces


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of the suggestion and the file that has it too."""

    file: IndexedFile
    line: int
    grade: Grade
    lexemes: int
    """Matched, and nobody's own or common; the text before counts too."""
    inside: int
    """Those of them in the suggestion."""
    start: int
    end: int
    """Code points of the suggestion."""
    sound_chars: int
    """The longest beginning of the suggestion, in whole lines, that may stay as far as this match goes."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is shared, in lexemes that are nobody's own and not common."""

    lexemes: int
    """The text before counts too."""
    inside: int
    """Of them in the suggestion."""
    size: int
    """All of the suggestion."""
    lines: int
    """Of the suggestion, in which they stand."""


@dataclass(frozen=True, slots=True, eq=False)
class _Silence:
    """Lexemes that are not worth a word, by channel."""

    by_channel: dict[str, Bools]

    def __getitem__(self, channel: Channel) -> Bools:
        return self.by_channel[channel.name]


def search(
    query: Query,
    indexes: tuple[LicenceIndex, ...],
    known: tuple[Known, ...] = (),
    nearby: tuple[Known, ...] = (),
) -> list[Match]:
    """All matches, the greatest share of the suggestion first.

    What is in `known` does not count; what is in `nearby`, the text round the suggestion, does not
    count in the suggestion.
    """
    found: list[Match] = []
    for window in query.windows():
        silence = _silence(window, known, nearby)
        for channel in CHANNELS:
            found += _matches(window, indexes, channel, silence)
            size = len(window.lexemes) - window.first
            if any(one.inside >= size * MIN_COVERAGE for one in found):
                break
    return sorted(found, key=lambda one: (-one.inside, one.file))


def grade_of(channel: Channel, extent: Extent) -> Grade | None:
    """How serious a match is."""
    lexemes, inside = extent.lexemes, extent.inside
    if inside < channel.k // 2:
        return None
    most = inside >= MOST * extent.size
    block = inside >= ALL * extent.size and extent.lines >= BLOCK_LINES
    everything = inside >= ALL * extent.size
    if channel.renamed:
        if lexemes >= NEAR_COPY_LEXEMES or (inside >= NEAR_LEXEMES and most):
            return "near copy"
        if inside >= SIMILAR_LEXEMES and everything:
            return "near copy" if block else "similar"
        return "similar" if lexemes >= NEAR_LEXEMES else None
    if lexemes >= COPY_LEXEMES or (inside >= SIMILAR_LEXEMES and most) or (block and inside >= BLOCK_LEXEMES):
        return "copy"
    return "similar" if lexemes >= SIMILAR_LEXEMES else None


def _silence(query: Query, known: tuple[Known, ...], nearby: tuple[Known, ...]) -> _Silence:
    masks: dict[str, Bools] = {}
    lexemes = query.lexemes
    for channel in CHANNELS:
        mask = np.zeros(len(lexemes), bool)
        for one in (*known, *nearby):
            places = one.places(lexemes, channel)
            if one in nearby:
                places = places[places >= query.first]
            mask |= covered(places, len(lexemes), channel)
        masks[channel.name] = mask
    masks["renamed"] |= masks["exact"]
    return _Silence(masks)


def _matches(
    query: Query, indexes: tuple[LicenceIndex, ...], channel: Channel, silence: _Silence
) -> list[Match]:
    lexemes = query.lexemes
    seeds = [index.seeds(lexemes, channel) for index in indexes]
    silent = silence[channel].copy()
    for one in seeds:
        silent |= covered(one.common, len(lexemes), channel)
    codes = SHAPE_CODES[lexemes.codes] if channel.renamed else lexemes.codes
    found: list[Match] = []
    for index, one in zip(indexes, seeds, strict=True):
        telling = np.array(
            [not silent[place : place + channel.k].all() for place in one.query.tolist()], dtype=bool
        )
        places, asked = one.places[telling], one.query[telling]
        files = index.files_at(places)
        for group in clusters(asked, places, files, len(lexemes))[:MAX_CANDIDATES]:
            if (asked[group] + channel.k - query.first).max() < channel.k // 2:
                continue  # all of it stood there before
            diagonals = places[group] - asked[group]
            low, high = int(diagonals.min()), int(diagonals.max())
            first, end = index.span_of(int(files[group[0]]))
            begin = max(first, low - BAND)
            stop = min(end, high + len(lexemes) + BAND + MAX_GAP)
            theirs = index.codes(begin, stop)
            shapes = SHAPE_CODES[theirs] if channel.renamed else theirs
            chain = best_chain(codes, shapes, begin, (low, high), _MIN_RUN[channel.name])
            if chain is not None and _confirmed(chain, lexemes, theirs, begin, channel):
                found += _match(query, index, channel, chain, silent)
    return found


def _confirmed(chain: Chain, lexemes: Lexemes, theirs: U8, begin: int, channel: Channel) -> bool:
    """Whether the two texts say the same thing, and say anything."""
    if chain.coverage < MIN_COVERAGE:
        return False
    ours, places = chain.pairs()
    if len(np.unique(lexemes.values[ours])) < MIN_DIFFERENT:
        return False
    if not channel.renamed:
        return True
    names = consistency(lexemes.values[ours], theirs[places - begin])
    return (
        variety(SHAPE_CODES[lexemes.codes[ours]]) >= MIN_VARIETY
        and names.words >= MIN_REPEATED_WORDS
        and names.forth >= MIN_FORTH
        and names.back >= MIN_BACK
    )


def _match(query: Query, index: LicenceIndex, channel: Channel, chain: Chain, silent: Bools) -> list[Match]:
    ours, places = chain.pairs()
    loud = ~silent[ours]
    inside = loud & (ours >= query.first)
    if not inside.any():
        return []
    at = ours[inside]
    lexemes, count = query.lexemes, int(loud.sum())
    start = max(0, int(lexemes.starts[at[0]]) - query.offset)
    end = int(lexemes.ends[at[-1]]) - query.offset
    extent = Extent(count, len(at), len(lexemes) - query.first, query.suggestion.count("\n", start, end) + 1)
    grade = grade_of(channel, extent)
    if grade is None:
        return []
    place = int(places[inside][0])
    return [
        Match(
            file=index.files()[index.file_at(place)],
            line=index.line_at(place),
            grade=grade,
            lexemes=count,
            inside=len(at),
            start=start,
            end=end,
            sound_chars=_sound_chars(query, channel, at, count - len(at), start, end),
        )
    ]


def _sound_chars(query: Query, channel: Channel, at: Ints, before: int, start: int, end: int) -> int:
    """How much of the suggestion, in whole lines, is no copy yet and not mostly the beginning of one."""
    ends = query.lexemes.ends - query.offset
    clean = query.suggestion.rfind("\n", 0, start) + 1
    cut = query.suggestion.rfind("\n", 0, end) + 1
    while cut > clean:
        inside = int(np.searchsorted(ends[at], cut, side="right"))
        size = int(np.searchsorted(ends, cut, side="right")) - query.first
        lines = query.suggestion.count("\n", 0, cut)
        grade = grade_of(channel, Extent(before + inside, inside, size, lines))
        if grade in (None, "similar") and inside <= size * MAX_BEGUN:
            return cut
        cut = query.suggestion.rfind("\n", 0, cut - 1) + 1
    return clean
