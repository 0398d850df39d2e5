"""A llama-server as a subject: what it is asked, and what is made of its answers."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from truepenny.models.benchmarks.figures import Rate, Ratios, speed_of
from truepenny.models.benchmarks.peer import connect
from truepenny.models.benchmarks.prompts import Prompt
from truepenny.models.benchmarks.report import MeasuredPeer
from truepenny.models.benchmarks.run import best_peer
from truepenny.models.errors import BenchmarkError
from truepenny.models.testing import ByteTokenizer, FakeModel

from .fakes import Llama, serving

PROMPT = Prompt("python", "x = 1\n" * 10, tuple(b"x = 1\n" * 10), "a test")
SPEC = FakeModel().spec


def test_a_peer_says_what_it_holds():
    """The name of its file, and what else it knows."""
    llama = Llama("Model-Q8_0.gguf")
    llama.meta = {"n_params": 5, "size": 7}
    with serving(llama) as url:
        facts = connect(url + "/v1/").facts
    assert (facts.name, facts.parameters, facts.weights_bytes) == ("Model-Q8_0", 5, 7)
    assert (facts.context_tokens, facts.precision, facts.build) == (4096, "Q4_0", "b1")


def test_a_peer_without_a_path_is_named_as_it_lists_itself():
    llama = Llama()
    llama.props = {}
    with serving(llama) as url:
        assert connect(url).name == "alias"


def test_a_round_is_a_cold_prompt_and_then_tokens():
    """By its own timings; greedy, whatever comes, and the prompt is computed anew each time."""
    llama = Llama(prefill=300.0, decode=25.0)
    with serving(llama) as url:
        peer = connect(url)
        peer.warm_up(PROMPT.ids[:8])
        for _ in range(2):
            peer.prefill(PROMPT, 100, time.perf_counter)
            peer.decode(5, time.perf_counter)
    cold, warm = llama.asked[1:3]
    assert cold["prompt"] == list(PROMPT.ids)
    assert (cold["cache_prompt"], cold["n_predict"]) == (False, 1)
    assert (warm["cache_prompt"], warm["n_predict"]) == (True, 5)
    assert all(body["ignore_eos"] and body["temperature"] == 0 for body in llama.asked)
    speed = speed_of(peer.rounds)
    assert speed.prefill_tokens_per_s.median == pytest.approx(300)
    assert speed.decode_tokens_per_s.median == pytest.approx(25)
    assert speed.decode_characters_per_s.median == pytest.approx(50), "two characters a token"
    assert speed.ttft_ms.median > 0
    assert speed.clock_decode_tokens_per_s.median > 0


def no_timings(llama: Llama) -> None:
    llama.post = lambda path, body: {"content": ""}  # pyright: ignore[reportAttributeAccessIssue]  # a fake's fake


def warm(llama: Llama) -> None:
    llama.is_warm = True


def stuck(llama: Llama) -> None:
    llama.decode = 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (no_timings, "answers without timings"),
        (warm, "computed 1 tokens of a prompt of 60"),
        (stuck, "tokens a second"),
    ],
)
def test_an_answer_that_cannot_be_counted_is_refused(change, message):
    llama = Llama()
    change(llama)
    with serving(llama) as url, pytest.raises(BenchmarkError, match=message):  # noqa: PT012  (either step may be it)
        peer = connect(url)
        peer.prefill(PROMPT, 100, time.perf_counter)
        peer.decode(5, time.perf_counter)


def small(llama: Llama) -> None:
    llama.props["default_generation_settings"]["n_ctx"] = 50


def large(llama: Llama) -> None:
    llama.meta["n_params"] = 1_500_000_000


def foreign(llama: Llama) -> None:
    llama.encode = lambda text: [1, 2, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (small, "room for 50 tokens and 100 are needed: start it with -c 100"),
        (large, "1500 M parameters, and fake has 500 M: start it with the same model"),
        (foreign, "has other tokens than fake"),
    ],
)
def test_a_peer_that_cannot_be_compared_is_refused(change, message):
    """Before anything is measured."""
    llama = Llama()
    spec = replace(SPEC, parameters=500_000_000)
    with serving(llama) as url:
        connect(url).check(spec, ByteTokenizer(), PROMPT, 100)
        change(llama)
        with pytest.raises(BenchmarkError, match=message):
            connect(url).check(spec, ByteTokenizer(), PROMPT, 100)


def test_a_peer_that_is_not_there_is_explained():
    """Not running, still loading its model, or no address at all."""
    llama = Llama()
    llama.is_ready = False
    with (
        serving(llama) as url,
        pytest.raises(BenchmarkError, match=f"--peer {url}: no llama-server is ready"),
    ):
        connect(url)
    for address in (url, "nonsense", "http://["):
        with pytest.raises(BenchmarkError, match="no llama-server is ready there"):
            connect(address)


def test_the_best_peer_is_chosen_for_each_figure():
    """One may be best at prompts and another at tokens."""
    llama = Llama()
    with serving(llama) as url:
        peer = connect(url)
        peer.prefill(PROMPT, 100, time.perf_counter)
        peer.decode(5, time.perf_counter)
    speed = speed_of(peer.rounds)

    def measured(name: str, prefill: float, decode: float) -> MeasuredPeer:
        rates = {"prefill_tokens_per_s": Rate(prefill, prefill), "decode_tokens_per_s": Rate(decode, decode)}
        found = Ratios(400 / prefill, 1.0, 30 / decode, {})
        return MeasuredPeer(replace(peer.facts, name=name), replace(speed, **rates), found, found)

    best = best_peer([measured("Q4", 100, 25), measured("Q8", 200, 20)], None)
    assert (best.prefill, best.prefill_ratio) == ("Q8", 2.0)
    assert (best.decode, best.decode_ratio) == ("Q4", 1.2)
    assert best.effective_decode_ratio is None
