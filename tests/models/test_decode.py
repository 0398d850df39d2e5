"""Prefill and decode of one request, step by step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.models.decode import CHUNK_TOKENS, Generation, prefill_chunks, run
from truepenny.models.language_model import never
from truepenny.models.prefix_cache import PrefixCache
from truepenny.models.prompts.fim import QWEN_CODER, FimParts, FimRenderer
from truepenny.models.speculation import Speculation
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
    speculation: Speculation | None = None,
) -> tuple[str, Usage, list[Started | Piece]]:
    """The text is that of the first choice."""
    cache = cache or fake_cache(model)
    events: list[Started | Piece] = []
    shared = speculation or Speculation()
    generation = Generation(request, TOKENIZER, cache, shared, events.append, model.spec)
    reason = run(generation, model, is_cancelled)
    cache.check_integrity()
    assert cache.stats.num_leased == 0
    return texts_of(events).get(0, ""), generation.usage(reason), events


def texts_of(events: list[Started | Piece]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for event in events:
        if isinstance(event, Piece):
            texts[event.choice] = texts.get(event.choice, "") + event.text
    return texts


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
    generation = Generation(fim("x = "), TOKENIZER, cache, Speculation(), lambda _event: None, model.spec)
    generation.take(model.forward(generation.plan(0)), 0.0)
    assert cache.stats.num_leased == 1
    generation.close()
    generation.close()
    assert cache.stats.num_leased == 0
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
    request = fim("def add(a, b):\n    return ", max_tokens=max_tokens, speculate=False)
    text, usage, _ = generate(model, request)
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
        def forward(self, spans, is_cancelled=never):
            # id 264: no token
            return [np.pad(rows, ((0, 0), (0, 1)), constant_values=20) for rows in super().forward(spans)]

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


# -- several choices -----------------------------------------------------------------------------------


class Undecided(FakeModel):
    """Follows the script, and ranks every other byte behind it."""

    def _after(self, span):
        logits = super()._after(span)
        ranks = np.arange(logits.shape[1], dtype=np.float32) * -0.001
        ranks[128:] -= 1  # text first
        return np.where(logits > 0, np.float32(2), ranks)


def choices(request: CompletionRequest, script: Script | None = None) -> tuple[dict[int, str], list]:
    model = Undecided(script)
    _, _, events = generate(model, request)
    return texts_of(events), events


@given(
    st.integers(2, 8),
    st.sampled_from([(), ("\n",), ("b", "+")]),
    st.sampled_from(["", "a", "é"]),
    st.integers(1, 12),
)
def test_choices_are_different_and_the_first_is_the_usual_one(n, stop, heal, max_tokens):
    """A person who asks for others wants others."""
    request = fim("def add(a, b):\n    return ", n=n, stop=stop, heal=heal, max_tokens=max_tokens)
    texts, events = choices(request)
    usual = choices(fim("def add(a, b):\n    return ", stop=stop, heal=heal, max_tokens=max_tokens))[0]
    assert texts.get(0, "") == usual.get(0, "")
    ends = {
        event.choice: event.finish_reason
        for event in events
        if isinstance(event, Piece) and event.finish_reason
    }
    whole = [texts.get(choice, "") for choice in ends]
    assert len(set(whole)) == len(whole) or "\ufffd" in "".join(whole)  # half characters look alike
    assert all(text.startswith(heal) or len(text) < len(heal) or stop or "\ufffd" in text for text in whole)
    assert set(texts) <= set(ends) == set(range(len(ends)))
    assert 1 <= len(ends) <= n


def test_choices_share_the_prompt():
    """It is computed once, and each is what it would be had the prompt begun so."""
    model = Undecided(Script(replies=(("go:", "abc"),), otherwise="def"))
    prompt = tuple(b"x" * 200 + b"go:")
    cache = fake_cache(model)
    text, usage, events = generate(
        model, CompletionRequest(prompt, n=3, max_tokens=9, speculate=False), cache
    )
    assert (text, usage.computed_tokens, usage.reused_tokens) == ("abc", len(prompt), 0)
    assert model.num_forwards == 4 + 4  # four chunks, then all choices together
    texts = texts_of(events)
    for choice in (1, 2):
        alone = generate(
            Undecided(model.script),
            CompletionRequest((*prompt, *texts[choice][:1].encode()), max_tokens=8, speculate=False),
        )[0]
        assert texts[choice] == texts[choice][:1] + alone
    assert usage.completion_tokens == sum(len(text) + 1 for text in texts.values())


def test_sampled_choices_have_seeds_of_their_own():
    """The first is that of a single choice; the same request gives the same choices."""
    sampling = Sampling(temperature=3.0, seed=5)
    request = fim("x = ", n=4, sampling=sampling, max_tokens=8)
    texts = choices(request)[0]
    assert texts == choices(request)[0]
    assert texts[0] == choices(fim("x = ", sampling=sampling, max_tokens=8))[0][0]
    assert len(set(texts.values())) == 4


@pytest.mark.parametrize("n", [1, 3])
def test_a_prompt_can_be_computed_ahead(n):
    """No text, no logits; the request that follows finds it."""
    model = FakeModel()
    cache = fake_cache(model)
    prompt = tuple(b"x" * 150 + b"def add(a, b):\n    return ")
    text, usage, events = generate(model, CompletionRequest(prompt, max_tokens=0, n=n), cache)
    assert (text, usage.finish_reason, usage.completion_tokens) == ("", "length", 0)
    assert [type(event) for event in events] == [Started]
    text, usage, _ = generate(model, CompletionRequest(prompt), cache)
    assert (text, usage.computed_tokens) == ("a + b\n", 1)


def test_workspaces_share_nothing():
    """Not even how long a prompt takes."""
    model = FakeModel()
    cache = fake_cache(model)
    asked = {"mine": 0, "theirs": 0}
    for workspace in asked:
        asked[workspace] = generate(model, fim("x = ", workspace=workspace), cache)[1].reused_tokens
    assert asked == {"mine": 0, "theirs": 0}
    assert generate(model, fim("x = ", workspace="mine"), cache)[1].reused_tokens > 0
