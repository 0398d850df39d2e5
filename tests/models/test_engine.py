"""The engine: one worker, many requests, the most urgent first."""

from __future__ import annotations

import gc
import queue
import random
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from truepenny.models.decode import Generation
from truepenny.models.engine import Engine, Event, Failure, Ticket
from truepenny.models.errors import RequestRefusedError
from truepenny.models.language_model import never
from truepenny.models.testing import ByteTokenizer, FakeKV, FakeModel, Script, fake_cache
from truepenny.models.wire import CompletionRequest, Piece, Priority, Started, Usage

WAIT_S = 30.0
LONG = Script(replies=(("long:", "x" * 400), ("short:", "y" * 3)), otherwise="")


class GatedModel(FakeModel):
    """Makes a pass only when the test permits one, and notes whose it was by their first ids."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.permits = threading.Semaphore(0)
        self.waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.served: list[str] = []

    def forward(self, spans, is_cancelled=never):
        who = ""
        for span in spans:
            assert isinstance(span.kv, FakeKV)
            who += chr((span.kv.ids or span.ids)[0])
        self.waiting.put(who)
        assert self.permits.acquire(timeout=WAIT_S)
        self.served.append(who)
        return super().forward(spans, is_cancelled)


class FailingModel(FakeModel):
    """Fails on a prompt that contains byte 255, after it has already written rows."""

    def forward(self, spans, is_cancelled=never):
        logits = super().forward(spans, is_cancelled)
        if any(255 in span.ids for span in spans):
            raise RuntimeError("no such token, or so it seems")
        return logits


class Listener:
    """Collects the events of one request."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.events: list[Event] = []
        self.on_screen: Ticket | None = None

    def __call__(self, event: Event) -> None:
        self._queue.put(event)

    def next(self) -> Event:
        self.events.append(self._queue.get(timeout=WAIT_S))
        return self.events[-1]

    def end(self) -> Usage | Failure:
        while not isinstance(event := self.next(), Usage | Failure):
            pass
        return event

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Piece))

    @property
    def has_more(self) -> bool:
        return not self._queue.empty()


