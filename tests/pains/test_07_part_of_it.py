"""Pain 7: people want to accept a word or a line of a suggestion, and to say how many lines they get."""

from __future__ import annotations

from typing import Any

import pytest

from .editor import INVOKED, Editor, editor

BLOCK = "for item in items:\n        total += item\n    return total\n\n\nprint()\n"
URI = "file:///ws/a.py"


@pytest.fixture(scope="module")
def typist():
    with editor(replies=[("def total(items):\n    ", BLOCK)], otherwise="first + second\n") as one:
        yield one


def accept(typist: Editor, id_: str, length: int) -> dict[str, Any]:
    """As an editor does that takes words: told up to where.  What is remembered of the suggestion."""
    item = {"command": {"arguments": [id_]}}
    params = {"item": item, "acceptedLength": length}
    typist.client.notify("textDocument/didPartiallyAcceptCompletion", params)
    outcomes = typist.client.ask("truepenny/why", {"textDocument": {"uri": URI}})
    return next(outcome for outcome in outcomes if outcome["id"] == id_)


def test_the_rest_of_a_suggestion_is_still_there_after_each_word(typist: Editor) -> None:
    """Word by word it is one suggestion, not a new one each time."""
    typed = ["", "first", "first +"]

    shown = [typist.ask(f"value = {words}|\n") for words in typed]

    assert shown == [["first + second"], [" + second"], [" second"]]


def test_each_word_counts_once(typist: Editor) -> None:
    """Lengths count from the start of the item: the last one is all there is, and none is lost."""
    typist.ask("other = |\n")
    id_ = typist.why()["id"]
    told = [accept(typist, id_, length) for length in (5, 7, 5)]
    stats = typist.client.ask("truepenny/stats", {})

    assert [outcome["accepted_length"] for outcome in told] == [5, 7, 7]
    assert {outcome["fate"] for outcome in told} == {"partially_accepted"}
    assert (stats["num_partially_accepted"], stats["num_chars_accepted"]) == (1, 7)
    assert accept(typist, id_, len("first + second"))["fate"] == "accepted"


@pytest.mark.parametrize(("lines", "is_block"), [("single", False), ("multi", True)])
def test_how_many_lines_is_a_setting(typist: Editor, lines: str, *, is_block: bool) -> None:
    """Whatever the place would give, and whatever the model opens."""
    typist.client.notify("workspace/didChangeConfiguration", {"settings": {"completion": {"lines": lines}}})

    text = typist.ask("def total(items):\n    |\n", path=f"/ws/{lines}.py", trigger=INVOKED)[0]

    assert text.startswith("for item in items:")
    assert ("\n" in text) is is_block
