"""Pain 11: ghost text flickers, and is lost while one types what it says."""

from __future__ import annotations

import pytest

from .editor import Editor, editor

URI = "file:///ws/a.py"
# Asked in the middle of it, the model would say something else.
REPLIES = [("value = ", 'compute(a, "b")\n'), ('value = compute(a, "")', "\n")]
WHOLE = 'value = compute(a, "b")\n'


@pytest.fixture(scope="module")
def typing():
    with editor({"completion": {"prefetch": False}}, replies=REPLIES, otherwise="never()\n") as one:
        yield one


def num_asked(typing: Editor) -> str:
    return typing.engine_status()["details"]["interactive.requests"]


def accepted(typing: Editor, text: str, cursor: int) -> str:
    """The document after accepting what is offered; empty if nothing is."""
    params = {
        "textDocument": {"uri": URI},
        "position": {"line": 0, "character": cursor},
        "context": {"triggerKind": 2},
    }
    items = typing.client.ask("textDocument/inlineCompletion", params)["items"]
    if not items:
        return ""
    start, end = (items[0]["range"][side]["character"] for side in ("start", "end"))
    return text[:start] + items[0]["insertText"] + text[end:]


# What is done to the line, and where the cursor is then.
DEEDS = [
    ("value = c\n", 9),
    ("value = co\n", 10),
    ("value = c\n", 9),
    ("value = \n", 8),
    ("value = comp\n", 12),
    ("value = compute()\n", 16),
    ("value = compute(a)\n", 17),
    ('value = compute(a, "")\n', 20),
]


def test_what_is_shown_stays_while_one_types_it(typing: Editor) -> None:
    """Typed, deleted, typed again, brackets and quotes closed by the editor: one suggestion, one call."""
    assert typing.ask("value = |\n") == ['compute(a, "b")']
    asked, text = num_asked(typing), "value = \n"

    offered: list[str] = []
    for now, cursor in DEEDS:
        typing.change(URI, (0, 0, len(text) - 1, now[:-1]))
        text = now
        offered.append(accepted(typing, text, cursor))

    assert offered == [WHOLE] * len(DEEDS)
    assert num_asked(typing) == asked


def test_an_edit_elsewhere_and_back_does_not_change_it(typing: Editor) -> None:
    """The cursor goes away, a line is added far above and taken out again."""
    above = "".join(f"line_{number} = {number}\n" for number in range(300))
    path = "/ws/far.py"
    assert typing.ask(f"{above}value = |\n", path=path) == ['compute(a, "b")']
    asked = num_asked(typing)

    assert typing.ask(f"import os\n{above}value = c|\n", path=path) == ['ompute(a, "b")']
    assert typing.ask(f"{above}value = |\n", path=path) == ['compute(a, "b")']
    assert num_asked(typing) == asked
