"""The subjects take turns: what slows one slows the others, so a ratio of neighbours in time holds.

Models of this process decode a few tokens each and swap; a server decodes all of its tokens in one
request.  Who begins changes with every round.  Threads that wait for work go on turning for a while,
here and in a server, so there is a pause whenever the work moves from one process to another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from .machine import Watch
from .prompts import Prompt
from .subject import Clock, LocalSubject, Subject

WARM_UP_TOKENS = 64
SETTLE_S = 0.3


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.  `widths`: tokens one step takes; several at once is what checking a draft costs."""

    prompt_tokens: int = 512
    decode_tokens: int = 64
    rounds: int = 3
    widths: tuple[int, ...] = (1, 2, 4, 8, 16)
    repeats: int = 3
    """Steps of each width in a round."""

    @property
    def capacity(self) -> int:
        """Tokens of context a subject needs."""
        return self.prompt_tokens + self.decode_tokens + max(self.widths)


def measure(
    subjects: Sequence[Subject],
    prompts: Sequence[Prompt],
    plan: Plan,
    *,
    clock: Clock = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    watch: Watch | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """All rounds of all prompts, into the subjects' `rounds`: one for each prompt and round, in one order."""
    turns = _Turns(sleep, watch)
    for subject in subjects:
        tell(f"warming up {subject.name}")
        subject.warm_up(prompts[0].ids[:WARM_UP_TOKENS])
    for number in range(plan.rounds):
        first = number % len(subjects)
        order = [*subjects[first:], *subjects[:first]]
        for prompt in prompts:
            tell(f"round {number + 1} of {plan.rounds}, {prompt.language}: prefill")
            for subject in order:
                with turns.turn(subject):
                    subject.prefill(prompt, plan.capacity, clock)
            tell(f"round {number + 1} of {plan.rounds}, {prompt.language}: decode")
            _decode(order, plan, clock, turns)
        tell(f"round {number + 1} of {plan.rounds}: steps")
        _steps(order, plan, clock, turns)  # after one prompt: a step costs the same in any language


class _Turns:
    """Whose turn it is, and pauses between processes."""

    def __init__(self, sleep: Callable[[float], None], watch: Watch | None) -> None:
        self._sleep = sleep
        self._watch = watch
        self._was_local = True

    @contextmanager
    def turn(self, subject: Subject) -> Generator[None, None, None]:
        is_local = isinstance(subject, LocalSubject)
        if not (is_local and self._was_local):
            self._sleep(SETTLE_S)
        self._was_local = is_local
        # What a server uses in its turn is no disturbance.
        with self._watch if self._watch and is_local else nullcontext():
            yield


def _decode(order: Sequence[Subject], plan: Plan, clock: Clock, turns: _Turns) -> None:
    """Those that decode a few tokens a turn do so all together, when it is the first one's turn."""
    together = [subject for subject in order if subject.turn_tokens]
    for subject in order:
        if not subject.turn_tokens:
            with turns.turn(subject):
                subject.decode(plan.decode_tokens, clock)
        elif subject is together[0]:
            size = min(one.turn_tokens for one in together)
            with turns.turn(subject):
                for start in range(0, plan.decode_tokens, size):
                    for one in together:
                        one.decode(min(size, plan.decode_tokens - start), clock)


def _steps(order: Sequence[Subject], plan: Plan, clock: Clock, turns: _Turns) -> None:
    local = [subject for subject in order if isinstance(subject, LocalSubject)]
    for width in plan.widths:
        for _ in range(plan.repeats):
            for subject in local:
                with turns.turn(subject):
                    subject.step(width, clock)
