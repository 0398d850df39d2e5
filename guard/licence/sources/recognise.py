"""Which licence a text is, by the phrases that no other licence has.

A row names the phrases that must stand in the text and those that must not, all in lower case with
everything but letters and digits folded to one space.  A text that no row fits is unknown: a guess
would be worse, since unknown is treated as strictly as copyleft.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """`licence` where all of `has` and none of `lacks` stand in a text."""

    licence: str
    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()


_GNU_TEXT = "everyone is permitted to copy and distribute verbatim copies"
_MIT_GRANT = "permission is hereby granted free of charge to any person obtaining a copy"
_BSD_SOURCE = "redistributions of source code must retain"
_BSD_BINARY = "redistributions in binary form must reproduce"
_BSD_NAMES = ("may be used to endorse or promote", "to endorse or promote products", "be used to advertise")

TEXTS: tuple[Row, ...] = (
    Row("AGPL-3.0-only", ("gnu affero general public license version 3 19 november 2007", _GNU_TEXT)),
    Row("LGPL-3.0-only", ("gnu lesser general public license version 3 29 june 2007", _GNU_TEXT)),
    Row("GPL-3.0-only", ("gnu general public license version 3 29 june 2007", _GNU_TEXT)),
    Row("LGPL-2.1-only", ("gnu lesser general public license version 2 1 february 1999", _GNU_TEXT)),
    Row("LGPL-2.0-only", ("gnu library general public license version 2 june 1991", _GNU_TEXT)),
    Row("GPL-2.0-only", ("gnu general public license version 2 june 1991", _GNU_TEXT)),
    Row("GPL-1.0-only", ("gnu general public license version 1 february 1989", _GNU_TEXT)),
    Row(
        "Apache-2.0", ("apache license version 2 0 january 2004", "terms and conditions for use reproduction")
    ),
    Row("Apache-1.1", ("the apache software license version 1 1",)),
    Row("MPL-2.0", ("mozilla public license version 2 0", "covered software")),
    Row("MPL-1.1", ("mozilla public license version 1 1", "covered code")),
    Row("EPL-2.0", ("eclipse public license v 2 0", "accompanying program")),
    Row("EPL-1.0", ("eclipse public license v 1 0", "accompanying program")),
    Row("CDDL-1.0", ("common development and distribution license", "version 1 0")),
    Row("EUPL-1.2", ("european union public licence v 1 2",)),
    Row("OSL-3.0", ("open software license", "v 3 0")),
    Row("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    Row("CC0-1.0", ("cc0 1 0 universal",)),
    Row("CC-BY-SA-4.0", ("attribution sharealike 4 0 international",)),
    Row("CC-BY-4.0", ("attribution 4 0 international",)),
    Row("BSL-1.0", ("boost software license version 1 0",)),
    Row("Artistic-2.0", ("the artistic license 2 0",)),
    Row("WTFPL", ("do what the fuck you want to public license",)),
    Row("PSF-2.0", ("python software foundation license version 2",), ("beopen",)),
    Row("Python-2.0", ("python software foundation license version 2", "beopen")),
    Row("BUSL-1.1", ("business source license 1 1",)),
    Row("SSPL-1.0", ("server side public license",)),
    Row(
        "Zlib",
        (
            "provided as is without any express or implied warranty",
            "the origin of this software must not be misrepresented",
            "altered source versions must be plainly marked",
        ),
    ),
    Row(
        "0BSD",
        ("permission to use copy modify and or distribute this software for any purpose",),
        ("provided that",),
    ),
    Row(
        "ISC",
        (
            "permission to use copy modify and",
            "distribute this software for any purpose with or without fee is hereby granted",
            "provided that the above copyright notice and this permission notice appear in all copies",
        ),
    ),
    Row("BSD-4-Clause", (_BSD_SOURCE, _BSD_BINARY, "all advertising materials mentioning")),
    Row("BSD-3-Clause", (_BSD_SOURCE, _BSD_BINARY, _BSD_NAMES[0])),
    Row("BSD-3-Clause", (_BSD_SOURCE, _BSD_BINARY, _BSD_NAMES[1])),
    Row("BSD-2-Clause", (_BSD_SOURCE, _BSD_BINARY), _BSD_NAMES),
    Row(
        "MIT",
        (_MIT_GRANT, "the above copyright notice and this permission notice"),
        ("be used in advertising",),
    ),
    Row(
        "MIT-0",
        (_MIT_GRANT, "without restriction"),
        ("the above copyright notice and this permission notice",),
    ),
)
"""Whole texts, most particular first."""

_LATER = ("any later version", "any newer version", "or later")
# What stands at the head of a file: `This program is free software; you can redistribute it …`.
_NOTICE = re.compile(
    r"(?:gnu )?(?P<kind>(?:affero|lesser|library) )?general public licen[cs]e(?: agpl| lgpl| gpl)?"
    r"(?P<between>.{0,200}?)\b(?:version|v) ?(?P<version>[123](?: [01])?)\b"
    r"|\bversion (?P<version_first>[123](?: [01])?) of the (?:gnu )?"
    r"(?P<kind_first>(?:affero|lesser|library) )?general public licen[cs]e",
)
_SHORT_NOTICE = re.compile(
    r"\b(?:released|distributed|licensed|available) (?:here )?under (?:the )?(?:terms of )?(?:the )?(?:gnu )?"
    r"(?P<name>[al]?gpl) ?(?:v|version )?(?P<version>[123](?: [01])?)(?P<plus> or (?:any )?later|\+)?",
)
_OTHER_NOTICES: tuple[Row, ...] = (
    Row("Apache-2.0", ("licensed under the apache license version 2 0",)),
    Row("MPL-1.1", ("mozilla public license version 1 1",)),
    Row("MPL-2.0", ("subject to the terms of the mozilla public license v 2 0",)),
    Row("EPL-2.0", ("the terms of the eclipse public license v 2 0",)),
    Row("EPL-2.0", ("the terms of the eclipse public license 2 0",)),
    Row("EPL-1.0", ("the terms of the eclipse public license v1 0",)),
    Row("BSL-1.0", ("boost software license version 1 0",)),
    Row("MIT", ("licensed under the mit license",)),
    Row("MIT", ("released under the mit license",)),
)


def folded(text: str) -> str:
    """Lower case, everything but letters and digits one space: comment signs and line breaks are gone."""
    return " " + " ".join(re.findall(r"[a-z0-9]+", text[:400_000].lower())) + " "


def licence_of_text(text: str) -> str:
    """The SPDX id of a licence's text, or `unknown`.  GNU texts do not say "or later": `-only`."""
    plain = folded(text)
    # Licences quote each other, and others are appended: what begins first is the text's own.
    fitting = [
        (plain.find(row.has[0]), nth, row.licence) for nth, row in enumerate(TEXTS) if _fits(row, plain)
    ]
    return min(fitting)[2] if fitting else UNKNOWN


