"""Pain 16: text that somebody else has written is held back, and nobody says what it was or whose.

Where the guard names a licence, the item says so in the field that Amazon's clients read; of what was
withheld for it too, so that a person can judge for themselves.
"""

from __future__ import annotations

from typing import Any

import pytest

from truepenny.guard.verdict import Action, Reference, Verdict
from truepenny.lsp_server.editor.inline import Answer, list_of
from truepenny.lsp_server.editor.notices import COPY_NOTICE
from truepenny.lsp_server.editor.protocol import make_converter
from truepenny.lsp_server.editor.server import TruepennyServer
from truepenny.lsp_server.ledger.outcomes import Outcome

RECITED = Verdict(
    "licence", Action.WITHHOLD, "recited", 4, 90, "65 tokens as in example/quake", licence="GPL-2.0"
)
FREE = Verdict(
    "licence",
    Action.ANNOTATE,
    "licence/copy",
    0,
    40,
    "repeats 3 lines",
    licence="MIT",
    reference=Reference(
        "MIT", "giver", "1.2", "lib/give.py", 30, "https://example.org/giver/lib/give.py", 0, 40
    ),
)
NOTICE = "Contains code of giver 1.2: lib/give.py, line 30\nused under MIT\nhttps://example.org/giver/lib/give.py\n"
UNSAFE = Verdict("safety", Action.ANNOTATE, "weak-hash", 0, 3, "a weak hash")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), []),
        ((UNSAFE,), []),
        (
            (UNSAFE, RECITED),
            [
                {
                    "licenseName": "GPL-2.0",
                    "referenceName": "65 tokens as in example/quake",
                    "referenceUrl": "",
                    "position": {"start": 4, "end": 90},
                    "notice": "",
                }
            ],
        ),
        (
            (FREE,),
            [
                {
                    "licenseName": "MIT",
                    "referenceName": "giver 1.2: lib/give.py, line 30",
                    "referenceUrl": "https://example.org/giver/lib/give.py",
                    "position": {"start": 0, "end": 40},
                    "notice": NOTICE,
                }
            ],
        ),
    ],
)
def test_what_was_recited_is_named(verdicts: tuple[Verdict, ...], expected: list[Any]) -> None:
    """On the answer itself, also where it is empty."""
    outcome = Outcome("completion-1", 1, shown=False, reason="recited", stage="guard", verdicts=verdicts)

    sent = make_converter().unstructure(list_of(Answer(outcome)))

    assert sent["items"] == []
    assert sent["truepenny"]["references"] == expected


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [((), ""), ((UNSAFE, RECITED), ""), ((FREE, UNSAFE, FREE), NOTICE)],
    ids=["nothing", "no source known", "each once"],
)
def test_the_notice_can_be_copied(verdicts: tuple[Verdict, ...], expected: str) -> None:
    """Project, version, place, licence and address, for the suggestion whose id the editor has."""
    server = TruepennyServer()
    outcome = Outcome("completion-7", 1, shown=True, reason="", verdicts=verdicts)
    server.session.outcomes.add("file:///a.py", outcome)

    assert server.session.notice_of("completion-7") == expected
    assert server.session.notice_of("completion-8") == ""
    assert COPY_NOTICE in server.protocol.fm.commands
