"""The benchmark's arithmetic and fairness, with a scripted model and a clock of our own: nothing is timed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from truepenny.models.benchmark import (
    SOURCES,
    TURN_TOKENS,
    Plan,
    Prompt,
    Subject,
    best_ratios,
    code_prompt,
    measure,
    ratios,
)
from truepenny.models.benchmark_quality import FIRST_POSITION, measure_quality, sample
from truepenny.models.benchmark_run import check, describe, others_cores
from truepenny.models.errors import BenchmarkError
from truepenny.models.hardware import Device, cpu_seconds, processor_name, resident_bytes
from truepenny.models.language_model import Span, never
from truepenny.models.testing import ByteTokenizer, FakeKV, FakeModel

TEXT = "def double(x):\n    return 2 * x\n" * 5
PROMPT = Prompt(TEXT, tuple(TEXT.encode()), "a test")
PLAN = Plan(len(TEXT), decode_tokens=6, rounds=2, widths=(1, 4), repeats=2)


class Machine:
    """Where time passes only in models; `calls` says who was asked for how many tokens at which length."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[str, int, int]] = []

    def clock(self) -> float:
        return self.now


class TimedModel(FakeModel):
    """Takes `seconds` for every call and a tenth of it for every token."""

    def __init__(self, machine: Machine, name: str, seconds: float) -> None:
        super().__init__()
        self.machine, self.name, self.seconds = machine, name, seconds

    def forward(
        self, spans: Sequence[Span], is_cancelled: Callable[[], bool] = never
    ) -> list[NDArray[np.float32]]:
        (span,) = spans
        self.machine.calls.append((self.name, len(span.ids), span.kv.length))
        self.machine.now += self.seconds * (1 + len(span.ids) / 10)
        return super().forward(spans, is_cancelled)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def pair(machine) -> list[Subject]:
    return [
        Subject("ours", TimedModel(machine, "ours", 1.0), in_chunks=True),
        Subject("reference", TimedModel(machine, "reference", 3.0), in_chunks=False),
    ]


# -- speed ----------------------------------------------------------------------------------------


def test_figures_are_what_the_clock_said(machine, pair):
    """160 characters in chunks of 64, 64 and 32 take ours 19 seconds, and one call takes the reference 51."""
    ours, reference = measure(pair, PROMPT, ByteTokenizer(), PLAN, clock=machine.clock)
    assert len(TEXT) == 160
    assert (ours.prefill_ms.median, reference.prefill_ms.median) == pytest.approx((19_000, 51_000))
    assert ours.prefill_tokens_per_s == pytest.approx(160 / 19)
    assert ours.prefill_characters_per_s == pytest.approx(160 / 19)
    assert (ours.decode_ms.median, ours.decode_ms.p95) == pytest.approx((1100, 1100))
    assert ours.decode_tokens_per_s == pytest.approx(1 / 1.1)
    assert [(step.tokens, step.ms.median) for step in ours.steps] == [
        (1, pytest.approx(1100)),
        (4, pytest.approx(1400)),
    ]
    assert ours.ttft_ms.median == pytest.approx(19_000), "tokenising takes no time on this clock"


def test_ratios_say_how_many_times_faster_ours_is(machine, pair):
    """Above one is faster, for each figure by itself."""
    measure(pair, PROMPT, ByteTokenizer(), PLAN, clock=machine.clock)
    found = ratios(*pair)
    assert (found.prefill, found.decode) == pytest.approx((51 / 19, 3.0))
    assert found.steps == pytest.approx({1: 3.0, 4: 3.0})


def test_a_disturbance_that_slows_both_does_not_move_a_ratio(machine, pair):
    """Ten times slower for most of the run, as when somebody else starts a build."""
    slowed = [model for model in (pair[0].model, pair[1].model) if isinstance(model, TimedModel)]

    def tell(message: str) -> None:
        if message.startswith("round 2"):
            for model, seconds in zip(slowed, (10.0, 30.0), strict=True):
                model.seconds = seconds

    measure(pair, PROMPT, ByteTokenizer(), PLAN, clock=machine.clock, tell=tell)
    found = ratios(*pair)
    assert (found.prefill, found.decode) == pytest.approx((51 / 19, 3.0))


