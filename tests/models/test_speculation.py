"""Drafts: the text is the same with and without, and they are made where they pay."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.architecture import Architecture
from truepenny.models.decode import Generation, run
from truepenny.models.engine import Engine, Failure
from truepenny.models.language_model import LanguageModel, ModelSpec
from truepenny.models.linear import Linear, int8_linear
from truepenny.models.packed import quantise_rows
from truepenny.models.prefix_cache import PrefixCache
from truepenny.models.runner import Layer, LeanRunner, Weights
from truepenny.models.speculation import MAX_ROWS, HitRates, Speculation, StepCosts, Trust
from truepenny.models.testing import ByteTokenizer, FakeModel, Script
from truepenny.models.wire import CompletionRequest, Piece, Sampling, Started, Usage

TOKENIZER = ByteTokenizer()
VOCABULARY = 264
SCRIPT = Script(
    replies=(
        ("A:", "one two three one two three one four\nthree one two four\n"),
        ("B:", "é日本é日本é日 x = x + 1\nx = x + 1\ny = x + 1\n"),
    ),
    otherwise="one two x = x\n",
)


class SmoothModel(FakeModel):
    """Also says what else it could have written, so that sampling and choices have something to choose."""

    def _after(self, span):
        logits = super()._after(span)
        for row in logits:
            best = int(row.argmax())
            row[:] = [-((best * 7 + i * 5) % 31) / 8 for i in range(len(row))]
            row[best] = 2.0
        return logits


def tiny_lean() -> LeanRunner:
    """Random int8 weights, a byte vocabulary: its greedy texts soon repeat themselves."""
    hidden, ffn, heads, kv_heads, head_dim, num_layers = 64, 96, 4, 2, 16, 2
    generator = torch.Generator().manual_seed(4)

    def linear(num_out: int, num_in: int) -> Linear:
        weight = torch.randn(num_out, num_in, generator=generator) / num_in**0.5
        rows, scale = quantise_rows(weight.numpy())
        return int8_linear(torch.from_numpy(rows), torch.from_numpy(scale), None, "int_mm")

    width = (heads + 2 * kv_heads) * head_dim
    layers = tuple(
        Layer(
            torch.ones(hidden),
            linear(width, hidden),
            linear(hidden, heads * head_dim),
            torch.ones(hidden),
            linear(2 * ffn, hidden),
            linear(hidden, ffn),
        )
        for _ in range(num_layers)
    )
    table = torch.randn(VOCABULARY, hidden, generator=generator)
    arch = Architecture(
        family="llama",
        num_layers=num_layers,
        hidden=hidden,
        intermediate=ffn,
        num_heads=heads,
        num_kv_heads=kv_heads,
        head_dim=head_dim,
        rope_theta=1e6,
        rms_eps=1e-6,
        vocabulary=VOCABULARY,
        context_length=4096,
        tied_embeddings=False,
        qkv_bias=False,
        bos_id=None,
        add_bos=False,
        eos_ids=(0,),
        chat_template=None,
    )
    weights = Weights(lambda ids: table[ids], layers, torch.ones(hidden), linear(VOCABULARY, hidden))
    return LeanRunner(arch, weights, ModelSpec("tiny", "llama", 0, 0, "", "", 2, VOCABULARY, 4096, 1))


LEAN = tiny_lean()
MODELS = {"fake": lambda: FakeModel(SCRIPT), "smooth": lambda: SmoothModel(SCRIPT), "lean": lambda: LEAN}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny products gain nothing from threads, and on a busy machine wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Cheap(StepCosts):
    """More rows cost nearly nothing, whatever the clock says."""

    def learn(self, num_rows: int, seconds: float) -> None:
        pass


def speculating() -> Speculation:
    speculation = Speculation()
    speculation.costs = Cheap()
    return speculation


def write(
    model: LanguageModel,
    request: CompletionRequest,
    speculation: Speculation | None = None,
    cache: PrefixCache | None = None,
) -> tuple[dict[int, str], Usage]:
    events: list[Started | Piece] = []
    cache = cache or PrefixCache(1 << 22, model.new_kv)
    shared = speculation or speculating()
    generation = Generation(request, TOKENIZER, cache, shared, events.append, model.spec)
    reason = run(generation, model)
    cache.check_integrity()
    assert cache.stats.num_leased == 0
    return texts_of(events), generation.usage(reason)


def texts_of(events) -> dict[int, str]:
    texts: dict[int, str] = {}
    for event in events:
        if isinstance(event, Piece):
            texts[event.choice] = texts.get(event.choice, "") + event.text
    return texts


prompts = st.builds(
    lambda words, end: " ".join(words) + end,
    st.lists(st.sampled_from(["one two", "three", "one four\n", "x = x + 1\n", "日本"]), max_size=30),
    st.sampled_from(["A:", "B:", " one two", "x"]),
)
requests = st.builds(
    CompletionRequest,
    prompts.map(lambda text: tuple(text.encode())),
    max_tokens=st.integers(1, 70),
    sampling=st.just(Sampling())
    | st.builds(Sampling, temperature=st.sampled_from([0.3, 1.5]), seed=st.integers(0, 9)),
    stop=st.sampled_from([(), ("\n",), ("two x", "four\nthree"), ("\nx", "ee")]),
    heal=st.sampled_from(["", "", "one", "é", "x = x + 1\nz"]),
    n=st.sampled_from([1, 1, 2, 3, 8]),
    allowed=st.sampled_from([(), (), ("one", "one two three", "x = x + 1\ny")]),
    allowed_only=st.booleans(),
    workspace=st.sampled_from(["", "w"]),
    document=st.sampled_from(["", "d"]),
)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_drafts_make_no_difference_to_the_text(make):
    """Sampled or greedy, healed, stopped, constrained, several choices; whatever was asked before."""

    @given(st.lists(requests, min_size=1, max_size=4))
    @settings(max_examples=40, deadline=None)
    def check(asked: list[CompletionRequest]) -> None:
        model, speculation = make(), speculating()
        cache = PrefixCache(1 << 22, model.new_kv)
        for request in asked:
            plain, plain_usage = write(make(), replace(request, speculate=False))
            drafted, usage = write(model, request, speculation, cache)
            assert drafted == plain
            assert usage.completion_tokens == plain_usage.completion_tokens
            assert usage.finish_reason == plain_usage.finish_reason
            assert 0 <= usage.accepted_tokens <= usage.drafted_tokens
            assert plain_usage.drafted_tokens == 0

    check()


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_nor_does_company(make):
    """Several requests in one pass, each as it would be alone."""

    @given(st.lists(requests, min_size=2, max_size=4))
    @settings(max_examples=15, deadline=None)
    def check(asked: list[CompletionRequest]) -> None:
        asked = [replace(request, document="") for request in asked]  # nobody supersedes anybody
        alone = [write(make(), replace(request, speculate=False))[0] for request in asked]
        model = make()
        engine = Engine(model, TOKENIZER, PrefixCache(1 << 22, model.new_kv))
        engine.speculation.costs = Cheap()
        try:
            inboxes = [queue.SimpleQueue() for _ in asked]
            for request, inbox in zip(asked, inboxes, strict=True):
                engine.submit(request, inbox.put)
            for inbox, expected in zip(inboxes, alone, strict=True):
                events = [inbox.get(timeout=30)]
                while not isinstance(events[-1], Usage | Failure):
                    events.append(inbox.get(timeout=30))
                assert isinstance(events[-1], Usage), events[-1]
                assert texts_of(events) == expected
        finally:
            engine.close()
        engine.cache.check_integrity()
        assert engine.cache.stats.num_leased == 0

    check()


def test_what_repeats_itself_takes_fewer_passes():
    """That is what it is for."""
    model = FakeModel(SCRIPT)
    request = CompletionRequest(tuple(b"three one two three one two A:"), max_tokens=100)
    _, usage = write(model, request)
    assert usage.accepted_tokens > usage.completion_tokens / 3
    assert model.num_forwards == 1 + usage.completion_tokens - 1 - usage.accepted_tokens


def test_what_was_suggested_before_is_a_draft_of_what_comes():
    """Typing along a suggestion: its rest is there after one pass."""
    model, speculation = FakeModel(Script(replies=(("go:", "the quick brown fox\n"),))), speculating()
    cache = PrefixCache(1 << 20, model.new_kv)
    asked = CompletionRequest(tuple(b"say go:"), workspace="w", document="d")
    write(model, asked, speculation, cache)
    before = model.num_forwards
    texts, usage = write(model, replace(asked, prompt_ids=tuple(b"say go:the")), speculation, cache)
    assert texts == {0: " quick brown fox\n"}
    assert usage.accepted_tokens >= 12
    assert model.num_forwards - before <= 6
    # Another workspace knows nothing of it.
    _, usage = write(model, replace(asked, workspace="other"), speculation)
    assert usage.accepted_tokens == 0


def test_a_draft_rides_along_with_the_end_of_the_prompt():
    """The first token then costs no pass of its own, and the cost says so."""
    model, speculation = FakeModel(Script(replies=(("go:", "abcdef"),))), speculating()
    request = CompletionRequest(tuple(b"twenty or so bytes, go:"), stop=("f",))
    write(model, request, speculation)
    before, events = 0, []
    for _ in range(3):
        before, events = model.num_forwards, []
        cache = PrefixCache(1 << 20, model.new_kv)
        generation = Generation(request, TOKENIZER, cache, speculation, events.append, model.spec)
        run(generation, model)
    assert model.num_forwards - before == 1
    assert isinstance(events[0], Started)
    assert events[0].accepted_tokens == 5


def test_several_choices_share_the_rows():
    """Together never more than one pass is cheap for."""

    class Counting(SmoothModel):
        most = 0

        def forward(self, spans, is_cancelled=lambda: False):
            if len(spans) > 1:
                self.most = max(self.most, sum(len(span.ids) for span in spans))
            return super().forward(spans, is_cancelled)

    model = Counting(SCRIPT)
    _, usage = write(model, CompletionRequest(tuple(b"one two three A:"), n=3, max_tokens=60))
    assert usage.drafted_tokens > 0
    assert 3 < model.most <= MAX_ROWS


def test_drafts_that_are_never_right_are_no_longer_made():
    """And one that is right brings them back."""
    costs, trust = StepCosts(), Trust(HitRates())
    for rows in range(1, 9):
        costs.learn(rows, 0.04 * (1 + 0.08 * rows))
    assert costs.best_length(trust.rate(8), 1, 7) >= 3
    for _ in range(12):
        trust.learn(8, is_hit=False)
    assert costs.best_length(trust.rate(8), 1, 7) == 0
    for _ in range(4):
        trust.learn(8, is_hit=True)
    assert costs.best_length(trust.rate(8), 1, 7) >= 1


def test_where_rows_are_dear_drafts_are_short():
    """As measured: on a machine where eight rows cost eight, only near certainty pays."""
    costs = StepCosts()
    for rows in range(1, 9):
        costs.learn(rows, 0.04 * rows)
    assert costs.best_length(0.9, 1, 7) == 0
    costs = StepCosts()
    costs.learn(1, 0.04)
    costs.learn(8, 0.041)
    assert costs.best_length(0.9, 1, 7) == 7


def test_a_bad_moment_is_forgotten():
    """A pass that was slow once is tried again later."""
    costs = StepCosts()
    costs.learn(1, 0.04)
    costs.learn(4, 0.4)
    assert costs.best_length(0.5, 1, 3) == 0
    for _ in range(200):
        costs.learn(1, 0.04)
    assert costs.best_length(0.5, 1, 3) == 3


@given(st.lists(st.tuples(st.integers(1, 12), st.floats(1e-4, 1.0)), max_size=30))
def test_more_rows_never_seem_cheaper(measured):
    """Whatever the clock said."""
    costs = StepCosts()
    for rows, seconds in measured:
        costs.learn(rows, seconds)
    table = [costs.cost(rows) for rows in range(1, MAX_ROWS + 1)]
    assert table == sorted(table)
