"""Text without what it says: its shape stays, for a bug report.

Letters become `x` or `X`, digits `0`; other characters become one that takes as many bytes and UTF-16
units, since positions are what reports are often about.  White space, line ends and ASCII punctuation
stay: they are what the gate and the rules of trimming look at.
"""

from __future__ import annotations

import unicodedata


def redacted(text: str) -> str:
    """As long as `text` in characters, UTF-8 bytes and UTF-16 units, with the same line ends."""
    return "".join(map(_redacted, text))


def _redacted(character: str) -> str:
    if character.isascii():
        if character.isdigit():
            return "0"
        if character.isalpha():
            return "X" if character.isupper() else "x"
        return character
    category = unicodedata.category(character)
    if category[0] in "CZ" and category != "Co":  # separators and controls, as U+2028 and U+200D
        return character
    if category[0] == "M":
        return "\u0301" if character < "\u0800" else "\u20dd" if character < "\U00010000" else "\U000e0100"
    return "é" if character < "\u0800" else "漢" if character < "\U00010000" else "😋"