def licence_of_notice(head: str) -> str:
    """The SPDX id that the notice at the head of a file names, or `unknown`."""
    plain = folded(head)
    other = next((row.licence for row in _OTHER_NOTICES if _fits(row, plain)), None) or licence_of_text(head)
    gnu = _gnu_notice(plain)
    if gnu is None:
        return other
    if other != UNKNOWN and "alternatively" in plain:
        return f"{other} OR {gnu}"
    return gnu


def _gnu_notice(plain: str) -> str | None:
    if match := _NOTICE.search(plain):
        kind = (match["kind"] or match["kind_first"] or "").strip()
        name = {"affero": "AGPL", "lesser": "LGPL", "library": "LGPL"}.get(kind, "GPL")
        version = match["version"] or match["version_first"]
        later = any(phrase in plain[match.start() : match.end() + 120] for phrase in _LATER)
    elif match := _SHORT_NOTICE.search(plain):
        name, version = match["name"].upper(), match["version"]
        later = bool(match["plus"])
    else:
        return None
    return gnu_id(name, version.replace(" ", "."), later=later)


def gnu_id(name: str, version: str, *, later: bool) -> str | None:
    """`("LGPL", "2.1", later=True)` → `LGPL-2.1-or-later`; None for a version that never was."""
    number = {"1": "1.0", "2": "2.0", "3": "3.0"}.get(version, version)
    known = {"GPL": ("1.0", "2.0", "3.0"), "LGPL": ("2.0", "2.1", "3.0"), "AGPL": ("1.0", "3.0")}
    if name not in known or number not in known[name]:
        return None
    return f"{name}-{number}-{'or-later' if later else 'only'}"


def _fits(row: Row, plain: str) -> bool:
    return all(phrase in plain for phrase in row.has) and not any(phrase in plain for phrase in row.lacks)
