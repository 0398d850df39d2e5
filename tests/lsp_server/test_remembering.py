"""When the model is asked, when what it is writing is waited for, and when neither."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from truepenny.lsp_server.place.gate import Decision
from truepenny.lsp_server.recall import underway
from truepenny.lsp_server.recall.ahead import places_ahead
from truepenny.lsp_server.recall.proposal import Rest
from truepenny.lsp_server.recall.remembering import Maker, Remembering
from truepenny.lsp_server.recall.underway import Generation
from truepenny.lsp_server.snapshot import Cost, Query, Snapshot, Suggestion, Trigger
from truepenny.models.client import Reply
from truepenny.models.errors import EngineLostError
from truepenny.models.wire import Piece

pytestmark = pytest.mark.asyncio

ONE_LINE = Decision(is_open=True)


def at(marked: str, trigger: Trigger = Trigger.AUTOMATIC, path: str = "a.py") -> Query:
    return Query(Snapshot(path, "python", marked.replace("|", "")), marked.index("|"), trigger)


def answer(query: Query, text: str, **more: Any) -> Suggestion:
    shown, reason = bool(text), "" if text else "nothing to add"
    return Suggestion(text, query.offset, query.offset, shown=shown, reason=reason, **more)


class Model:
    """Writes what it is told to write, a piece at a time where it is held back."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.diary: list[str] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.pieces: asyncio.Queue[str] | None = None
        self.failure: Exception | None = None
        self.others: tuple[str, ...] = ()
        self.remembering = Remembering(
            Maker(self.suggest, self.foresee, self.show, lambda _: None, lambda _: True)
        )

    async def suggest(self, query: Query, _: Decision, generation: Generation) -> Suggestion:
        self.diary.append(f"asked {query.snapshot.text[: query.offset]!r}")
        try:
            await self.may_write.wait()
            if self.pieces is not None:
                async for _event in generation.watched(self._stream(self.pieces), "~"):
                    pass
        except asyncio.CancelledError:
            self.diary.append("stopped")
            raise
        if self.failure is not None:
            raise self.failure
        others = tuple(answer(query, other) for other in self.others)
        return answer(query, self.texts.pop(0), others=others, cost=Cost(completion_tokens=9))

    async def _stream(self, pieces: asyncio.Queue[str]) -> AsyncGenerator[Reply]:
        yield Piece("~")  # what was healed
        while piece := await pieces.get():
            yield Piece(piece)

    async def foresee(self, query: Query, _: Decision) -> Suggestion:
        self.diary.append(f"foresaw {query.snapshot.text[: query.offset]!r}")
        return answer(query, self.texts.pop(0))

    def show(self, query: Query, rest: Rest, cost: Cost) -> Suggestion:
        return Suggestion(rest.text, rest.start, rest.end, shown=True, reason="", cost=cost)

    def ask(self, marked: str, trigger: Trigger = Trigger.AUTOMATIC) -> asyncio.Task[Suggestion]:
        return asyncio.ensure_future(self.remembering.complete(at(marked, trigger), ONE_LINE))


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_suggestion_is_typed_through_without_asking() -> None:
    """With no tokens, and the time of a look-up."""
    model = Model("= foo(1)")
    assert (await model.ask("x |")).text == "= foo(1)"
    rest = await model.ask("x = fo|")
    assert (rest.text, rest.cost.completion_tokens, list(rest.cost.stage_ms)) == ("o(1)", 0, ["recall"])
    assert (await model.ask("x = foo(|)")).text == "1"
    assert model.diary == ["asked 'x '"]


async def test_what_is_being_written_serves_the_newer_request() -> None:
    """A key pressed meanwhile, which is what the model is about to write, costs nothing."""
    model = Model("= foo(1)")
    model.may_write.clear()
    older = model.ask("x |")
    await turns()
    newer = model.ask("x =|")
    older.cancel()
    await turns()
    model.may_write.set()
    assert (await newer).text == " foo(1)"
    assert (await newer).cost.completion_tokens == 9
    assert model.diary == ["asked 'x '"]
    assert older.cancelled()


async def test_what_is_being_written_survives_a_moment_without_anybody_waiting() -> None:
    """Editors cancel first and ask again a little later."""
    model = Model("= foo(1)")
    model.may_write.clear()
    older = model.ask("x |")
    await turns()
    older.cancel()
    await turns()
    model.remembering.changed(at("x =|"))
    newer = model.ask("x =|")
    model.may_write.set()
    assert (await newer).text == " foo(1)"
    assert model.diary == ["asked 'x '"]


