"""Names of packages: what they may look like, and what counts as the same."""

from __future__ import annotations

import re
import unicodedata

_RUNS = re.compile(r"[-_.]+")
_PYTHON = re.compile(r"(?:[a-z0-9]|[a-z0-9][a-z0-9._-]*[a-z0-9])", re.IGNORECASE)
_WEB = re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~_-][a-z0-9._~-]*", re.IGNORECASE)
MAX_NAME_CHARS = 214


def normalized(name: str) -> str:
    """As PEP 503 compares them: `Foo.Bar_baz` is `foo-bar-baz`."""
    return _RUNS.sub("-", name).lower()


def is_python_name(name: str) -> bool:
    return len(name) <= MAX_NAME_CHARS and _PYTHON.fullmatch(name) is not None


def is_web_name(name: str) -> bool:
    return len(name) <= MAX_NAME_CHARS and _WEB.fullmatch(name) is not None


def plain(name: str) -> str:
    """`name` as it looks: letters of other scripts become the Latin ones they resemble."""
    return unicodedata.normalize("NFKC", name).translate(_RESEMBLE).lower()


_RESEMBLE = str.maketrans(
    "аеорсхуіјѕԁһκοαρντԛԝɡıⅼ",
    "aeopcxyijsdhkoapvtqwgil",
)
