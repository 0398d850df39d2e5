"""How probable each piece of text was, from the logits to the client; and that telling changes nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.client import EngineClient
from truepenny.models.decode import Generation, run
from truepenny.models.endpoint import Endpoint
from truepenny.models.engine import Engine
from truepenny.models.errors import RequestRefusedError
from truepenny.models.hardware import Device
from truepenny.models.language_model import LanguageModel, Span
from truepenny.models.loading import load
from truepenny.models.local_model import make_ready
from truepenny.models.prefix_cache import PrefixCache
from truepenny.models.sampling import logprob_of
from truepenny.models.serving import EngineApi
from truepenny.models.speculation import Speculation
from truepenny.models.store import require
from truepenny.models.testing import ByteTokenizer, FakeKV, FakeModel, Script, fake_cache, fake_chat
from truepenny.models.tokens import Tokenizer
from truepenny.models.transformers_backend import reference
from truepenny.models.wire import CompletionRequest, Piece, Sampling
from truepenny.models.wire_json import completion_from_json, completion_to_json, logprob_from_json


class Uneven(FakeModel):
    """Logits that depend on the last two ids alone, so that a test can work them out again."""

    def _after(self, span):
        super()._after(span)
        assert isinstance(span.kv, FakeKV)
        ids, count = span.kv.ids, span.num_logits
        rows = [self.row(ids[: len(ids) - count + row + 1]) for row in range(count)]
        return np.array(rows, dtype=np.float32).reshape(count, self.spec.vocabulary)

    def row(self, ids: Sequence[int]) -> np.ndarray:
        random = np.random.default_rng([*ids[-2:]])
        return random.normal(scale=3.0, size=self.spec.vocabulary).astype(np.float32)


def pieces_of(
    model: LanguageModel, tokenizer: Tokenizer, cache: PrefixCache[Any], request: CompletionRequest
) -> tuple[list[Piece], list[list[int]]]:
    """What a client sees, and the tokens of each choice."""
    events: list[Any] = []
    generation = Generation(request, tokenizer, cache, Speculation(), events.append, model.spec)
    run(generation, model)
    outputs = [branch.output for branch in generation._branches]
    return [event for event in events if isinstance(event, Piece)], outputs


def log_softmax(row: np.ndarray, token_id: int) -> float:
    return float(torch.log_softmax(torch.from_numpy(row.astype(np.float64)), dim=0)[token_id])


@given(
    st.integers(1, 3),
    st.sampled_from([(), ("\n",), ("ab", "q")]),
    st.sampled_from(["", "é", "x="]),
    st.booleans(),
    st.sampled_from([0.0, 1.5]),
    st.binary(min_size=1, max_size=9),
)
@settings(max_examples=60, deadline=None)
def test_a_choice_has_the_probability_of_its_tokens(n, stop, heal, speculate, temperature, prompt):
    """Before constraints, drafted or not, sampled or not: the sum over a choice's shown pieces is that of
    log-softmax over its tokens, up to the last token that showed anything."""
    request = CompletionRequest(
        tuple(prompt * 3),
        max_tokens=12,
        n=n,
        stop=stop,
        heal=heal,
        speculate=speculate,
        sampling=Sampling(temperature, seed=3),
        logprobs=True,
    )
    model = Uneven()
    pieces, outputs = pieces_of(model, ByteTokenizer(), fake_cache(model), request)
    for choice, output in enumerate(outputs):
        told = [piece.logprob for piece in pieces if piece.choice == choice and piece.text]
        assert all(logprob is not None and logprob <= 0 for logprob in told)
        ids = list(request.prompt_ids)
        sums = [0.0]
        for token_id in output:
            sums.append(sums[-1] + log_softmax(model.row(ids), token_id))
            ids.append(token_id)
        total = sum(logprob for logprob in told if logprob is not None)
        assert any(math.isclose(total, end, abs_tol=1e-4) for end in sums)
        if told and not stop:  # nothing can be held back but half a character
            assert math.isclose(total, sums[-1], abs_tol=1e-4) or output[-1] >= 128


@given(st.integers(1, 3), st.booleans(), st.sampled_from(["", "é"]), st.binary(min_size=1, max_size=9))
@settings(max_examples=30, deadline=None)
def test_telling_changes_no_text(n, speculate, heal, prompt):
    """And nothing is told that was not asked for."""
    seen = []
    for logprobs in (False, True):
        request = CompletionRequest(
            tuple(prompt), max_tokens=12, n=n, heal=heal, speculate=speculate, logprobs=logprobs
        )
        model = Uneven()
        pieces, _ = pieces_of(model, ByteTokenizer(), fake_cache(model), request)
        seen.append([(piece.text, piece.choice, piece.finish_reason) for piece in pieces])
        assert all((piece.logprob is not None) == (logprobs and bool(piece.text)) for piece in pieces)
    assert seen[0] == seen[1]


@given(st.lists(st.floats(-80, 80, width=32), min_size=1, max_size=50), st.data())
def test_log_softmax_is_exact_and_never_overflows(logits, data):
    """As torch has it in double precision."""
    row = np.array(logits, dtype=np.float32)
    token_id = data.draw(st.integers(0, len(logits) - 1))
    assert math.isclose(logprob_of(row, token_id), log_softmax(row, token_id), abs_tol=1e-4)
    assert logprob_of(row, token_id) <= 1e-6


def test_of_a_tiny_model_as_transformers_has_them(tmp_path, hub_folder, monkeypatch):
    """Our own forward pass against the reference's logits, token by token, with drafts and without."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "tiny"
    hub_folder(path, "qwen2")

    class Silent:
        def start(self, total_bytes, what): ...
        def advance(self, done_bytes): ...
        def done(self): ...

    make_ready(str(path), Silent())
    loaded = load(str(path), "fp32", Device("cpu", "a test", 1, 0))
    theirs = reference(require(str(path)))
    prompt = (5, 80, 200, 7, 290, 5, 80, 200)
    for speculate in (False, True):
        request = CompletionRequest(prompt, max_tokens=10, speculate=speculate, logprobs=True)
        cache = loaded.new_cache(1 << 20)
        pieces, (output,) = pieces_of(loaded.model, loaded.tokenizer, cache, request)
        ids: list[int] = list(prompt)
        expected: list[float] = []
        for token_id in output:
            (rows,) = theirs.forward([_span(theirs, ids)])
            expected.append(log_softmax(rows[0], token_id))
            ids.append(token_id)
        told = [piece.logprob for piece in pieces if piece.logprob is not None]
        ends = np.cumsum(expected)
        assert told
        assert all(np.abs(ends - end).min() < 1e-3 for end in np.cumsum(told))


