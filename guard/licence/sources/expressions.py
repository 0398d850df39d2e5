"""What people call licences, as SPDX expressions.

Metadata says `GPLv3+`, `BSD License`, `License :: OSI Approved :: MIT License`, Debian says
`GPL-2+ and Expat`.  A name that is not known becomes `unknown`, never a guess.
"""

from __future__ import annotations

import re

from .recognise import UNKNOWN, gnu_id

_IDS = (
    "MIT MIT-0 ISC 0BSD BSD-2-Clause BSD-3-Clause BSD-4-Clause Apache-1.1 Apache-2.0 Zlib BSL-1.0 "
    "Unlicense CC0-1.0 WTFPL MPL-1.1 MPL-2.0 EPL-1.0 EPL-2.0 CDDL-1.0 CDDL-1.1 EUPL-1.1 EUPL-1.2 OSL-3.0 "
    "AFL-2.1 AFL-3.0 Artistic-1.0 Artistic-2.0 PSF-2.0 Python-2.0 CNRI-Python ZPL-2.1 CC-BY-3.0 CC-BY-4.0 "
    "CC-BY-SA-3.0 CC-BY-SA-4.0 BUSL-1.1 SSPL-1.0 NCSA HPND X11 OFL-1.1 PostgreSQL PHP-3.01 Ruby Vim W3C "
    "OpenSSL libpng-2.0 curl MS-PL MulanPSL-2.0 Elastic-2.0 BlueOak-1.0.0 UPL-1.0 ECL-2.0 LicenseRef- "
    "Proprietary GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or- "
    "later LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or- "
    "later AGPL-3.0-only AGPL-3.0-or-later AGPL-1.0-only AGPL-1.0-or-later "
)
_BY_FOLDED = {one.lower(): one for one in _IDS.split()}

_NAMES = {
    "expat": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mit licence": "MIT",
    "mit/expat": "MIT",
    "mit-style": "MIT",
    "bsd-2": "BSD-2-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd-3": "BSD-3-Clause",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "mpl 2.0": "MPL-2.0",
    "mpl-2": "MPL-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mozilla public license 2.0": "MPL-2.0",
    "mozilla public license 1.1 (mpl 1.1)": "MPL-1.1",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "python software foundation license": "PSF-2.0",
    "psf": "PSF-2.0",
    "zope public license": "ZPL-2.1",
    "the unlicense (unlicense)": "Unlicense",
    "the unlicense": "Unlicense",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "cc0": "CC0-1.0",
    "public domain": "Unlicense",
    "public-domain": "Unlicense",
    "zlib/libpng": "Zlib",
    "zlib/libpng license": "Zlib",
    "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
    "boost": "BSL-1.0",
    "artistic": "Artistic-1.0",
    "eclipse public license 1.0 (epl-1.0)": "EPL-1.0",
    "eclipse public license 2.0 (epl-2.0)": "EPL-2.0",
    "european union public licence 1.2 (eupl 1.2)": "EUPL-1.2",
    "other/proprietary license": "LicenseRef-Proprietary",
    "proprietary": "LicenseRef-Proprietary",
    "unlicensed": "LicenseRef-Proprietary",
    "gnu affero general public license v3": "AGPL-3.0-only",
}
_GNU = re.compile(
    r"""^(?:the\ )?(?:gnu\ )?
    (?P<name>agpl | lgpl | gpl | affero\ general\ public\ licen[cs]e | lesser\ general\ public\ licen[cs]e
      | library\ or\ lesser\ general\ public\ licen[cs]e | library\ general\ public\ licen[cs]e
      | general\ public\ licen[cs]e)
    (?:\ licen[cs]e)? (?:[\s,\-_(]* (?:v|ver|version)? [\s.\-]* (?P<version>[123](?:\.[01])?)(?:\.0)? \)?)?
    (?P<later>\s*\+ | [\s,(]*or[\s-](?:\(at\ your\ option\)\ )?(?:any[\s-])?later(?:[\s-]version)?\)?
      | -or-later)? (?:-only|\ only)? (?:\s*\([al]?gpl\s*v?[\d.]*(?:\+|\ or\ later)?\))? $""",
    re.VERBOSE,
)
_SHORT = {
    "affero general public license": "AGPL",
    "lesser general public license": "LGPL",
    "library or lesser general public license": "LGPL",
    "library general public license": "LGPL",
    "general public license": "GPL",
}
_ANY_VERSION = {"GPL": "GPL-1.0-or-later", "LGPL": "LGPL-2.0-or-later", "AGPL": "AGPL-3.0-or-later"}
_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_OPERATORS = {"and": "AND", "or": "OR", "with": "WITH"}


