"""Secrets a model repeats from its training data, or makes up so well that they look real.

Patterns by issuer (`secret_rules`), entropy as a filter, placeholders ignored.  A secret that is new
is withheld: a person who accepts one has it in their history.  One that stands in the text before or
after already is the user's own; repeating it discloses nothing, so it is only annotated.  Evidence
names the issuer and never the secret.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from .secret_rules import RULES, SecretRule
from .verdict import Action, Passage, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BEFORE_CHARS = 400
"""Of the text before: a secret may have been begun there, and its name may stand there."""

AFTER_CHARS = 200

# Words nobody has in a real token, at least not in one of this length by chance.
_PLACEHOLDER = re.compile(
    r"(?i)example|placeholder|change_?me|dummy|redacted|sample|your[_-]|[_-]your|my[_-](?:secret|token|key|api)"
    r"|insert|replace|foobar|x{4,}|\*{3,}|\.{3,}|<[\w -]+>|\$\{|\{\{|%\(|todo|fixme|deadbeef|cafebabe"
    r"|not[_-]?a?[_-]?(?:real|valid)|fake|mock|lorem|test(?:ing)?[_-]?(?:key|token|secret)|abcdefgh|12345678"
)
_COMMON_PASSWORDS = re.compile(
    r"(?i)pass(word|wd|w0rd|phrase)?|pa55word|p4ssw0rd|(my|super|db|sa_|root|admin)_?(secret|pass(word)?)"
    r"|secret|s3cr3t|postgres(ql)?|mysql|mariadb|mongo(db)?|redis|rabbitmq|guest|admin|root|user(name)?"
    r"|letmein|changeit|default|test(ing)?|development|hunter2|qwerty|docker|local(host)?"
)
_LOCAL_HOST = re.compile(r"localhost\b|127\.|0\.0\.0\.0|\[::1\]|host\.docker\.internal")


class SecretsCheck:
    """Withholds suggestions with new secrets in them."""

    name = "secrets"

    def __init__(self, rules: Sequence[SecretRule] = RULES) -> None:
        self.rules = tuple(rules)

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        before, after = passage.before[-BEFORE_CHARS:], passage.after[:AFTER_CHARS]
        text = before + passage.suggestion + after
        start, end = len(before), len(before) + len(passage.suggestion)
        found: list[Verdict] = []
        taken: list[tuple[int, int]] = []
        for rule, first, last in self._matches(text):
            if last <= start or first >= end or any(first < b and last > a for a, b in taken):
                continue
            taken.append((first, last))
            secret = text[first:last]
            own = secret in passage.before or secret in passage.after
            action = Action.ANNOTATE if own else _action(rule, text, last)
            found.append(
                Verdict(
                    kind="secret",
                    action=action,
                    rule=f"secret/{rule.id}",
                    start=max(first, start) - start,
                    end=min(last, end) - start,
                    evidence=_evidence(rule, own=own),
                    cwe="CWE-798",
                )
            )
        return tuple(sorted(found, key=lambda one: one.start))

    def _matches(self, text: str) -> Iterator[tuple[SecretRule, int, int]]:
        """Rule and span of every secret, the more telling rules first."""
        lower = text.lower()
        for rule in self.rules:
            if not any(keyword in lower for keyword in rule.keywords):
                continue
            for match in rule.pattern.finditer(text):
                group = "secret" if "secret" in rule.pattern.groupindex else 0
                if not _is_placeholder(rule, match[group]):
                    yield rule, match.start(group), match.end(group)


def _evidence(rule: SecretRule, *, own: bool) -> str:
    article = "an" if rule.issuer[0] in "AEIOae" else "a"
    if own:
        return f"the suggestion repeats {article} {rule.issuer} that this file already holds"
    return (
        f"the suggestion contains what looks like {article} {rule.issuer}: "
        "read it from the environment instead"
    )


def _action(rule: SecretRule, text: str, end: int) -> Action:
    if rule.id == "url-password" and _LOCAL_HOST.match(text, end + 1):
        return Action.ANNOTATE  # a development database, most likely everybody's
    return rule.action


def _is_placeholder(rule: SecretRule, secret: str) -> bool:
    """Whether it only shows where a secret would go."""
    return (
        entropy(secret) < rule.min_entropy
        or _PLACEHOLDER.search(secret) is not None
        or _is_run(secret)
        or (rule.id == "url-password" and _COMMON_PASSWORDS.fullmatch(secret) is not None)
        or (rule.id == "generic-credential" and not _mixes(secret))
    )


def _mixes(secret: str) -> bool:
    """Letters and digits both, and not words put together: identifiers and paths are no secrets."""
    words = re.findall(r"[A-Z]?[a-z]{5,}|[A-Z]{7,}", secret)
    lettered = sum(map(len, words))
    return (
        bool(re.search(r"\d", secret)) and bool(re.search(r"[A-Za-z]", secret)) and lettered < len(secret) / 2
    )


def _is_run(secret: str) -> bool:
    """Whether most of it goes up, down or on the spot, as in `abcdef…`, `1111…`."""
    steps = [ord(b) - ord(a) for a, b in itertools.pairwise(secret)]
    return sum(step in (-1, 0, 1) for step in steps) * 2 > len(steps)


def entropy(text: str) -> float:
    """Shannon's, in bits per character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
