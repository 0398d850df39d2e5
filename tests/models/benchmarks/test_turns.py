"""The benchmark's arithmetic and fairness, with scripted models and a clock of our own: nothing is timed."""

from __future__ import annotations

import dataclasses

import pytest

from truepenny.models.benchmarks.figures import Round, Speed, best_ratios, ratios, speed_of
from truepenny.models.benchmarks.machine import Watch
from truepenny.models.benchmarks.prompts import Prompt
from truepenny.models.benchmarks.subject import TURN_TOKENS, LocalSubject
from truepenny.models.benchmarks.turns import SETTLE_S, Plan, measure
from truepenny.models.testing import ByteTokenizer

from .fakes import Machine, TimedModel

TEXT = "def double(x):\n    return 2 * x\n" * 5
PROMPT = Prompt("python", TEXT, tuple(TEXT.encode()), "a test")
OTHER = Prompt("rust", TEXT[:150], tuple(TEXT[:150].encode()), "another")
PLAN = Plan(len(TEXT), decode_tokens=6, rounds=2, widths=(1, 4), repeats=2)


class Server:
    """Another process: decodes all at once, in half the time of ours."""

    turn_tokens = 0

    def __init__(self, machine: Machine) -> None:
        self.name = "server"
        self.rounds: list[Round] = []
        self._machine = machine

    def warm_up(self, ids):
        self._machine.calls.append((self.name, len(ids), 0))

    def prefill(self, prompt, capacity, clock):
        assert capacity == PLAN.capacity
        self._machine.calls.append((self.name, len(prompt.ids), 0))
        self.rounds.append(Round(prompt, prefill_s=9.5, ttft_s=10.0))

    def decode(self, num_tokens, clock):
        self._machine.calls.append((self.name, 1, num_tokens))
        now = self.rounds[-1]
        now.decode_s, now.clock_decode_s = [0.55], 4.0
        now.written_tokens, now.written_characters = num_tokens, 3 * num_tokens


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def pair(machine) -> list[LocalSubject]:
    return [
        LocalSubject("ours", TimedModel(machine, "ours", 1.0), ByteTokenizer(), in_chunks=True),
        LocalSubject("reference", TimedModel(machine, "reference", 3.0), ByteTokenizer(), in_chunks=False),
    ]


def speeds(subjects, machine, plan=PLAN, prompts=(PROMPT,), **options) -> list[Speed]:
    measure(subjects, prompts, plan, clock=machine.clock, sleep=machine.sleep, **options)
    return [speed_of(subject.rounds) for subject in subjects]


def test_figures_are_what_the_clock_said(machine, pair):
    """160 characters in chunks of 64, 64 and 32 take ours 19 seconds, and one call takes the reference 51."""
    ours, reference = speeds(pair, machine)
    assert len(TEXT) == 160
    assert (ours.prefill_ms.median, reference.prefill_ms.median) == pytest.approx((19_000, 51_000))
    assert ours.prefill_tokens_per_s.median == pytest.approx(160 / 19)
    assert ours.prefill_characters_per_s.best == pytest.approx(160 / 19)
    assert (ours.decode_ms.median, ours.decode_ms.p95) == pytest.approx((1100, 1100))
    assert ours.decode_tokens_per_s.median == pytest.approx(1 / 1.1)
    assert ours.clock_decode_tokens_per_s.median == pytest.approx(1 / 1.1)
    assert [(step.tokens, step.ms.median) for step in ours.steps] == [
        (1, pytest.approx(1100)),
        (4, pytest.approx(1400)),
    ]
    assert ours.ttft_ms.median == pytest.approx(19_000), "tokenising takes no time on this clock"


def test_the_best_round_is_told_beside_the_median(machine, pair):
    """Two of three rounds were disturbed."""
    model = pair[0].model

    def tell(message: str) -> None:
        model.seconds = 1.0 if message.startswith(("round 2", "warming")) else 4.0

    (found, _) = speeds(pair, machine, dataclasses.replace(PLAN, rounds=3), tell=tell)
    assert found.prefill_tokens_per_s.median == pytest.approx(160 / 19 / 4)
    assert found.prefill_tokens_per_s.best == pytest.approx(160 / 19)
    assert found.decode_tokens_per_s.best == pytest.approx(1 / 1.1)


def test_ratios_say_how_many_times_faster_ours_is(machine, pair):
    """Above one is faster, for each figure by itself."""
    speeds(pair, machine)
    found = ratios(pair[0].rounds, pair[1].rounds)
    assert (found.prefill, found.decode) == pytest.approx((51 / 19, 3.0))
    assert found.steps == pytest.approx({1: 3.0, 4: 3.0})