@pytest.fixture
def start() -> Iterator:
    engines: list[Engine[FakeKV]] = []

    def make(model: FakeModel, budget_bytes: int = 1 << 20) -> Engine[FakeKV]:
        engines.append(Engine(model, ByteTokenizer(), fake_cache(model, budget_bytes)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
        engine.cache.check_integrity()
        assert (engine.num_running, engine.num_waiting) == (0, 0)
        assert engine.cache.stats.num_leased == 0


def submit(engine: Engine[FakeKV], text: str, **fields) -> tuple[Listener, Ticket]:
    listener = Listener()
    request = CompletionRequest(tuple(text.encode()), **{"max_tokens": 1000, "speculate": False, **fields})
    return listener, engine.submit(request, listener)


def ended(listener: Listener) -> Usage:
    end = listener.end()
    assert isinstance(end, Usage), end
    return end


def test_started_then_pieces_then_exactly_one_usage(start):
    """Whoever reads the stream can rely on its shape."""
    engine = start(FakeModel(LONG))
    listener, _ = submit(engine, "a long:")
    assert ended(listener).finish_reason == "stop"
    assert isinstance(listener.events[0], Started)
    assert all(isinstance(event, Piece) for event in listener.events[1:-1])
    assert listener.text == "x" * 400
    submit(engine, "b short:")[0].end()  # time for anything that should not come
    assert not listener.has_more


def test_a_keystroke_interrupts_a_chat_answer(start):
    """At the next token; the chat answer then goes on where it was."""
    model = GatedModel(LONG)
    engine = start(model)
    chat, _ = submit(engine, "c long:", priority=Priority.CHAT)
    for _ in range(3):
        model.permits.release()
    for _ in range(4):
        model.waiting.get(timeout=WAIT_S)  # three steps done, the fourth is being taken
    key, _ = submit(engine, "k short:")
    model.permits.release(10_000)
    assert ended(key).finish_reason == ended(chat).finish_reason == "stop"
    assert (key.text, chat.text) == ("y" * 3, "x" * 400)
    order = "".join(model.served)
    assert order[:8] == "cccckkkk"
    assert set(order[8:]) == {"c"}


def test_the_same_urgency_shares_a_pass(start):
    """The prompts one after the other, in between a token for everybody who is past theirs."""
    model = GatedModel(LONG)
    engine = start(model)
    first, _ = submit(engine, "a short:")
    assert model.waiting.get(timeout=WAIT_S) == "a"
    listeners = [first, *(submit(engine, f"{who} short:")[0] for who in "bc")]
    model.permits.release(10_000)
    for listener in listeners:
        ended(listener)
        assert listener.text == "yyy"
    assert model.served == ["a", "a", "b", "ab", "c", "abc", "bc", "c"]


def test_a_long_prompt_does_not_stop_others_of_its_class(start):
    """A chunk, a token, a chunk, a token."""
    model = GatedModel(LONG)
    engine = start(model)
    first, _ = submit(engine, "a long:")
    for _ in range(2):
        assert model.waiting.get(timeout=WAIT_S) == "a"
        model.permits.release()
    second, _ = submit(engine, "b" * 300 + " short:")
    model.permits.release(10_000)
    ended(second)
    assert "".join(model.served).strip("a").startswith("bababababab")
    assert ended(first).completion_tokens == 401


def test_a_keystroke_does_not_wait_for_a_pass_of_another_class(start):
    """The chat's pass is given up between layers, but not twice in a row, and the text is the same."""
    model = GatedModel(LONG)
    engine = start(model)
    chat, _ = submit(engine, "c long:", priority=Priority.CHAT)
    for _ in range(20):
        model.waiting.get(timeout=WAIT_S)
        submit(engine, "k short:", document="d")
        model.permits.release()
        while model.waiting.get(timeout=WAIT_S) != "c":
            model.permits.release()
        model.permits.release()
    model.permits.release(10_000)
    assert ended(chat).finish_reason == "stop"
    assert chat.text == "x" * 400


@pytest.mark.parametrize(
    ("first", "second", "is_superseded"),
    [
        ({"document": "a"}, {"document": "a"}, True),
        ({"document": "a"}, {"document": "b"}, False),
        ({"document": ""}, {"document": ""}, False),
        ({"document": "a", "priority": Priority.PREWARM}, {"document": "a"}, False),
        ({"document": "a"}, {"document": "a", "priority": Priority.PREWARM}, False),
    ],
)
def test_the_latest_for_a_document_wins(first, second, is_superseded, start):
    """Of one class; a pre-warm never takes a keystroke's place."""
    model = GatedModel(LONG)
    engine = start(model)
    older, _ = submit(engine, "a long:", **first)
    model.waiting.get(timeout=WAIT_S)
    newer, _ = submit(engine, "b long:", **second)
    model.permits.release(10_000)
    assert ended(older).finish_reason == ("cancelled" if is_superseded else "stop")
    assert ended(newer).finish_reason == "stop"


@pytest.mark.parametrize("num_steps", [0, 1, 3])
def test_a_cancelled_request_gives_up_its_sequence_before_others_go_on(num_steps, start):
    """However low its priority: else the next request for the file would have to copy it."""
    model = GatedModel(LONG)
    engine = start(model)
    low, ticket = submit(engine, "same long:", priority=Priority.REVIEW)
    for _ in range(num_steps):
        model.permits.release()
    for _ in range(num_steps + 1):
        model.waiting.get(timeout=WAIT_S)
    ticket.cancel()
    high, _ = submit(engine, "same long:")
    model.permits.release(10_000)
    assert ended(low).finish_reason == "cancelled"
    assert ended(high).finish_reason == "stop"
    assert engine.cache.stats.num_live == 1


@pytest.mark.parametrize("num_steps", range(6))
def test_cancelled_within_one_step(num_steps, start):
    """No more than the step under way is taken."""
    model = GatedModel(LONG)
    engine = start(model)
    listener, ticket = submit(engine, "a long:")
    for _ in range(num_steps):
        model.permits.release()
    for _ in range(num_steps + 1):
        model.waiting.get(timeout=WAIT_S)
    ticket.cancel()
    ticket.cancel()
    model.permits.release(10_000)
    usage = ended(listener)
    assert usage.finish_reason == "cancelled"
    assert len(model.served) == num_steps + 1
    assert usage.completion_tokens <= num_steps + 1


def test_a_failure_costs_one_request(start):
    """The engine says what happened and serves the next one; what the failure left is not reused."""
    engine = start(FailingModel(LONG))
    failed = Listener()
    engine.submit(CompletionRequest((*b"abc", 255), max_tokens=5), failed)
    end = failed.end()
    assert isinstance(end, Failure)
    assert "RuntimeError: no such token" in end.message
    assert not failed.has_more
    engine.cache.check_integrity()
    listener, _ = submit(engine, "abc short:")
    assert ended(listener).finish_reason == "stop"
    assert listener.text == "yyy"


def test_a_failure_in_a_shared_pass_costs_one_request(start):
    """The others are tried alone, and get the text they would have got."""

    class Moody(GatedModel):
        def forward(self, spans, is_cancelled=never):
            logits = super().forward(spans, is_cancelled)
            if any(span.kv.ids[0] == ord("b") and len(span.kv.ids) > 8 for span in spans):
                raise RuntimeError("not this one")
            return logits

    model = Moody(LONG)
    engine = start(model)
    first, _ = submit(engine, "a short:")
    model.waiting.get(timeout=WAIT_S)
    others = [submit(engine, f"{who} short:")[0] for who in "bc"]
    model.permits.release(10_000)
    assert isinstance(others[0].end(), Failure)
    for listener in (first, others[1]):
        ended(listener)
        assert listener.text == "yyy"
    assert "abc" in model.served or "ab" in model.served


def test_open_documents_are_pinned_by_the_worker(start):
    """Even while it serves: between two passes."""
    engine = start(FakeModel(LONG))
    seen: list[tuple[object, str, str]] = []
    engine.cache.pin = lambda *args: seen.append((*args, threading.current_thread().name))
    listener, _ = submit(engine, "a long:")
    engine.opened(["a", "b"], "w")
    ended(listener)
    submit(engine, "b short:")[0].end()
    assert seen == [(frozenset({"a", "b"}), "w", "engine")]


def test_a_listener_that_fails_costs_one_request(start):
    """Events go to foreign code; the worker must outlive it."""
    engine = start(FakeModel(LONG))

    def broken(_event: Event) -> None:
        raise RuntimeError("nobody home")

    engine.submit(CompletionRequest(tuple(b"a long:")), broken)
    listener, _ = submit(engine, "b short:")
    assert ended(listener).finish_reason == "stop"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt_ids": ()}, "the prompt is empty"),
        ({"prompt_ids": (1, 2), "max_tokens": 1 << 20}, "prompt of 2 tokens plus max_tokens 1048576 is over"),
        ({"prompt_ids": (1, 264)}, "token id 264 is outside this model's vocabulary of 264"),
        ({"prompt_ids": (1, -5, 3)}, "token id -5 is outside"),
        ({"prompt_ids": (1,), "n": 9}, "n is 9: expected 1 to 8"),
        ({"prompt_ids": (1,), "n": 0}, "n is 0"),
        ({"prompt_ids": (1,), "allowed": ("a", "")}, "allowed holds an empty string"),
        ({"prompt_ids": (1,), "allowed": ("a",) * 1001}, "allowed has 1001 strings: expected at most 1000"),
        ({"prompt_ids": (1,), "allowed": ("a",), "grammar": "a"}, "one or the other"),
        ({"prompt_ids": (1,), "grammar": "[", "grammar_kind": "regex"}, "grammar"),
    ],
)
def test_impossible_requests_are_refused_at_once(fields, said, start):
    """With the number found, the limit and what to do."""
    with pytest.raises(RequestRefusedError, match=said):
        start(FakeModel()).submit(CompletionRequest(**fields), lambda _event: None)


