"""The peer is asked as its plug-in would ask: what is sent, when, and which pieces go along."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from truepenny.lsp_server.evaluation.replay.peer import Cursor, PeerSide, infill_request
from truepenny.lsp_server.evaluation.replay.play import play_segment
from truepenny.lsp_server.evaluation.replay.ring import CHUNK_LINES, NUM_CHUNKS, Chunk, Ring, likeness
from truepenny.lsp_server.evaluation.replay.session import Pacing, Session, make_session
from truepenny.lsp_server.evaluation.replay.traces import Change, Edit, Trace, TracedFile
from truepenny.models.errors import BenchmarkError

LINES = [f"line {nth}" for nth in range(400)]
REPLY = {
    "content": "fake",
    "timings/prompt_n": 3,
    "timings/prompt_ms": 2.5,
    "timings/predicted_n": 4,
    "timings/predicted_ms": 8.0,
    "tokens_evaluated": 10,
}


def request_at(text: str, offset: int) -> dict[str, Any]:
    return infill_request(Cursor.of(0, "a.py", text, offset), [])


@pytest.mark.parametrize(
    ("text", "prefix", "prompt", "suffix", "indent"),
    [
        ("a\n  b|c\nd\n", "a\n", "  b", "c\nd\n", 2),
        ("a\r\nb|\r\nd\r\n", "a\n", "b", "\nd\n", 0),
        ("a\n   |  \nd", "a\n", "", "\nd\n", 0),
        ("|", "\n", "", "\n\n", 0),
        ("a\n|", "a\n", "", "\n\n", 0),
    ],
)
def test_a_request_is_cut_at_the_cursor_s_line(
    text: str, prefix: str, prompt: str, suffix: str, indent: int
) -> None:
    """A blank line is asked about from its beginning; line ends are the editor's own."""
    found = request_at(text.replace("|", ""), text.index("|"))
    assert (found["input_prefix"], found["prompt"]) == (prefix, prompt)
    assert (found["input_suffix"], found["n_indent"]) == (suffix, indent)


def test_a_request_has_256_lines_before_and_64_after() -> None:
    """In a long file."""
    text = "\n".join(LINES)
    found = request_at(text, text.index("line 300") + 8)
    assert found["input_prefix"].split("\n") == [*LINES[44:300], ""]
    assert found["input_suffix"].split("\n") == ["", *LINES[301:365], ""]


def ring() -> Ring:
    return Ring(random.Random(1))


def test_pieces_are_gathered_when_the_cursor_has_come_far() -> None:
    """One from far above, one from below; not again until the cursor has moved 32 lines."""
    gathering = ring()
    lines = [f"line {nth}" for nth in range(2000)]
    gathering.moved("a.py", lines, 300)
    assert [len(chunk.lines) for chunk in gathering.queued] == [45, CHUNK_LINES // 2 + 1]
    gathering.moved("a.py", lines, 332)
    assert len(gathering.queued) == 2
    gathering.moved("a.py", lines, 1500)
    assert [len(chunk.lines) for chunk in gathering.queued][2:] == [CHUNK_LINES // 2 + 1] * 2


def test_the_ring_is_bounded_and_the_oldest_leave() -> None:
    """16 pieces; each goes through the queue, and no more are moved than there is time for."""
    gathering = ring()
    for nth in range(NUM_CHUNKS + 4):
        gathering.enter("a.py", [f"{nth} {nth}x {nth}y"] * 4, 0)
        assert len(list(gathering.updates(most=1))) == 1
    assert len(gathering.chunks) == NUM_CHUNKS
    assert gathering.chunks[-1].lines[0].startswith("19")
    assert list(gathering.updates(most=5)) == []


def test_what_stands_at_the_cursor_is_not_sent_twice() -> None:
    """A piece much like the surroundings makes a model repeat them."""
    gathering = ring()
    gathering.chunks = [Chunk("a.py", tuple(LINES[:30])), Chunk("b.py", ("nothing", "alike", "here"))]
    gathering.make_room(LINES[:40], 10)
    assert [chunk.file for chunk in gathering.chunks] == ["b.py"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [([], [], 1.0), (["a b"], ["a b"], 1.0), (["a b"], ["c d"], 0.0), (["a b c"], ["a"], 0.5)],
)
def test_likeness_is_the_share_of_common_words(first: list[str], second: list[str], expected: float) -> None:
    """Dice's measure."""
    assert likeness(first, second) == expected


def typed(text: str, step_s: float, start: str = "x = ") -> Session:
    edits = [Edit(0, nth * step_s, (Change(4 + nth, 0, key),)) for nth, key in enumerate(text)]
    return make_session(Trace("t", (TracedFile("a.py", start),), tuple(edits)), len(text), 0, Pacing())


Handler = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


def side_of(handle: Handler) -> PeerSide:
    return PeerSide(httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://peer"))


def test_one_request_at_a_time_and_the_last_text_is_asked_about() -> None:
    """A running request is not stopped; when it is done, what then stands at the cursor is asked about."""
    prompts: list[str] = []
    running = 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal running
        running += 1
        assert running == 1
        prompts.append(json.loads(request.content)["prompt"])
        await asyncio.sleep(0.5 if len(prompts) == 2 else 0)
        running -= 1
        return httpx.Response(200, json=REPLY)

    async def play() -> None:
        side = side_of(handle)
        session = typed("abcd", 0.01)
        await side.open(session)
        run = await play_segment(side, session.steps)
        assert prompts == ["x = ", "x = a", "x = abcd"]
        assert [answer.step for answer in run.answers] == [0, 3]
        assert run.answers[0].cost.reused_tokens == 7

    asyncio.run(play())


def test_no_request_before_much_text() -> None:
    """Nine bytes after the cursor, and the plug-in keeps silent."""

    async def handle(request: httpx.Request) -> httpx.Response:
        prompts.append(json.loads(request.content)["prompt"])
        return httpx.Response(200, json=REPLY)

    prompts: list[str] = []

    async def play() -> None:
        side = side_of(handle)
        session = typed("ab", 0.01, start="x = 123456789")
        await side.open(session)
        run = await play_segment(side, session.steps)
        assert [answer.kind for answer in run.answers] == ["silent", "silent"]
        assert prompts == ["x = "], "the one that warms up"

    asyncio.run(play())


def test_a_refusal_is_an_answer_that_failed_and_at_the_start_an_error() -> None:
    """A server without the model's tokens for infilling says so."""
    codes = [200, 501, 501]

    async def handle(_: httpx.Request) -> httpx.Response:
        code = codes.pop(0)
        return httpx.Response(code, json=REPLY if code == 200 else {"error": "no infill"})

    async def play() -> None:
        side = side_of(handle)
        session = typed("a", 0.01)
        await side.open(session)
        run = await play_segment(side, session.steps)
        assert [answer.kind for answer in run.answers] == ["failed"]
        with pytest.raises(BenchmarkError, match=r"501.*no infill"):
            await side.open(session)

    asyncio.run(play())
