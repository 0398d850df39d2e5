"""Too little to be worth a look."""

from __future__ import annotations

import re

from .place import Place

_IMPLIED = re.compile(r"[\s)\]}>;,:\"'`]*")


def drop_implied(text: str, place: Place) -> str:
    """Closers and separators alone: an editor writes them, and a person faster than reads them."""
    return "" if not place.is_asked and _IMPLIED.fullmatch(text) else text
