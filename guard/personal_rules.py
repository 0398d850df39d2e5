"""Data about people: where each kind may stand, and what tells it from other numbers and names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from . import checksums
from .verdict import Action

NOBODY = "someone@example.com"
"""Stands in for an address; reserved by RFC 2606."""


@dataclass(frozen=True, slots=True)
class PersonalRule:
    """One kind of data: where it may stand, and what tells it from other numbers."""

    id: str
    what: str
    pattern: re.Pattern[str]
    accept: Callable[[re.Match[str]], bool]
    action: Action
    replacement: str | None = None
    words: re.Pattern[str] | None = None
    """One of them has to stand on the line: without it, it is any number."""
    needs: str = ""
    """A character without which the pattern cannot match."""


_ROLES = (
    r"no-?reply|do-?not-?reply|info|support|help|contact|admin|administrator"
    r"|security|abuse|postmaster|hostmaster"
    r"|webmaster|sales|office|team|hello|press|legal|privacy|bugs?|dev"
    r"|developers?|maintainers?|root|mailer-daemon"
    r"|notifications?|alerts?|billing|service|jobs|feedback|newsletter|git|hg|svn|ops|sysadmin|builds?|ci|bot"
)
_NOBODYS = (
    r"users?\d*|name|first\.?last|your\.?(?:name|email|mail)?|you|me"
    r"|my\.?e?mail|e?mail|address|someone|somebody"
    r"|nobody|anyone|foo|bar|baz|qux|test(?:er|ing)?\d*|demo|sample|dummy"
    r"|fake|example|john|jane|alice|bob|carol"
    r"|eve|(?:john|jane|j)[._]?(?:doe|smith)\d*|doe|username|login|account"
    r"|customer|client|recipient|sender|from|to"
    r"|firstname\.?lastname|a|b|c|x|y|z|abc|xyz|invalid|valid|student|employee|member|guest|owner|author"
)
_NOT_SOMEONE = re.compile(rf"(?i)(?:{_ROLES}|{_NOBODYS})(?:\+.*)?|[0-9a-f]{{16,}}|\W+")
_NO_MAIL_HOST = re.compile(
    r"(?i)(?:.+\.)?(?:(?:my|your|some)?(?:example|domain|company|site"
    r"|org|test|mail|email|host|corp|acme|foo|bar|baz"
    r"|sample|provider|server|xyz|abc|contoso|placeholder)\.\w+|.+\.(?:test"
    r"|invalid|local|localhost|internal|example)"
    r"|users\.noreply\.github\.com|\w+\.example\.\w+|x\.\w+|y\.\w+|[a-c]\.\w+|host|localhost)"
)
_TOP_LEVEL = (
    r"com|org|net|edu|gov|mil|int|info|biz|io|dev|app|ai|me|co|tv|cc"
    r"|eu|uk|us|de|fr|nl|be|ch|at|it|es|pt|pl|cz|se|no"
    r"|fi|dk|ie|gr|hu|ro|ru|ua|tr|il|in|cn|jp|kr|tw|hk|sg|au|nz|ca|mx"
    r"|br|ar|cl|za|name|pro|xyz|online|cloud|tech"
    r"|email|vn|th|id|ph|my|bg|hr|rs|sk|si|lt|lv|ee|lu|is"
)


def _is_mail(match: re.Match[str]) -> bool:
    return _NOT_SOMEONE.fullmatch(match["local"]) is None and _NO_MAIL_HOST.fullmatch(match["host"]) is None


_FICTIONAL = re.compile(
    r"555|(\d)\1{5}|0{4}|12345|23456|34567|45678|56789|98765|87654|20794600"
    r"|20794601|79460|1632960|7700900|8081570"
)


def _is_phone(match: re.Match[str]) -> bool:
    digits = re.sub(r"\D", "", match[0])
    return 9 <= len(digits) <= 15 and _FICTIONAL.search(digits) is None and len(set(digits)) > 4


_WELL_KNOWN = frozenset(
    {
        *("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "149.112.112.112"),
        *("208.67.222.222", "208.67.220.220", "1.2.3.4", "4.3.2.1"),
    }
)
"""Public resolvers, and what stands for any address."""
_VERSION = re.compile(
    r"(?i)version|\bver\b|release|revision|\bv$|[=~<>^]=?\s*$|oid|\bsection\b|chrome/|firefox/|(?<!/)/\d*$"
)


def _is_public(match: re.Match[str]) -> bool:
    text = match[0]
    if text in _WELL_KNOWN:
        return False
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # four numbers, or colons, that are no address
        return False
    if address.version == 6:
        return (
            address.is_global
            and text.count(":") >= 3
            and not text.lower().startswith(("2001:4860:", "2606:4700:"))
        )
    line = match.string.rfind("\n", 0, match.start()) + 1
    left = match.string[line : match.start()]
    small = sum(int(part) < 20 for part in text.split(".")) >= 3
    return address.is_global and not small and _VERSION.search(left[-40:]) is None


_CARD_WORDS = re.compile(r"(?i)card|visa|amex|credit|payment|\bpan\b|\bcc_?n?|debit")


def _is_card(match: re.Match[str]) -> bool:
    """Digits in a row are any number, unless they are quoted or called what they are."""
    plain = match[0].isdigit() and match.string[match.start() - 1 : match.start()] not in ("'", '"', "`")
    if plain and not _CARD_WORDS.search(line_of(match.string, match.start())):
        return False
    return checksums.is_card(re.sub(r"[ -]", "", match[0]))


def _checked(check: Callable[[str], bool]) -> Callable[[re.Match[str]], bool]:
    return lambda match: check(re.sub(r"[\s.\-/]", "", match[0]))


def _id(
    rule_id: str, what: str, pattern: str, check: Callable[[str], bool], words: str | None = None
) -> PersonalRule:
    return PersonalRule(
        rule_id,
        what,
        re.compile(rf"(?<![\w.-])(?:{pattern})(?![\w-]|\.\d)"),
        _checked(check),
        Action.WITHHOLD,
        words=re.compile(rf"(?i){words}") if words else None,
    )


RULES: tuple[PersonalRule, ...] = (
    PersonalRule(
        "email",
        "somebody's e-mail address",
        re.compile(
            r"(?:(?<=mailto:)|(?<![\w.+/:@-]))(?P<local>[A-Za-z0-9][\w.+-]{0,62})@(?P<host>(?:"
            r"[A-Za-z0-9-]{1,63}\.){1,4}"
            rf"(?i:{_TOP_LEVEL}))(?![\w(]|\.\w|-\w|:[\w/~])"
        ),
        _is_mail,
        Action.REPAIR,
        NOBODY,
        needs="@",
    ),
    PersonalRule(
        "card",
        "a payment card number",
        re.compile(
            r"(?<![\w.-])(?:[2-6]\d{3}(?:[ -]?\d{4}){3}|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?![\w-]|\.\d)"
        ),
        _is_card,
        Action.WITHHOLD,
    ),
    _id(
        "iban",
        "a bank account number",
        r"[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?",
        checksums.is_iban,
    ),
    _id("us-ssn", "a US social security number", r"\d{3}-\d{2}-\d{4}", checksums.is_ssn),
    _id("br-cpf", "a Brazilian taxpayer number", r"\d{3}\.\d{3}\.\d{3}-\d{2}", checksums.is_cpf),
    _id(
        "es-dni",
        "a Spanish identity number",
        r"[XYZ]?\d{7,8}-?[A-HJ-NP-TV-Z]",
        checksums.is_dni,
        r"\b(?:dni|nie|nif)|identi",
    ),
    _id(
        "it-cf",
        "an Italian tax code",
        r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]",
        checksums.is_codice_fiscale,
    ),
    _id(
        "fr-nir",
        "a French social security number",
        r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2}",
        checksums.is_nir,
    ),
    _id("pl-pesel", "a Polish identity number", r"\d{11}", checksums.is_pesel, "pesel"),
    _id("nl-bsn", "a Dutch citizen number", r"\d{9}", checksums.is_bsn, r"\bbsn|burgerservice|sofi"),
    _id(
        "uk-nhs", "a British health service number", r"\d{3}[ -]?\d{3}[ -]?\d{4}", checksums.is_nhs, r"\bnhs"
    ),
    _id(
        "in-aadhaar",
        "an Indian identity number",
        r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}",
        checksums.is_verhoeff,
        "aadhaa?r|uidai",
    ),
    PersonalRule(
        "phone",
        "a phone number",
        re.compile(
            r"(?<![\w.+-])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,5}(?!"
            r"[\w-]|\.\d)"
        ),
        _is_phone,
        Action.ANNOTATE,
        needs="+",
    ),
    PersonalRule(
        "phone",
        "a phone number",
        re.compile(r"(?<![\w.+-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-]|\.\d)"),
        _is_phone,
        Action.ANNOTATE,
        words=re.compile(r"(?i)phone|mobile|\btel|\bcell|\bfax|whatsapp|contact|call|sms"),
    ),
    PersonalRule(
        "ip",
        "the public address of a machine",
        re.compile(r"(?:(?<![\w.:@/-])|(?<=://))(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)"),
        _is_public,
        Action.ANNOTATE,
        needs=".",
    ),
    PersonalRule(
        "ip",
        "the public address of a machine",
        re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:{1,2}){2,7}[0-9A-Fa-f]{1,4}(?![\w:.])"),
        _is_public,
        Action.ANNOTATE,
        needs=":",
    ),
)


def line_of(text: str, at: int) -> str:
    """The line of `text` that holds `at`."""
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : len(text) if end == -1 else end]
