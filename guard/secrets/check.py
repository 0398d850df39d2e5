"""Secrets a model repeats from its training data, or makes up so well that they look real.

Patterns by issuer (`rules`), entropy as a filter, placeholders ignored (`candidate`).  A secret that
is new is replaced by a look-up in the environment where that is safe (`redaction`), and withheld
elsewhere: a person who accepts one has it in their history.  One that stands in the text before or
after already is the user's own; repeating it discloses nothing, so it is only annotated.  Evidence
names the issuer and never the secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..verdict import Action, Passage, Verdict
from .candidate import is_placeholder
from .folding import decoded, fold
from .record import SecretRule
from .redaction import Redaction, redact
from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BEFORE_CHARS = 400
"""Of the text before: a secret may have been begun there, and its name may stand there."""

AFTER_CHARS = 200

_LOCAL_HOST = re.compile(r"localhost\b|127\.|0\.0\.0\.0|\[::1\]|host\.docker\.internal")
_NAME = re.compile(r"([\w.-]+)[\"'\]]*\s*(?::\s*[\w<>.\[\] |]+)?\s*(?::=|=>|=|:)\s*[\"'`]?$")
_UNQUOTED = frozenset(
    {"dotenv", "properties", "ini", "yaml", "dockercompose", "dockerfile", "shellscript", "toml"}
)
"""Languages in which a value stands without quotes."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A secret in the window: `secret` as the program would see it, at `[start, end)` of the text."""

    rule: SecretRule
    start: int
    end: int
    secret: str
    hidden: bool = False
    """Whether only folding or decoding shows it."""


class SecretsCheck:
    """Redacts or withholds new secrets."""

    name = "secrets"

    def __init__(self, rules: Sequence[SecretRule] = RULES) -> None:
        self.rules = tuple(rules)
        self._issued = tuple(
            rule for rule in self.rules if rule.id not in ("generic-credential", "password", "unquoted")
        )

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        before, after = passage.before[-BEFORE_CHARS:], passage.after[:AFTER_CHARS]
        text = before + passage.suggestion + after
        start, end = len(before), len(before) + len(passage.suggestion)
        found: list[Verdict] = []
        taken: list[tuple[int, int]] = []
        for hit in self._hits(text, unquoted=passage.language.lower() in _UNQUOTED):
            first, last = hit.start, hit.end
            if last <= start or first >= end or any(first < b and last > a for a, b in taken):
                continue
            taken.append((first, last))
            span = max(first, start) - start, min(last, end) - start
            found.append(
                self._verdict(passage, hit, span, local=_LOCAL_HOST.match(text, last + 1) is not None)
            )
        return tuple(_once(sorted(found, key=lambda one: (one.start, one.end))))

    def _verdict(self, passage: Passage, hit: _Hit, span: tuple[int, int], *, local: bool) -> Verdict:
        rule, literal = hit.rule, passage.suggestion[span[0] : span[1]]
        own = any(one in place for one in {hit.secret, literal} for place in (passage.before, passage.after))
        redaction: Redaction | None = None
        action = rule.action
        if own or (rule.id == "url-password" and local):
            action = Action.ANNOTATE  # the person's own, or everybody's development database
        elif rule.redacts:
            redaction = redact(passage, rule, *span)
        if redaction is not None:
            action, span = Action.REPAIR, (redaction.start, redaction.end)
        return Verdict(
            kind="secret",
            action=action,
            rule=f"secret/{rule.id}",
            start=span[0],
            end=span[1],
            evidence=_evidence(hit, redaction, own=own),
            replacement=redaction.replacement if redaction is not None else None,
            cwe="CWE-798",
        )

    def _hits(self, text: str, *, unquoted: bool) -> Iterator[_Hit]:
        """Every secret, the more telling rules first; then what folding and decoding show."""
        yield from self._matches(text, self.rules, unquoted=unquoted)
        folded = fold(text)
        if folded is not None:
            for hit in self._matches(folded.text, self.rules):
                first, last = folded.back(hit.start), folded.back(hit.end, end=True)
                if last - first > hit.end - hit.start:
                    yield _Hit(hit.rule, first, last, hit.secret, hidden=True)
        for first, last, plain in decoded(text):
            for hit in self._matches(plain, self._issued):
                yield _Hit(hit.rule, first, last, hit.secret, hidden=True)
                break

    def _matches(self, text: str, rules: Sequence[SecretRule], *, unquoted: bool = False) -> Iterator[_Hit]:
        lower = text.lower()
        for rule in rules:
            if (rule.id == "unquoted" and not unquoted) or not any(word in lower for word in rule.keywords):
                continue
            for match in rule.pattern.finditer(text):
                group = "secret" if "secret" in rule.pattern.groupindex else 0
                first, last = match.span(group)
                name = _NAME.search(text, max(0, first - 80), first)
                if not is_placeholder(rule, match[group], name[1] if name else ""):
                    yield _Hit(rule, first, last, match[group])


def _once(verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
    """Two secrets in one literal are one repair."""
    last: Verdict | None = None
    for one in verdicts:
        if last is not None and last.action == one.action == Action.REPAIR and last.start == one.start:
            continue
        last = one
        yield one


def _evidence(hit: _Hit, redaction: Redaction | None, *, own: bool) -> str:
    issuer = hit.rule.issuer
    article = "an" if issuer[0] in "AEIOae" else "a"
    if own:
        return f"the suggestion repeats {article} {issuer} that this file already holds"
    hidden = ", in pieces or encoded" if hit.hidden else ""
    found = f"the suggestion contains what looks like {article} {issuer}{hidden}"
    if redaction is None:
        return f"{found}: read it from the environment instead"
    needs = f"; the file still needs `{redaction.needs}`" if redaction.needs else ""
    return f"{found}: it is read from the environment variable {redaction.variable} instead{needs}"
