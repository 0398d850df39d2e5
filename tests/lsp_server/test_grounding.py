"""Grounded decoding: behind a dot the model goes on with what is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.grounding import MAX_RETURNS, Place, grounded
from truepenny.models.wire import CompletionRequest, Piece, Started, Usage

LIST = frozenset({"append", "pop", "sort", "_private"})
STARTED = Started(5, 4, 1, 0.0, 1.0)


class FakeClient:
    """Says what it likes after what is healed, in given pieces, but for what is allowed."""

    def __init__(self, likes: dict[str, str], size: int = 1) -> None:
        self.likes = likes
        self.size = size
        self.requests: list[CompletionRequest] = []
        self.num_open = 0

    async def complete(self, request: CompletionRequest) -> AsyncGenerator:
        self.requests.append(request)
        self.num_open += 1
        try:
            yield STARTED
            text = request.heal + self._rest(request)
            for at in range(0, len(text), self.size):
                await asyncio.sleep(0)
                yield Piece(text[at : at + self.size], logprob=-0.5)
            yield Usage(5, 4, 1, len(text), 0.0, 1.0, 1.0, "stop")
        finally:
            self.num_open -= 1

    def _rest(self, request: CompletionRequest) -> str:
        wanted = next((text for begin, text in self.likes.items() if request.heal == begin), "")
        if request.allowed and not wanted.startswith(request.allowed):
            return request.allowed[0] + "()\n"
        return wanted


class Known:
    """`xs` is a list, everything behind `any` is anybody's guess."""

    def __init__(self, *, is_certain: bool = True) -> None:
        self.asked: list[str] = []
        self.is_certain = is_certain

    async def of(self, text: str, offset: int) -> frozenset[str]:
        assert text[offset - 1] == "."
        self.asked.append(text[:offset].rsplit(maxsplit=1)[-1])
        await asyncio.sleep(0.001)
        return LIST if text[: offset - 1].endswith("xs") else frozenset()

    async def is_missing(self, text: str, start: int, end: int) -> bool:
        assert text[start - 1] == "."
        assert text[start:end].isidentifier()
        return self.is_certain and text[start:end] not in LIST


def written(client: FakeClient, request: CompletionRequest, before: str, members: Known) -> tuple[str, list]:
    async def read() -> list:
        return [event async for event in grounded(client.complete, request, Place(before, "\n"), members)]

    events = asyncio.run(read())
    assert client.num_open == 0
    return "".join(event.text for event in events if isinstance(event, Piece)), events


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("before", "heal", "likes", "text"),
    [
        ("", "", {"": "xs.append(1)\n"}, "xs.append(1)\n"),
        ("", "", {"": "xs.push(1)\n", "xs.": "append(1)\n"}, "xs.append(1)\n"),
        ("", "", {"": "xs.push(1)\n", "xs.": "push(1)\n"}, "xs.append()\n"),
        ("y = xs.", "", {"": "push(1)\n"}, "append()\n"),
        ("y = xs", ".", {".": "push(1)\n"}, ".append()\n"),
        ("y = xs.", "p", {"p": "ush(1)\n"}, "pop()\n"),
        ("y = xs", ".p", {".p": "ush(1)\n"}, ".pop()\n"),
        ("y = xs.", "q", {"q": "ueue(1)\n"}, "queue(1)\n"),
        ("", "", {"": "xs.push"}, "xs.append()\n"),
        ("", "", {"": "any.push(1)\n"}, "any.push(1)\n"),
        ("", "", {"": "x = 1.5 + 2.\n"}, "x = 1.5 + 2.\n"),
        ("", "", {"": "any.x(xs.pop()).y\nxs.push(2)\n"}, "any.x(xs.pop()).y\nxs.append()\n"),
        ("", "", {"": "xs._hidden(1)\n"}, "xs._private()\n"),
        ("", "", {"": "xs...\n"}, "xs...\n"),
        ("", "", {"": ""}, ""),
    ],
)
def test_what_comes_through(size, before, heal, likes, text):
    """Of pieces of any size; what the person typed is theirs."""
    client, known = FakeClient(likes, size), Known()
    got, events = written(client, CompletionRequest((1,), heal=heal), before, known)
    assert got == text
    assert [type(event) for event in events].count(Started) == 1
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Usage)
    for again in client.requests[1:]:
        assert again.allowed_words
        assert not {name for name in again.allowed if again.heal + name == got}


def test_what_is_not_certain_stays():
    """A list of members may be short of one; the checker's word on the name itself decides."""
    client = FakeClient({"": "xs.push(1)\n"})
    assert written(client, CompletionRequest((1,)), "", Known(is_certain=False))[0] == "xs.push(1)\n"
    assert len(client.requests) == 1


def test_the_same_mistake_again_and_again_ends():
    """After that the guard has it."""
    line = "xs.push(1)\n"
    likes = {line * n: line for n in range(9)} | {"": line * 9}

    class Stubborn(FakeClient):
        def _rest(self, request):
            return (request.allowed[0] + "()\n" if request.allowed else "") + line * 4

    client = Stubborn(likes)
    text, _ = written(client, CompletionRequest((1,)), "", Known())
    assert len(client.requests) == MAX_RETURNS + 1
    assert text.startswith("xs.append()\nxs.append()\n")
    assert "push" in text


def test_a_name_is_held_until_it_is_known():
    """Nothing of it gets out before."""

    class Slow(Known):
        async def of(self, text, offset):
            await asyncio.sleep(0.05)
            return await super().of(text, offset)

    async def read() -> None:
        seen = ""
        client = FakeClient({"": "z = xs.push(1)\n"})
        async for event in grounded(client.complete, CompletionRequest((1,)), Place("", ""), Slow()):
            if isinstance(event, Piece):
                seen += event.text
                assert "push" not in seen
        assert seen == "z = xs.append()\n"

    asyncio.run(read())


def test_given_up_half_way_leaves_nothing():
    """Neither a stream nor a question."""

    async def read() -> None:
        client = FakeClient({"": "z = 1\nxs.append(1)\n"})
        stream = grounded(client.complete, CompletionRequest((1,)), Place("", ""), Known())
        async for event in stream:
            if isinstance(event, Piece) and "z" in event.text:
                break
        await stream.aclose()
        assert client.num_open == 0
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(read())


@given(st.text("xs.ap pend(1)\n", max_size=40), st.integers(1, 9))
def test_what_is_fine_is_the_same_text(text, size):
    """Nothing is lost, doubled or reordered."""
    client = FakeClient({"": text}, size)

    class Anything(Known):
        async def of(self, text, offset):
            return frozenset()

    assert written(client, CompletionRequest((1,)), "", Anything())[0] == text
