"""Drafts: what probably comes next, from text that is there already, to be checked several at a time.

A pass for eight rows costs little more than one for a single row, and code repeats itself: the prompt,
what this request has written, what was written before in the workspace.  A draft is looked up in these
(prompt lookup decoding, Saxena 2023; suffix indices as in REST, He et al. 2023, arXiv:2311.08252),
computed together with the token before it, and kept as far as it is what would have been chosen anyway:
the text is the same with and without.

How long a draft is depends on what longer passes cost on this machine, as measured, and on how often
drafts have been right; of a text where they never are, none is made.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from itertools import accumulate

from .suffix_index import LONGEST_MATCH, Match, SuffixIndex
from .tokens import TokenBytes

MAX_ROWS = 8
"""Rows of a pass that checks drafts, of all its sequences together."""

MAX_DRAFT = MAX_ROWS - 1
_MAX_DOCUMENTS = 8
_MAX_WORKSPACES = 8
_OUTPUT_TOKENS = 8192
"""Two generations of outputs of this size are kept per workspace: about a thousand suggestions."""
_FORCED = 64
"""Stands for the length of the match of a draft that is not a guess."""


class Speculation:
    """What all requests of one engine share: earlier texts by workspace, and what has paid so far."""

    def __init__(self) -> None:
        self.costs = StepCosts()
        self.hit_rates = HitRates()
        self._workspaces: OrderedDict[str, _Workspace] = OrderedDict()

    def drafter(self, prompt: Sequence[int], workspace: str, document: str) -> Drafter:
        """For one text; `close` it at its end.  Indexing a prompt takes a millisecond, its growth less."""
        room = self._workspaces.setdefault(workspace, _Workspace())
        self._workspaces.move_to_end(workspace)
        while len(self._workspaces) > _MAX_WORKSPACES:
            self._workspaces.popitem(last=False)
        # Taken out while in use: another request for the document starts afresh.
        index = room.documents.pop(document, None) or SuffixIndex()
        index.become(prompt)
        return Drafter(prompt[-LONGEST_MATCH:], room, index, document)


class _Workspace:
    """Texts of one workspace.  Prompts by document, least recently used first; outputs in two generations."""

    def __init__(self) -> None:
        self.documents: OrderedDict[str, SuffixIndex] = OrderedDict()
        self._outputs: deque[SuffixIndex] = deque([SuffixIndex()], maxlen=2)

    def keep(self, document: str, index: SuffixIndex) -> None:
        self.documents[document] = index
        self.documents.move_to_end(document)
        if len(self.documents) > _MAX_DOCUMENTS:
            self.documents.popitem(last=False)

    def keep_output(self, ids: Sequence[int]) -> None:
        if len(self._outputs[-1]) > _OUTPUT_TOKENS:
            self._outputs.append(SuffixIndex())
        self._outputs[-1].extend(ids)

    @property
    def outputs(self) -> list[SuffixIndex]:
        """The most recent first."""
        return list(reversed(self._outputs))

    @property
    def others(self) -> list[SuffixIndex]:
        """Prompts of other documents, the most recent first."""
        return list(reversed(self.documents.values()))


class Drafter:
    """Looks up what follows the end of one text.  Knows ids only; what is right it is told by `append`."""

    def __init__(self, tail: Sequence[int], room: _Workspace, index: SuffixIndex, document: str) -> None:
        """`tail`: the end of the text; `index`: that of its prompt."""
        self._room = room
        self._prompt = index
        self._document = document
        # Where the output will be, after the end of the prompt: a match may begin there.
        self._tail = list(tail)
        self._own = SuffixIndex(self._tail)
        self._num_lead = len(self._tail)
        self._is_fork = False

    def append(self, token_id: int) -> None:
        self._tail.append(token_id)
        self._own.extend((token_id,))

    def find(self, count: int, required: bytes, vocabulary: TokenBytes) -> Match | None:
        """What followed the longest match, up to `count` ids that begin to spell `required`."""

        def fits(ids: list[int]) -> bool:
            if not required:
                return True
            spelled = b"".join(vocabulary[i] for i in ids)
            return bool(spelled) and (spelled.startswith(required) or required.startswith(spelled))

        best: Match | None = None
        for index in (self._own, *self._room.outputs, self._prompt, *self._room.others):
            found = index.find(self._tail, count, fits)
            if found is not None and (best is None or found.length > best.length):
                best = found
            if best is not None and best.length >= LONGEST_MATCH:
                break
        return best

    def fork(self) -> Drafter:
        """For another text with the same beginning."""
        other = Drafter(self._tail, self._room, self._prompt, self._document)
        other._num_lead, other._is_fork = self._num_lead, True
        return other

    def close(self) -> None:
        """Keep what was written for later requests."""
        if len(self._tail) > self._num_lead:
            self._room.keep_output(self._tail)
        if not self._is_fork:
            self._room.keep(self._document, self._prompt)


def forced(ids: list[int]) -> Match | None:
    """A draft that is what must come."""
    return Match(_FORCED, ids) if ids else None


class HitRates:
    """How likely the next drafted token is right, by the length of the match: all requests together."""

    _SHARE = 0.02

    def __init__(self) -> None:
        self._rates = {1: 0.2, 2: 0.3, 4: 0.5, 8: 0.7, LONGEST_MATCH: 0.85, _FORCED: 0.95}

    def rate(self, length: int) -> float:
        return self._rates[self._class(length)]

    def learn(self, length: int, *, is_hit: bool) -> None:
        at = self._class(length)
        self._rates[at] += self._SHARE * (is_hit - self._rates[at])

    def _class(self, length: int) -> int:
        return max(at for at in self._rates if at <= length)


class Trust:
    """How far the rates hold for one text: hits over hits expected, the latest counting most."""

    _MEMORY = 0.75

    def __init__(self, rates: HitRates) -> None:
        self._rates = rates
        self._hits = self._expected = 1.0

    def rate(self, length: int) -> float:
        return min(0.97, self._rates.rate(length) * self._hits / self._expected)

    def learn(self, length: int, *, is_hit: bool) -> None:
        """A drafted token would have been right, or not; whether it was computed does not matter."""
        self._hits = self._MEMORY * self._hits + is_hit
        self._expected = self._MEMORY * self._expected + self._rates.rate(length)
        self._rates.learn(length, is_hit=is_hit)


class StepCosts:
    """What a pass for 1 to `MAX_ROWS` rows costs here: measured, and guessed in between and beyond."""

    _SHARE = 0.2
    _OUTLIER = 3.0
    _FADE = 0.03

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}
        self._table = [self._guess(rows) for rows in range(1, MAX_ROWS + 1)]

    def learn(self, num_rows: int, seconds: float) -> None:
        if num_rows > MAX_ROWS:
            return
        known = self._seconds.setdefault(num_rows, seconds)
        seconds = min(seconds, self._OUTLIER * known)  # another program had the processor
        self._seconds[num_rows] = known + self._SHARE * (seconds - known)
        for rows, other in self._seconds.items():
            # What once seemed dear is no longer tried, and would seem so for ever.
            likely = self._seconds[num_rows] * self._guess(rows) / self._guess(num_rows)
            self._seconds[rows] = other - self._FADE * max(0.0, other - likely)
        costs = [self._estimate(rows) for rows in range(1, MAX_ROWS + 1)]
        self._table = list(accumulate(costs, max))  # more rows never cost less

    def cost(self, num_rows: int) -> float:
        """Relative to the others."""
        return self._table[num_rows - 1]

    def best_length(self, rate: float, num_rows: int, most: int) -> int:
        """Drafted tokens that save the most time, beside `num_rows` that are computed anyway."""
        step = self.cost(1)
        per_row = (self.cost(MAX_ROWS) - step) / (MAX_ROWS - 1)
        best, best_saving, hits, chance = 0, 0.0, 0.0, 1.0
        for length in range(1, most + 1):
            chance *= rate
            hits += chance
            in_table = num_rows + length <= MAX_ROWS
            more = self.cost(num_rows + length) - self.cost(num_rows) if in_table else per_row * length
            if hits * step - more > best_saving:
                best, best_saving = length, hits * step - more
        return best

    def _estimate(self, num_rows: int) -> float:
        below = max((rows for rows in self._seconds if rows <= num_rows), default=None)
        above = min((rows for rows in self._seconds if rows >= num_rows), default=None)
        if below is not None and above is not None:
            share = (num_rows - below) / max(1, above - below)
            return self._seconds[below] + share * (self._seconds[above] - self._seconds[below])
        known = above if below is None else below
        assert known is not None, "something has been measured"
        return self._seconds[known] * self._guess(num_rows) / self._guess(known)

    @staticmethod
    def _guess(num_rows: int) -> float:
        return 1.0 + 0.07 * (num_rows - 1)
