"""Prefill and decode of one request, step by step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.models.decode import CHUNK_TOKENS, Generation, prefill_chunks
from truepenny.models.language_model import never
from truepenny.models.prefix_cache import PrefixCache
from truepenny.models.prompts.fim import QWEN_CODER, FimParts, FimRenderer
from truepenny.models.testing import ByteTokenizer, FakeKV, FakeModel, Script, fake_cache
from truepenny.models.wire import CompletionRequest, Piece, Sampling, Started, Usage

TOKENIZER = ByteTokenizer()
FIM = FimRenderer(QWEN_CODER, TOKENIZER)


class SpeakingModel(FakeModel):
    """Says these ids one after the other, whatever the prompt; one more than the fake's vocabulary."""

    def __init__(self, ids: list[int]) -> None:
        super().__init__()
        self._ids = iter(ids)

    def _next(self, ids: list[int]) -> int:
        return next(self._ids)


class CancelAfter:
    """An `is_cancelled` that turns true at its n-th question."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def generate(
    model: FakeModel,
    request: CompletionRequest,
    cache: PrefixCache[FakeKV] | None = None,
    is_cancelled: Callable[[], bool] = never,
) -> tuple[str, Usage, list[Started | Piece]]:
    cache = cache or fake_cache(model)
    events: list[Started | Piece] = []
    generation = Generation(request, model, TOKENIZER, events.append, is_cancelled)
    reasons = list(generation.steps(cache))
    cache.check_integrity()
    assert all(reason is None for reason in reasons[:-1])
    assert reasons[-1] is not None
    text = "".join(event.text for event in events if isinstance(event, Piece))
    return text, generation.usage(reasons[-1]), events


def fim(prefix: str, suffix: str = "", **fields) -> CompletionRequest:
    return CompletionRequest(FIM.render(FimParts(prefix, suffix)).ids, **fields)


def test_the_cost_is_said_before_the_text_and_adds_up():
    """A reader who stops early still knows what it cost."""
    text, usage, events = generate(FakeModel(), fim("def add(a, b):\n    return "))
    assert text == "a + b\n"
    started = events[0]
    assert isinstance(started, Started)
    assert not any(isinstance(event, Started) for event in events[1:])
    assert started.reused_tokens + started.computed_tokens == started.prompt_tokens == usage.prompt_tokens
    assert (usage.reused_tokens, usage.computed_tokens) == (started.reused_tokens, started.computed_tokens)
    assert (usage.finish_reason, usage.completion_tokens) == ("stop", len(text) + 1)


prefixes = st.sampled_from(["", "def add(a, b):\n    return ", "x = "])


@given(st.lists(st.tuples(prefixes, st.text("ab\n", max_size=90))))
def test_warm_and_cold_write_the_same(documents):
    """Whatever was asked before, a request's answer is the one it has alone."""
    script = Script(replies=(("a", "bb\n"), ("b", "é\n"), ("return ", "a + b\n")), otherwise="x\n")
    model = FakeModel(script)
    cache = fake_cache(model, budget_bytes=4000)
    for prefix, suffix in documents:
        request = fim(prefix, suffix, max_tokens=10)
        assert generate(model, request, cache)[0] == generate(FakeModel(script), request)[0]


