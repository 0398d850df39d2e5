"""Secrets that stand in ordinary source files: they are told as `…`.

Files of keys and credentials never come into the index; this is for `PASSWORD = "…"` in a file that is
not one, and for the sentence that quotes a key.  A secret is known by what it is given to, by the mark
its maker put on it (`ghp_…`), by where it stands (`https://user:…@host`), or by its looks: long, without
blanks, not made of words.  When in doubt it is masked: a value tells a model little.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Twice, since no language is asked: with `'` as a quote, and as something else (`&'a str`, `don't`).
_LITERALS = tuple(
    re.compile(rf"({quotes})(?P<inside>(?:\\.|(?!\1).)*)(\1|$)", re.DOTALL)
    for quotes in ("\"{3}|'{3}|[\"'`]", '"{3}|["`]')
)
_LONG_BRACKETS = re.compile(r"(\[\[)(?P<inside>.*?)(\]\]|$)", re.DOTALL)

_MARKED = re.compile(
    r"""-----BEGIN\ [A-Z0-9\ ]*PRIVATE\ KEY.*
    | \b(?: (?:AKIA|ASIA)[0-9A-Z]{12,} | gh[pousr]_\w{16,} | github_pat_\w{16,} | gl(?:pat|ptt|rt)-[\w-]{12,}
      | xox[abeoprs]-[\w-]{8,} | xapp-[\w-]{8,} | [srp]k_(?:live|test)_\w{8,} | whsec_[\w+/=]{16,}
      | sk-(?=[\w-]*\d)[\w-]{16,} | AIza[\w-]{20,} | ya29\.[\w-]+ | eyJ[\w-]{8,}(?:\.[\w-]*)*
      | hf_[A-Za-z0-9]{20,} | npm_\w{20,} | pypi-Ag[\w-]{16,} | SG\.[\w-]{8,}\.[\w-]+ | do[opr]_v1_\w{16,}
      | hv[sb]\.[\w-]{16,} | AGE-SECRET-KEY-1\w+ | shp(?:at|ca|pa|ss)_\w{16,} )""",
    re.VERBOSE | re.DOTALL,
)
_IN_URL = re.compile(r"(://[^/\s:@\"'`]*:)([^@\s\"'`]+)(?=@)")
_PAIR = re.compile(
    r"(?i)([\w-]*(?:password|passwd|passphrase|pwd|secret|token|api_?key|account_?key|access_?key|signature|sig)"
    r"\s*=\s*)([^\s\"'`&;,(){}<>…]{4,})"
)
_BEARER = re.compile(r"(?i)(\b(?:bearer|basic)\s+)(?=\S*[\d=])([A-Za-z0-9._~+/=-]{6,})")
_SHELL = re.compile(r"^((?:export |readonly |local |declare (?:-\w+ )*)?(\w+)=)([^\s\"'`$(){}…]{4,})")
_SAID = re.compile(
    r"(?i)(\b(?:password|passwd|passphrase|secret|token|credentials?|key)\s*(?:is|was|are|[:=]|->)\s*)"
    r"(?:([\"'`])[^\"'`…]{4,}|(?=\S*(?:\d|[!@#$%^&*]|\S-\S+-\S))[^\s\"'`…]{4,})"
)

_RUN = re.compile(r"[A-Za-z0-9+/=_\-.~!@#$%^&*]{16,}")
_ATOM = re.compile(r"[A-Za-z0-9]+")
_SYLLABLE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MIN_RANDOM_CHARS = 12
_MIN_NAMED_CHARS = 4
_BEFORE_CHARS = 120

_GIVEN_TO = re.compile(
    r"""(?:(?P<name>[\w.-]+)["'`]?\]?\s*(?::[^=,()"'`]*)?(?:=>|:=|=|:)
    | ["'`](?P<key>[\w.-]+)["'`]\s*,
    | \b(?P<call>(?:set|with|Set|With)_?\w+)\(
    | \#define\s+(?P<macro>\w+))\s*[A-Za-z@$&]{0,2}$""",
    re.VERBOSE,
)
_NAME = re.compile(r"[^\W\d]\w*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRETS = _words(
    """
    password passwords passwd pwd passphrase passcode pass secret secrets token tokens credential credentials
    creds apikey auth authorization bearer
    """
)
_SECRET_ENDS = ("password", "passwd", "passphrase", "secret", "apikey", "token")
_SECRET_KEYS = _words(
    """
    api private signing sign secret access encryption encrypt master license auth account storage shared
    service ssh deploy hmac jwt crypto client session
    """
)
"""Before `key`."""
_ABOUT = _words(
    """
    type types name names url uri urls header headers help prompt label field fields path paths file files dir
    folder endpoint kind length len size count limit pattern regex column param parameter env var variable
    message error errors format prefix suffix algorithm scheme method mode class ttl expiry timeout validator
    validators description title text doc hint placeholder location provider backend encoding budget
    """
)
"""`TOKEN_URL` is not a token."""
_PLACEHOLDER = re.compile(r"<[^<>]*>|\[\w*\]|\{+\w*\}+|\$\{?\w+\}?|%\(?\w*\)?s?|\*+|\.+|x+", re.IGNORECASE)


@lru_cache(maxsize=4_096)
def masked(text: str) -> str:
    """`text`, a piece of code, with what may be a secret taken out of it.  Never longer."""
    text = _marked(text)
    if (shell := _SHELL.match(text)) and _is_secret(shell[2]):
        text = shell[1] + "…" + text[shell.end() :]
    if not any(quote in text for quote in "\"'`["):
        return text
    is_all_secret = _gives_to_secret(text)
    for literals in (*_LITERALS, _LONG_BRACKETS):
        text = _masked_literals(text, literals, is_all_secret=is_all_secret)
    return text


def masked_prose(text: str) -> str:
    """`text`, a sentence, with what may be a secret taken out of it."""
    text = _RUN.sub(lambda run: "…" if _is_random(run[0]) else run[0], masked(text))
    return _SAID.sub(r"\1\2…", _without_parts(text))


def _marked(text: str) -> str:
    return _IN_URL.sub(r"\1…", _MARKED.sub("…", text))


def _without_parts(text: str) -> str:
    return _BEARER.sub(r"\1…", _PAIR.sub(r"\1…", text))


def _masked_literals(text: str, literals: re.Pattern[str], *, is_all_secret: bool) -> str:
    was_cut = text.endswith("…")

    def mask(found: re.Match[str]) -> str:
        inside = found["inside"]
        if not inside or inside == "…":
            return found[0]
        is_secret = any(_is_random(run[0]) for run in _RUN.finditer(inside))
        if was_cut and not found[3]:  # the beginning of something that may have been long
            is_secret = is_secret or not re.search(r"\s", inside)
        if not is_secret and _is_value(inside):
            before = text[max(0, found.start() - _BEFORE_CHARS) : found.start()]
            is_secret = is_all_secret or _is_named(before)
        return f"{found[1]}{'…' if is_secret else _without_parts(inside)}{found[3]}"

    return literals.sub(mask, text)


def _is_value(inside: str) -> bool:
    return len(inside) >= _MIN_NAMED_CHARS and _PLACEHOLDER.fullmatch(inside) is None


def _gives_to_secret(text: str) -> bool:
    """Whether the whole of `text` is about one secret: `api_key: str = Field(default="…")`."""
    head, equals, _ = text.partition("=")
    if not equals or any(sign in head for sign in "(\"'`"):
        return False
    names = _NAME.findall(head.replace("::", ".").partition(":")[0])
    return any(_is_secret(name) for name in names)


def _is_named(before: str) -> bool:
    """By the name right before, with a type between them at most."""
    found = _GIVEN_TO.search(before)
    return found is not None and _is_secret(next(filter(None, found.groups()), ""))


def _is_secret(name: str) -> bool:
    words = [word.lower() for word in _SYLLABLE.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    return any(
        word in _SECRETS
        or word.endswith(_SECRET_ENDS)
        or (word in ("key", "keys") and nth > 0 and words[nth - 1] in _SECRET_KEYS)
        for nth, word in enumerate(words)
    )


def _is_random(run: str) -> bool:
    """Whether characters without a blank are not words, numbers, paths or versions."""
    strange = sum(len(atom) for atom in _ATOM.findall(run) if not _is_wordy(atom))
    return strange >= (_MIN_RANDOM_CHARS if run.isascii() and not re.search(r"[!@#$^*]", run) else 8)


def _is_wordy(atom: str) -> bool:
    num_digits = sum(char.isdigit() for char in atom)
    syllables = _SYLLABLE.findall(atom)
    per_syllable = len(atom) / max(1, len(syllables))
    if len(atom) >= 2 * _MIN_RANDOM_CHARS and per_syllable < 3.6:
        return False
    if not num_digits:
        return len(atom) < _MIN_RANDOM_CHARS or per_syllable > 2.7
    num_numbers = sum(one.isdigit() for one in syllables)
    return len(atom) <= 5 or (num_digits <= 6 and num_numbers <= 2 and per_syllable >= 3)