def test_the_best_of_each_is_compared_where_pairs_were_disturbed_unevenly(machine, pair):
    """One quiet moment for each model is enough for it."""
    model = pair[0].model
    assert isinstance(model, TimedModel)

    def tell(message: str) -> None:
        model.seconds = 1.0 if message == "round 2 of 3: prefill" else 20.0

    plan = dataclasses.replace(PLAN, rounds=3)
    measure(pair, PROMPT, ByteTokenizer(), plan, clock=machine.clock, tell=tell)
    assert ratios(*pair).prefill == pytest.approx(51 / 19 / 20)
    assert best_ratios(*pair).prefill == pytest.approx(51 / 19)


def test_the_models_take_turns_all_the_time(machine, pair):
    """No model decodes more than a few tokens before the other does; who begins changes each round."""
    measure(pair, PROMPT, ByteTokenizer(), PLAN, clock=machine.clock)
    single = [name for name, tokens, _ in machine.calls if tokens == 1]
    longest, run = 0, 0
    for before, name in zip(["", *single], single, strict=False):
        run = run + 1 if name == before else 1
        longest = max(longest, run)
    assert longest <= 2 * TURN_TOKENS, "two turns meet where the order is reversed"
    first_of_prompt = [name for name, tokens, length in machine.calls if length == 0 and tokens > 1]
    assert first_of_prompt[2:] == ["ours", "reference", "reference", "ours"], "after the warm-up"


def test_every_round_is_cold_and_steps_are_taken_back(machine, pair):
    """A prompt starts in an empty cache, and each step where decoding ended."""
    measure(pair, PROMPT, ByteTokenizer(), PLAN, clock=machine.clock)
    ours = [(tokens, length) for name, tokens, length in machine.calls if name == "ours"][2:]
    one_round = [(64, 0), (64, 64), (32, 128), *((1, 160 + i) for i in range(6))]
    one_round += [(1, 166), (1, 166), (4, 166), (4, 166)]
    assert ours == one_round * 2


def test_an_end_of_text_does_not_end_a_measurement(machine, pair):
    """The scripted model has written all it has to say after a few tokens."""
    plan = dataclasses.replace(PLAN, decode_tokens=40, rounds=1)
    measure(pair, PROMPT, ByteTokenizer(), plan, clock=machine.clock)
    assert len(pair[0].decode_s) == len(pair[0].written) == 40


# -- the prompt -----------------------------------------------------------------------------------


def test_the_prompt_is_code_that_every_machine_has():
    """As many tokens as asked for, and the text they stand for."""
    prompt = code_prompt(ByteTokenizer(), 3000)
    assert len(prompt.ids) == len(prompt.text.encode()) == 3000
    assert "def " in prompt.text
    assert prompt.source == SOURCES[0]


def test_a_longer_prompt_goes_on_in_the_next_file(tmp_path):
    """And says so."""
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / "b.py").write_text("b = 2\n")
    prompt = code_prompt(ByteTokenizer(), 8, ("a.py", "b.py"), tmp_path)
    assert (prompt.text, prompt.source) == ("a = 1\nb ", "a.py + b.py")


