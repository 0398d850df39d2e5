"""Where the text meets what was typed."""

from __future__ import annotations

import re

from .place import Place

_LAST_WORD = re.compile(r"\w+$")
_MIN_WORD = 3


def drop_typed(text: str, place: Place) -> str:
    """The model wrote the line again from its beginning: `return x` after `return `."""
    typed = place.here.typed.strip()
    if len(typed) < _MIN_WORD or not re.search(r"\w{2}", typed):
        return text
    while text.lstrip(" \t").startswith(typed):
        text = text.lstrip(" \t")[len(typed) :]
    return text


def drop_partial_word(text: str, place: Place) -> str:
    """The model began the word again: `return x` after `ret`."""
    word = _LAST_WORD.search(place.here.typed)
    if word is None or len(word[0]) < _MIN_WORD:
        return text
    while text.startswith(word[0]):
        text = text[len(word[0]) :]
    return text


def join_white_space(text: str, place: Place) -> str:
    """One white space where both sides have one."""
    here = place.here
    if here.typed.strip() and here.typed[-1:] in (" ", "\t"):
        text = text.lstrip(" \t")
    if here.rest[:1] in (" ", "\t"):
        text = text.rstrip(" \t")
    return text
