"""Secrets that no issuer marked: private keys, passwords in URLs, web tokens, what a name calls secret."""

from __future__ import annotations

import re

from ..verdict import Action
from .record import LEFT, RIGHT, SecretRule, prefixed

_NAMES = (
    r"secret|token|passw(?:or)?d|pwd|passphrase|api[_-]?key|access[_-]?key|auth[_-]?key|private[_-]?key"
    r"|encryption[_-]?key|signing[_-]?key|master[_-]?key|account[_-]?key|storage[_-]?key|credentials?"
)
_WORDS = (
    *(
        "secret",
        "token",
        "passw",
        "pwd",
        "passphrase",
        "api_key",
        "apikey",
        "api-key",
        "access_key",
        "accesskey",
    ),
    *("auth", "private_key", "privatekey", "private-key", "encryption", "signing", "master", "credential"),
    *("account_key", "accountkey", "storage_key", "storagekey"),
)

GENERIC: tuple[SecretRule, ...] = (
    SecretRule(
        "private-key",
        "private key",
        ("private key",),
        # The marker alone stands in any code that reads keys; a key has a body, perhaps with `\n` spelt out.
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:\\n|\\r|[\s\"'+\\]|[A-Za-z-]+: [^\n]*\n)*"
            r"(?P<secret>[0-9A-Za-z+/=]{24}[0-9A-Za-z+/=\s\\\"']*)"
        ),
        3.5,
    ),
    prefixed(
        "age-key",
        "age secret key",
        "age-secret-key-1",
        r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    ),
    SecretRule(
        "url-password",
        "password in a connection URL",
        ("://",),
        re.compile(
            r"\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@\"'`<>{}$%]{0,80}:(?P<secret>[^\s/@\"'`<>{}$]{6,120})@"
            r"(?!(?:[\w-]+\.)*example\.(?:com|org|net)\b|(?:[\w-]+\.)*(?:test|invalid|example)\b)"
            r"[\w.\[-]"
        ),
        2.5,
    ),
    SecretRule(
        "jwt",
        "JSON web token",
        ("eyj",),
        re.compile(LEFT + r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}" + RIGHT),
        3.5,
        Action.ANNOTATE,
    ),
    SecretRule(
        "generic-credential",
        "credential",
        _WORDS,
        re.compile(
            rf"(?i:{_NAMES})[\w.\-\[\]\"']{{0,30}}?\s*(?::\s*[\w.<>\[\] |&]{{1,30}}?\s*=|:=|=>|=|:|,)\s*"
            r"[rRbBuU]?[\"'`](?P<secret>[0-9A-Za-z+/_=.~!@#$%^&*-]{16,160})[\"'`]"
        ),
        3.5,
        Action.ANNOTATE,
    ),
    SecretRule(
        "password",
        "password",
        ("passw", "pwd", "passphrase"),
        re.compile(
            r"(?i:passw(?:or)?d|passphrase|pwd)[\w\-\[\]\"']{0,16}?"
            r"\s*(?::\s*[\w.<>\[\] |&]{1,30}?\s*=|:=|=>|=|:)\s*"
            r"[\"'](?P<secret>[!-~]{8,64}?)[\"']"
        ),
        2.7,
        Action.ANNOTATE,
    ),
    SecretRule(
        "unquoted",
        "credential",
        _WORDS,
        re.compile(
            rf"(?m)^[ \t-]*(?:export |ENV |ARG )?[\w.-]*(?i:{_NAMES})[\w.-]{{0,20}}[ \t]*[=:][ \t]*"
            r"(?P<secret>[0-9A-Za-z+/_=.~!@#%^&*-]{16,160})[ \t]*$"
        ),
        3.5,
        Action.ANNOTATE,
    ),
)
