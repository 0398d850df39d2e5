"""One record per format of secrets, and how records are made."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..verdict import Action

URL_SAFE = r"[0-9A-Za-z_-]"  # base64url
ALNUM = r"[0-9A-Za-z]"
HEX = r"[0-9a-f]"
LEFT = r"(?<![0-9A-Za-z_-])"
RIGHT = r"(?![0-9A-Za-z_-])"


@dataclass(frozen=True, slots=True)
class SecretRule:
    """One format.  The secret is group `secret` of `pattern`, or the whole match."""

    id: str
    issuer: str
    """For the sentence a person reads."""
    keywords: tuple[str, ...]
    """Lower case; one of them has to occur in the text for the pattern to be tried."""
    pattern: re.Pattern[str]
    min_entropy: float = 0.0
    """Bits per character of the secret, Shannon; filters words and fill-ins."""
    action: Action = Action.WITHHOLD
    """Where it cannot be redacted."""
    redacts: bool = True
    """Whether a look-up takes its place where that is safe."""


def prefixed(
    rule_id: str, issuer: str, keyword: str | tuple[str, ...], body: str, min_entropy: float = 3.0
) -> SecretRule:
    """A token that is recognised by its beginning alone."""
    keywords = (keyword,) if isinstance(keyword, str) else keyword
    pattern = re.compile(LEFT + f"(?:{body})" + RIGHT)
    return SecretRule(rule_id, issuer, keywords, pattern, min_entropy)


def named(rule_id: str, issuer: str, names: str, body: str, min_entropy: float = 3.0) -> SecretRule:
    """A token without a telling beginning, assigned to something called after its issuer."""
    pattern = re.compile(
        rf"(?i:{names})[\w.\-\[\]\"' ]{{0,40}}?(?::=|=>|=|:|,|\()\s*[\"'`]?"
        rf"(?P<secret>{LEFT}(?:{body}){RIGHT})"
    )
    return SecretRule(rule_id, issuer, tuple(names.split("|")), pattern, min_entropy)