def test_a_disturbance_that_slows_both_does_not_move_a_ratio(machine, pair):
    """Ten times slower for half of the run, as when somebody else starts a build."""

    def tell(message: str) -> None:
        if message.startswith("round 2"):
            for subject, seconds in zip(pair, (10.0, 30.0), strict=True):
                subject.model.seconds = seconds

    speeds(pair, machine, tell=tell)
    found = ratios(pair[0].rounds, pair[1].rounds)
    assert (found.prefill, found.decode) == pytest.approx((51 / 19, 3.0))


def test_the_best_of_each_is_compared_where_pairs_were_disturbed_unevenly(machine, pair):
    """One quiet moment for each model is enough for it."""

    def tell(message: str) -> None:
        pair[0].model.seconds = 1.0 if message.startswith("round 2 of 3, python: prefill") else 20.0

    speeds(pair, machine, dataclasses.replace(PLAN, rounds=3), tell=tell)
    rounds = pair[0].rounds, pair[1].rounds
    assert ratios(*rounds).prefill == pytest.approx(51 / 19 / 20)
    assert best_ratios(*rounds).prefill == pytest.approx(51 / 19)


def test_the_models_take_turns_all_the_time(machine, pair):
    """No model decodes more than a few tokens before the other does; who begins changes each round."""
    speeds(pair, machine)
    single = [name for name, tokens, _ in machine.calls if tokens == 1]
    longest, run = 0, 0
    for before, name in zip(["", *single], single, strict=False):
        run = run + 1 if name == before else 1
        longest = max(longest, run)
    assert longest <= 2 * TURN_TOKENS, "two turns meet where the order is reversed"
    first_of_prompt = [name for name, tokens, length in machine.calls if length == 0 and tokens > 1]
    assert first_of_prompt[2:] == ["ours", "reference", "reference", "ours"], "after the warm-up"
    assert machine.pauses == [], "within one process nothing has to settle"


def test_every_round_is_cold_and_steps_are_taken_back(machine, pair):
    """A prompt starts in an empty cache, and each step where decoding ended."""
    speeds(pair, machine)
    ours = [(tokens, length) for name, tokens, length in machine.calls if name == "ours"][2:]
    one_round = [(64, 0), (64, 64), (32, 128), *((1, 160 + i) for i in range(6))]
    one_round += [(1, 166), (1, 166), (4, 166), (4, 166)]
    assert ours == one_round * 2


def test_an_end_of_text_does_not_end_a_measurement(machine, pair):
    """The scripted model has written all it has to say after a few tokens."""
    speeds(pair, machine, dataclasses.replace(PLAN, decode_tokens=40, rounds=1))
    (found,) = pair[0].rounds
    assert len(found.decode_s) == found.written_tokens == 40


def test_every_language_has_its_turn_in_every_round(machine, pair):
    """Rounds are kept with their prompt, so that each language has figures of its own."""
    speeds(pair, machine, prompts=(PROMPT, OTHER))
    languages = [one.prompt.language for one in pair[0].rounds]
    assert languages == ["python", "rust"] * 2 == [one.prompt.language for one in pair[1].rounds]
    rust = speed_of([one for one in pair[0].rounds if one.prompt is OTHER])
    assert rust.prefill_ms.median == pytest.approx(18_000), "150 tokens in chunks of 64, 64 and 22"


def test_a_server_takes_turns_and_the_machine_settles_in_between(machine, pair):
    """Its own seconds a token are compared with the mean of ours, and its prefill with ours."""
    server = Server(machine)
    watch = Watch()
    measure([*pair, server], [PROMPT], PLAN, clock=machine.clock, sleep=machine.sleep, watch=watch)
    found = ratios(pair[0].rounds, server.rounds)
    assert (found.prefill, found.ttft, found.decode) == pytest.approx((0.5, 10 / 19, 0.5))
    assert found.steps == {}, "it is not asked for steps"
    assert best_ratios(pair[0].rounds, server.rounds).decode == pytest.approx(0.5)
    assert set(machine.pauses) == {SETTLE_S}
    prefills = [
        name for name, tokens, length in machine.calls if tokens == 160 or (tokens, length) == (64, 0)
    ]
    assert prefills[3:] == ["ours", "reference", "server", "reference", "server", "ours"]
    found = speed_of(server.rounds)
    assert found.clock_decode_tokens_per_s.median == pytest.approx(6 / 4.0)
    assert found.decode_characters_per_s.median == pytest.approx(3 / 0.55)
