"""Is what a pattern found a secret, or only the place for one?

Placeholders, words put together, runs of the alphabet, common development passwords: none of them
discloses anything.  Entropy only filters; it never finds.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter

from .record import SecretRule

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
_PASSWORD_WORDS = re.compile(
    r"(?i)p[a@4][s5$]{2}|secret|s3cr|test|demo|admin|user|qwert|1234|abc|welcome|letmein|strong|hunter|correct"
    r"|hello|valid|wrong|field|input|form|hash|reset|name|label|http|sha\d|md5|utf|bcrypt|argon|env[.:]"
)
_PUBLIC_NAMES = re.compile(
    r"(?i)public|publishable|_?(?:url|uri|path|file|dir|endpoint|name|header|prefix|regex|pattern|re|hash"
    r"|digest|checksum|sha\d*|type|field|label|column|param|id|arn|scope|format|count|limit|length)s?$"
)
_HEX_DIGEST = re.compile(
    r"(?i)[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}"
)
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_PAIRS = frozenset(
    re.findall(
        "..",
        "thheineranreonatenndtiesorteofedisitalarsttontngsehaasouiolevecomedehiriroicneearacelichllbemasiom"
        "urcaeltalansdifohopeecprnoctusacotiltrlyncetutsssorsunlowageiewheewiemadolrtpowenaulnitsmoowpaimmi"
        "aishirsuidosiviaamficivipligtuevldrympfeblabghtyopwosaayexkefrooavagifapgrodbosprddoucbueiovbyrmep"
        "ttocfaefcurnscgidayocrcldugaquueffbaeylsvaumppuauplugohtruugdsltpircrregauckewmubrbiptakpuuirgibtl"
        "nykirkysobmmfuphogmsyeudmbipuboirlgudrcctwftwnnuafhunneovorvnfxpgnsmflizokglawjuoasyslpsjonvjenkkn"
        "zeksxt",
    )
)
"""Pairs of letters that make up nearly all of English words."""
_LOCATOR = re.compile(
    r"^(?:/|\./|\.\./|~/|[a-z][a-z0-9+.-]*://|[A-Z]:\\|arn:|urn:|projects/|\w+(?:\.\w+){2,}$)"
)


def is_placeholder(rule: SecretRule, secret: str, name: str = "") -> bool:
    """Whether it only shows where a secret would go.  `name` is what it is assigned to, if known."""
    if entropy(secret) < rule.min_entropy or _PLACEHOLDER.search(secret) is not None or _is_run(secret):
        return True
    if rule.id == "url-password":
        return _COMMON_PASSWORDS.fullmatch(secret) is not None
    if rule.id in ("generic-credential", "unquoted"):
        return not _mixes(secret) or _is_public(name, secret)
    if rule.id == "password":
        return not _is_chosen(secret) or _is_public(name, secret)
    return False


def _is_public(name: str, secret: str) -> bool:
    """Whether the name says it is no secret, or the value is an address, or a digest under no key's name."""
    if _PUBLIC_NAMES.search(name) or _LOCATOR.match(secret):
        return True
    return _HEX_DIGEST.fullmatch(secret) is not None and not re.search(r"(?i)secret|key|token|passw", name)


def _mixes(secret: str) -> bool:
    """Kinds of characters mixed, and not words put together: identifiers and paths are no secrets."""
    lettered = sum(len(word) for word in _WORD.findall(secret) if _is_pronounceable(word))
    kinds = sum(bool(re.search(kind, secret)) for kind in (r"[a-z]", r"[A-Z]", r"\d"))
    return kinds > 1 and lettered < len(secret) / 2


def _is_pronounceable(word: str) -> bool:
    """Whether people could have made it: of drawn letters, a third of the pairs are common at most."""
    pairs = ["".join(pair) for pair in itertools.pairwise(word.lower())]
    return sum(pair in _PAIRS for pair in pairs) >= 0.75 * len(pairs)


def _is_chosen(secret: str) -> bool:
    """A password as a person or a generator makes one: kinds of characters mixed, no telling word."""
    kinds = sum(bool(re.search(kind, secret)) for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9\s]"))
    if kinds < 3 or not re.search(r"\d", secret) or _PASSWORD_WORDS.search(secret) or _UUID.fullmatch(secret):
        return False
    return _COMMON_PASSWORDS.fullmatch(secret) is None and not re.search(r"[(){}<>\[\]]", secret)


def _is_run(secret: str) -> bool:
    """Whether most of it goes up, down or on the spot, as in `abcdef…`, `1111…`."""
    steps = [ord(b) - ord(a) for a, b in itertools.pairwise(secret)]
    return sum(step in (-1, 0, 1) for step in steps) * 2 > len(steps)


def entropy(text: str) -> float:
    """Shannon's, in bits per character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
