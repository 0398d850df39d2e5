"""One text being written: which rows to compute next, and which tokens they turn out to be.

The ids of its sequence, with what is known of each:

    [0, kv.length)        computed, and part of the text
    due                   part of the text, to be computed next: the end of the prompt, then the last token
    draft                 a guess, computed along with `due`; kept as far as it is what is chosen

After a pass there is a row of logits after `due` and one after every drafted token.  A row is used when
all before it was right: the token chosen from it is then the one that would have been chosen one by
one, because rows are independent and a sampler draws once for a token, not for a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from .constraints import Constraint
from .language_model import KV, Span
from .prefix_cache import Lease
from .sampling import Sampler, largest, logprob_of
from .speculation import MAX_DRAFT, Drafter, Speculation, Trust, forced
from .stopping import StopMatcher
from .suffix_index import Match
from .tokens import StreamDecoder, Tokenizer
from .wire import CompletionRequest, FinishReason

K = TypeVar("K", bound=KV)

_RANKED = 64
"""Tokens looked at for different beginnings."""


@dataclass(frozen=True, slots=True)
class Written:
    """What can be shown after a token, perhaps nothing; how probable it was, with what was held back."""

    text: str
    logprob: float | None


class Branch(Generic[K]):
    """One choice of a request.  `plan`, compute, `take`, until there is a `finish_reason`."""

    def __init__(
        self,
        choice: int,
        request: CompletionRequest,
        tokenizer: Tokenizer,
        lease: Lease[K],
        constraint: Constraint,
        speculation: Speculation,
        drafter: Drafter | None,
        due: list[int],
    ) -> None:
        self.choice = choice
        self.lease = lease
        self.finish_reason: FinishReason | None = None
        self.output: list[int] = []
        self.drafted_tokens = 0
        self.accepted_tokens = 0
        self._request = request
        self._tokenizer = tokenizer
        self._initial = constraint
        self._constraint = constraint.fork()
        self._speculation = speculation
        self._drafter = drafter
        self._sampler = Sampler(request.sampling, choice)
        self._decoder = StreamDecoder(tokenizer.vocabulary)
        self._matcher = StopMatcher(request.stop)
        self._trust = Trust(speculation.hit_rates)
        self._due = due
        self._match: Match | None = None
        self._draft: list[int] = []
        self._logprobs: list[float] = []
        """Of the tokens written, where they are wanted."""
        self._num_told = 0

    def plan(self, room: int, num_others: int = 0) -> Span:
        """What to compute next, with at most `room` drafted rows, beside `num_others` of others."""
        self._draft = self._drafted(room, num_others)
        return Span([*self._due, *self._draft], self.lease.kv, 1 + len(self._draft))

    def take(self, logits: NDArray[np.float32]) -> list[Written]:
        """`logits` `(1 + drafted, vocabulary)` of the plan; the text of each token that came of it."""
        self._fed()
        kept = self.lease.kv.length - len(self._draft)
        written: list[Written] = []
        for row, drafted in zip(logits, [*self._draft, None], strict=True):
            token_id = self._sampler.choose(row, self._constraint.allowed())
            self._learn(token_id, is_first=not written)
            written.append(self.accept(token_id, self._logprob(row, token_id)))
            if self.finish_reason or token_id != drafted:
                break
            kept += 1
            self.accepted_tokens += 1
        self.lease.kv.truncate(kept)
        del self.lease.ids[kept:]
        return written

    def accept(self, token_id: int, logprob: float | None) -> Written:
        """The next token of the text is this one; what of the text can be shown."""
        text = self._accept(token_id)
        if logprob is None:
            return Written(text, None)
        self._logprobs.append(logprob)
        if not text:
            return Written("", None)
        held_back, self._num_told = self._num_told, len(self._logprobs)
        return Written(text, sum(self._logprobs[held_back:]))

    def _accept(self, token_id: int) -> str:
        self.output.append(token_id)
        self._due = [token_id]
        piece = self._tokenizer.vocabulary[token_id]
        # Control tokens stand for no text: whichever comes, the text is over and none of it leaks.
        if token_id in self._tokenizer.eos_ids or not piece:
            return self._end("stop")
        self._constraint.advance(token_id)
        if self._drafter is not None:
            self._drafter.append(token_id)
        text = self._matcher.feed(self._decoder.feed(token_id))
        if self._matcher.is_stopped:
            self.finish_reason = "stop"
        elif self._constraint.ends_text:
            text += self._end("stop")
        elif len(self.output) == self._request.max_tokens:
            text += self._end("length")
        return text

    def is_fork_at(self, row: NDArray[np.float32]) -> bool:
        """Do choices part here?  Not while the best token only spells what any text must begin with."""
        if self._request.sampling.temperature > 0:
            return True
        best = Sampler(self._request.sampling).choose(row, self._constraint.allowed())
        required = self._constraint.required
        return not required or len(self._tokenizer.vocabulary[best]) > len(required)

    def fork(self, choice: int, lease: Lease[K]) -> tuple[Branch[K], list[Written]]:
        """Another choice that begins with the same tokens, and the texts of these."""
        other = Branch(
            choice, self._request, self._tokenizer, lease, self._initial, self._speculation, None, []
        )
        logprobs = self._logprobs or [None] * len(self.output)
        written = [other.accept(*each) for each in zip(self.output, logprobs, strict=True)]
        other._drafter = self._drafter.fork() if self._drafter else None  # it knows these tokens
        return other, written

    def part(self, logits: NDArray[np.float32], count: int) -> list[int | None]:
        """As `take` of a plan without a draft, but nothing is chosen: how each of `count` choices begins.

        None: as it likes (they sample).  There may be fewer than `count`.
        """
        assert not self._draft, "a draft would have to be checked"
        self._fed()
        if self._request.sampling.temperature > 0:
            return [None] * count
        return [*self._firsts(logits[0], count)]

    def begin(self, logits: NDArray[np.float32], first: int | None) -> Written:
        """Go on from logits `(1, vocabulary)` that all choices share; what can be shown."""
        row = logits[0]
        token_id = self._sampler.choose(row, self._constraint.allowed()) if first is None else first
        return self.accept(token_id, self._logprob(row, token_id))

    def close(self) -> None:
        if self._drafter is not None:
            self._drafter.close()

    def _firsts(self, row: NDArray[np.float32], count: int) -> list[int]:
        """The `count` most likely tokens from which no two texts can come out the same, the best first.

        Of two tokens one of which begins the other only the likelier is taken.  There may be fewer.
        """
        allowed = self._constraint.allowed()
        ids = np.arange(len(row)) if allowed is None else np.asarray(allowed, dtype=np.int64)
        scores = row[ids]
        shortest = len(self._constraint.required)
        found: dict[int, tuple[bytes, bool]] = {}
        for index in largest(scores, min(_RANKED, len(ids))):
            token_id = int(ids[index])
            text, is_end = self._alone(token_id)
            goes_on = len(text) > shortest or is_end
            if goes_on and not any(_may_meet((text, is_end), other) for other in found.values()):
                found[token_id] = (text, is_end)
            if len(found) == count:
                break
        return list(found)

    def _logprob(self, row: NDArray[np.float32], token_id: int) -> float | None:
        return logprob_of(row, token_id) if self._request.logprobs else None

    def _fed(self) -> None:
        self.lease.ids += [*self._due, *self._draft]
        self.drafted_tokens += len(self._draft)

    def _end(self, reason: FinishReason) -> str:
        self.finish_reason = reason
        return self._matcher.feed(self._decoder.finish()) + self._matcher.finish()

    def _drafted(self, room: int, num_others: int) -> list[int]:
        """The draft that pays; remembers what it would have been where none does."""
        self._match = None
        if self._drafter is None:
            return []
        vocabulary, required = self._tokenizer.vocabulary, self._constraint.required
        self._match = self._drafter.find(MAX_DRAFT, required, vocabulary)
        if self._match is None and required:
            # The last token that spells it may go beyond it.
            self._match = forced(self._tokenizer.encode(required.decode("utf-8", "ignore"))[:-1])
        if self._match is None:
            return []
        left = self._request.max_tokens - len(self.output) - 1
        rate = self._trust.rate(self._match.length)
        most = max(0, min(room, left, len(self._match.ids)))
        count = self._speculation.costs.best_length(rate, num_others + len(self._due), most)
        return self._until_end(self._match.ids[:count])

    def _until_end(self, ids: list[int]) -> list[int]:
        """Ids before the first that would end the text: what comes after it is never wanted."""
        for at, token_id in enumerate(ids):
            piece = self._tokenizer.vocabulary[token_id]
            if not piece or any(stop.encode() in piece for stop in self._request.stop if stop):
                return ids[:at]
        return ids

    def _learn(self, token_id: int, *, is_first: bool) -> None:
        """Only of the first token of a match: it is known also when nothing was drafted."""
        if self._match is not None and is_first:
            self._trust.learn(self._match.length, is_hit=token_id == self._match.ids[0])

    def _alone(self, token_id: int) -> tuple[bytes, bool]:
        """What a token stands for, and whether the text ends with it."""
        piece = self._tokenizer.vocabulary[token_id]
        if token_id in self._tokenizer.eos_ids or not piece:
            return b"", True
        places = [at for stop in self._request.stop if stop and (at := piece.find(stop.encode())) >= 0]
        return (piece[: min(places)], True) if places else (piece, False)


def _may_meet(one: tuple[bytes, bool], other: tuple[bytes, bool]) -> bool:
    """Can two texts that begin with these be the same?  `True`: it is the whole of it."""
    (a, a_is_end), (b, b_is_end) = one, other
    if a_is_end and b_is_end:
        return a == b
    return (a.startswith(b) and not b_is_end) or (b.startswith(a) and not a_is_end)
