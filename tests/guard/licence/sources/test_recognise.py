# ruff: noqa: E501  (a row of data is a line)
"""Licences are told apart by their phrases; what is not known is said to be unknown."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest

from truepenny.guard.licence.sources.expressions import of_classifiers, spdx_of
from truepenny.guard.licence.sources.recognise import UNKNOWN, licence_of_notice, licence_of_text

COMMON = Path("/usr/share/common-licenses")
"""Debian's own copies: the real texts, which this repository does not hold."""

# File there → what it is.
WHOLE = [
    ("Apache-2.0", "Apache-2.0"),
    ("BSD", "BSD-3-Clause"),
    ("CC0-1.0", "CC0-1.0"),
    ("GPL-1", "GPL-1.0-only"),
    ("GPL-2", "GPL-2.0-only"),
    ("GPL-3", "GPL-3.0-only"),
    ("LGPL-2", "LGPL-2.0-only"),
    ("LGPL-2.1", "LGPL-2.1-only"),
    ("LGPL-3", "LGPL-3.0-only"),
    ("MPL-1.1", "MPL-1.1"),
    ("MPL-2.0", "MPL-2.0"),
    ("GFDL-1.3", UNKNOWN),
    ("Artistic", UNKNOWN),
]


@pytest.mark.parametrize(("name", "expected"), WHOLE)
def test_a_whole_text_is_recognised(name: str, expected: str):
    path = COMMON / name
    if not path.is_file():
        pytest.skip(f"{path} is not on this machine")
    assert licence_of_text(path.read_text("utf-8", "replace")) == expected


# What only this licence says, as a reader would remember it → what it is.
PHRASES = [
    ("GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3, 19 November 2007\nEveryone is permitted to copy and distribute verbatim copies", "AGPL-3.0-only"),
    ("Permission is hereby granted, free of charge, to any person obtaining a copy … The above copyright notice and this permission notice shall", "MIT"),
    ("Permission is hereby granted, free of charge, to any person obtaining a copy … without restriction", "MIT-0"),
    ("Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies.", "ISC"),
    ("Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted. THE SOFTWARE", "0BSD"),
    ("Redistributions of source code must retain … Redistributions in binary form must reproduce", "BSD-2-Clause"),
    ("Redistributions of source code must retain … Redistributions in binary form must reproduce … may be used to endorse or promote", "BSD-3-Clause"),
    ("Redistributions of source code must retain … Redistributions in binary form must reproduce … All advertising materials mentioning … may be used to endorse or promote", "BSD-4-Clause"),
    ("This is free and unencumbered software released into the public domain.", "Unlicense"),
    ("Boost Software License - Version 1.0", "BSL-1.0"),
    ("Eclipse Public License - v 2.0\nTHE ACCOMPANYING PROGRAM", "EPL-2.0"),
    ("provided 'as-is', without any express or implied warranty. … The origin of this software must not be misrepresented … Altered source versions must be plainly marked", "Zlib"),
    ("PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2", "PSF-2.0"),
    ("Server Side Public License", "SSPL-1.0"),
    ("All rights reserved. Nobody may do anything.", UNKNOWN),
    ("", UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PHRASES)
def test_the_telling_phrases_are_enough(text: str, expected: str):
    assert licence_of_text(text) == expected


@pytest.mark.parametrize("prefix", ["", "# ", " * ", "// ", "dnl "])
def test_comment_signs_and_line_breaks_do_not_matter(prefix: str):
    text = "This is free and unencumbered\nsoftware released into\nthe public domain."
    assert licence_of_text("\n".join(prefix + line for line in text.splitlines())) == (
        "Unlicense" if prefix != "dnl " else UNKNOWN
    )


NOTICES = [
    ("under the terms of the GNU General Public License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any later version.", "GPL-2.0-or-later"),
    ("under the terms of the GNU General Public License version 2 as published", "GPL-2.0-only"),
    ("GNU Lesser General Public License as published by the Free Software Foundation; either version 2.1 of the License, or (at your option) any later version", "LGPL-2.1-or-later"),
    ("the terms of version 3 of the GNU Affero General Public License", "AGPL-3.0-only"),
    ("GNU Library General Public License, either version 2 of the License, or (at your option) any later version", "LGPL-2.0-or-later"),
    ("Released under the GPLv3", "GPL-3.0-only"),
    ("Licensed under the Apache License, Version 2.0", "Apache-2.0"),
    ("subject to the terms of the Mozilla Public License, v. 2.0", "MPL-2.0"),
    ("the Mozilla Public License Version 1.1 … Alternatively, under the GNU General Public License Version 2 or later", "MPL-1.1 OR GPL-2.0-or-later"),
    ("compatible with gpl software", UNKNOWN),
    ("GNU General Public License version 9", UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("head", "expected"), NOTICES)
def test_the_notice_at_the_head_of_a_file(head: str, expected: str):
    assert licence_of_notice("/*\n * " + head.replace(", ", ",\n * ") + "\n */") == expected


NAMES = [
    ("MIT", "MIT"),
    ("mit", "MIT"),
    ("Expat", "MIT"),
    ("GPLv3+", "GPL-3.0-or-later"),
    ("GPL-2+", "GPL-2.0-or-later"),
    ("GPL-2.0+", "GPL-2.0-or-later"),
    ("GPL-3.0-or-later", "GPL-3.0-or-later"),
    ("LGPL-2.1", "LGPL-2.1-only"),
    ("GPL", "GPL-1.0-or-later"),
    ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
    ("GNU Library or Lesser General Public License (LGPL)", "LGPL-2.0-or-later"),
    ("GNU Affero General Public License v3", "AGPL-3.0-only"),
    ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
    ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
    ("GPL-2+ and (Expat or BSD-3-clause)", "GPL-2.0-or-later AND (MIT OR BSD-3-Clause)"),
    ("GPL-2+ with OpenSSL exception", "GPL-2.0-or-later"),
    ("GPL-3.0-or-later WITH GCC-exception-3.1", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    ("UNLICENSED", "LicenseRef-Proprietary"),
    ("LicenseRef-Own", "LicenseRef-Own"),
    ("See LICENSE", UNKNOWN),
    ("MIT AND", UNKNOWN),
    ("(MIT", UNKNOWN),
    ("GPL-7", UNKNOWN),
    ("", UNKNOWN),
]


@pytest.mark.parametrize(("said", "expected"), NAMES)
def test_what_people_call_a_licence(said: str, expected: str):
    assert spdx_of(said) == expected


def test_several_classifiers_hold_together():
    rows = ["License :: OSI Approved", "License :: OSI Approved :: MIT License", "Topic :: Software"]
    assert of_classifiers(rows) == "MIT"
    assert (
        of_classifiers([*rows, "License :: OSI Approved :: Apache Software License"]) == "Apache-2.0 AND MIT"
    )


def test_installed_packages_and_their_texts_agree():
    """A single licence in the metadata is the one its text is recognised as, or none is."""
    checked = 0
    for distribution in distributions():
        said = distribution.metadata["License-Expression"]
        files = [f for f in distribution.files or [] if "licenses/LICENSE" in str(f)]
        if said not in {"MIT", "BSD-3-Clause", "BSD-2-Clause", "Apache-2.0", "ISC"} or len(files) != 1:
            continue
        text = Path(str(distribution.locate_file(files[0]))).read_text("utf-8", "replace")
        assert licence_of_text(text) in {said, UNKNOWN}, distribution.metadata["Name"]
        checked += licence_of_text(text) == said
    assert checked >= 10
