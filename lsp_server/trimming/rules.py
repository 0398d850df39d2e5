"""The order of the rules, and why nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .following import cut_repeats_below, drop_closers, drop_rest
from .leaks import cut_at_file_mark, cut_special_tokens, drop_fences
from .margins import drop_blank_ends, drop_typed_indent, fit_indent
from .meaning import drop_implied
from .place import Place
from .repetition import cut_loop, cut_repeated_lines, drop_line_above
from .seam import drop_partial_word, drop_typed, join_white_space


@dataclass(frozen=True, slots=True)
class Rule:
    apply: Callable[[str, Place], str]
    silence: str
    """What a person reads when the rule leaves nothing."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """`silence` says why `text` is empty; it is empty where there is text."""

    text: str
    silence: str = ""


_ABOVE = "the suggestion only repeated the line above"
_BELOW = "the suggestion only repeated the lines below"
_CLOSED = "the suggestion only closed what is already closed"
_TYPED = "the suggestion only repeated what is typed already"
_LOOP = "the suggestion only repeated itself"
_NOTHING = "the model has nothing to add here"

RULES = (
    Rule(cut_special_tokens, "the model wrote a special token and no code"),
    Rule(drop_fences, "the model wrote a fence and no code"),
    Rule(cut_at_file_mark, "the model began another file"),
    Rule(drop_typed, _TYPED),
    Rule(drop_partial_word, _TYPED),
    Rule(drop_line_above, _ABOVE),
    Rule(cut_repeats_below, _BELOW),
    Rule(cut_repeated_lines, _LOOP),
    Rule(cut_loop, _LOOP),
    Rule(drop_rest, "the suggestion only repeated the rest of the line"),
    Rule(drop_closers, _CLOSED),
    Rule(drop_blank_ends, _NOTHING),
    Rule(drop_typed_indent, _NOTHING),
    Rule(fit_indent, _NOTHING),
    Rule(join_white_space, _NOTHING),
    Rule(drop_implied, "the suggestion is only closing punctuation"),
)

_MAX_ROUNDS = 8


def trim(text: str, place: Place) -> Trimmed:
    """The text that may be shown, and why it became empty if it did.

    Rules make room for one another, so they are applied until nothing changes.
    """
    if not text.strip():
        return Trimmed("", _NOTHING)
    for _ in range(_MAX_ROUNDS):
        before = text
        for rule in RULES:
            text = rule.apply(text, place)
            if not text.strip():
                return Trimmed("", rule.silence)
        if text == before:
            break
    return Trimmed(text)
