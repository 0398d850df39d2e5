"""Is this a place to suggest at all, and one line or several?  A query in, a decision out.

Every "no" carries a reason a person can read.  The rules are those of the best systems: mid-line only
before closers (Copilot), nothing inside a word, nothing after a deletion (Amazon Q), nothing while prose is
written (Zed's scopes), and never a byte of a file of keys, whoever asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...context.errors import SensitiveFileError
from ...context.files import holds_private_key, is_sensitive, refuse_sensitive
from ..settings import CompletionSettings
from ..snapshot import Edit, Query, Snapshot, Trigger
from .extent import Surroundings, is_block_empty, is_header, opens_block, wants_several
from .globs import matching_glob, path_parts
from .scope_table import Row, row_of
from .scopes import Standing, standing

__all__ = ["Decision", "Surroundings", "decide", "is_worth_asking", "opens_block", "surroundings"]

_ONLY_CLOSERS = re.compile(r"[ \t]*[)>}\]\"'`]*[ \t]*[:{;,]?[ \t]*")
_CLOSING_TAGS = re.compile(r"[ \t]*[}\"'`)]*[ \t]*(?:/?>)?(?:</[\w.:-]*>[ \t]*)*[)}\];,]*[ \t]*")
_REGEX_END = re.compile(r"/[a-z]*")
_WORD = re.compile(r"\w")
_OPENERS = ("(", "[", "{")


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` says why not; empty when `is_open`."""

    is_open: bool
    is_multi: bool = False
    reason: str = ""
    may_recall: bool = False
    """No model is asked, but what has been suggested here before may be shown again: a person who types
    through a comment that was suggested, or deletes a letter of it, still sees the rest."""


def decide(query: Query, settings: CompletionSettings) -> Decision:
    """Invoked requests pass wherever an answer can be placed; automatic ones must be in a good place."""
    if not settings.enabled:
        return _no("completion is switched off (setting completion.enabled)")
    if refusal := _refusal_of(query.snapshot, settings):
        return _no(refusal)
    is_automatic = query.trigger is Trigger.AUTOMATIC
    if is_automatic and settings.mode == "on_demand":
        return _no("suggestions come when asked for (setting completion.mode)")
    if is_automatic and query.snapshot.language in settings.disabled_languages:
        language = query.snapshot.language
        return _no(f"suggestions are off for {language} (setting completion.disabled_languages)")
    here = surroundings(query.snapshot.text, query.offset)
    row, _ = row_of(query.snapshot.language, query.snapshot.path)
    place = standing(query.snapshot, query.offset)
    if is_automatic:
        if reason := _bad_place(here, place, row) or _too_little(query.snapshot):
            return _no(reason)
        if reason := _too_eager(query, here, place, settings):
            return Decision(is_open=False, reason=reason, may_recall=True)
    if query.lines != "auto":
        return Decision(is_open=True, is_multi=query.lines == "multi")
    is_multi = wants_several(here, place, row, query.trigger)
    if is_automatic and settings.mode == "subtle":
        is_blank = not here.typed.strip()
        is_multi = is_multi and (is_block_empty(here, row) if is_blank else is_header(here.typed, row))
    return Decision(is_open=True, is_multi=is_multi)


def is_worth_asking(edit: Edit, here: Surroundings) -> bool:
    """May typing have been what made this change?

    Not a deletion, nor blanks moved about in a line that has other text, nor an edit of several places
    (Amazon Q's rule).
    """
    if edit.num_places > 1 or not edit.added:
        return False
    if edit.added.strip() or "\n" in edit.added or "\r" in edit.added:
        return True
    is_line_blank = not (here.typed + here.rest).strip()  # its indentation is being made
    return is_line_blank or edit.added == " "


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


def _no(reason: str) -> Decision:
    return Decision(is_open=False, reason=reason)


def _refusal_of(snapshot: Snapshot, settings: CompletionSettings) -> str:
    """Why nothing of this document may be used, whoever asks."""
    path = "/".join(path_parts(snapshot.path))
    try:
        refuse_sensitive(snapshot.path)
        is_secret = is_sensitive(path)
    except SensitiveFileError:
        is_secret = True
    except (OSError, ValueError):  # a name the file system cannot have: only its words count
        is_secret = is_sensitive(path)
    if is_secret:
        name = path.rpartition("/")[2]
        return f"{name} holds keys or credentials by its name: nothing of it is read or sent"
    if holds_private_key(snapshot.text):
        return "the document holds a private key: nothing of it is read or sent"
    if glob := matching_glob(snapshot.path, settings.disabled_globs):
        return f"suggestions are off for files like {glob!r} (setting completion.disabled_globs)"
    return ""


def _bad_place(here: Surroundings, place: Standing, row: Row) -> str:
    """Why nothing can stand here, whatever the model says."""
    if _WORD.match(here.rest):
        is_inside = bool(_WORD.match(here.typed[-1:]))
        return "the cursor is inside a word" if is_inside else "there is code after the cursor on this line"
    if here.rest.strip() and not here.typed.strip() and not _is_text_end(here, place):
        return "the cursor is in the indentation of a line with code"
    if not _closes(here.rest, place, row):
        return "there is code after the cursor on this line"
    return ""


def _is_text_end(here: Surroundings, place: Standing) -> bool:
    """Is what stands after the cursor the end of a text that spans lines?"""
    return place.scope != "code" and here.rest.lstrip()[:1] in "\"'`*-<"


def _closes(rest: str, place: Standing, row: Row) -> bool:
    """Does the rest of the line only close what is open?"""
    if place.scope == "regex" and (end := _REGEX_END.match(rest)):
        rest = rest[end.end() :]
    if place.scope in ("comment", "docstring"):
        closers = ("*/", "-->", "]]", "=end")
        rest = next(
            (rest.lstrip().removeprefix(one) for one in closers if rest.lstrip().startswith(one)), rest
        )
    if place.scope == "code" and not place.in_hole and any(quote in rest for quote in row.quotes):
        return False  # in code, a quote begins a string
    return bool(_ONLY_CLOSERS.fullmatch(rest) or (row.has_tags and _CLOSING_TAGS.fullmatch(rest)))


def _too_little(snapshot: Snapshot) -> str:
    return "" if snapshot.text.strip() else "the document is empty: there is nothing to go by"


def _too_eager(query: Query, here: Surroundings, place: Standing, settings: CompletionSettings) -> str:
    """Why nobody wants a suggestion here, though one could stand."""
    if place.scope in settings.disabled_scopes:
        return f"the cursor is in a {place.scope} (setting completion.disabled_scopes)"
    if query.edit is not None and not is_worth_asking(query.edit, here):
        what = "in several places" if query.edit.num_places > 1 else "of blanks" if query.edit.added else ""
        return f"the last change was {what or 'a deletion'}; typing on asks again"
    is_at_end = not here.rest.strip() or here.typed.rstrip().endswith(_OPENERS)
    if settings.mode == "subtle" and not is_at_end:
        return "the cursor is not at the end of its line (setting completion.mode is 'subtle')"
    return ""


def _line_end(text: str, offset: int) -> int:
    ends = [at for at in (text.find("\n", offset), text.find("\r", offset)) if at >= 0]
    return min(ends, default=len(text))
