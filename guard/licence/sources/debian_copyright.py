"""Debian's machine-readable copyright file (DEP-5): globs of files, and the licence of each.

REUSE's older `.reuse/dep5` is the same format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .expressions import spdx_of
from .globs import matches
from .recognise import UNKNOWN, licence_of_text

MAX_CHARS = 4_000_000
_FIELD = re.compile(r"^([A-Za-z][A-Za-z-]*):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Paragraph:
    globs: tuple[str, ...]
    licence: str


@dataclass(frozen=True, slots=True)
class CopyrightFile:
    """The last paragraph that matches a path counts, as the format says."""

    paragraphs: tuple[Paragraph, ...]

    def licence_of(self, path: str) -> str:
        for paragraph in reversed(self.paragraphs):
            if any(matches(glob, path, slashes=True) for glob in paragraph.globs):
                return paragraph.licence
        return UNKNOWN


def parse(text: str) -> CopyrightFile | None:
    """None where the file is prose, not this format."""
    text = text[:MAX_CHARS].replace("\r\n", "\n")
    stanzas = [_fields(one) for one in re.split(r"\n[ \t]*\n", text)]
    if not any("format" in one or "format-specification" in one for one in stanzas[:1]):
        return None
    texts: dict[str, str] = {}
    for one in stanzas:
        if "files" not in one and "license" in one:
            name, _, body = one["license"].partition("\n")
            texts[name.strip().lower()] = body
    found: list[Paragraph] = []
    for one in stanzas:
        if "files" not in one or "license" not in one:
            continue
        name, _, body = one["license"].partition("\n")
        found.append(Paragraph(tuple(one["files"].split()), _licence(name.strip(), body, texts)))
    return CopyrightFile(tuple(found))


def _licence(name: str, body: str, texts: dict[str, str]) -> str:
    """The short name; where it is the packager's own, what the text below it is."""
    licence = spdx_of(name)
    if licence != UNKNOWN:
        return licence
    return licence_of_text(body if body.strip() else texts.get(name.lower(), ""))


def _fields(stanza: str) -> dict[str, str]:
    return {match[1].lower(): match[2].strip() for match in _FIELD.finditer(stanza)}