@pytest.mark.parametrize(
    ("sources", "message"),
    [(("a.py",), "a prompt of 100 tokens"), (("gone.py",), r"gone\.py cannot be read")],
)
def test_a_prompt_that_cannot_be_had_is_explained(tmp_path: Path, sources, message):
    """Python without its sources, or more tokens than there are."""
    (tmp_path / "a.py").write_text("a = 1\n")
    with pytest.raises(BenchmarkError, match=message):
        code_prompt(ByteTokenizer(), 100, sources, tmp_path)


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (Plan(prompt_tokens=0), "--prompt-tokens 0"),
        (Plan(decode_tokens=0), "--decode-tokens 0"),
        (Plan(rounds=-1), "--rounds -1"),
        (Plan(prompt_tokens=950), "need 1030 tokens of context"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_names_the_number(plan, named):
    """Before minutes are spent on it."""
    check(Plan(), 1000)
    with pytest.raises(BenchmarkError, match=named):
        check(plan, 1000)


# -- quality --------------------------------------------------------------------------------------


class Unigram(FakeModel):
    """Every token is as likely as it always is, whatever came before; says what was asked."""

    def __init__(self, logits: NDArray[np.float32]) -> None:
        super().__init__()
        self.logits = logits
        self.asked: list[tuple[int, int]] = []

    def forward(
        self,
        spans: Sequence[Span],
        is_cancelled: Callable[[], bool] = never,
    ) -> list[NDArray[np.float32]]:
        (span,) = spans
        assert isinstance(span.kv, FakeKV)
        self.asked.append((span.kv.length, span.kv.length + len(span.ids)))
        span.kv.ids.extend(span.ids)
        return [
            np.stack([self.logits] * span.num_logits) if span.num_logits else np.empty((0, 0), np.float32)
        ]


def logits_of(probabilities: Sequence[float]) -> NDArray[np.float32]:
    return (np.log(np.asarray(probabilities)) + 3.0).astype(np.float32)


def test_quality_figures_are_the_textbook_ones():
    """Two models of a three-letter language, worked out by hand; logits may be shifted."""
    p, q = (0.5, 0.25, 0.25), (0.25, 0.5, 0.25)
    ids = [0] * 300
    found = measure_quality(Unigram(logits_of(q)), Unigram(logits_of(p)), ids, 1000)
    assert (found.tokens, found.positions) == (300, 300 - 1 - FIRST_POSITION)
    assert (found.perplexity, found.reference_perplexity) == pytest.approx((4.0, 2.0), rel=1e-5)
    assert found.perplexity_ratio == pytest.approx(2.0, rel=1e-5)
    assert found.perplexity_ratio_error == pytest.approx(0.0, abs=1e-5)
    assert found.kl_mean_nats == pytest.approx(0.5 * math.log(2) - 0.25 * math.log(2), rel=1e-5)
    assert found.same_choice == 0.0


def test_a_model_compared_with_itself_is_perfect():
    """Zero divergence, or something is shifted by one."""
    logits = logits_of(np.random.default_rng(0).dirichlet(np.ones(256)).tolist())
    found = measure_quality(Unigram(logits), Unigram(logits), list(TEXT.encode()), 50)
    assert found.kl_mean_nats == pytest.approx(0.0, abs=1e-9)
    assert (found.perplexity_ratio, found.same_choice) == (pytest.approx(1.0), 1.0)


def test_both_models_read_the_same_text():
    """In the same calls, which are never long: logits of a whole vocabulary take room."""
    ours, reference = Unigram(logits_of([0.5, 0.5])), Unigram(logits_of([0.5, 0.5]))
    ids = [0, 1] * 500
    progress: list[str] = []
    measure_quality(ours, reference, ids, 100, tell=progress.append)
    for model in (ours, reference):
        starts, ends = zip(*model.asked, strict=True)
        assert starts[0] == 0
        assert starts[1:] == ends[:-1], "no gap and nothing twice"
        assert max(end - start for start, end in model.asked) <= 64
    assert ours.asked == reference.asked
    assert ours.asked[-1][1] > max(sample(1000, 100, 0))
    assert progress == ["quality: 50 of 100 positions", "quality: 100 of 100 positions"]


@pytest.mark.parametrize(("tokens", "positions"), [(2000, 300), (40, 300), (17, 5), (3, 300)])
def test_positions_have_a_past_and_a_next_token(tokens, positions):
    """In order, none twice, the same on every machine."""
    found = sample(tokens, positions, 0)
    assert found == sorted(set(found)) == sample(tokens, positions, 0)
    assert 0 < len(found) <= positions
    assert min(found) >= min(FIRST_POSITION, tokens - 2)
    assert max(found) < tokens - 1


# -- the machine ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "cores"),
    [
        ((100.0, 10.0), (130.0, 30.0), 1.0),
        ((100.0, 10.0), (119.5, 30.0), 0.0),
        (None, (1.0, 1.0), None),
        ((1.0, 1.0), None, None),
    ],
    ids=["others", "rounding", "unknown-before", "unknown-after"],
)
def test_what_other_programs_used_is_told(before, after, cores):
    """Core seconds of all but this process, per second of ten."""
    assert others_cores(before, after, 10.0) == cores


def test_our_own_work_is_no_disturbance():
    """The process's own time is a part of everybody's; the counters tick in hundredths of a second."""
    seconds = cpu_seconds()
    assert seconds is None or 0 < seconds[1] <= seconds[0] + 0.1


def test_the_machine_is_described():
    """Figures without it mean nothing."""
    machine = describe(Device("cpu", "2 cores, AVX512", 2, 8 << 30))
    assert machine.processor == processor_name()
    assert machine.processor
    assert {"python", "torch", "transformers", "truepenny"} <= machine.versions.keys()
    assert resident_bytes() >= 0
