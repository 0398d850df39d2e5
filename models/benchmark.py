"""How fast the engine is beside transformers as it comes, measured in one run, turn by turn.

Absolute figures drift with the machine and with who else is using it.  So ours and the reference
take turns all the time, a few tokens each, and a ratio is the median over pairs of neighbours in
time: what slows one slows the other.  Both get the same prompt, the same number of threads and a new
cache each round; ours is fed in the chunks the engine uses, the reference in one call, as
`generate()` would.  Prints nothing.
"""

from __future__ import annotations

import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .errors import BenchmarkError
from .language_model import KV, LanguageModel, Span, feed
from .tokens import StreamDecoder, TokenBytes, Tokenizer

Clock = Callable[[], float]
"""Seconds, from any moment."""

SOURCES = ("shlex.py", "textwrap.py", "argparse.py", "tarfile.py", "inspect.py")
"""Files of the standard library that prompts are made of: real code that every machine has."""

WARM_UP_TOKENS = 64
TURN_TOKENS = 4
"""Tokens one model decodes before it is the other's turn."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.  `widths`: tokens one step takes; several at once is what checking a draft costs."""

    prompt_tokens: int = 512
    decode_tokens: int = 64
    rounds: int = 3
    widths: tuple[int, ...] = (1, 2, 4, 8, 16)
    repeats: int = 3
    """Steps of each width in a round."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The first tokens of `source`."""

    text: str
    ids: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several measurements: the one in the middle, the one that 95 % do not exceed, and the least.

    The least is the nearest to what the machine can do undisturbed.
    """

    median: float
    p95: float
    best: float


@dataclass(frozen=True, slots=True)
class Step:
    tokens: int
    ms: Spread


@dataclass(frozen=True, slots=True)
class Speed:
    """Per second figures are at the median.  `decode_ms` is per token, over all rounds."""

    prefill_ms: Spread
    prefill_tokens_per_s: float
    prefill_characters_per_s: float
    ttft_ms: Spread
    """Text to first token: tokenising, prefill, choosing."""
    decode_ms: Spread
    decode_tokens_per_s: float
    decode_characters_per_s: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Ratios:
    """How many times faster than the reference."""

    prefill: float
    ttft: float
    decode: float
    steps: dict[int, float]
    """By the number of tokens of a step."""


@dataclass(slots=True)
class Subject:
    """A model being measured, and what was measured so far, in seconds.

    `in_chunks`: feed the prompt on the engine's grid, else in one call.
    """

    name: str
    model: LanguageModel
    in_chunks: bool
    prefill_s: list[float] = field(default_factory=list[float])
    ttft_s: list[float] = field(default_factory=list[float])
    decode_s: list[float] = field(default_factory=list[float])
    step_s: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    written: list[int] = field(default_factory=list[int])
    _kv: KV | None = None
    _next: int = 0

    def warm_up(self, ids: Sequence[int]) -> None:
        """First-touch costs (page faults, thread pools) are paid before the clock runs."""
        kv = self.model.new_kv(len(ids) + 1)
        feed(self.model, ids, kv)
        feed(self.model, ids[:1], kv)

    def prefill(self, prompt: Prompt, tokenizer: Tokenizer, capacity: int, clock: Clock) -> None:
        """A cold prompt in a new cache, and the first token."""
        started = clock()
        tokenizer.encode(prompt.text)
        encoded = clock()
        self._kv = self.model.new_kv(capacity)
        length = len(prompt.ids)
        step = self.model.spec.chunk_tokens if self.in_chunks else length
        logits = np.empty(0, dtype=np.float32)
        for start in range(0, length, step):
            end = min(length, start + step)
            span = Span(prompt.ids[start:end], self._kv, num_logits=int(end == length))
            (logits,) = self.model.forward([span])
        computed = clock()
        self._next = int(np.argmax(logits))
        self.ttft_s.append(clock() - started)
        self.prefill_s.append(computed - encoded)

    def decode(self, num_tokens: int, clock: Clock) -> None:
        """Greedy, whatever comes: an end of text does not end the measurement."""
        assert self._kv is not None, "decode follows prefill"
        for _ in range(num_tokens):
            self.written.append(self._next)
            started = clock()
            self._next = int(np.argmax(feed(self.model, [self._next], self._kv)))
            self.decode_s.append(clock() - started)

    def step(self, ids: Sequence[int], clock: Clock) -> None:
        """One call with several tokens and the logits of all, taken back afterwards: what a draft costs."""
        assert self._kv is not None, "step follows prefill"
        length = self._kv.length
        started = clock()
        self.model.forward([Span(ids, self._kv, num_logits=len(ids))])
        self.step_s.setdefault(len(ids), []).append(clock() - started)
        self._kv.truncate(length)

    def speed(self, prompt: Prompt, vocabulary: TokenBytes) -> Speed:
        prefill, decode = _ms(self.prefill_s), _ms(self.decode_s)
        characters = len(_text(self.written, vocabulary)) / len(self.written)  # per token
        return Speed(
            prefill_ms=prefill,
            prefill_tokens_per_s=1000 * len(prompt.ids) / prefill.median,
            prefill_characters_per_s=1000 * len(prompt.text) / prefill.median,
            ttft_ms=_ms(self.ttft_s),
            decode_ms=decode,
            decode_tokens_per_s=1000 / decode.median,
            decode_characters_per_s=1000 * characters / decode.median,
            steps=tuple(Step(tokens, _ms(seconds)) for tokens, seconds in sorted(self.step_s.items())),
        )


def measure(
    subjects: Sequence[Subject],
    prompt: Prompt,
    tokenizer: Tokenizer,
    plan: Plan,
    *,
    clock: Clock = time.perf_counter,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Speed]:
    """All rounds; the subjects take turns, and who is first changes with the round."""
    capacity = len(prompt.ids) + plan.decode_tokens + max(plan.widths)
    for subject in subjects:
        tell(f"warming up {subject.name}")
        subject.warm_up(prompt.ids[:WARM_UP_TOKENS])
    for number in range(plan.rounds):
        turn = list(subjects) if number % 2 == 0 else list(reversed(subjects))
        tell(f"round {number + 1} of {plan.rounds}: prefill")
        for subject in turn:
            subject.prefill(prompt, tokenizer, capacity, clock)
        tell(f"round {number + 1} of {plan.rounds}: decode")
        for start in range(0, plan.decode_tokens, TURN_TOKENS):
            for subject in turn:
                subject.decode(min(TURN_TOKENS, plan.decode_tokens - start), clock)
        tell(f"round {number + 1} of {plan.rounds}: steps")
        for width in plan.widths:
            for _ in range(plan.repeats):
                for subject in turn:
                    subject.step(_repeated(prompt.ids, width), clock)
    return [subject.speed(prompt, tokenizer.vocabulary) for subject in subjects]


def ratios(ours: Subject, reference: Subject) -> Ratios:
    """Medians over pairs measured one after the other, of two subjects of one `measure`."""
    return _ratios(ours, reference, lambda a, b: float(np.median(np.divide(b, a))))


def best_ratios(ours: Subject, reference: Subject) -> Ratios:
    """The best of one against the best of the other: what to look at where the machine was not quiet."""
    return _ratios(ours, reference, lambda a, b: min(b) / min(a))


def _ratios(
    ours: Subject, reference: Subject, faster: Callable[[Sequence[float], Sequence[float]], float]
) -> Ratios:
    return Ratios(
        prefill=faster(ours.prefill_s, reference.prefill_s),
        ttft=faster(ours.ttft_s, reference.ttft_s),
        decode=faster(ours.decode_s, reference.decode_s),
        steps={width: faster(ours.step_s[width], reference.step_s[width]) for width in sorted(ours.step_s)},
    )


def code_prompt(
    tokenizer: Tokenizer, num_tokens: int, sources: Sequence[str] = SOURCES, folder: Path | None = None
) -> Prompt:
    """The first `num_tokens` of source code from Python's own library.

    Raises:
        BenchmarkError: there is no such code here, or not enough of it.
    """
    root = folder or Path(sysconfig.get_path("stdlib"))
    texts: list[str] = []
    ids: list[int] = []
    for name in sources:
        try:
            texts.append((root / name).read_text("utf-8"))
        except OSError as error:
            raise BenchmarkError(
                f"{root / name} cannot be read ({error.strerror}): the prompt is code of Python's standard "
                "library; run with a Python that has its sources"
            ) from error
        ids = tokenizer.encode("".join(texts))
        if len(ids) >= num_tokens:
            break
    else:
        raise BenchmarkError(
            f"a prompt of {num_tokens} tokens is more than there is to read ({len(ids)}): ask for less"
        )
    chosen = tuple(ids[:num_tokens])
    return Prompt(_text(chosen, tokenizer.vocabulary), chosen, " + ".join(sources[: len(texts)]))


def _text(ids: Sequence[int], vocabulary: TokenBytes) -> str:
    decoder = StreamDecoder(vocabulary)
    return "".join(map(decoder.feed, ids)) + decoder.finish()


def _repeated(ids: Sequence[int], count: int) -> list[int]:
    return [ids[i % len(ids)] for i in range(count)]


def _ms(seconds: Sequence[float]) -> Spread:
    middle, high = np.percentile(seconds, [50, 95])
    return Spread(1000 * float(middle), 1000 * float(high), 1000 * min(seconds))
