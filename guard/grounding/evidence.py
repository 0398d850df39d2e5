"""The sentence a person reads about a name that does not exist."""

from __future__ import annotations

import re

from .finding import Fault, Finding
from .knowledge import Source, Standing

MAX_RECEIVER_CHARS = 60
_GENERIC = re.compile(r"\[[^\[\]]*@[^\[\]]*\]|\[(?:Unknown|Any)(?:, (?:Unknown|Any|\.\.\.))*\]")
"""Of `list[_T@list]` and `list[Unknown]`, what is not known of it."""


def sentence(finding: Finding, instead: str = "", standing: Standing | None = None) -> str:
    """`instead` is what exists and was probably meant."""
    text = _said(finding, standing)
    return f"{text}; `{instead}` exists" if instead else text


def _said(finding: Finding, standing: Standing | None) -> str:
    receiver, name = _short(_GENERIC.sub("", finding.receiver)), _short(finding.name)
    match finding.fault:
        case Fault.MISSING_MEMBER:
            if not receiver:
                return f"no member `{name}` exists there"
            kind = "module " if finding.message.startswith("Module") else ""
            return f"{kind}`{receiver}` has no member `{name}`"
        case Fault.MISSING_MODULE:
            return _module(name, standing)
        case Fault.MISSING_NAME:
            return f"`{name}` is not defined"
        case Fault.UNKNOWN_ARGUMENT:
            return f"`{receiver or 'the function'}` takes no argument `{name}`"
        case Fault.WRONG_CALL | Fault.POSSIBLY_MISSING:
            return _short(finding.message.partition("\n")[0], 200)


def _module(name: str, standing: Standing | None) -> str:
    if standing is None:
        return f"there is no module `{name}` here"
    match standing.source:
        case Source.LOOK_ALIKE:
            return f"`{name}` is not `{standing.look_alike_of}`, but looks like it"
        case Source.UNKNOWN:
            return f"no package `{name}` is known"
        case Source.WELL_KNOWN | Source.PUBLISHED:
            package = (
                f" (package `{standing.distribution}`)" if standing.distribution not in ("", name) else ""
            )
            return f"`{name}`{package} is neither installed nor declared"
        case Source.STANDARD | Source.INSTALLED | Source.WORKSPACE | Source.DECLARED:
            return f"there is no module `{name}` here"


def _short(text: str, most: int = MAX_RECEIVER_CHARS) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
