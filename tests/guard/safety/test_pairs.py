"""The weakness is found in whole functions as people write them, and the mended function is left alone.

`pairs/LANGUAGE_*.txt` were written without a look at the rules; a pair marked `[missed]` is one that no
rule finds yet, and begins to fail here when one does.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from truepenny.guard.safety.check import SafetyCheck
from truepenny.guard.verdict import Passage

CHECK = SafetyCheck()
HEAD = re.compile(r"=== (CWE-\d+) (?:\((\w+)\) )?(\[missed\] )?(.+)")


def pairs(*, missing: bool):
    for path in sorted((Path(__file__).parent / "pairs").glob("*.txt")):
        for block in re.split(r"(?m)^(?==== )", path.read_text(encoding="utf-8"))[1:]:
            head, _, rest = block.partition("\n")
            told = HEAD.fullmatch(head)
            assert told is not None, f"{path.name}: {head!r} is no head: write `=== CWE-89 what it is`"
            vulnerable, mended = rest.split("--- fixed\n")
            language = told[2] or path.name.partition("_")[0]
            marks = [pytest.mark.xfail(strict=True, reason="no rule finds it yet")] if told[3] else []
            name = f"{language}-{told[1]}-{told[4]}"
            yield pytest.param(vulnerable, mended, language, marks=marks if missing else [], id=name)


def rules_in(text: str, language: str):
    return sorted({one.rule for one in CHECK.judge(Passage("", text, "", language))})


@pytest.mark.parametrize(("vulnerable", "mended", "language"), list(pairs(missing=True)))
def test_the_weakness_is_found(vulnerable, mended, language):
    assert rules_in(vulnerable, language)


@pytest.mark.parametrize(("vulnerable", "mended", "language"), list(pairs(missing=False)))
def test_the_mended_one_is_left_alone(vulnerable, mended, language):
    assert rules_in(mended, language) == []
