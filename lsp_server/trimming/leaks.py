"""Marks that models were trained on and that are no code: special tokens, fences, names of files."""

from __future__ import annotations

import re

from .place import Place

_SPECIAL = re.compile(
    r"<\|[A-Za-z0-9_.\- ]{1,40}\|>|<｜[^｜\n]{1,40}｜>|</?s>(?=\s*$)|"
    r"<(?:fim|file)_\w+>|<(?:PRE|SUF|MID|EOT)>|\[/?INST\]|<\|(?=fim|end|im_|file|repo)"
)
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_FILE_MARK = re.compile(r"(?:#|//|--|/\*)[ \t]*(?:Path|File|Filename):[ \t]")


def cut_special_tokens(text: str, place: Place) -> str:
    """What comes after one belongs to another text.  A file that speaks of such tokens may go on so."""
    for found in _SPECIAL.finditer(text):
        if found[0] not in place.document:
            return text[: found.start()]
    return text


def drop_fences(text: str, place: Place) -> str:
    """Code in a chat's fence: the fence goes, and what is said after its end."""
    if place.is_prose:
        return text
    lines = text.split("\n")
    while lines and _FENCE.match(lines[0]):
        lines = lines[1:]
    end = next((number for number, line in enumerate(lines) if _FENCE.match(line)), len(lines))
    return "\n".join(lines[:end])


def cut_at_file_mark(text: str, place: Place) -> str:
    """`# Path: …` begins another file of the prompt, unless this file has such lines."""
    if _FILE_MARK.search(place.document):
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _FILE_MARK.match(line):
            return "\n".join(lines[:number])
    return text