def spdx_of(said: str) -> str:
    """The SPDX expression for what a tag, metadata or a copyright file says, or `unknown`."""
    said = " ".join(said.split())
    if not said or len(said) > 300:  # a whole text, which `recognise` is for
        return UNKNOWN
    one = _one(said)
    return one or _expression(said)


def strictest(found: list[str]) -> str:
    """What holds where several licences are said side by side without a word on how they relate."""
    distinct = sorted({one for one in found if one != UNKNOWN})
    if not distinct:
        return UNKNOWN
    if len(distinct) == 1:
        return distinct[0]
    return " AND ".join(f"({one})" if " OR " in one else one for one in distinct)


def of_classifiers(classifiers: list[str]) -> str:
    """`License :: OSI Approved :: …`; several are the author's choice of several, read as all."""
    named = [one.rsplit("::", 1)[-1].strip() for one in classifiers if one.startswith("License ::")]
    return strictest([spdx_of(one) for one in named if one != "OSI Approved"])


def _one(name: str) -> str | None:
    plain = name.lower().strip()
    if plain.startswith("licenseref-"):
        return name if re.fullmatch(r"[A-Za-z0-9.-]+", name) else None
    if known := _BY_FOLDED.get(plain) or _NAMES.get(plain):
        return known
    if match := _GNU.match(plain):
        short = _SHORT.get(match["name"].replace("licence", "license"), match["name"].upper())
        if not match["version"]:  # then any version ever published may be chosen, the texts say
            return _ANY_VERSION[short]
        return gnu_id(short, match["version"], later=bool(match["later"]))
    return None


def _expression(said: str) -> str:
    """`GPL-2+ and (Expat or BSD-3-clause)`; unknown as soon as one part of it is."""
    text = re.sub(r"\s*(?:/|\|)\s*", " or ", said) if said.count("/") == 1 and " " not in said else said
    text = re.sub(r",\s*(?=and\b|or\b)", " ", text)
    parts: list[str] = []
    words = _TOKEN.findall(text)
    for nth, word in enumerate(words):
        if word in "()":
            parts.append(word)
        elif word.lower() in _OPERATORS:
            parts.append(_OPERATORS[word.lower()])
        elif word.lower() == "exception" or (nth and words[nth - 1].lower() == "with"):
            parts.append(word)
        elif known := _one(word):
            parts.append(known)
        else:
            return UNKNOWN
    return _joined(parts)


def _joined(parts: list[str]) -> str:
    """With operators where they belong, or unknown: an exception Debian words freely is left off."""
    out: list[str] = []
    want_name, depth, nth = True, 0, 0
    while nth < len(parts):
        part = parts[nth]
        if part == "(" and want_name:
            depth += 1
        elif part == ")" and not want_name and depth:
            depth -= 1
        elif part in {"AND", "OR"} and not want_name:
            want_name = True
        elif part == "WITH" and not want_name and nth + 1 < len(parts):
            if re.fullmatch(r"[A-Za-z]\w*-[\w.-]*exception[\w.-]*", parts[nth + 1], re.IGNORECASE):
                out += ["WITH", parts[nth + 1]]
            nth += 2
            while nth < len(parts) and parts[nth].lower() == "exception":
                nth += 1
            continue
        elif part not in {"AND", "OR", "WITH", "(", ")"} and want_name:
            want_name = False
        else:
            return UNKNOWN
        out.append(part)
        nth += 1
    if want_name or depth:
        return UNKNOWN
    return " ".join(out).replace("( ", "(").replace(" )", ")")