def test_rows_go_with_the_request_and_wait_for_no_collector(start, monkeypatch):
    """A listener that knows its ticket, as in the engine's HTTP face, is in a circle with it."""
    made: list[weakref.ref] = []

    class Watched(Generation):
        def __init__(self, *given, **named) -> None:
            super().__init__(*given, **named)
            made.append(weakref.ref(self))

    monkeypatch.setattr("truepenny.models.engine.Generation", Watched)
    engine = start(FakeModel(LONG))
    gc.disable()
    try:
        for text in ("a long:", "b long:", "c short:"):
            listener, ticket = submit(engine, text)
            listener.on_screen = ticket
            ended(listener)
        # The worker may still hold the last one.
        assert [one() for one in made[:-1]] == [None, None]
    finally:
        gc.enable()


def test_closing_ends_what_is_under_way(start):
    """As cancelled; afterwards nothing is taken."""
    model = GatedModel(LONG)
    engine = start(model)
    running, _ = submit(engine, "a long:")
    waiting, _ = submit(engine, "b long:")
    model.waiting.get(timeout=WAIT_S)
    closing = threading.Thread(target=engine.close)
    closing.start()
    model.permits.release(1)
    closing.join(WAIT_S)
    assert ended(running).finish_reason == ended(waiting).finish_reason == "cancelled"
    with pytest.raises(RequestRefusedError, match="stopping"):
        submit(engine, "c short:")


