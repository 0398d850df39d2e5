"""A command put together as text, taken apart into a list of arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a shell would do more with than split words.
_SHELL = re.compile(r"[|&;<>$*?~()`\n\\#!{}]")
_MARK = "\1"


def argument_list(pieces: Sequence[str], values: Sequence[str]) -> str | None:
    """`["git ", ""]` and `["name"]` to `["git", name]`; nothing where a shell would do more than split."""
    if any(_SHELL.search(piece) or "\1" in piece for piece in pieces):
        return None
    text = pieces[0]
    for piece in pieces[1:]:
        # A value in quotes is one argument, and needs the quotes no more.
        if text[-1:] in ("'", '"') and piece[:1] == text[-1:]:
            text, piece = text[:-1], piece[1:]  # noqa: PLW2901
        text += _MARK + piece
    if "'" in text or '"' in text:
        return None
    left = list(values)
    words: list[str] = []
    for word in text.split():
        parts = word.split(_MARK)
        if len(parts) == 1:
            words.append(f'"{word}"')
        elif parts == ["", ""]:
            words.append(left.pop(0))
        else:
            taken = [left.pop(0) for _ in parts[1:]]
            if any(re.search(r"['\"{}\\]", one) for one in taken):
                return None
            words.append(
                'f"' + parts[0] + "".join(f"{{{a}}}{b}" for a, b in zip(taken, parts[1:], strict=True)) + '"'
            )
    if not words or not words[0].startswith('"'):
        return None
    return f"[{', '.join(words)}]"