def _span(model: LanguageModel, ids: list[int]) -> Span:
    return Span(ids, model.new_kv(len(ids)))


# -- over the wire ---------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def http():
    model = FakeModel(Script(replies=(("go:", "abc"), ("assistant\n", "hi\n")), otherwise="other\n"))
    engine = Engine(model, ByteTokenizer(), fake_cache(model))
    api = EngineApi(engine, fake_chat(), idle_exit_s=0, token=None, stop=lambda: None)
    transport = httpx.ASGITransport(app=api.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        yield client
    engine.close()


ONE = -math.log(math.exp(10) + 263) + 10
"""The fake's logits: 10 for the token it says, 0 for the 263 others."""


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {"prompt": "go:", "max_tokens": 3, "logprobs": 1}),
        ("/v1/completions", {"prompt": "go:", "max_tokens": 3, "logprobs": 1, "n": 2}),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": "x"}], "max_tokens": 3, "logprobs": True},
        ),
    ],
)
async def test_whole_and_streamed_answers_tell_them(http, path, body):
    """In OpenAI's shape for each of the two, which our own client reads."""
    whole = (await http.post(path, json=body)).json()
    assert logprob_from_json(whole["choices"][0]) == pytest.approx(3 * ONE, abs=1e-4)
    response = await http.post(path, json={**body, "stream": True})
    records = [json.loads(line.removeprefix("data: ")) for line in response.text.split("\n\n")[:-2]]
    told = [
        logprob_from_json(choice)
        for record in records
        for choice in record["choices"]
        if choice["index"] == 0 and (choice.get("text") or choice.get("delta"))
    ]
    assert told == pytest.approx([ONE] * 3, abs=1e-4)


@pytest.mark.asyncio
async def test_nothing_is_told_unasked(http):
    """Other clients see what they have always seen."""
    found = await http.post("/v1/completions", json={"prompt": "go:", "max_tokens": 3})
    assert "logprobs" not in found.text


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, None),
        ({"logprobs": None}, None),
        ({"logprobs": {"token_logprobs": [-0.5]}}, -0.5),  # vLLM, SGLang
        ({"logprobs": {"token_logprobs": [-0.5, -1, -0.25]}}, -1.75),
        ({"logprobs": {"content": [{"token": "a", "logprob": -2.0}]}}, -2.0),  # llama-server, and chat
        ({"logprobs": {"token_logprobs": [None, -1.0]}}, None),
        ({"logprobs": {"token_logprobs": []}}, None),
        ({"logprobs": {"content": [{"token": "a"}]}}, None),
        ({"logprobs": {"content": "?"}}, None),
        ({"logprobs": [-1.0]}, None),
        ({"logprobs": {"token_logprobs": [float("nan")]}}, None),
    ],
)
def test_what_other_engines_tell(choice, expected):
    """Both shapes are read; what is missing or odd is unknown, never a guess."""
    assert logprob_from_json(choice) == expected


@pytest.mark.asyncio
async def test_a_remote_engine_is_asked_and_understood():
    """With the standard's own field."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        record = {"choices": [{"text": "ab", "logprobs": {"token_logprobs": [-1.0, -0.5]}}]}
        end = {"choices": [{"text": "", "finish_reason": "stop"}]}
        lines = [f"data: {json.dumps(part)}\n\n" for part in (record, end)]
        return httpx.Response(200, text="".join([*lines, "data: [DONE]\n\n"]))

    client = EngineClient(Endpoint("http://engine"), "m")
    client._http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://engine")
    found = [event async for event in client.complete(CompletionRequest((1,), logprobs=True))]
    assert found[0] == Piece("ab", logprob=-1.5)
    assert asked[0]["logprobs"] == 1
    await client.aclose()


def encode(text: str) -> list[int]:
    return list(text.encode())


@pytest.mark.parametrize(("given", "wanted"), [(None, False), (0, False), (1, True), (5, True), (True, True)])
def test_how_it_is_asked_for(given, wanted):
    """By number or by yes, as in the two OpenAI requests."""
    request = completion_from_json({"prompt": [1], "logprobs": given}, encode)
    assert request.logprobs is wanted
    assert completion_from_json(completion_to_json(request, "m"), encode) == request


@pytest.mark.parametrize("given", ["1", -1, 1.5, [1]])
def test_a_wrong_wish_is_refused(given):
    """By its name and value."""
    with pytest.raises(RequestRefusedError, match="logprobs is"):
        completion_from_json({"prompt": [1], "logprobs": given}, encode)
