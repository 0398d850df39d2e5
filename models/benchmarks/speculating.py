"""Decoding with drafts and without, by the engine as it is: what tokens per second a person really gets.

Each prompt is computed once and stays in the cache; then both ways take turns.  Nothing written before
is remembered from one turn to the next, so this is the least that drafts give: in a session, what was
suggested a moment ago is known too.  What passes cost and how often drafts are right is kept, as an
engine keeps it.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..engine import Engine, Event, Failure, LoadedModel
from ..errors import BenchmarkError
from ..speculation import MAX_ROWS, Speculation
from ..wire import CompletionRequest, Piece, Usage
from .prompts import Prompt

CACHE_BYTES = 256 << 20
FEWEST_TOKENS = 8
"""A shorter text says nothing about speed."""


@dataclass(frozen=True, slots=True)
class DraftedText:
    """One prompt.  Seconds hold all of a request but its queue; the prompt's last token is one of the steps.

    `ratio`: median over the rounds of plain time by time with drafts; `ratio_best`: best by best.
    """

    language: str
    source: str
    tokens: int
    drafted_tokens: int
    accepted_tokens: int
    plain_tokens_per_s: float
    tokens_per_s: float
    ratio: float
    ratio_best: float
    is_same_text: bool
    """False: the text differs with drafts, and the figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Effective:
    """Of all prompts: `ratio` is total time by total time, at the medians."""

    plain_tokens_per_s: float
    tokens_per_s: float
    ratio: float
    ratio_median: float
    ratio_worst: float
    accepted_share: float
    """Of the tokens drafted."""
    accepted_per_token: float
    """Of the tokens written, how many came out of a draft."""
    ratio_by_language: dict[str, float]
    pass_cost_by_rows: tuple[float, ...]
    """Of a pass for 1, 2, … rows, as the engine has learnt it; the first is 1."""
    texts: tuple[DraftedText, ...]
    too_short: int
    """Prompts left out: the model had little to add."""


def measure_drafts(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    max_tokens: int,
    rounds: int,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Effective | None:
    """None where no prompt was continued at any length.  Raises BenchmarkError when a request fails."""
    engine = Engine(loaded.model, loaded.tokenizer, loaded.new_cache(CACHE_BYTES))
    try:
        _text(engine, prompts[0], max_tokens, 1)  # the first passes of an engine are slow
        texts: list[DraftedText] = []
        for nth, prompt in enumerate(prompts, start=1):
            tell(f"decoding with drafts and without: prompt {nth} of {len(prompts)}")
            texts.append(_text(engine, prompt, max_tokens, rounds))
        costs = engine.speculation.costs
        by_rows = tuple(costs.cost(rows) / costs.cost(1) for rows in range(1, MAX_ROWS + 1))
    finally:
        engine.close()
    return _effective(texts, by_rows)


def _text(engine: Engine[Any], prompt: Prompt, max_tokens: int, rounds: int) -> DraftedText:
    request = CompletionRequest(prompt.ids, max_tokens=max_tokens)
    _served(engine, replace(request, max_tokens=0))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    texts: dict[bool, str] = {}
    last: dict[bool, Usage] = {}
    for number in range(rounds):
        for speculate in (True, False) if number % 2 else (False, True):
            _forget(engine)
            texts[speculate], usage = _served(engine, replace(request, speculate=speculate))
            seconds[speculate].append((usage.prefill_ms + usage.decode_ms) / 1000)
            last[speculate] = usage
    tokens, drafted = last[False].completion_tokens, last[True]
    plain_s, drafted_s = (float(np.median(seconds[speculate])) for speculate in (False, True))
    return DraftedText(
        language=prompt.language,
        source=prompt.source,
        tokens=tokens,
        drafted_tokens=drafted.drafted_tokens,
        accepted_tokens=drafted.accepted_tokens,
        plain_tokens_per_s=tokens / plain_s,
        tokens_per_s=tokens / drafted_s,
        ratio=float(np.median(np.divide(seconds[False], seconds[True]))),
        ratio_best=min(seconds[False]) / min(seconds[True]),
        is_same_text=texts[False] == texts[True],
    )


def _forget(engine: Engine[Any]) -> None:
    """The texts; not what was learnt of passes and of drafts.  The engine is idle."""
    fresh = Speculation()
    fresh.costs, fresh.hit_rates = engine.speculation.costs, engine.speculation.hit_rates
    engine.speculation = fresh


def _served(engine: Engine[Any], request: CompletionRequest) -> tuple[str, Usage]:
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    engine.submit(request, events.put)
    pieces: list[str] = []
    while True:
        event = events.get()
        if isinstance(event, Usage):
            return "".join(pieces), event
        if isinstance(event, Failure):
            raise BenchmarkError(f"decoding could not be measured: {event.message}")
        if isinstance(event, Piece):
            pieces.append(event.text)


def _effective(texts: Sequence[DraftedText], by_rows: tuple[float, ...]) -> Effective | None:
    long = [text for text in texts if text.tokens >= FEWEST_TOKENS]
    if not long:
        return None
    tokens = sum(text.tokens for text in long)
    accepted = sum(text.accepted_tokens for text in long)
    ratios = [text.ratio for text in long]
    languages = {text.language: [one for one in long if one.language == text.language] for text in long}
    return Effective(
        plain_tokens_per_s=tokens / _plain_s(long),
        tokens_per_s=tokens / _drafted_s(long),
        ratio=_plain_s(long) / _drafted_s(long),
        ratio_median=float(np.median(ratios)),
        ratio_worst=min(ratios),
        accepted_share=accepted / max(1, sum(text.drafted_tokens for text in long)),
        accepted_per_token=accepted / tokens,
        ratio_by_language={name: _plain_s(of) / _drafted_s(of) for name, of in languages.items()},
        pass_cost_by_rows=by_rows,
        texts=tuple(long),
        too_short=len(texts) - len(long),
    )


def _plain_s(texts: Sequence[DraftedText]) -> float:
    return sum(text.tokens / text.plain_tokens_per_s for text in texts)


def _drafted_s(texts: Sequence[DraftedText]) -> float:
    return sum(text.tokens / text.tokens_per_s for text in texts)
