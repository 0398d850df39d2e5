"""Secrets that stand in ordinary source files: their literals are told as `…`.

Files of keys and credentials never come into the index; this is for `PASSWORD = "…"` in a file that is
not one.  By the name it is given to, or by its looks: long, without blanks, letters and digits mixed.
"""

from __future__ import annotations

import re

_LITERAL = re.compile(r"""("{3}|'{3}|["'`])(?P<inside>(?:\\.|(?!\1).)*)(\1|$)""", re.DOTALL)
_NAMED = re.compile(
    r"pass(?:word|wd|phrase)|secret|token|api_?key|private_?key|signing_?key|credential|auth", re.IGNORECASE
)
_RUN = re.compile(r"[A-Za-z0-9+/=_\-.~!@#$%^&*]{16,}")
_KEY = "PRIVATE KEY"
_MIN_NAMED_CHARS = 4


def masked(text: str) -> str:
    """`text` with what may be a secret taken out of its literals."""
    if not any(quote in text for quote in "\"'`"):
        return text

    def mask(found: re.Match[str]) -> str:
        inside, before = found["inside"], text[max(0, found.start() - 60) : found.start()]
        is_secret = _KEY in inside or _looks_random(inside) or (_is_named(before) and _is_word(inside))
        return f"{found[1]}…{found[3]}" if is_secret else found[0]

    return _LITERAL.sub(mask, text)


def _looks_random(inside: str) -> bool:
    return any(
        re.search(r"\d", run[0]) and re.search(r"[A-Za-z]", run[0]) and not run[0].count("/") > 2
        for run in _RUN.finditer(inside)
    )


def _is_named(before: str) -> bool:
    """The name right before `=` or `:`, with a type between them at most."""
    name = re.search(r"(\w+)[\"']?\s*(?::[^=,()]*)?(?:=|:=|:|=>)\s*[a-z]{0,2}$", before)
    return name is not None and _NAMED.search(name[1]) is not None


def _is_word(inside: str) -> bool:
    return len(inside) >= _MIN_NAMED_CHARS and not re.search(r"\s", inside.strip())
