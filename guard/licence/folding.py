"""Characters that look alike are made alike, and those that cannot be seen are dropped.

Each character is folded on its own (NFKD without the marks, then a table of Cyrillic, Greek and
other letters drawn like Latin ones), so that the way back to the original offset is a table.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt

# Drawn like the Latin letter below it in common fonts.
_LOOK = "аеорсухіѕјԁѵԛԝһցոսԍᴄοανρτυικϲϳγωբɡɩʋԃҽսօհղɑАВЕКМНОРСТХУІЅЈԚԜҮѴΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹᎪᏴᏟᎠᎬᎻᏞᎷᏢᏒᏚᎢᏙᏃՕՍ"
_LATIN = "aeopcyxisjdvqwhgnugcoavptuikcjywfgivdeuohnaABEKMHOPCTXYISJQWYVABEZHIKMNOPTYXCABCDEHLMPRSTVZOU"


class _Folds(dict[str, str]):
    def __missing__(self, char: str) -> str:
        category = unicodedata.category(char)
        if char.isascii():
            folded = char
        elif category == "Cf" or "\ufe00" <= char <= "\ufe0f":
            folded = ""
        elif category in ("Zl", "Zp") or char == "\x85":
            folded = "\n"
        else:
            plain = unicodedata.normalize("NFKD", char)
            folded = "".join(_CONFUSABLE.get(one, one) for one in plain if not unicodedata.combining(one))
        self[char] = folded
        return folded


_CONFUSABLE = dict(zip(_LOOK, _LATIN, strict=True))
_FOLDS = _Folds()


def fold(text: str) -> tuple[str, npt.NDArray[np.int64] | None]:
    """The folded text, and for each of its characters, and its end, the offset it came from.

    None where nothing has moved, as in most code.
    """
    if text.isascii():
        return text, None
    pieces = list(map(_FOLDS.__getitem__, text))
    folded = "".join(pieces)
    lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
    if len(folded) == len(text) and bool((lengths == 1).all()):
        return folded, None
    origins = np.repeat(np.arange(len(text), dtype=np.int64), lengths)
    return folded, np.append(origins, len(text))