async def test_a_cancelled_request_that_nobody_follows_up_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is not kept busy for nobody."""
    monkeypatch.setattr(underway, "GRACE_S", 0.01)
    model = Model("= foo(1)")
    model.may_write.clear()
    older = model.ask("x |")
    await turns()
    older.cancel()
    await asyncio.sleep(0.05)
    assert model.diary == ["asked 'x '", "stopped"]


@pytest.mark.parametrize("marked", ["x.|", "y |", "x \n|", "x |z"])
async def test_something_else_typed_ends_it_at_once(marked: str) -> None:
    """By the change already, before anything is asked."""
    model = Model("= foo(1)", "other")
    model.pieces = asyncio.Queue()
    older = model.ask("x |")
    model.pieces.put_nowait("= fo")
    await turns()
    model.remembering.changed(at(marked))
    await turns()
    assert model.diary == ["asked 'x '", "stopped"]
    assert not (await older).shown
    assert (await older).reason.startswith("superseded")


async def test_what_turns_out_to_lead_elsewhere_is_begun_anew() -> None:
    """A person was faster than the model, and had something else in mind."""
    model = Model("bar(2)")
    model.pieces = asyncio.Queue()
    older, newer = model.ask("x |"), model.ask("x = b|")
    await turns()
    assert model.diary == ["asked 'x '"]
    model.pieces.put_nowait("= foo(")
    await turns()
    assert model.diary == ["asked 'x '", "stopped", "asked 'x = b'"]
    model.pieces.put_nowait("")
    assert (await newer).text == "bar(2)"
    del older


async def test_what_ends_where_the_person_has_come_is_asked_about_anew() -> None:
    """The text it wrote has been typed out meanwhile."""
    model = Model("= 1", "\ny = 2")
    model.may_write.clear()
    older, newer = model.ask("x |"), model.ask("x = 1|")
    await turns()
    model.may_write.set()
    assert (await older).text == "= 1"
    assert (await newer).text == "\ny = 2"
    assert model.diary == ["asked 'x '", "asked 'x = 1'"]


async def test_one_document_does_not_disturb_another() -> None:
    """And closing one ends what is written for it."""
    model = Model("= 1", "= 2")
    model.may_write.clear()
    one = model.ask("x |")
    other = asyncio.ensure_future(model.remembering.complete(at("x |", path="b.py"), ONE_LINE))
    await turns()
    model.remembering.keep_only(["b.py"])
    model.may_write.set()
    assert not (await one).shown
    assert (await other).text == "= 1"


async def test_trouble_reaches_who_waits_and_nobody_else() -> None:
    """Nothing is remembered of it."""
    model = Model("= 1")
    model.failure = EngineLostError("went away")
    with pytest.raises(EngineLostError):
        await model.ask("x |")
    model.failure = None
    assert (await model.ask("x |")).text == "= 1"


async def test_silence_is_remembered_unless_it_may_pass() -> None:
    """And somebody who asks is answered by the model."""
    model = Model("", "= 1")
    assert (await model.ask("x |")).reason == "nothing to add"
    assert (await model.ask("x |")).reason.startswith("nothing to add (")
    assert (await model.ask("x |", Trigger.INVOKED)).text == "= 1"
    assert len(model.diary) == 2


async def test_who_asks_is_shown_others_and_types_through_any() -> None:
    """The first is the one to show from then on; the others are there when it is left."""
    model = Model("= 1", "= foo(2)")
    await model.ask("x |")
    model.others = ("= bar(3)",)
    asked = await model.ask("x |", Trigger.INVOKED)
    assert (asked.text, [other.text for other in asked.others]) == ("= foo(2)", ["= bar(3)"])
    assert (await model.ask("x |")).text == "= foo(2)"
    assert (await model.ask("x = b|")).text == "ar(3)"
    assert len(model.diary) == 2


async def test_the_next_line_is_ready_when_a_suggestion_has_been_accepted() -> None:
    """Where the model has nothing to add behind it, on the line below."""
    model = Model("= 1", "", "y = 2")
    suggestion = await model.ask("    x |\n")
    await model.remembering.foresee(at("    x |\n"), suggestion, lambda _: ONE_LINE)
    assert model.diary[1:] == ["foresaw '    x = 1'", "foresaw '    x = 1\\n    '"]
    assert (await model.ask("    x = 1|\n")).reason.startswith("nothing to add (")
    assert (await model.ask("    x = 1\n    |\n")).text == "y = 2"
    await model.remembering.foresee(at("    x |\n"), suggestion, lambda _: ONE_LINE)
    assert len(model.diary) == 3, "it is known already"


@pytest.mark.parametrize(
    ("marked", "text", "expected"),
    [
        ("x|\n", "y", ["xy|\n", "xy\n|\n"]),
        ("  x|\r\n", "y", ["  xy|\r\n", "  xy\r\n  |\r\n"]),
        ("  a\n  def f|\n", "():", ["  a\n  def f():|\n", "  a\n  def f():\n    |\n"]),
        ("f(|)\n", "x", ["f(x|)\n"]),
        ("x|\n", "y\n", ["xy\n|\n"]),
    ],
)
async def test_where_a_person_goes_on(marked: str, text: str, expected: list[str]) -> None:
    """Right behind, and below if nothing follows on the line."""
    found = [ahead.query for ahead in places_ahead(at(marked), answer(at(marked), text))]
    shown = [
        query.snapshot.text[: query.offset] + "|" + query.snapshot.text[query.offset :] for query in found
    ]
    assert shown == expected
