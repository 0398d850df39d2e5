"""Pain 16: text that somebody else has written is held back, and nobody says what it was or whose.

Where the guard names a licence, the item says so in the field that Amazon's clients read; of what was
withheld for it too, so that a person can judge for themselves.
"""

from __future__ import annotations

from typing import Any

import pytest

from truepenny.guard.verdict import Action, Verdict
from truepenny.lsp_server.editor.inline import Answer, list_of
from truepenny.lsp_server.editor.protocol import make_converter
from truepenny.lsp_server.ledger.outcomes import Outcome

RECITED = Verdict(
    "licence", Action.WITHHOLD, "recited", 4, 90, "65 tokens as in example/quake", licence="GPL-2.0"
)
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
