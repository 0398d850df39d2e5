"""Literals as the program would see them: put together, or taken out of base64.

`"AB" + "CD"`, `"AB" "CD"` and `"AB" . "CD"` hide a token from a pattern; so does base64 of it.  What
is folded is searched like the text itself, and spans lead back to where it stands.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DECODED = 12
"""Runs of base64 that are decoded per text: more of them are data."""

DECODED_CHARS = 400
"""Of one run: a token stands at its beginning or the run is an image."""

# A quote, then an operator or white space that puts literals together, then a quote.
_SEAM = re.compile(r"""["'`](?:\s*(?:\+|\.\.?|&|\|\||<>|\\\r?\n)\s*|\s+)[rRbBuU]?["'`]""")
_BASE64 = re.compile(r"(?<![0-9A-Za-z+/_-])[0-9A-Za-z+/_-]{24,}={0,2}(?![0-9A-Za-z+/_=-])")
_PRINTABLE = re.compile(rb"[\x20-\x7e\r\n\t]{16,}")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` without its seams; `back` leads to offsets in the text it came from."""

    text: str
    _starts: tuple[int, ...]
    """Where, in `text`, each piece begins."""
    _origins: tuple[int, ...]
    """Where, in the original, each piece begins."""

    def back(self, offset: int, *, end: bool = False) -> int:
        at = bisect.bisect_right(self._starts, offset - 1 if end else offset) - 1
        return self._origins[max(at, 0)] + offset - self._starts[max(at, 0)]


def fold(text: str) -> Folded | None:
    """`text` with literals put together, or `None` where none are."""
    pieces: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    at = length = 0
    for seam in _SEAM.finditer(text):
        pieces.append(text[at : seam.start()])
        starts.append(length)
        origins.append(at)
        length += seam.start() - at
        at = seam.end()
    if not pieces:
        return None
    return Folded("".join((*pieces, text[at:])), (*starts, length), (*origins, at))


def decoded(text: str) -> Iterator[tuple[int, int, str]]:
    """Runs of base64 that hold printable text: their span, and the text."""
    for count, run in enumerate(_BASE64.finditer(text)):
        if count == MAX_DECODED:
            return
        head = run[0].rstrip("=")[:DECODED_CHARS].replace("-", "+").replace("_", "/")
        head = head[: len(head) - 1] if len(head) % 4 == 1 else head
        try:
            plain = base64.b64decode(head + "=" * (-len(head) % 4))
        except (binascii.Error, ValueError):  # not base64 after all: nothing is hidden in it
            continue
        if _PRINTABLE.match(plain):
            yield run.start(), run.end(), plain.decode("ascii", "replace")
