"""Is this a place to suggest at all, and one line or several?  Pure: a query in, a decision out.

Every "no" carries a reason a person can read.  The rules are those of the best systems: mid-line only
before closers (Copilot), nothing inside a word, one line where code follows, several where a block
is empty or ends here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .settings import CompletionSettings
from .snapshot import Query, Trigger

_ONLY_CLOSERS = re.compile(r"[ \t]*[)>}\]\"'`]*[ \t]*[:{;,]?[ \t]*")
_OPENS_BLOCK = re.compile(r"(?:[:{(\[]|=>|->|\bthen|\bdo)[ \t]*(?:#.*|//.*)?$")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` says why not; empty when `is_open`."""

    is_open: bool
    is_multi: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The cursor's line and its neighbours, without line ends."""

    typed: str
    """The line up to the cursor."""
    rest: str
    """The line from the cursor on."""
    previous: str
    """The nearest line above that is not blank; empty if there is none."""
    next_line: str | None
    """The line just below; None at the end of the document."""


def decide(query: Query, settings: CompletionSettings) -> Decision:
    """Invoked requests pass wherever an answer can be placed; automatic ones must be in a good place."""
    if not settings.enabled:
        return Decision(is_open=False, reason="completion is switched off (setting completion.enabled)")
    here = surroundings(query.snapshot.text, query.offset)
    if query.trigger is Trigger.AUTOMATIC:
        language = query.snapshot.language
        if language in settings.disabled_languages:
            return Decision(
                is_open=False,
                reason=f"suggestions are off for {language} (setting completion.disabled_languages)",
            )
        if _WORD.match(here.rest):
            return Decision(is_open=False, reason="the cursor is inside a word")
        if not _ONLY_CLOSERS.fullmatch(here.rest):
            return Decision(is_open=False, reason="there is code after the cursor on this line")
        if not query.snapshot.text.strip():
            return Decision(is_open=False, reason="the document is empty: there is nothing to go by")
    return Decision(is_open=True, is_multi=_is_multi(query, here))


def surroundings(text: str, offset: int) -> Surroundings:
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    end = _line_end(text, offset)
    previous = ""
    at = start
    while at > 0 and not previous.strip():
        above = max(text.rfind("\n", 0, at - 1), text.rfind("\r", 0, at - 1)) + 1
        previous = text[above:at].rstrip("\r\n")
        at = above
    below = end + (2 if text[end : end + 2] == "\r\n" else 1)
    next_line = text[below : _line_end(text, below)] if end < len(text) else None
    return Surroundings(text[start:offset], text[offset:end], previous, next_line)


def opens_block(line: str) -> bool:
    """Does code follow from this line into a block, a bracket or an arrow?"""
    return bool(_OPENS_BLOCK.search(line))


def _is_multi(query: Query, here: Surroundings) -> bool:
    if query.lines != "auto":
        return query.lines == "multi"
    if here.rest.strip():
        return False
    if here.typed.strip():
        return opens_block(here.typed)
    if here.next_line is None or not here.next_line.strip():
        return True
    # A blank line with code right below: one line is wanted, unless the block above is still empty.
    return opens_block(here.previous) and _indent(here.next_line) <= _indent(here.previous)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _line_end(text: str, offset: int) -> int:
    ends = [at for at in (text.find("\n", offset), text.find("\r", offset)) if at >= 0]
    return min(ends, default=len(text))
