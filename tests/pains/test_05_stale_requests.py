"""Pain 5: requests that are out of date go on, and the engine is busy for nobody."""

from __future__ import annotations

from typing import Any

from .editor import Editor, editor

URI = "file:///ws/a.py"
LONG = "a" * 300 + "\n"
SETTINGS = {"completion": {"max_tokens": 400, "time_cap_ms": 60_000, "prefetch": False}}
REPLIES = [("slow = ", LONG), ("quick = ", "done()\n")]


def request(typing: Editor, line: int, character: int) -> int:
    return typing.client.ask_inline(URI, line, character)


def num_written(typing: Editor) -> int:
    """Tokens that the engine has written in all; the fake's tokens are characters."""
    return int(float(typing.engine_status()["details"].get("interactive.completion_tokens", 0)))


def answered(typing: Editor, id_: int) -> tuple[list[Any], str]:
    """The items, and the reason if there are none."""
    result = typing.client.answer(id_)["result"]
    return result["items"], (result.get("truepenny") or {}).get("reason", "")


def test_something_else_typed_stops_what_is_being_written() -> None:
    """The older request is answered, the newer one gets its suggestion, and the rest is never written."""
    with editor(SETTINGS, replies=REPLIES, delay_ms=10) as typing:
        typing.ask("first = |\n")  # starts the engine
        before = num_written(typing)
        typing.change(URI, (0, 0, 8, "slow = "))
        older = request(typing, 0, 7)
        typing.change(URI, (0, 0, 7, "quick = "))
        newer = request(typing, 0, 8)

        items, reason = answered(typing, older)
        assert items == []
        assert "superseded" in reason
        assert [item["insertText"] for item in answered(typing, newer)[0]] == ["done()"]
        assert typing.engine_status()["running"] == 0
        assert num_written(typing) - before < len(LONG) // 2


def test_a_cancelled_request_is_answered_and_ends() -> None:
    """Nobody asks again: the engine is at rest soon after."""
    with editor(SETTINGS, replies=REPLIES, delay_ms=30) as typing:
        typing.ask("first = |\n")
        before = num_written(typing)
        typing.change(URI, (0, 0, 8, "slow = "))
        older = request(typing, 0, 7)
        typing.client.notify("$/cancelRequest", {"id": older})

        assert typing.client.answer(older)["error"]["code"] == -32800
        while typing.engine_status()["running"]:
            pass
        assert num_written(typing) - before < len(LONG) // 2


def test_every_request_of_a_burst_is_answered_once() -> None:
    """Thirty keys without a pause, no request of which the editor cancels."""
    with editor(SETTINGS, replies=REPLIES, delay_ms=2) as typing:
        typing.ask("first = |\n")
        ids: list[int] = []
        for number in range(30):
            typing.change(URI, (0, 7 + number, 7 + number, "b"))
            ids.append(request(typing, 0, 8 + number))
        answers = [answered(typing, id_) for id_ in ids]

        assert all("superseded" in reason for items, reason in answers[:-1] if not items), answers
        assert answers[-1][0]