@pytest.mark.parametrize("prompt_tokens", [CHUNK_TOKENS // 2, 3 * CHUNK_TOKENS])
def test_cancelled_at_any_step_the_cache_stays_sound(prompt_tokens):
    """And the same request, asked again, gets its whole answer."""
    request = CompletionRequest(tuple(b"x" * prompt_tokens + b"def add(a, b):\n    return "), max_tokens=20)
    whole, whole_usage, _ = generate(FakeModel(), request)
    for questions in range(100):
        model = FakeModel()
        cache = fake_cache(model)
        text, usage, _ = generate(model, request, cache, CancelAfter(questions))
        assert whole.startswith(text)
        assert generate(model, request, cache)[0] == whole
        if usage == whole_usage or usage.finish_reason == "stop":
            assert questions > 2
            return
        assert usage.finish_reason == "cancelled"
    raise AssertionError("the request should have run to its end at some point")


def test_closing_a_paused_generation_gives_its_sequence_back():
    """The engine drops a superseded request between two steps."""
    model = FakeModel()
    cache = fake_cache(model)
    steps = Generation(fim("x = "), model, TOKENIZER, lambda _event: None, never).steps(cache)
    assert next(steps) is None
    steps.close()
    assert not any(lease.is_leased for lease in cache._sequences)
    cache.check_integrity()


@pytest.mark.parametrize(
    ("stop", "text", "reason"),
    [
        ((), "one\ntwo\n", "stop"),
        (("\n",), "one", "stop"),
        (("\ntwo",), "one", "stop"),
        (("three",), "one\ntwo\n", "stop"),
        (("\ntwo\nthree",), "one\ntwo\n", "stop"),  # kept back, then shown at the end
        (("one",), "", "stop"),
    ],
)
def test_stop_strings(stop, text, reason):
    """Nothing of them is shown, nothing before them is lost."""
    model = FakeModel(Script(replies=(("go:", "one\ntwo\n"),)))
    shown, usage, _ = generate(model, CompletionRequest(tuple(b"go:"), stop=stop))
    assert (shown, usage.finish_reason) == (text, reason)


@pytest.mark.parametrize("max_tokens", [1, 2, 5])
def test_max_tokens_is_the_most_that_comes(max_tokens):
    """And the last token costs no forward pass whose logits nobody wants."""
    model = FakeModel()
    text, usage, _ = generate(model, fim("def add(a, b):\n    return ", max_tokens=max_tokens))
    assert text == "a + b\n"[:max_tokens]
    assert (usage.finish_reason, usage.completion_tokens) == ("length", max_tokens)
    assert model.num_forwards == 1 + (max_tokens - 1)


def test_half_a_character_at_the_end_is_marked():
    """Cut by max_tokens, the text is still text."""
    text, usage, _ = generate(
        FakeModel(Script(replies=(("go:", "é"),))), CompletionRequest(tuple(b"go:"), max_tokens=1)
    )
    assert (text, usage.finish_reason) == ("\ufffd", "length")


@pytest.mark.parametrize(
    "control", ["<|endoftext|>", "<|im_end|>", "<|im_start|>", "<|fim_middle|>", "<|file_sep|>"]
)
def test_control_tokens_end_the_text_and_are_never_shown(control):
    """A small model does write them."""
    token_id = TOKENIZER.special_id(control)
    assert token_id is not None
    text, usage, _ = generate(SpeakingModel([*b"ab", token_id, *b"cd"]), CompletionRequest((1,)))
    assert (text, usage.finish_reason) == ("ab", "stop")


def test_padding_rows_of_the_output_matrix_end_the_text():
    """Models have more logits than tokens."""

    class Padded(SpeakingModel):
        def forward(self, ids, kv, is_cancelled=never):
            return np.append(super().forward(ids, kv, is_cancelled), np.float32(2.0))  # id 264: no token

    text, usage, _ = generate(Padded([*b"abc"]), CompletionRequest((1,)))
    assert (text, usage.finish_reason) == ("", "stop")


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=2.0, seed=1)])
def test_what_was_typed_comes_first(sampling):
    """Token healing, whatever the model would rather say."""
    request = CompletionRequest(tuple(b"x = self"), heal=".côu", sampling=sampling, max_tokens=12)
    assert generate(FakeModel(), request)[0].startswith(".côu")


@given(st.integers(0, 500), st.integers(1, 300))
def test_chunks_end_on_the_grid(start, length):
    """Together they are the prompt, each at most one chunk."""
    chunks = list(prefill_chunks(start, start + length))
    assert [i for a, b in chunks for i in range(a, b)] == list(range(start, start + length))
    assert all(
        0 < b - a <= CHUNK_TOKENS and (b % CHUNK_TOKENS == 0 or b == start + length) for a, b in chunks
    )


def test_a_large_max_tokens_asks_for_little_room():
    """A client's generous upper bound must not push other documents out of the cache."""
    asked: list[int] = []
    model = FakeModel()
    model.new_kv = lambda capacity: asked.append(capacity) or FakeKV()  # pyright: ignore[reportAttributeAccessIssue]  # a spy
    generate(model, CompletionRequest(tuple(b"go"), max_tokens=100_000, stop=("f",)))
    assert asked[0] < 2000