def storm(
    engine: Engine, prompts: list[tuple[int, ...]], count: int, chance: random.Random, most_tokens: int = 400
) -> None:
    """Many requests of every kind, most of them cancelled at some moment."""
    asked: list[tuple[Listener, Ticket]] = []
    for number in range(count):
        request = CompletionRequest(
            chance.choice(prompts),
            max_tokens=chance.choice([0, 8, most_tokens]),
            priority=chance.choice(list(Priority)),
            document=f"d{number % 3}",
            workspace=chance.choice(["", "w"]),
            n=chance.choice([1, 1, 1, 3]),
        )
        listener = Listener()
        asked.append((listener, engine.submit(request, listener)))
        if chance.random() < 0.9:
            chance.choice(asked[-4:])[1].cancel()
        if chance.random() < 0.3:
            listener.next()
        if chance.random() < 0.1:
            time.sleep(chance.random() * 0.05)
    for listener, ticket in asked:
        if chance.random() < 0.9:
            ticket.cancel()
        if not listener.events or not isinstance(listener.events[-1], Usage):
            ended(listener)
        assert not listener.has_more
    assert (engine.num_running, engine.num_waiting) == (0, 0)
    assert engine.cache.stats.num_leased == 0
    engine.cache.check_integrity()
    assert engine.cache.nbytes <= engine.cache.budget_bytes


def test_many_rapid_cancels_leave_nothing_behind(start):
    """A fast typist: five hundred requests."""
    engine = start(FakeModel(LONG), budget_bytes=16 * 3000)
    chance = random.Random(5)
    prompts = [tuple(b"z" * chance.randrange(300) + chance.choice([b"long:", b"short:"])) for _ in range(40)]
    storm(engine, prompts, 500, chance)
    warm, _ = submit(engine, "z" * 100 + "short:")
    ended(warm)
    assert warm.text == "yyy"
    threads = threading.active_count()
    engine.close()
    assert threading.active_count() == threads - 1


@pytest.mark.weights
def test_nor_with_real_weights_does_memory_grow(default_model, real_tokenizer):
    """The second half of five hundred requests needs nothing the first did not."""
    from truepenny.models.hardware import resident_bytes
    from truepenny.models.loading import load

    loaded = load(default_model.name)
    engine = Engine(loaded.model, loaded.tokenizer, loaded.new_cache(48 << 20))
    ids = real_tokenizer.encode(Path(random.__file__).read_text(encoding="utf-8"))
    chance = random.Random(6)
    prompts = [tuple(ids[: chance.randrange(1, 400)]) for _ in range(20)]
    try:
        storm(engine, prompts, 250, chance, most_tokens=16)
        before = resident_bytes()
        storm(engine, prompts, 250, chance, most_tokens=16)
        assert resident_bytes() - before < 256 << 20  # one leaked sequence in ten would be more
    finally:
        engine.close()
