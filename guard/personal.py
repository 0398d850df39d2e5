"""Data about people that a model may have learnt by heart: addresses, numbers, accounts.

E-mail addresses are replaced by one that belongs to nobody.  Numbers that carry a check digit (cards,
accounts, national ids) are withheld when it is right, because it seldom is by chance; phone numbers
and public addresses of machines are noted, and withheld beside a second kind of data on one line:
that is a record of somebody.  What the document holds already is the person's own.  Evidence names
the kind and never the data.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .personal_rules import RULES, PersonalRule, line_of
from .verdict import Action, Passage, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGITS = re.compile(r"\d{2}")


class PersonalCheck:
    """Replaces, notes or withholds what belongs to a person."""

    name = "personal"

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        text = passage.suggestion
        if "@" not in text and _DIGITS.search(text) is None:
            return ()
        found = [one for one in _found(text) if not _is_own(text[one.start : one.end], passage)]
        return tuple(sorted((_together(one, found, text) for one in found), key=lambda one: one.start))


def _found(text: str) -> Iterator[Verdict]:
    taken: list[tuple[int, int]] = []
    for rule in RULES:
        if rule.needs not in text or (rule.words is not None and rule.words.search(text) is None):
            continue
        for match in rule.pattern.finditer(text):
            start, end = match.span()
            if any(start < b and end > a for a, b in taken) or not rule.accept(match):
                continue
            if rule.words is not None and not rule.words.search(line_of(text, start)):
                continue
            taken.append((start, end))
            yield Verdict(
                kind="personal",
                action=rule.action,
                rule=f"personal/{rule.id}",
                start=start,
                end=end,
                evidence=_evidence(rule),
                replacement=rule.replacement,
                cwe="CWE-359",
            )


def _evidence(rule: PersonalRule) -> str:
    found = f"the suggestion contains what looks like {rule.what}"
    return f"{found}: it is replaced by one that belongs to nobody" if rule.replacement else found


def _together(verdict: Verdict, found: list[Verdict], text: str) -> Verdict:
    """Withheld where another kind stands on the same line: together they are somebody's record."""
    if verdict.action != Action.ANNOTATE or verdict.rule == "personal/ip":
        return verdict
    line = text.count("\n", 0, verdict.start)
    others = {one.rule for one in found if text.count("\n", 0, one.start) == line} - {
        verdict.rule,
        "personal/ip",
    }
    if not others:
        return verdict
    return Verdict(
        kind=verdict.kind,
        action=Action.WITHHOLD,
        rule=verdict.rule,
        start=verdict.start,
        end=verdict.end,
        evidence=f"{verdict.evidence}, beside other data of the same person",
        cwe=verdict.cwe,
    )


def _is_own(data: str, passage: Passage) -> bool:
    return data in passage.before or data in passage.after
